//! Name to handler. The list itself stands in `steps::all`; a name that stands there twice is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::step::StepHandler;
use crate::language::catalog::Catalog;

/// Two handlers claim one name.
#[derive(Debug, thiserror::Error)]
#[error("step type `{0}` is declared twice")]
pub struct DuplicateType(&'static str);

/// All step handlers of this process, and the catalog of their declarations.
#[derive(Clone)]
pub struct Registry {
    handlers: Arc<BTreeMap<&'static str, Arc<dyn StepHandler>>>,
    catalog: Arc<Catalog>,
}

impl Registry {
    /// A registry of these handlers.
    ///
    /// # Errors
    /// Two handlers with one name.
    pub fn new(handlers: Vec<Arc<dyn StepHandler>>) -> Result<Self, DuplicateType> {
        let declared: Vec<_> = handlers.iter().map(|handler| handler.declare()).collect();
        let names: Vec<_> = declared.iter().map(|step_type| step_type.name).collect();
        let catalog = Catalog::new(declared).map_err(DuplicateType)?;
        let handlers = names.into_iter().zip(handlers).collect();
        Ok(Self { handlers: Arc::new(handlers), catalog: Arc::new(catalog) })
    }

    /// The handler of this step type.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&Arc<dyn StepHandler>> {
        self.handlers.get(kind)
    }

    /// The declarations of all step types.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }
}
