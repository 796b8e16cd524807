//! A whole engine on a temporary store, with a scripted step type that tells what it was asked to do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore};
use workflow::contract::clock::{Clock, SystemClock};
use workflow::contract::registry::Registry;
use workflow::contract::step::{Attempt, Done, StepHandler, StepOutcome, StepResult};
use workflow::domain::code;
use workflow::domain::fault::Fault;
use workflow::domain::id::{RunId, WorkflowId};
use workflow::domain::lane::Priority;
use workflow::domain::machine;
use workflow::domain::plan::{Condition, EffectClass, OnError, Plan, PlanStep};
use workflow::domain::retry::RetryPolicy;
use workflow::domain::role::Permissions;
use workflow::domain::run::{Flow, Run};
use workflow::domain::time::{Span, Timestamp};
use workflow::engine::{Engine, Notice, Plans, Settings};
use workflow::language::catalog::{StepType, Undo};
use workflow::store::Store;
use workflow::store::db::{Durability, Settings as StoreSettings};
use workflow::store::journal::{History, NewRun};
use workflow::store::workflows::{Revision, StoredWorkflow};

/// What the scripted step does, by its id; anything not written here succeeds at once.
#[derive(Clone)]
pub enum Script {
    /// Fails this many attempts, then succeeds.
    Fail(u32),
    /// Fails for good.
    FailForGood,
    /// Waits until the test lets it go, or until it is cancelled.
    Hold,
    /// Waits for ever and does not listen when it is cancelled.
    Deaf,
    /// Panics.
    Panic,
    /// Succeeds after this time, holding nothing.
    Sleep(Span),
    /// Gives this.
    Give(Value),
    /// Tells so many times how far it is, so much time apart.
    Tell(u32, Span),
}

/// What the scripted steps have seen.
pub struct Ledger {
    script: Mutex<HashMap<String, Script>>,
    starts: Mutex<Vec<(String, u32, String)>>,
    pub started: Notify,
    go: Semaphore,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { script: Mutex::default(), starts: Mutex::default(), started: Notify::new(), go: Semaphore::new(0) }
    }
}

impl Ledger {
    /// Lets so many held steps go: those that hold now, then those that come to it.
    pub fn let_go(&self, steps: usize) {
        self.go.add_permits(steps);
    }

    /// Starts of this step: attempt numbers.
    pub fn starts(&self, step: &str) -> Vec<u32> {
        let starts = self.starts.lock().expect("no test panics while it holds this");
        starts.iter().filter(|(name, ..)| name == step).map(|(_, attempt, _)| *attempt).collect()
    }

    /// The idempotency keys that attempts of this step were given.
    pub fn keys(&self, step: &str) -> Vec<String> {
        let starts = self.starts.lock().expect("no test panics while it holds this");
        starts.iter().filter(|(name, ..)| name == step).map(|(.., key)| key.clone()).collect()
    }

    /// Resolves once this step has been started this many times.
    pub async fn until_started(&self, step: &str, times: usize) {
        loop {
            let started = self.started.notified();
            if self.starts(step).len() >= times {
                return;
            }
            started.await;
        }
    }
}

struct Scripted(Arc<Ledger>, &'static str, EffectClass);

impl StepHandler for Scripted {
    fn declare(&self) -> StepType {
        StepType {
            name: self.1,
            summary: "does what the test says",
            config: json!({}),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &["*"],
            effect: self.2,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let start = (attempt.step.clone(), attempt.number, attempt.step_key.clone());
            self.0.starts.lock().expect("no test panics while it holds this").push(start);
            self.0.started.notify_waiters();
            let script = self.0.script.lock().expect("no test panics while it holds this").get(&attempt.step).cloned();
            match script {
                None => Done::with(json!({ "step": attempt.step })).into(),
                Some(Script::Give(value)) => Done::with(value).into(),
                Some(Script::Fail(times)) if attempt.number > times => Done::with(json!({})).into(),
                Some(Script::Fail(_)) => Err(Fault::transient(code::WF3503, "the script says so")),
                Some(Script::FailForGood) => Err(Fault::permanent(code::WF2006, "the script says so")),
                Some(Script::Panic) => panic!("the script says so"),
                Some(Script::Sleep(span)) => Ok(StepOutcome::WaitUntil(attempt.now.plus(span))),
                Some(Script::Tell(times, apart)) => {
                    for time in 0..times {
                        tokio::time::sleep(apart.duration()).await;
                        (attempt.progress)(&format!("{time} of {times}"));
                    }
                    Done::with(json!({})).into()
                }
                Some(Script::Deaf) => std::future::pending().await,
                Some(Script::Hold) => tokio::select! {
                    permit = self.0.go.acquire() => {
                        permit.expect("the bench never closes it").forget();
                        Done::with(json!({})).into()
                    }
                    () = attempt.cancel.cancelled() => Err(Fault::transient(code::WF4007, "cancelled")),
                },
            }
        })
    }
}

/// A plan of scripted steps, made by hand so that engine tests need no files.
pub fn plan(steps: &[(&str, &[usize])]) -> Plan {
    let step = |(index, (id, needs)): (usize, &(&str, &[usize]))| PlanStep {
        phase: workflow::domain::plan::Phase::Main,
        parent: None,
        in_loop: None,
        foreach: None,
        cache: None,
        rollback: None,
        id: (*id).to_owned(),
        name: (*id).to_owned(),
        kind: "scripted".to_owned(),
        config: json!({}),
        config_has_expressions: false,
        needs: needs.to_vec(),
        stage: index,
        condition: Condition::default(),
        retry: RetryPolicy { delay: Span::from_millis(1), ..RetryPolicy::default() },
        timeout: Span::from_secs(60),
        total: None,
        queue: None,
        heartbeat: None,
        room: None,
        on_error: OnError::Stop,
        ports: Vec::new(),
        outputs: Vec::new(),
        effect: EffectClass::AtLeastOnce,
        overridable: Vec::new(),
        line: index + 1,
    };
    Plan {
        concurrency: None,
        permissions: Permissions::default(),
        cache: None,
        priority: Priority::Normal,
        triggers: Vec::new(),
        slug: "scripted".to_owned(),
        name: "Scripted".to_owned(),
        description: String::new(),
        hash: "scripted".to_owned(),
        version: None,
        inputs: None,
        vars: json!({}),
        steps: steps.iter().enumerate().map(step).collect(),
        outputs: Vec::new(),
        timeout: None,
        includes_waits: false,
        queue: None,
    }
}

/// The clock of the wall, which the test may set.
#[derive(Default)]
pub struct WallClock(AtomicI64);

impl WallClock {
    /// Sets it forward by so many seconds, or back.
    pub fn set(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(SystemClock.now().micros() + self.0.load(Ordering::SeqCst))
    }

    fn id_bits(&self) -> u128 {
        SystemClock.id_bits()
    }
}

/// An engine on its bench.
pub struct Workbench {
    pub engine: Engine,
    pub ledger: Arc<Ledger>,
    pub flow: Arc<Flow>,
    pub clock: Arc<WallClock>,
    folder: Arc<TempDir>,
    workflow: WorkflowId,
}

impl Workbench {
    /// An engine that runs this plan.
    pub async fn new(plan: Plan) -> Self {
        Self::with(plan, Settings::default()).await
    }

    /// The same with other settings.
    pub async fn with(plan: Plan, settings: Settings) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        Self::open(folder, plan, settings, (Arc::default(), Arc::default())).await
    }

    async fn open(
        folder: Arc<TempDir>,
        plan: Plan,
        settings: Settings,
        (ledger, clock): (Arc<Ledger>, Arc<WallClock>),
    ) -> Self {
        let store = StoreSettings {
            database: folder.path().join("workflow.db"),
            files: folder.path().join("files"),
            durability: Durability::Full,
        };
        let store = Store::open(&store).await.expect("the store opens");
        let handlers: Vec<Arc<dyn StepHandler>> = vec![
            Arc::new(Scripted(Arc::clone(&ledger), "scripted", EffectClass::AtLeastOnce)),
            Arc::new(Scripted(Arc::clone(&ledger), "pure", EffectClass::Pure)),
        ];
        let registry = Registry::new(handlers).expect("names are unique");
        let plans = Plans::new(registry.clone(), Default::default());
        let flow = plans.share(plan);
        let workflow = keep(&store, &flow.plan).await;
        let time: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let engine = Engine::start(store, registry, plans, time, settings).await.expect("it starts");
        Self { engine, ledger, flow, clock, folder, workflow }
    }

    /// The process is gone: whatever was in flight is lost. The next engine on the same store.
    pub async fn restart(self) -> Self {
        let (folder, plan) = (Arc::clone(&self.folder), self.flow.plan.clone());
        let kept = (Arc::clone(&self.ledger), Arc::clone(&self.clock));
        self.engine.stop().await;
        Self::open(folder, plan, Settings::default(), kept).await
    }

    /// What a step is to do.
    pub fn script(&self, step: &str, script: Script) {
        self.ledger.script.lock().expect("no test panics while it holds this").insert(step.to_owned(), script);
    }

    /// Starts a run.
    pub async fn start(&self) -> RunId {
        self.start_from("{}").await
    }

    /// The same from somewhere: the text of an origin.
    pub async fn start_from(&self, origin: &str) -> RunId {
        let json = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).expect("JSON");
        let new = NewRun {
            workflow_id: self.workflow,
            revision_hash: self.flow.plan.hash.clone(),
            slug: self.flow.plan.slug.clone(),
            origin: json(origin),
            inputs: json("{}"),
            parent: None,
            lane: None,
            firing: None,
        };
        self.engine.accept(new, Arc::clone(&self.flow), None).await.expect("accepted")
    }

    /// The status of a run, as the store has it.
    pub async fn status(&self, run: RunId) -> String {
        self.history(run).await.row.status
    }

    /// Everything the store has of a run.
    pub async fn history(&self, run: RunId) -> History {
        self.engine.store().journal().load(run).await.expect("readable").expect("known")
    }

    /// A run as its journal tells it.
    pub fn fold(&self, history: &History) -> Run {
        let mut run = Run::new(history.row.id, &self.flow, history.row.created_at);
        for (at, event) in &history.entries {
            machine::apply(&mut run, &self.flow, *at, event);
        }
        run
    }

    /// Waits until a run has this status.
    pub async fn until(&self, run: RunId, status: &str) -> History {
        let mut feed = self.engine.feed().subscribe();
        let reached = async {
            loop {
                let row = self.engine.store().runs().find(run).await.expect("readable").expect("known");
                if row.status == status {
                    return self.history(run).await;
                }
                while !matches!(feed.recv().await, Ok(Notice::Committed { run: of, .. }) if of == run) {}
            }
        };
        let limit = std::time::Duration::from_secs(30);
        tokio::time::timeout(limit, reached).await.unwrap_or_else(|_| panic!("{run} never became {status}"))
    }
}

async fn keep(store: &Store, plan: &Plan) -> WorkflowId {
    if let Some(known) = store.workflows().of_template(&plan.slug).await.expect("readable") {
        return known.id;
    }
    let workflow = StoredWorkflow {
        id: WorkflowId::from_bits(SystemClock.id_bits()),
        name: plan.name.clone(),
        slug: plan.slug.clone(),
        description: String::new(),
        archived_at: None,
        template: Some(plan.slug.clone()),
        revision_hash: plan.hash.clone(),
        created_at: SystemClock.now(),
    };
    let revision = Revision {
        hash: plan.hash.clone(),
        slug: plan.slug.clone(),
        source_name: "scripted.yaml".to_owned(),
        source_text: String::new(),
    };
    store.workflows().save(&workflow, &revision, workflow.created_at).await.expect("written");
    workflow.id
}
