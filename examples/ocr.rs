//! Reads documents with the `ocr` step alone, without a server or a store: `ocr [--languages eng+deu] FILE...`.
//!
//! Prints one JSON object a file, in the shape of `workflow run --json`, so that `bench/documents.py` can judge
//! the reading by itself.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use workflow::connect::process::Toolbox;
use workflow::contract::step::{Attempt, Began, Bound, StepHandler, StepOutcome};
use workflow::domain::id::{FileId, RunId};
use workflow::domain::time::{Span, Timestamp};
use workflow::steps::document::ocr::Ocr;
use workflow::steps::document::upload::{FileIndex, Upload};
use workflow::store::StoreError;
use workflow::store::blobs::disk::DiskBlobs;
use workflow::store::files::FileRecord;

const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

struct NoFiles;

impl FileIndex for NoFiles {
    fn find(&self, _id: FileId) -> BoxFuture<'_, Result<Option<FileRecord>, StoreError>> {
        Box::pin(async { Ok(None) })
    }
}

fn attempt(step: &str, config: Value, inputs: Value, ports: BTreeMap<String, Bound>) -> Attempt {
    Attempt {
        run: RunId::from_bits(0),
        workflow: "document_processing".to_owned(),
        step: step.to_owned(),
        number: 1,
        config,
        ports,
        inputs: Arc::new(inputs),
        step_key: String::new(),
        attended: false,
        sensitive: Vec::new(),
        began: Began { door: String::new(), by: String::new(), channel: None, at: Timestamp::from_micros(0) },
        now: Timestamp::from_micros(0),
        timeout: Span::from_secs(300),
        cancel: CancellationToken::new(),
        progress: Arc::new(|_| {}),
    }
}

async fn ended(handler: &dyn StepHandler, attempt: &Attempt) -> (Value, Value) {
    let started = Instant::now();
    let ended = handler.run(attempt).await;
    let duration = started.elapsed().as_secs_f64();
    let kind = handler.declare().name;
    let (status, outputs, warnings, error) = match ended {
        Ok(StepOutcome::Done(done)) => ("completed", Value::Object(done.outputs), json!(done.warnings), Value::Null),
        Ok(_) => ("waiting", Value::Null, json!([]), Value::Null),
        Err(fault) => ("failed", Value::Null, json!([]), json!(fault)),
    };
    let step = json!({
        "id": attempt.step, "name": attempt.step, "type": kind, "status": status, "attempts": 1,
        "duration": duration, "outputs": outputs, "error": error,
    });
    (step, warnings)
}

async fn read(file: &Path, languages: &str, blobs: &Arc<DiskBlobs>, tools: &Toolbox) -> anyhow::Result<Value> {
    let file = file.canonicalize().with_context(|| format!("{}", file.display()))?;
    let root = file.parent().context("a file has a folder")?.to_owned();
    let upload = Upload::new(Arc::new(NoFiles), blobs.clone(), vec![root]);
    let inputs = json!({ "file_path": file });
    let (step, mut warnings) = ended(&upload, &attempt("upload_document", json!({}), inputs, BTreeMap::new())).await;
    let document = step["outputs"]["document"].clone();
    let mut steps = vec![step];
    if !document.is_null() {
        let ocr = Ocr::new(blobs.clone(), tools.clone());
        let ports = BTreeMap::from([("document".to_owned(), Bound::Value(document))]);
        let (step, more) =
            ended(&ocr, &attempt("extract_text", json!({ "languages": languages }), json!({}), ports)).await;
        steps.push(step);
        if let (Value::Array(all), Value::Array(more)) = (&mut warnings, more) {
            all.extend(more);
        }
    }
    let last = steps.last().cloned().unwrap_or_default();
    Ok(json!({
        "execution_id": Value::Null, "workflow_id": Value::Null, "status": last["status"], "error": last["error"],
        "steps": steps, "outputs": {}, "warnings": warnings,
    }))
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what this program is for")]
async fn main() -> anyhow::Result<()> {
    let mut languages = "eng+deu".to_owned();
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--languages" {
            languages = arguments.next().context("--languages needs a value")?;
        } else {
            files.push(PathBuf::from(argument));
        }
    }
    let folder = tempfile::tempdir()?;
    let blobs = Arc::new(DiskBlobs::new(folder.path().to_owned()));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let tools = Toolbox::new(OsStr::new(SEARCH_PATH), cores)?;
    for file in files {
        println!("{}", read(&file, &languages, &blobs, &tools).await?);
    }
    Ok(())
}
