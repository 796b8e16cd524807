//! Files that a run names: an uploaded one by its id, or one beneath the configured folders by its path. No path
//! outside the folders is ever opened, by whatever detour.

use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use serde_json::Value;

use super::document::value::{blob_fault, display_name};
use crate::contract::blob::BlobStore;
use crate::contract::step::{Attempt, StepOutcome};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::FileId;
use crate::domain::plan::InputType;
use crate::domain::question::Question;
use crate::domain::time::Span;
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

/// An opened file, not yet trusted.
pub struct Source {
    /// The uploaded file that it is.
    pub id: Option<FileId>,
    /// What to call it in front of people.
    pub name: String,
    /// The file.
    pub file: File,
}

/// The file that a run names, or what to do about it.
pub enum Given {
    /// It is there.
    File(Source),
    /// Whoever started the run is asked for it.
    Ask(StepOutcome),
}

/// Where files are taken from.
#[derive(Clone)]
pub struct Intake {
    files: Arc<dyn FileIndex>,
    blobs: Arc<dyn BlobStore>,
    roots: Vec<PathBuf>,
}

impl Intake {
    /// Files of this index and these contents, and files beneath these folders.
    #[must_use]
    pub fn new(files: Arc<dyn FileIndex>, blobs: Arc<dyn BlobStore>, roots: Vec<PathBuf>) -> Self {
        let roots = roots.into_iter().map(|root| std::path::absolute(&root).unwrap_or(root)).collect();
        Self { files, blobs, roots }
    }

    /// Opens the file that the config names, else the run's input `file_path` or `file`.
    ///
    /// # Errors
    /// No file is named and nobody can be asked, it is not there, or it is not one that may be read.
    pub async fn open(&self, attempt: &Attempt, written: Option<&str>) -> Result<Given, Fault> {
        let wanted = match wanted(written, &attempt.inputs)? {
            Some(wanted) => wanted,
            None if attempt.attended => return Ok(Given::Ask(ask(attempt))),
            None => return Err(nothing_given()),
        };
        let source = match wanted.parse::<FileId>() {
            Ok(id) => self.uploaded(id).await?,
            Err(_) => self.beneath_roots(&wanted).await?,
        };
        Ok(Given::File(source))
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
fn wanted(written: Option<&str>, inputs: &Value) -> Result<Option<String>, Fault> {
    let text = |value: &Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let given = |name: &str| inputs.get(name).filter(|value| !value.is_null());
    if let Some(file) = written.map(str::trim).filter(|file| !file.is_empty()) {
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
pub fn open_beneath(roots: &[PathBuf], wanted: &Path) -> Result<File, Fault> {
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

/// The file is there but cannot be read.
pub fn unreadable(error: std::io::Error) -> Fault {
    Fault::transient(code::WF2113, "the file could not be read").context(error)
}

/// Does this work where it holds up nobody.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Fault::permanent(code::WF4001, "the step broke").context(error)))
}
