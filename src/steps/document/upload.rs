//! `upload`: takes a file into the workflow.
//!
//! The file is named by the run's input `file_path`: the id of an uploaded file, or a path beneath one of the
//! configured folders. It is checked (there, not empty, small enough, of an allowed type *by content*, not a
//! decompression bomb) before anything is kept; then its bytes go into the blob store, and a small value that
//! names them goes on to the next step. No path outside the folders is ever opened, by whatever detour.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::os::fd::AsRawFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::header::Header;
use super::value::{Document, blob_fault, display_name};
use crate::contract::blob::BlobStore;
use crate::contract::media::Kind;
use crate::contract::step::{Attempt, Done, StepHandler, StepOutcome, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::FileId;
use crate::domain::plan::{EffectClass, InputType};
use crate::domain::question::Question;
use crate::domain::time::Span;
use crate::language::catalog::{Port, PortType, StepType};
use crate::steps::size::Bytes;
use crate::store::files::FileRecord;
use crate::store::{Store, StoreError};

/// How long a run waits for its file.
const PATIENCE: Span = Span::from_secs(24 * 60 * 60);

/// Where uploaded files are looked up.
pub trait FileIndex: Send + Sync {
    /// The file with this id, if there is one.
    fn find(&self, id: FileId) -> BoxFuture<'_, Result<Option<FileRecord>, StoreError>>;
}

impl FileIndex for Store {
    fn find(&self, id: FileId) -> BoxFuture<'_, Result<Option<FileRecord>, StoreError>> {
        Box::pin(async move { self.files().find(id).await })
    }
}

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
    files: Arc<dyn FileIndex>,
    blobs: Arc<dyn BlobStore>,
    roots: Vec<PathBuf>,
}

impl Upload {
    /// An `upload` step that may take uploaded files, and files beneath these folders.
    #[must_use]
    pub fn new(files: Arc<dyn FileIndex>, blobs: Arc<dyn BlobStore>, roots: Vec<PathBuf>) -> Self {
        let roots = roots.into_iter().map(|root| std::path::absolute(&root).unwrap_or(root)).collect();
        Self { files, blobs, roots }
    }

    async fn take(&self, attempt: &Attempt) -> StepResult {
        let config: UploadConfig = attempt.config()?;
        let wanted = match wanted(&config, &attempt.inputs)? {
            Some(wanted) => wanted,
            None if attempt.attended => return Ok(ask(attempt)),
            None => return Err(nothing_given()),
        };
        let source = match wanted.parse::<FileId>() {
            Ok(id) => self.uploaded(id).await?,
            Err(_) => self.beneath_roots(&wanted).await?,
        };
        let max = config.max_size.0;
        let allowed = config.allowed_types;
        let checked = blocking(move || source.check(max, &allowed)).await?;
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

    async fn uploaded(&self, id: FileId) -> Result<Source, Fault> {
        let missing =
            || Fault::permanent(code::WF2102, format!("there is no uploaded file `{id}`")).fix("upload the file again");
        let lost = |error| Fault::transient(code::WF2113, "the list of files could not be read").context(error);
        let record = self.files.find(id).await.map_err(lost)?.ok_or_else(missing)?;
        let path = self.blobs.local_path(&record.digest).await.map_err(|error| blob_fault(&error))?;
        let file = blocking(move || File::open(path).map_err(unreadable)).await?;
        Ok(Source { id: Some(id), name: display_name(&record.name), file })
    }

    async fn beneath_roots(&self, wanted: &str) -> Result<Source, Fault> {
        let roots = self.roots.clone();
        let wanted = wanted.to_owned();
        blocking(move || {
            let file = open_beneath(&roots, Path::new(&wanted))?;
            Ok(Source { id: None, name: display_name(&wanted), file })
        })
        .await
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
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(self.take(attempt))
    }
}

/// An opened file, not yet trusted.
struct Source {
    id: Option<FileId>,
    name: String,
    file: File,
}

struct Checked {
    id: Option<FileId>,
    name: String,
    file: File,
    kind: Kind,
    warning: Option<String>,
}

impl Source {
    fn check(self, max: u64, allowed: &[Kind]) -> Result<Checked, Fault> {
        let Self { id, name, mut file } = self;
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
}

/// Whoever started the run in a chat can still bring the file.
fn ask(attempt: &Attempt) -> StepOutcome {
    let question = Question {
        key: "file_path".to_owned(),
        label: "the file to work on".to_owned(),
        kind: InputType::File,
        options: Vec::new(),
    };
    StepOutcome::Ask { questions: vec![question], until: attempt.now.plus(PATIENCE) }
}

fn nothing_given() -> Fault {
    Fault::permanent(code::WF2101, "no file was given: the input `file_path` is missing")
        .fix("pass a file: `--file PATH` in the terminal, or the input `file_path` with the id of an uploaded file")
}

/// Which file the run is about, if it says so.
fn wanted(config: &UploadConfig, inputs: &Value) -> Result<Option<String>, Fault> {
    let text = |value: &Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let given = |name: &str| inputs.get(name).filter(|value| !value.is_null());
    if let Some(file) = config.file.as_deref().map(str::trim).filter(|file| !file.is_empty()) {
        return Ok(Some(file.to_owned()));
    }
    let value = given("file_path").or_else(|| given("file"));
    let Some(value) = value else { return Ok(None) };
    text(value).map(Some).ok_or_else(|| {
        Fault::permanent(code::WF2101, "the input `file_path` is not the id or path of a file")
            .fix("pass a text such as `file_...` or `invoice.pdf`")
    })
}

/// Opens a regular file beneath one of the folders. The kernel itself refuses every way out of them: `..`,
/// absolute links, links through `/proc`.
fn open_beneath(roots: &[PathBuf], wanted: &Path) -> Result<File, Fault> {
    let shown = display_path(wanted);
    let outside = || {
        let folders: Vec<_> = roots.iter().map(|root| format!("`{}`", root.display())).collect();
        Fault::permanent(code::WF2105, format!("`{shown}` is not beneath a folder that workflows may read"))
            .fix(format!("upload it and pass its id, or put it beneath {}", folders.join(" or ")))
    };
    let climbs = wanted.components().any(|part| matches!(part, Component::ParentDir));
    let inside: Vec<(&PathBuf, &Path)> = if wanted.is_absolute() {
        roots.iter().filter_map(|root| Some((root, wanted.strip_prefix(root).ok()?))).collect()
    } else {
        roots.iter().map(|root| (root, wanted)).collect()
    };
    if climbs || inside.is_empty() {
        return Err(outside());
    }
    for (root, rest) in inside {
        match open_in(root, rest) {
            Ok(file) if file.metadata().is_ok_and(|found| found.is_file()) => return Ok(file),
            Ok(_) => return Err(Fault::permanent(code::WF2102, format!("`{shown}` is not a regular file"))),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {}
            Err(rustix::io::Errno::XDEV | rustix::io::Errno::LOOP) => return Err(outside()),
            Err(error) => return Err(unreadable(error.into())),
        }
    }
    Err(Fault::permanent(code::WF2102, format!("there is no file `{shown}`")))
}

fn open_in(root: &Path, rest: &Path) -> rustix::io::Result<File> {
    let folder = rustix::fs::openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    // Not blocking: opening a named pipe must not wait for its other end.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(&folder, rest, flags, Mode::empty(), resolve).map(File::from)
}

fn display_path(path: &Path) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(300).collect()
}

fn unreadable(error: std::io::Error) -> Fault {
    Fault::transient(code::WF2113, "the file could not be read").context(error)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Fault::permanent(code::WF4001, "reading the file broke").context(error)))
}
