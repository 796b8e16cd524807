//! The steps: what a workflow can do. They work; the engine runs them, and neither knows the other.
//!
//! A step type is one file, always in the same order: doc, config struct, declaration, run, tests. [`all`] is THE
//! list: a new step type is its file and its line here.

pub mod data;
pub mod document;
pub mod duration;
pub mod flow;
pub mod intake;
pub mod notify;
pub mod script;
pub mod size;

use std::path::PathBuf;
use std::sync::Arc;

use crate::connect::http::Client;
use crate::connect::process::Toolbox;
use crate::contract::blob::BlobStore;
use crate::contract::step::StepHandler;
use crate::store::Store;
use crate::store::warehouse::Warehouse;

use self::intake::Intake;

/// What steps may use. Each handler takes what it needs in its constructor.
#[derive(Clone)]
pub struct Tools {
    /// Rows: files, documents.
    pub store: Store,
    /// Contents.
    pub blobs: Arc<dyn BlobStore>,
    /// Other programs.
    pub programs: Toolbox,
    /// The outside world.
    pub http: Client,
    /// Settings of `fetch`.
    pub fetch: script::FetchSettings,
    /// Folders from which a workflow may take a file by its path.
    pub file_roots: Vec<PathBuf>,
    /// Folders in which schemas are found by name.
    pub schemas: Vec<PathBuf>,
    /// Tables of the user's own data.
    pub warehouse: Warehouse,
    /// Settings of messages.
    pub notify: Arc<notify::Settings>,
}

/// All step types.
#[must_use]
pub fn all(tools: &Tools) -> Vec<Arc<dyn StepHandler>> {
    let Tools { store, blobs, programs, http, fetch, file_roots, schemas, warehouse, notify } = tools.clone();
    let post = |kind| Arc::new(notify::Post::new(kind, store.clone(), Arc::clone(&notify)));
    let files = Arc::new(store.clone());
    let intake = Intake::new(Arc::clone(&files) as _, Arc::clone(&blobs), file_roots.clone());
    vec![
        Arc::new(data::Extract::new(http.clone(), fetch.clone(), intake)),
        Arc::new(data::Transform),
        Arc::new(data::Validate::new(schemas)),
        Arc::new(data::Load::new(warehouse)),
        Arc::new(data::Process),
        Arc::new(data::Merge),
        Arc::new(document::upload::Upload::new(files, Arc::clone(&blobs), file_roots)),
        Arc::new(document::ocr::Ocr::new(blobs, programs)),
        Arc::new(document::analyze::Analyze),
        Arc::new(document::store::StoreDocument::new(store.clone())),
        Arc::new(document::search::Search::new(store.clone())),
        Arc::new(notify::Prepare::new(notify.messages.clone())),
        post(notify::Kind::Slack),
        post(notify::Kind::Discord),
        post(notify::Kind::Notify),
        Arc::new(flow::Approve),
        Arc::new(flow::Ask),
        Arc::new(flow::Assert),
        Arc::new(flow::Dynamic),
        Arc::new(flow::Checkpoint),
        Arc::new(flow::Rollback),
        Arc::new(flow::UndoStep),
        Arc::new(flow::Group),
        Arc::new(flow::Noop),
        Arc::new(flow::Switch),
        Arc::new(flow::Test),
        Arc::new(flow::Wait),
        Arc::new(flow::Workflow),
        Arc::new(script::Fetch::new(http, fetch)),
    ]
}
