//! Reading a storage path beside whoever owns it.

use super::assembly::{library, options, registry};
use crate::config::Config;
use crate::contract::registry::Registry;
use crate::engine::Plans;
use crate::service::{Archive, Library};
use crate::store::{Store, StoreError};

/// What can be read beside whoever owns the storage path.
pub struct Reading {
    /// Questions about executions; `None` while there is no store yet.
    pub archive: Option<Archive>,
    /// The templates.
    pub library: Library,
    /// The step types.
    pub registry: Registry,
}

/// Opens the storage path for reading.
///
/// # Errors
/// The store is there but cannot be read.
pub async fn open_for_reading(config: &Config) -> anyhow::Result<Reading> {
    let store = match Store::open_for_reading(&config.store()).await {
        Ok(store) => Some(store),
        Err(StoreError::Absent(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let registry = registry(config, store.clone().unwrap_or_else(|| Store::nowhere(&config.store())))?;
    let plans = Plans::new(registry.clone(), options(config));
    let archive = store.map(|store| Archive::new(store, plans.clone()));
    Ok(Reading { archive, library: library(config, plans), registry })
}
