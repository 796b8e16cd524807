//! A whole front desk in this process: the real application on a temporary storage path, with all its step types.

use serde_json::{Map, Value};
use tempfile::TempDir;
use workflow::app::App;
use workflow::config::{Config, Surroundings};
use workflow::domain::id::RunId;
use workflow::service::{CHAT, Caller, NewWorkflow, RunView, Service, ServiceError, Terms};

/// The application, open.
pub struct Desk {
    pub app: App,
    folder: TempDir,
}

impl Desk {
    pub async fn open() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default(); // another test may have been first
        let folder = tempfile::tempdir().expect("a temporary folder");
        let app = App::open(&config(&folder), true).await.expect("it opens");
        Self { app, folder }
    }

    /// The same storage path, taken up by the next process.
    pub async fn reopen(self) -> Self {
        let Self { app, folder } = self;
        app.close().await;
        let app = App::open(&config(&folder), true).await.expect("it opens again");
        Self { app, folder }
    }

    pub fn service(&self) -> &Service {
        &self.app.service
    }

    /// Writes a template into the storage path.
    pub fn template(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join("templates").join(name), text).expect("written");
    }

    /// Starts a run for this caller.
    pub async fn start(&self, caller: &Caller, name: &str, inputs: Value) -> Result<RunId, ServiceError> {
        Ok(self.service().start(caller, name, &object(inputs), Terms::default()).await?.execution)
    }

    /// Waits until a run has this status.
    pub async fn until(&self, run: RunId, status: &str) -> RunView {
        let mut news = self.service().news();
        let reached = async {
            loop {
                let view = self.service().archive().view(run, false).await.expect("known");
                if view.status == status {
                    return view;
                }
                let _ = news.recv().await; // whatever it is: look again
            }
        };
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, reached).await.unwrap_or_else(|_| panic!("{run} never became {status}"))
    }

    /// Saves a workflow with these steps.
    pub async fn create(&self, name: &str, steps: Value) -> String {
        let new = NewWorkflow { name: Some(name.to_owned()), steps: list(steps), ..NewWorkflow::default() };
        self.service().create(&somebody("api"), new).await.expect("saved").workflow.id
    }
}

fn config(folder: &TempDir) -> Config {
    let storage = format!("storage_path={}", folder.path().display());
    let overrides = [storage.as_str(), "retry_delay=0.01"].map(str::to_owned).to_vec();
    Config::load(&Surroundings { overrides, ..Surroundings::default() }).expect("the configuration is good")
}

/// Somebody behind a door.
pub fn somebody(door: &'static str) -> Caller {
    let ana = Caller::owner(door, "ana");
    if door == CHAT { ana.within("general") } else { ana }
}

/// A JSON object.
pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

/// A JSON list.
pub fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        other => panic!("not a list: {other}"),
    }
}
