//! Templates by name: those in the storage path's `templates/`, else those shipped in the binary.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::ServiceError;
use crate::domain::id::WorkflowId;
use crate::domain::role::Permissions;
use crate::domain::run::Flow;
use crate::engine::Plans;
use crate::language::{self, Compiled, Severity, Source};

/// What the binary ships: file stem and text.
const SHIPPED: [(&str, &str); 3] = [
    ("document_processing", include_str!("../../templates/document_processing.yaml")),
    ("data_pipeline", include_str!("../../templates/data_pipeline.yaml")),
    ("notification_flow", include_str!("../../templates/notification_flow.yaml")),
];

/// A template, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct TemplateInfo {
    /// The name by which it is run.
    pub id: String,
    /// Its title.
    pub name: String,
    /// What it does.
    pub description: String,
    /// How many steps it has.
    pub steps: usize,
    /// `built-in`, or the file it was read from.
    pub origin: String,
    /// How many errors keep it from running.
    pub errors: usize,
}

/// A workflow that is ready to be started, kept as long as its text stays the same.
#[derive(Clone)]
pub(super) struct Ready {
    pub source: Source,
    pub flow: Arc<Flow>,
    pub workflow: WorkflowId,
    /// The name by which the workflow is started.
    pub slug: String,
}

/// The templates. Cheap to clone.
#[derive(Clone)]
pub struct Library {
    folder: PathBuf,
    plans: Plans,
    ready: Arc<Mutex<HashMap<String, Ready>>>,
    /// Templates that were looked at, each with its text then.
    known: Arc<Mutex<HashMap<String, Known>>>,
}

/// A template's text, what lists show of it, and whom it lets do what.
type Known = (String, TemplateInfo, Permissions);

impl Library {
    /// A library over this folder and the shipped templates.
    #[must_use]
    pub fn new(folder: PathBuf, plans: Plans) -> Self {
        Self { folder, plans, ready: Arc::default(), known: Arc::default() }
    }

    /// The text of a template, or of a file when `name` is a path to one.
    ///
    /// # Errors
    /// No such template or file (with the nearest name), or it cannot be read.
    pub fn find(&self, name: &str) -> Result<Source, ServiceError> {
        if is_path(name) {
            return read(Path::new(name), name.to_owned());
        }
        for extension in ["yaml", "yml", "json"] {
            let path = self.folder.join(name).with_extension(extension);
            if is_plain(name) && path.is_file() {
                return read(&path, path.display().to_string());
            }
        }
        match SHIPPED.iter().find(|(stem, _)| *stem == name) {
            Some((stem, text)) => Ok(Source { name: format!("{stem}.yaml"), text: (*text).to_owned() }),
            None => {
                let names = self.names();
                let near = language::near(name, names.iter().map(String::as_str)).map(str::to_owned);
                Err(ServiceError::NotFound { noun: "workflow", name: name.to_owned(), near })
            }
        }
    }

    /// Compiles a text; its problems come with it.
    #[must_use]
    pub fn compile(&self, source: &Source) -> Compiled {
        self.plans.compile(source)
    }

    /// Compiles a text as [`Library::compile`] does; `strict` holds warnings to be errors.
    #[must_use]
    pub fn check(&self, source: &Source, strict: bool) -> Compiled {
        self.plans.check(source, strict)
    }

    /// All templates, by name.
    ///
    /// # Errors
    /// A template file cannot be read.
    pub fn list(&self) -> Result<Vec<TemplateInfo>, ServiceError> {
        Ok(self.described()?.into_iter().map(|(info, _)| info).collect())
    }

    /// All templates, by name, each with whom it lets do what. One with errors lets in those who can mend it.
    pub(super) fn described(&self) -> Result<Vec<(TemplateInfo, Permissions)>, ServiceError> {
        self.names().into_iter().map(|name| self.info(name)).collect()
    }

    /// Whom a template lets do what, as its text is now; `None` when there is none, or its text has errors.
    pub(super) fn permissions(&self, name: &str) -> Option<Permissions> {
        let (info, permissions) = self.info(name.to_owned()).ok()?;
        (info.errors == 0).then_some(permissions)
    }

    fn info(&self, id: String) -> Result<(TemplateInfo, Permissions), ServiceError> {
        let source = self.find(&id)?;
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((text, info, permissions)) = known().get(&id)
            && *text == source.text
        {
            return Ok((info.clone(), permissions.clone()));
        }
        let text = source.text.clone();
        let compiled = self.compile(&source);
        let built_in = !Path::new(&source.name).is_file();
        let (name, description, steps) = match &compiled.plan {
            Some(plan) => (plan.name.clone(), plan.description.clone(), plan.steps.len()),
            None => (id.clone(), String::new(), 0),
        };
        let origin = if built_in { "built-in".to_owned() } else { source.name };
        let errors = compiled.report.count(Severity::Error);
        let permissions = compiled.plan.map_or_else(Permissions::for_editors, |plan| plan.permissions);
        let info = TemplateInfo { id: id.clone(), name, description, steps, origin, errors };
        known().insert(id, (text, info.clone(), permissions.clone()));
        Ok((info, permissions))
    }

    fn names(&self) -> Vec<String> {
        let mut names: BTreeMap<String, ()> = SHIPPED.iter().map(|(stem, _)| ((*stem).to_owned(), ())).collect();
        // A folder that is not there yet holds no templates.
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let ours =
                path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|e| extension == *e));
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            if let (true, Some(stem)) = (ours, stem)
                && ![".test", ".schema", "_schema"].iter().any(|end| stem.ends_with(end))
            // these lie beside workflows
            {
                names.insert(stem.to_owned(), ());
            }
        }
        names.into_keys().collect()
    }

    /// What was made ready under this name, if its text is still this one.
    pub(super) fn recall(&self, name: &str, source: &Source) -> Option<Ready> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.get(name).filter(|ready| ready.source.text == source.text).cloned()
    }

    pub(super) fn remember(&self, name: &str, ready: Ready) {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), ready);
    }
}

/// Whether a name means a file of this machine.
pub(super) fn is_path(name: &str) -> bool {
    name.contains('/') || [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

/// A name that cannot lead out of the folder.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn read(path: &Path, name: String) -> Result<Source, ServiceError> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            ServiceError::NotFound { noun: "workflow file", name: name.clone(), near: None }
        }
        _ => ServiceError::Internal(format!("read `{name}`: {error}")),
    })?;
    Ok(Source { name, text: String::from_utf8_lossy(&bytes).into_owned() })
}
