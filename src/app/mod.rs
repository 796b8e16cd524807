//! Where things meet: builds everything from the configuration, starts it, stops it. Holds no rule of its own.

mod assembly;
pub mod control;
mod letters;
mod mirror;
mod reading;
pub mod register;
pub mod remote;
mod remote_triggers;
pub mod telemetry;
pub mod trial;
pub mod web;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use assembly::{admission, carrying, library, make_folders, options, registry};
use control::Door;
use mirror::Mirror;
pub use reading::{Reading, open_for_reading};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::contract::clock::{Clock, SystemClock};
use crate::domain::time::Timestamp;
use crate::engine::{Engine, Plans};
use crate::service::{Archive, Service, Shelf};
use crate::store::outbox::Carrying;
use crate::store::{Store, StoreError};

/// How long a stop waits for the readable copy.
const COPYING: Duration = Duration::from_secs(2);

/// Everything that runs in this process.
pub struct App {
    /// The front desk.
    pub service: Service,
    door: Option<Door>,
    /// Who will carry letters, until they do.
    announced: Mutex<Option<Carrying>>,
    copying: JoinHandle<()>,
}

impl App {
    /// Opens the storage path as its owner. `carry_on` takes up what other processes left open.
    ///
    /// # Errors
    /// Another process owns it, or the store cannot be opened.
    pub async fn open(config: &Config, carry_on: bool) -> anyhow::Result<Self> {
        Self::begin(config, carry_on, None).await
    }

    async fn begin(config: &Config, carry_on: bool, announced: Option<Vec<String>>) -> anyhow::Result<Self> {
        make_folders(config)?;
        let store = Store::open(&config.store()).await?;
        let announced = Mutex::new(announced.map(|platforms| store.outbox().carry(platforms)));
        let registry = registry(config, store.clone())?;
        let plans = Plans::new(registry.clone(), options(config));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let library = library(config, plans.clone());
        let shelf = Shelf::new(store.clone(), library, plans.clone(), Arc::clone(&clock));
        let known = plans.clone().with_directory(Arc::new(shelf.clone()));
        let engine = Engine::start(store.clone(), registry, known, clock, carrying(config, carry_on)).await?;
        let archive = Archive::new(store, plans).with_line(engine.line());
        let service = Service::new(engine, archive, shelf, admission(config)).with_rules(config.rules.clone());
        let copying =
            Mirror::start(service.archive().clone(), &config.storage_path, service.engine().feed().subscribe());
        let door = control::open(&config.storage_path, service.clone());
        let door = door.inspect_err(|error| tracing::warn!(%error, "other terminals cannot steer this process")).ok();
        Ok(Self { service, door, announced, copying })
    }

    /// Stops everything in good order.
    pub async fn close(self) {
        drop(self.door);
        drop(self.announced);
        let Self { service, copying, .. } = self;
        service.engine().drain().await;
        // The copy ends with the feed, once the last handle of the engine is gone.
        let store = service.engine().store().clone();
        drop(service);
        let _ = tokio::time::timeout(COPYING, copying).await; // what is missing is written at the next start
        store.close().await;
    }
}

/// The present time.
#[must_use]
pub fn now() -> Timestamp {
    SystemClock.now()
}

/// Whether something failed because the disk or the database did.
#[must_use]
pub fn is_disk_failure(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(StoreError::Failed { .. } | StoreError::Damaged { .. } | StoreError::Gone { .. } | StoreError::Closed)
    )
}
