//! `upload`: takes a file into the workflow.
//!
//! The file is named by the run's input `file_path`: the id of an uploaded file, or a path beneath one of the
//! configured folders. It is checked (there, not empty, small enough, of an allowed type *by content*, not a
//! decompression bomb) before anything is kept; then its bytes go into the blob store, and a small value that
//! names them goes on to the next step. No path outside the folders is ever opened, by whatever detour.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::header::Header;
use super::value::{Document, blob_fault};
use crate::contract::blob::BlobStore;
use crate::contract::media::Kind;
use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::FileId;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
pub use crate::steps::intake::FileIndex;
use crate::steps::intake::{Given, Intake, Source, blocking, unreadable};
use crate::steps::size::Bytes;

/// The config of an `upload` step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UploadConfig {
    /// Largest file taken, in bytes or with a unit.
    pub max_size: Bytes,
    /// Types of content taken. The content decides, not the name.
    pub allowed_types: Vec<Kind>,
    /// The file, when it is not the run's input `file_path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl Default for UploadConfig {
    fn default() -> Self {
        Self {
            max_size: Bytes(10_485_760),
            allowed_types: vec![Kind::Pdf, Kind::Docx, Kind::Jpg, Kind::Png, Kind::Tiff],
            file: None,
        }
    }
}

/// The `upload` step.
pub struct Upload {
    intake: Intake,
    blobs: Arc<dyn BlobStore>,
}

impl Upload {
    /// An `upload` step that may take uploaded files, and files beneath these folders.
    #[must_use]
    pub fn new(files: Arc<dyn FileIndex>, blobs: Arc<dyn BlobStore>, roots: Vec<PathBuf>) -> Self {
        Self { intake: Intake::new(files, Arc::clone(&blobs), roots), blobs }
    }

    async fn take(&self, attempt: &Attempt) -> StepResult {
        let config: UploadConfig = attempt.config()?;
        let source = match self.intake.open(attempt, config.file.as_deref()).await? {
            Given::File(source) => source,
            Given::Ask(outcome) => return Ok(outcome),
        };
        let max = config.max_size.0;
        let allowed = config.allowed_types;
        let checked = blocking(move || check(source, max, &allowed)).await?;
        let path = format!("/proc/self/fd/{}", checked.file.as_raw_fd()); // the file that was checked, whatever its path is by now
        let blob = self.blobs.put_file(Path::new(&path), max).await.map_err(|error| blob_fault(&error))?;
        let document = Document {
            file_id: checked.id,
            name: checked.name,
            size: blob.size,
            sha256: blob.digest,
            kind: checked.kind,
        };
        let mut done = Done::with(json!({ "document": document }));
        done.warnings.extend(checked.warning);
        done.into()
    }
}

impl StepHandler for Upload {
    fn declare(&self) -> StepType {
        StepType {
            name: "upload",
            summary: "takes a file into the workflow: checks its size, and its type by content",
            config: schemars::schema_for!(UploadConfig).to_value(),
            consumes: Vec::new(),
            produces: vec![Port::gives("document", PortType::Document)],
            outputs: &["document"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(self.take(attempt))
    }
}

struct Checked {
    id: Option<FileId>,
    name: String,
    file: File,
    kind: Kind,
    warning: Option<String>,
}

fn check(source: Source, max: u64, allowed: &[Kind]) -> Result<Checked, Fault> {
    let Source { id, name, mut file } = source;
    let size = file.metadata().map_err(unreadable)?.len();
    if size == 0 {
        return Err(Fault::permanent(code::WF2104, format!("`{name}` is empty")));
    }
    let kind = Kind::of(&mut BufReader::new(&file)).map_err(unreadable)?;
    let claimed = Kind::claimed_by(&name).filter(|claimed| *claimed != kind);
    let limits = || {
        let words: Vec<_> = allowed.iter().map(|kind| kind.word()).collect();
        format!("allowed are {} up to {max} bytes", words.join(", "))
    };
    if size > max {
        let message = format!("`{name}` has {size} bytes (its content is {kind}); {}", limits());
        return Err(Fault::permanent(code::WF2103, message));
    }
    if !allowed.contains(&kind) {
        let claim = claimed.map(|claimed| format!(", although the name says {claimed}")).unwrap_or_default();
        let message = format!("the content of `{name}` is {kind}{claim}; {}", limits());
        return Err(Fault::permanent(code::WF2103, message));
    }
    if kind.is_picture() {
        file.rewind().map_err(unreadable)?;
        Header::read(kind, &mut BufReader::new(&file))?.refuse_bomb()?;
    }
    let warning = claimed.map(|claimed| format!("the name of `{name}` says {claimed}, but its content is {kind}"));
    Ok(Checked { id, name, file, kind, warning })
}
