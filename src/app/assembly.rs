//! Puts the rooms together as the configuration says.

use crate::config::Config;
use crate::connect::egress::{self, AllowError, AllowRule, Egress};
use crate::connect::http::Client;
use crate::connect::process::Toolbox;
use crate::contract::registry::Registry;
use crate::domain::fault::Fault;
use crate::domain::retry::RetryPolicy;
use crate::domain::time::Span;
use crate::engine::{self, Plans, Retention};
use crate::language::{Defaults, Options};
use crate::service::{Admission, Library};
use crate::steps::script::FetchSettings;
use crate::steps::{self, Tools};
use crate::store::Store;
use crate::store::warehouse::Warehouse;

pub fn library(config: &Config, plans: Plans) -> Library {
    Library::new(config.storage_path.join("templates"), plans)
}

pub fn registry(config: &Config, store: Store) -> anyhow::Result<Registry> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let tools = Tools {
        blobs: store.blobs(),
        store,
        programs: Toolbox::new(&crate::config::program_path(), cores)?,
        http: Client::new(Egress::new(egress(config)?)),
        fetch: FetchSettings { base_url: None, require_delivery: false },
        file_roots: config.file_roots.clone(),
        schemas: ["templates", "schemas"].map(|folder| config.storage_path.join(folder)).to_vec(),
        warehouse: Warehouse::new(config.storage_path.join("data.db")),
    };
    Ok(Registry::new(steps::all(&tools))?)
}

fn egress(config: &Config) -> Result<egress::Settings, Fault> {
    let rules: Result<Vec<AllowRule>, _> = config.egress_allow.iter().map(|rule| rule.parse()).collect();
    let allow = rules.map_err(|error: AllowError| config.refuse("egress_allow", error))?;
    Ok(egress::Settings { allow, ..egress::Settings::default() })
}

pub fn options(config: &Config) -> Options {
    let retry = RetryPolicy { count: config.retry_count, delay: config.retry_delay, ..RetryPolicy::default() };
    Options { defaults: Defaults { retry, timeout: config.step_timeout }, strict: false }
}

/// How the engine works.
pub fn carrying(config: &Config, carry_on: bool) -> engine::Settings {
    let kept = |span: Span| Some(span).filter(|span| *span > Span::ZERO);
    let retention = Retention { completed: kept(config.keep_completed), other: kept(config.keep_failed) };
    let max_concurrent = config.max_concurrent as usize;
    engine::Settings { max_concurrent, carry_on, retention, ..engine::Settings::default() }
}

/// What must hold before anything new is taken in.
pub const fn admission(config: &Config) -> Admission {
    Admission { enabled: config.enabled, min_free_disk: config.min_free_disk }
}
