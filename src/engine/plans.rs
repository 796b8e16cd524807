//! Compiled revisions by hash. A revision is compiled once in a process; a run pinned to it never sees another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::contract::directory::Directory;
use crate::contract::registry::Registry;
use crate::domain::plan::Plan;
use crate::domain::run::Flow;
use crate::domain::time::Span;
use crate::language::catalog::Catalog;
use crate::language::{self, Options, Source};
use crate::store::{Store, StoreError};

/// Why a revision cannot be carried.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RevisionError {
    /// It is not in the store.
    #[error("revision {0} is not in the store")]
    Missing(String),
    /// This version of the program refuses a text that an earlier one took.
    #[error("revision {hash} no longer compiles: {problems}")]
    Refused {
        /// Its hash.
        hash: String,
        /// The report.
        problems: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Compiled revisions. Cheap to clone.
#[derive(Clone)]
pub struct Plans {
    registry: Registry,
    options: Options,
    directory: Option<Arc<dyn Directory>>,
    known: Arc<Mutex<HashMap<String, Arc<Flow>>>>,
}

impl Plans {
    /// No revision compiled yet.
    #[must_use]
    pub fn new(registry: Registry, options: Options) -> Self {
        Self { registry, options, directory: None, known: Arc::default() }
    }

    /// The same, with workflows that steps may begin by name.
    #[must_use]
    pub fn with_directory(self, directory: Arc<dyn Directory>) -> Self {
        Self { directory: Some(directory), ..self }
    }

    /// The step types that they are made of.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        self.registry.catalog()
    }

    /// How texts are compiled.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Where workflows are found by name.
    pub(super) fn directory(&self) -> Option<&dyn Directory> {
        self.directory.as_deref()
    }

    /// Compiles a text; its problems come with it.
    #[must_use]
    pub fn compile(&self, source: &Source) -> language::Compiled {
        language::compile(source, self.registry.catalog(), &self.options)
    }

    /// Compiles a text as [`Plans::compile`] does; `strict` holds warnings to be errors.
    #[must_use]
    pub fn check(&self, source: &Source, strict: bool) -> language::Compiled {
        language::compile(source, self.registry.catalog(), &Options { strict, ..self.options.clone() })
    }

    /// The flow of a plan, shared with everybody who runs the same revision.
    #[must_use]
    pub fn share(&self, plan: Plan) -> Arc<Flow> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = plan.hash.clone();
        Arc::clone(known.entry(hash).or_insert_with(|| Arc::new(Flow::new(plan))))
    }

    /// The flow of a revision in the store.
    ///
    /// # Errors
    /// It is not there, or this version of the program does not accept it.
    pub async fn get(&self, store: &Store, hash: &str) -> Result<Arc<Flow>, RevisionError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned();
        if let Some(flow) = known {
            return Ok(flow);
        }
        let revision = store.workflows().revision(hash).await?;
        let revision = revision.ok_or_else(|| RevisionError::Missing(hash.to_owned()))?;
        let source = Source { name: revision.source_name, text: revision.source_text };
        // What was taken once stays taken: a limit is for what is said from now on.
        let options = Options { shortest: Span::ZERO, ..self.options.clone() };
        let compiled = language::compile(&source, self.registry.catalog(), &options);
        let Some(mut plan) = compiled.plan else {
            let problems = compiled.report.text(false);
            return Err(RevisionError::Refused { hash: hash.to_owned(), problems });
        };
        // The run is pinned to the text; how this version hashes it is of no matter to it.
        hash.clone_into(&mut plan.hash);
        revision.slug.clone_into(&mut plan.slug);
        Ok(self.share(plan))
    }
}
