//! The checked configuration, and the same values with where each came from.

use std::path::PathBuf;

use tracing_subscriber::EnvFilter;

use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::time::Span;
use crate::store::db::Durability;

use super::error::ConfigError;
use super::layer::{Source, gather};
use super::settings::{SETTINGS, Setting};
use super::surroundings::Surroundings;
use super::value::Reader;

/// The configuration of this process. Every value is within its bounds.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether runs are started at all.
    pub enabled: bool,
    /// Runs in progress at once; at least 1.
    pub max_concurrent: u32,
    /// How long one attempt of a step may take.
    pub step_timeout: Span,
    /// Further attempts after a failed one: 3 means four attempts.
    pub retry_count: u32,
    /// The wait before the next attempt.
    pub retry_delay: Span,
    /// The folder in which everything is kept.
    pub storage_path: PathBuf,
    /// The database file.
    pub database: PathBuf,
    /// Folders from which steps may read files by path; at least one.
    pub file_roots: Vec<PathBuf>,
    /// What a commit promises.
    pub durability: Durability,
    /// What is logged, as a filter of `tracing`.
    pub log: String,
    /// How a log line looks.
    pub log_format: LogFormat,
    /// What steps may reach inside the operator's network, each as ADDRESS/LENGTH:PORT. Not checked here: the room
    /// that connects reads them, and [`Config::refuse`] says what it thinks of one.
    pub egress_allow: Vec<String>,
    effective: Vec<Effective>,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The key in files and on the command line.
    pub key: &'static str,
    /// The value as a file could hold it.
    pub value: String,
    /// Where it came from.
    pub source: Source,
    /// The environment variable.
    pub env: String,
}

const MOMENT: Span = Span::from_millis(100);
const DAY: Span = Span::from_secs(24 * 3_600);
const MONTH: Span = Span::from_secs(30 * 24 * 3_600);

impl Config {
    /// Reads the configuration from these surroundings.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once: unknown names, values that are not allowed, files that cannot be read.
    pub fn load(surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let given = gather(surroundings, &mut faults);
        let mut reader = Reader::new(given, faults);
        let mut config = Self::read(&mut reader);
        if !reader.faults.is_empty() {
            return Err(ConfigError::new(reader.faults));
        }
        let effective = |setting: &Setting| Effective {
            key: setting.key,
            value: config.value(setting.key, &reader),
            source: reader.given(setting.key).source,
            env: setting.env(),
        };
        config.effective = SETTINGS.iter().map(effective).collect();
        Ok(config)
    }

    fn read(reader: &mut Reader) -> Self {
        let storage_path = reader.path("storage_path");
        let database = database(reader).unwrap_or_else(|| storage_path.join("workflow.db"));
        let mut file_roots = reader.paths("file_roots");
        if file_roots.is_empty() {
            file_roots.push(storage_path.join("inbox"));
        }
        Self {
            enabled: reader.boolean("enabled"),
            max_concurrent: reader.number("max_concurrent", 1..=10_000),
            step_timeout: reader.span("step_timeout", MOMENT..=MONTH, "from 0.1 s to 30 days"),
            retry_count: reader.number("retry_count", 0..=100),
            retry_delay: reader.span("retry_delay", Span::ZERO..=DAY, "at most 1 day"),
            durability: reader.choice("durability", [("full", Durability::Full), ("relaxed", Durability::Relaxed)]),
            log: filter(reader),
            log_format: reader.choice("log_format", [("text", LogFormat::Text), ("json", LogFormat::Json)]),
            egress_allow: reader.given("egress_allow").values,
            storage_path,
            database,
            file_roots,
            effective: Vec::new(),
        }
    }

    /// Every setting in force, in the order of `config/default.toml`, with where it came from.
    #[must_use]
    pub fn effective(&self) -> &[Effective] {
        &self.effective
    }

    /// Where the store lives.
    #[must_use]
    pub fn store(&self) -> crate::store::db::Settings {
        crate::store::db::Settings {
            database: self.database.clone(),
            files: self.storage_path.join("files"),
            durability: self.durability,
        }
    }

    /// The fault of a value that a room could not use, naming where the value came from.
    #[must_use]
    pub fn refuse(&self, key: &str, reason: impl std::fmt::Display) -> Fault {
        let source = self.effective.iter().find(|effective| effective.key == key).map(|effective| &effective.source);
        let place = source.unwrap_or(&Source::Default).to_string();
        Fault::permanent(code::WF6002, format!("`{key}`: {reason}")).at(place)
    }

    /// The value of a setting as a file could hold it.
    fn value(&self, key: &str, reader: &Reader) -> String {
        let seconds = |span: Span| format!("{}s", span.as_secs_f64());
        let paths: Vec<_> = self.file_roots.iter().map(|path| path.display().to_string()).collect();
        match key {
            "enabled" => self.enabled.to_string(),
            "step_timeout" => seconds(self.step_timeout),
            "retry_delay" => seconds(self.retry_delay),
            "database_url" => format!("sqlite:{}", self.database.display()),
            "file_roots" => paths.join(":"),
            "egress_allow" => self.egress_allow.join(","),
            "durability" | "log_format" => reader.text(key).to_ascii_lowercase(),
            _ => reader.text(key),
        }
    }
}

/// The database file that was asked for, if one was. A URL is never repeated: it may hold a password.
fn database(reader: &mut Reader) -> Option<PathBuf> {
    const KEY: &str = "database_url";
    let url = reader.text(KEY);
    let (scheme, rest) = url.split_once(':').unwrap_or((&url, ""));
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match scheme {
        "" => None,
        "sqlite" if !path.is_empty() && !path.contains('?') => Some(reader.written_out(KEY, path)),
        "postgres" | "postgresql" => {
            reader.fault(code::WF6004, KEY, format!("`{KEY}` asks for PostgreSQL, which is not supported yet"));
            None
        }
        _ => {
            reader.fault(
                code::WF6002,
                KEY,
                format!("`{KEY}` must be `sqlite:PATH`, or empty for workflow.db in the storage folder"),
            );
            None
        }
    }
}

fn filter(reader: &mut Reader) -> String {
    let text = reader.text("log");
    if let Err(error) = EnvFilter::try_new(&text) {
        let message = format!("`log` is `{text}`: it must be a level, or levels by room ({error})");
        reader.fault(code::WF6002, "log", message);
    }
    text
}
