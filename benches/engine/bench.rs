//! An engine on a store of its own, with one trivial step type.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::json;
use sqlx::{ConnectOptions as _, Row as _};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;
use workflow::contract::clock::{Clock, SystemClock};
use workflow::contract::registry::Registry;
use workflow::contract::step::{Attempt, Done, StepHandler, StepOutcome, StepResult};
use workflow::domain::event::Event;
use workflow::domain::id::RunId;
use workflow::domain::plan::EffectClass;
use workflow::domain::run::Flow;
use workflow::engine::{Engine, Notice, Plans, Settings};
use workflow::language::catalog::{StepType, Undo};
use workflow::language::{Options, Source};
use workflow::store::Store;
use workflow::store::db::{Durability, Settings as StoreSettings};
use workflow::store::journal::NewRun;
use workflow::store::workflows::{Revision, StoredWorkflow};

/// Waits for longer than anything is measured.
struct Idle;

impl StepHandler for Idle {
    fn declare(&self) -> StepType {
        StepType {
            name: "idle",
            summary: "waits",
            effect: EffectClass::Idempotent,
            ..Trivial(EffectClass::Pure).declare()
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        let until = attempt.now.plus(workflow::domain::time::Span::from_secs(365 * 24 * 3_600));
        Box::pin(std::future::ready(Ok(StepOutcome::WaitUntil(until))))
    }
}

/// Gives about 100 bytes and does nothing.
struct Trivial(EffectClass);

impl StepHandler for Trivial {
    fn declare(&self) -> StepType {
        StepType {
            name: "trivial",
            summary: "gives about 100 bytes",
            config: json!({}),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &["*"],
            effect: self.0,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        const PAD: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
        Box::pin(std::future::ready(
            Done::with(json!({ "flow": attempt.run, "n": attempt.number, "ok": true, "pad": PAD })).into(),
        ))
    }
}

/// What is known of a run's end: that it is over, or who waits for it.
enum End {
    Over,
    Waits(oneshot::Sender<()>),
}

type Ends = Arc<Mutex<HashMap<RunId, End>>>;

/// An engine that is measured.
pub struct Bench {
    engine: Engine,
    flow: Arc<Flow>,
    new: NewRun,
    ends: Ends,
    database: PathBuf,
}

impl Bench {
    /// Ten steps in a row.
    pub async fn new(folder: &Path, name: &str, effect: EffectClass, places: usize) -> Self {
        let text = format!("name: Bench {name}\nsteps:\n{}", "  - { type: trivial }\n".repeat(super::STEPS));
        Self::of(folder, (name, &text, "{}"), effect, places).await
    }

    /// The workflow of this text, with these inputs. On a folder that has been used it carries on what is open there.
    pub async fn of(
        folder: &Path,
        (name, text, inputs): (&str, &str, &str),
        effect: EffectClass,
        places: usize,
    ) -> Self {
        let settings = StoreSettings {
            database: folder.join(format!("{name}.db")),
            files: folder.join("files"),
            durability: Durability::Full,
        };
        let store = Store::open(&settings).await.expect("a store");
        let registry = Registry::new(vec![Arc::new(Trivial(effect)), Arc::new(Idle)]).expect("two types");
        let plans = Plans::new(registry.clone(), Options::default());
        let source = Source { name: "bench.yaml".to_owned(), text: text.to_owned() };
        let flow = plans.share(plans.compile(&source).plan.expect("the text above compiles"));
        let new = keep(&store, &flow, source, inputs).await;
        let settings = Settings { max_concurrent: places, ..Settings::default() };
        let engine = Engine::start(store, registry, plans, Arc::new(SystemClock), settings).await.expect("an engine");
        let ends = Ends::default();
        tokio::spawn(notice_ends(engine.clone(), Arc::clone(&ends)));
        Self { engine, flow, new, ends, database: folder.join(format!("{name}.db")) }
    }

    /// Accepts so many runs and does not wait for their ends.
    pub async fn accept(&self, runs: usize) {
        let accept = || self.engine.accept(self.new.clone(), Arc::clone(&self.flow), None);
        let mut open = FuturesUnordered::new();
        for _ in 0..runs {
            if open.len() == 1_000 {
                open.next().await;
            }
            open.push(accept());
        }
        while let Some(accepted) = open.next().await {
            accepted.expect("accepted");
        }
    }

    /// Waits until so many runs stand still.
    pub async fn until_waiting(&self, runs: usize) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&self.database).read_only(true);
        let mut connection = options.connect().await.expect("a reader");
        loop {
            let text = "SELECT count(*) AS count FROM run WHERE status = 'waiting' AND finished_at IS NULL";
            let row = sqlx::query(text).fetch_one(&mut connection).await.expect("a number");
            if row.get::<i64, _>("count") as usize >= runs {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// How long it takes to list the newest runs.
    pub async fn list(&self) -> Duration {
        let filter = workflow::store::runs::RunFilter { limit: 50, ..Default::default() };
        let begin = Instant::now();
        let found = self.engine.store().runs().list(&filter).await.expect("readable");
        assert!(!found.is_empty(), "there are runs");
        begin.elapsed()
    }

    /// One run from its start to its end.
    pub async fn run_one(&self) -> Duration {
        let begin = Instant::now();
        let run = self.engine.accept(self.new.clone(), Arc::clone(&self.flow), None).await.expect("accepted");
        let (end, ended) = oneshot::channel();
        let before = self.ends.lock().expect("nobody panics with it").insert(run, End::Waits(end));
        // It may have ended before we asked to be told.
        if !matches!(before, Some(End::Over)) {
            ended.await.expect("the watcher lives as long as the engine");
        }
        self.ends.lock().expect("nobody panics with it").remove(&run);
        begin.elapsed()
    }

    /// This many runs, so many of them at the same time.
    pub async fn run_many(&self, runs: usize, in_flight: usize) {
        let mut open = FuturesUnordered::new();
        for _ in 0..runs {
            if open.len() == in_flight {
                open.next().await;
            }
            open.push(self.run_one());
        }
        while open.next().await.is_some() {}
    }

    /// Rows and bytes that a step costs in the journal and in the table of steps.
    pub async fn written_per_step(&self) -> (f64, f64) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&self.database).read_only(true);
        let mut connection = options.connect().await.expect("a reader");
        let text = "SELECT (SELECT count(*) FROM step) AS steps, \
                    (SELECT count(*) FROM step) + (SELECT count(*) FROM journal) AS rows, \
                    (SELECT sum(length(events)) FROM journal) + (SELECT sum(length(outputs)) FROM step) AS bytes";
        let row = sqlx::query(text).fetch_one(&mut connection).await.expect("three numbers");
        let number = |name: &str| row.get::<i64, _>(name) as f64;
        (number("rows") / number("steps"), number("bytes") / number("steps"))
    }

    pub async fn close(self) {
        self.engine.stop().await;
    }
}

async fn keep(store: &Store, flow: &Flow, source: Source, inputs: &str) -> NewRun {
    let clock = SystemClock;
    let plan = &flow.plan;
    let workflow = StoredWorkflow {
        id: workflow::domain::id::WorkflowId::from_bits(clock.id_bits()),
        name: plan.name.clone(),
        slug: plan.slug.clone(),
        description: String::new(),
        archived_at: None,
        template: None,
        revision_hash: plan.hash.clone(),
        created_at: clock.now(),
    };
    let revision = Revision {
        hash: plan.hash.clone(),
        slug: plan.slug.clone(),
        source_name: source.name,
        source_text: source.text,
    };
    store.workflows().save(&workflow, &revision, workflow.created_at).await.expect("written");
    let json = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).expect("JSON");
    NewRun {
        workflow_id: workflow.id,
        revision_hash: plan.hash.clone(),
        slug: plan.slug.clone(),
        origin: json(r#"{"door":"bench","name":"bench"}"#),
        inputs: json(inputs),
        parent: None,
        lane: None,
        firing: None,
    }
}

/// Tells whoever waits for a run that it is over.
async fn notice_ends(engine: Engine, ends: Ends) {
    let mut feed = engine.feed().subscribe();
    loop {
        match feed.recv().await {
            Ok(Notice::Committed { run, entries, .. }) => {
                let over = entries.iter().any(|(_, event)| matches!(event, Event::Finished { .. }));
                if over {
                    tell(&ends, run);
                }
            }
            Ok(Notice::Progress { .. }) => {}
            Err(RecvError::Lagged(_)) => catch_up(&engine, &ends).await,
            Err(RecvError::Closed) => return,
        }
    }
}

/// Notices were missed: the store knows who is over.
async fn catch_up(engine: &Engine, ends: &Ends) {
    let waiting: Vec<RunId> = ends.lock().expect("nobody panics with it").keys().copied().collect();
    for run in waiting {
        let row = engine.store().runs().find(run).await.expect("readable");
        if row.is_some_and(|row| row.finished_at.is_some()) {
            tell(ends, run);
        }
    }
}

fn tell(ends: &Ends, run: RunId) {
    let before = ends.lock().expect("nobody panics with it").insert(run, End::Over);
    if let Some(End::Waits(end)) = before {
        let _ = end.send(()); // a measurement that was given up needs no end
    }
}
