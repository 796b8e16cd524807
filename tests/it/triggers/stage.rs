//! A front desk whose clock stands still until the test moves it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Notify;
use workflow::contract::clock::Clock;
use workflow::contract::registry::Registry;
use workflow::contract::step::{Attempt, Done, StepHandler, StepResult};
use workflow::domain::plan::EffectClass;
use workflow::domain::time::{Span, Timestamp};
use workflow::engine::{Engine, Plans, Settings};
use workflow::language::catalog::{StepType, Undo};
use workflow::service::triggers::FiringView;
use workflow::service::{Admission, Archive, Caller, Library, NewWorkflow, Service, Shelf};
use workflow::store::Store;
use workflow::store::db::{Durability, Settings as StoreSettings};

use crate::support::desk::somebody;

/// A clock that the test moves.
pub struct TestClock {
    now: AtomicI64,
    chance: AtomicU64,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn id_bits(&self) -> u128 {
        let millis = u128::try_from(self.now().micros() / 1_000).expect("after 1970");
        (millis << 80) | u128::from(self.chance.fetch_add(1, Ordering::SeqCst))
    }
}

/// A step that ends when the test lets it; or at once.
struct Held(Arc<Notify>, &'static str);

impl StepHandler for Held {
    fn declare(&self) -> StepType {
        StepType {
            name: self.1,
            summary: "ends when the test lets it",
            config: json!({}),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &["*"],
            effect: EffectClass::Pure,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> futures::future::BoxFuture<'a, StepResult> {
        Box::pin(async move {
            if self.1 == "hold" {
                tokio::select! {
                    () = self.0.notified() => {}
                    () = attempt.cancel.cancelled() => {}
                }
            }
            Done::with(json!({})).into()
        })
    }
}

/// The front desk.
pub struct Stage {
    pub service: Service,
    pub clock: Arc<TestClock>,
    pub go: Arc<Notify>,
    folder: Arc<TempDir>,
    /// What was read of firings, so that assertions can be about what is new.
    seen: Mutex<usize>,
}

pub fn instant(text: &str) -> Timestamp {
    let time = chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339");
    Timestamp::from_micros(time.timestamp_micros())
}

impl Stage {
    pub async fn at(time: &str) -> Self {
        let clock = Arc::new(TestClock { now: AtomicI64::new(instant(time).micros()), chance: AtomicU64::new(1) });
        Self::open(Arc::new(tempfile::tempdir().expect("a temporary folder")), clock).await
    }

    async fn open(folder: Arc<TempDir>, clock: Arc<TestClock>) -> Self {
        let settings = StoreSettings {
            database: folder.path().join("workflow.db"),
            files: folder.path().join("files"),
            durability: Durability::Relaxed,
        };
        std::fs::create_dir_all(folder.path().join("templates")).expect("made");
        let store = Store::open(&settings).await.expect("the store opens");
        let go = Arc::new(Notify::new());
        let handler = |name| Arc::new(Held(Arc::clone(&go), name)) as Arc<dyn StepHandler>;
        let inner = Arc::new(workflow::steps::flow::Workflow) as Arc<dyn StepHandler>;
        let approve = Arc::new(workflow::steps::flow::Approve) as Arc<dyn StepHandler>;
        let registry = Registry::new(vec![handler("hold"), handler("go"), inner, approve]).expect("names are unique");
        let plans = Plans::new(registry.clone(), Default::default());
        let shared: Arc<dyn Clock> = clock.clone();
        let library = Library::new(folder.path().join("templates"), plans.clone());
        let shelf = Shelf::new(store.clone(), library, plans.clone(), Arc::clone(&shared));
        let settings = Settings { max_concurrent: 50, ..Settings::default() };
        let engine = Engine::start(store.clone(), registry, plans.clone(), shared, settings).await.expect("it starts");
        let archive = Archive::new(store, plans);
        let service = Service::new(engine, archive, shelf, Admission { enabled: true, min_free_disk: 0 });
        Self { service, clock, go, folder, seen: Mutex::new(0) }
    }

    /// The next process on the same folder.
    pub async fn restart(self) -> Self {
        let (folder, clock) = (Arc::clone(&self.folder), Arc::clone(&self.clock));
        self.service.engine().stop().await;
        drop(self);
        Self::open(folder, clock).await
    }

    /// Saves a workflow with these triggers, whose one step is of this type.
    pub async fn save(&self, name: &str, step: &str, triggers: &str) {
        self.save_text(&format!("name: {name}\nsteps: [{{ type: {step} }}]\ntriggers:\n{triggers}")).await;
    }

    /// Saves a workflow as its file says it.
    pub async fn save_text(&self, text: &str) {
        let new = NewWorkflow { definition: Some(text.to_owned()), ..NewWorkflow::default() };
        self.service.create(&caller(), new).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The clock shows this from now on, and what is due is looked at.
    pub async fn go_to(&self, time: &str) {
        self.clock.now.store(instant(time).micros(), Ordering::SeqCst);
        self.tick().await;
    }

    /// The clock only.
    pub fn set(&self, time: &str) {
        self.clock.now.store(instant(time).micros(), Ordering::SeqCst);
    }

    pub async fn after(&self, span: Span) {
        let now = self.clock.now().plus(span).micros();
        self.clock.now.store(now, Ordering::SeqCst);
        self.tick().await;
    }

    /// Looks until nothing more is due.
    pub async fn tick(&self) {
        for _ in 0..200 {
            let due = self.service.tick().await.expect("it looks");
            if due.is_none_or(|due| due > self.clock.now()) {
                return;
            }
        }
        panic!("what is due is never dealt with");
    }

    /// What came of the occurrences at a trigger, oldest first.
    pub async fn firings(&self, trigger: &str) -> Vec<FiringView> {
        let mut firings = self.service.archive().firings(trigger, 1_000).await.expect("known");
        firings.sort_by_key(|firing| (firing.at.clone(), firing.instant.clone()));
        firings
    }

    /// Instant and verdict of those that are new since the last look.
    pub async fn news(&self, trigger: &str) -> Vec<(String, String)> {
        let all = self.firings(trigger).await;
        let mut seen = self.seen.lock().expect("no test panics while it holds this");
        let told = all
            .iter()
            .skip(*seen)
            .map(|firing| (firing.instant.clone().unwrap_or_default().replace(".000Z", "Z"), firing.verdict.clone()));
        let told = told.collect();
        *seen = all.len();
        told
    }

    /// Waits until no run is under way.
    pub async fn quiet(&self) {
        for _ in 0..2_000 {
            let filter = workflow::service::ListFilter { limit: 200, ..Default::default() };
            if self.service.archive().list(&filter).await.expect("it lists").iter().all(|run| run.finished_at.is_some())
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        panic!("a run does not end");
    }
}

pub fn caller() -> Caller {
    somebody("api")
}

pub fn told(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(instant, verdict)| ((*instant).to_owned(), (*verdict).to_owned())).collect()
}
