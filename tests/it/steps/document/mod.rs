//! Documents, from file to text, with the real tools on real files.

mod ocr;
mod refusals;
mod tools;
mod upload;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use workflow::connect::process::Toolbox;
use workflow::contract::step::{Attempt, Bound, Done, StepHandler, StepOutcome};
use workflow::domain::fault::Fault;
use workflow::domain::id::{FileId, RunId};
use workflow::domain::time::{Span, Timestamp};
use workflow::steps::document::ocr::Ocr;
use workflow::steps::document::upload::{FileIndex, Upload};
use workflow::store::StoreError;
use workflow::store::blobs::disk::DiskBlobs;
use workflow::store::files::FileRecord;

const SEARCH: &str = "/usr/local/bin:/usr/bin:/bin";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents")
}

/// Contents in a folder of their own.
struct Contents {
    folder: tempfile::TempDir,
    blobs: Arc<DiskBlobs>,
}

impl Contents {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Arc::new(DiskBlobs::new(folder.path().to_owned()));
        Self { folder, blobs }
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(self.folder.path()).expect("a folder").next().is_none()
    }
}

/// Uploaded files, in a list.
#[derive(Default)]
struct Files(Vec<FileRecord>);

impl FileIndex for Files {
    fn find(&self, id: FileId) -> BoxFuture<'_, Result<Option<FileRecord>, StoreError>> {
        let found = self.0.iter().find(|record| record.id == id).cloned();
        Box::pin(async move { Ok(found) })
    }
}

fn attempt(config: Value, inputs: Value, ports: BTreeMap<String, Bound>) -> Attempt {
    Attempt {
        run: RunId::from_bits(1),
        workflow: "document_processing".to_owned(),
        step: "step".to_owned(),
        number: 1,
        config,
        ports,
        inputs: Arc::new(inputs),
        step_key: "key".to_owned(),
        attended: false,
        sensitive: Vec::new(),
        began: crate::support::attempt::attempt(Value::Null).began,
        now: Timestamp::from_micros(0),
        timeout: Span::from_secs(300),
        cancel: CancellationToken::new(),
        progress: Arc::new(|_| {}),
    }
}

async fn outcome(handler: &dyn StepHandler, attempt: &Attempt) -> Result<Done, Fault> {
    match handler.run(attempt).await? {
        StepOutcome::Done(done) => Ok(done),
        other => panic!("documents do not wait: {other:?}"),
    }
}

/// Where documents are read, and with which programs.
struct Desk {
    contents: Contents,
    tools: Toolbox,
}

impl Desk {
    fn new() -> Self {
        Self::with_search(OsStr::new(SEARCH))
    }

    fn with_search(search: &OsStr) -> Self {
        Self { contents: Contents::new(), tools: Toolbox::new(search, 2).expect("a thread can be started") }
    }

    /// Takes a file in and gives the attempt that reads it.
    async fn taken(&self, file: &Path, config: Value) -> Result<Attempt, Fault> {
        let root = file.parent().expect("a file has a folder").to_owned();
        let upload = Upload::new(Arc::new(Files::default()), self.contents.blobs.clone(), vec![root]);
        let done = outcome(&upload, &attempt(json!({}), json!({ "file_path": file }), BTreeMap::new())).await?;
        let document = Bound::Output(Arc::new(done.outputs), "document".to_owned());
        Ok(attempt(config, json!({}), BTreeMap::from([("document".to_owned(), document)])))
    }

    async fn read_with(&self, file: &Path, config: Value) -> Result<Done, Fault> {
        let attempt = self.taken(file, config).await?;
        outcome(&Ocr::new(self.contents.blobs.clone(), self.tools.clone()), &attempt).await
    }

    async fn read(&self, fixture: &str) -> Result<Done, Fault> {
        self.read_with(&fixtures().join(fixture), json!({})).await
    }
}

fn text(done: &Done) -> &str {
    done.outputs["text"].as_str().expect("`text` is text")
}

/// How much of the words of `wanted` stands in `got`.
fn shared(wanted: &str, got: &str) -> f64 {
    let mut left: Vec<&str> = got.split_whitespace().collect();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let hits = words.iter().filter(|word| {
        left.iter().position(|other| other == *word).is_some_and(|at| {
            left.swap_remove(at);
            true
        })
    });
    hits.count() as f64 / words.len().max(1) as f64
}

/// Collects what a step says about its progress.
fn listener() -> (workflow::contract::step::Progress, Arc<Mutex<Vec<String>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let progress: workflow::contract::step::Progress =
        Arc::new(move |text: &str| said.lock().expect("nobody panics here").push(text.to_owned()));
    (progress, heard)
}
