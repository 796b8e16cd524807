//! Puts the rooms together as the configuration says.

use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;

use anyhow::Context as _;

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
use crate::steps::{self, Tools, notify};
use crate::store::Store;
use crate::store::warehouse::Warehouse;

/// Makes what a storage path holds, as far as it is not there.
pub fn make_folders(config: &Config) -> anyhow::Result<()> {
    // What is new belongs to the user of the service alone; what somebody made before stays as they made it.
    let mut own = std::fs::DirBuilder::new();
    own.recursive(true).mode(0o700);
    own.create(&config.storage_path).with_context(|| format!("create `{}`", config.storage_path.display()))?;
    for folder in ["files", "templates", "schemas", "definitions", "executions", "inbox", "messages", "outbox"] {
        let folder = config.storage_path.join(folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("create `{}`", folder.display()))?;
    }
    Ok(())
}

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
        fetch: FetchSettings { base_url: None, require_delivery: config.require_delivery },
        file_roots: config.file_roots.clone(),
        schemas: ["templates", "schemas"].map(|folder| config.storage_path.join(folder)).to_vec(),
        warehouse: Warehouse::new(config.storage_path.join("data.db")),
        notify: Arc::new(notify(config)),
    };
    Ok(Registry::new(steps::all(&tools))?)
}

/// The platforms to which a service with conversations carries letters.
pub fn connected(config: &Config) -> Vec<String> {
    elsewhere(config).into_iter().chain(["web"]).map(str::to_owned).collect()
}

/// The platforms elsewhere that are connected: those for which there is a token.
fn elsewhere(config: &Config) -> Vec<&'static str> {
    let tokens = [("slack", config.slack.is_some()), ("discord", config.discord.is_some())];
    tokens.into_iter().filter(|(_, there)| *there).map(|(platform, _)| platform).collect()
}

/// What steps know of messages.
fn notify(config: &Config) -> notify::Settings {
    notify::Settings {
        connected: elsewhere(config).into_iter().collect(),
        channels: config.channels.clone(),
        require_delivery: config.require_delivery,
        messages: vec![config.storage_path.join("messages")],
        outbox: config.storage_path.join("outbox"),
    }
}

fn egress(config: &Config) -> Result<egress::Settings, Fault> {
    let rules: Result<Vec<AllowRule>, _> = config.egress_allow.iter().map(|rule| rule.parse()).collect();
    let allow = rules.map_err(|error: AllowError| config.refuse("egress_allow", error))?;
    Ok(egress::Settings { allow, ..egress::Settings::default() })
}

pub fn options(config: &Config) -> Options {
    let retry = RetryPolicy { count: config.retry_count, delay: config.retry_delay, ..RetryPolicy::default() };
    let defaults = Defaults { retry, timeout: config.step_timeout };
    Options { defaults, strict: false, shortest: config.schedule_min_interval }
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
