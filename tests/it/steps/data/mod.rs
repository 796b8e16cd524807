//! Rows from their source into a table, with the real steps on real files, servers and databases.

mod extract;
mod load;
mod pipeline;
mod tables;
mod transform;
mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use workflow::connect::egress::AllowRule;
use workflow::contract::step::{Attempt, Bound, Done, StepHandler};
use workflow::domain::fault::Fault;
use workflow::domain::id::FileId;
use workflow::steps::data::Extract;
use workflow::steps::intake::{FileIndex, Intake};
use workflow::steps::script::FetchSettings;
use workflow::store::StoreError;
use workflow::store::blobs::disk::DiskBlobs;
use workflow::store::files::FileRecord;

use crate::support::attempt::{attempt, done};
use crate::support::names::client;

/// Nobody has uploaded anything.
struct NoFiles;

impl FileIndex for NoFiles {
    fn find(&self, _: FileId) -> BoxFuture<'_, Result<Option<FileRecord>, StoreError>> {
        Box::pin(async { Ok(None) })
    }
}

/// An `extract` that may read this folder and reach these servers.
fn extract(folder: &Path, allow: &[AllowRule]) -> Extract {
    let blobs = Arc::new(DiskBlobs::new(folder.join("no-such-folder")));
    let intake = Intake::new(Arc::new(NoFiles), blobs, vec![folder.to_owned()]);
    Extract::new(client(allow), FetchSettings::default(), intake)
}

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tables").join(folder)
}

/// What a step gives for this config, fed with what an earlier step gave.
async fn after(handler: &dyn StepHandler, earlier: &Value, config: Value) -> Result<Done, Fault> {
    run(handler, &fed(earlier, config)).await
}

async fn run(handler: &dyn StepHandler, attempt: &Attempt) -> Result<Done, Fault> {
    handler.run(attempt).await.map(|outcome| done(Ok(outcome)))
}

/// An attempt whose rows come from a step with these outputs.
fn fed(earlier: &Value, config: Value) -> Attempt {
    let outputs = earlier.as_object().expect("outputs are an object").clone();
    let records = Bound::Output(Arc::new(outputs), "records".to_owned());
    Attempt { ports: BTreeMap::from([("records".to_owned(), records)]), ..attempt(config) }
}

/// What a step gave, as one value.
fn outputs(done: &Done) -> Value {
    json!(done.outputs)
}
