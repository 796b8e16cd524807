//! The checked configuration, and the same values with where each came from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::Deserialize as _;
use tracing_subscriber::EnvFilter;

use crate::chat::{self, FileMode, discord, slack};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::time::Span;
use crate::http::caller::Secret;
use crate::service::Rules;
use crate::steps::notify::Alias;
use crate::steps::size::Bytes;
use crate::store::db::Durability;

use super::error::ConfigError;
use super::layer::{Source, gather};
use super::platforms;
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
    /// What becomes of documents that are dropped into a chat.
    pub file_mode: FileMode,
    /// How long what a rule started on a file or a reaction can be undone by a press; zero: it cannot.
    pub undo_window: Span,
    /// The least time between two instants of a schedule.
    pub schedule_min_interval: Span,
    /// Names for channels of conversations.
    pub channels: Vec<Alias>,
    /// Whether a step fails where it would else pretend to have reached somebody.
    pub require_delivery: bool,
    /// What holds for those who come over platforms.
    pub rules: Rules,
    /// Where the service listens.
    pub listen: SocketAddr,
    /// What callers must know; `None`: whoever reaches the address may come in.
    pub api_token: Option<Secret>,
    /// Further host names under which the service is reached, in lower case.
    pub allowed_hosts: Vec<String>,
    /// The largest file that is taken in, in bytes.
    pub upload_limit: u64,
    /// Bytes that the disk must have left before anything new is taken in.
    pub min_free_disk: u64,
    /// What a commit promises.
    pub durability: Durability,
    /// For how long completed runs are kept; zero: for ever.
    pub keep_completed: Span,
    /// For how long all other runs are kept after their end; zero: for ever.
    pub keep_failed: Span,
    /// How Slack is reached; `None`: it is not.
    pub slack: Option<slack::Settings>,
    /// How Discord is reached; `None`: it is not.
    pub discord: Option<discord::Settings>,
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

const SHORTEST_TOKEN: usize = 16;
const LARGEST_FILE: u64 = 1 << 30;
const LARGEST_DISK: u64 = 1_000_000 << 30;
const MOMENT: Span = Span::from_millis(100);
const SECOND: Span = Span::from_secs(1);
const DAY: Span = Span::from_secs(24 * 3_600);
const CENTURY: Span = Span::from_secs(100 * 366 * 24 * 3_600);
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
        let upload_limit = size(reader, "upload_limit", 1_024..=LARGEST_FILE, "a size from 1KB to 1GB (512KB, 10MB)");
        Self {
            enabled: reader.boolean("enabled"),
            max_concurrent: reader.number("max_concurrent", 1..=10_000),
            step_timeout: reader.span("step_timeout", MOMENT..=MONTH, "from 0.1 s to 30 days"),
            retry_count: reader.number("retry_count", 0..=100),
            retry_delay: reader.span("retry_delay", Span::ZERO..=DAY, "at most 1 day"),
            file_mode: file_mode(reader),
            undo_window: reader.span("undo_window", Span::ZERO..=DAY, "at most 1 day, or 0 for none"),
            schedule_min_interval: reader.span("schedule_min_interval", SECOND..=DAY, "from 1 s to 1 day"),
            channels: channels(reader),
            require_delivery: reader.boolean("require_delivery"),
            rules: platforms::rules(reader),
            listen: listen(reader),
            api_token: token(reader),
            allowed_hosts: hosts(reader),
            upload_limit,
            min_free_disk: size(reader, "min_free_disk", 0..=LARGEST_DISK, "a size up to 1000000GB (512MB, 10GB)"),
            durability: reader.choice("durability", [("full", Durability::Full), ("relaxed", Durability::Relaxed)]),
            keep_completed: reader.span("keep_completed", Span::ZERO..=CENTURY, "at most 100 years, or 0 for ever"),
            keep_failed: reader.span("keep_failed", Span::ZERO..=CENTURY, "at most 100 years, or 0 for ever"),
            slack: platforms::slack(reader, upload_limit),
            discord: platforms::discord(reader, upload_limit),
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

    /// How the chat behaves.
    #[must_use]
    pub fn chat(&self) -> chat::Settings {
        chat::Settings { file_mode: self.file_mode, undo_window: self.undo_window, ..chat::Settings::default() }
    }

    /// The chat platforms that are connected.
    #[must_use]
    pub fn platforms(&self) -> chat::Platforms {
        chat::Platforms { slack: self.slack.clone(), discord: self.discord.clone() }
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

    /// Where to listen.
    ///
    /// # Errors
    /// Programs of other machines could reach the address, and no token keeps them out.
    pub fn listener(&self) -> Result<SocketAddr, Fault> {
        if self.listen.ip().is_loopback() || self.api_token.is_some() {
            return Ok(self.listen);
        }
        let message = format!("`{}` can be reached from other machines, and there is no token", self.listen);
        let place = self.effective.iter().find(|effective| effective.key == "listen");
        let place = place.map_or(&Source::Default, |effective| &effective.source).to_string();
        Err(Fault::permanent(code::WF6006, message).at(place))
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
        let days = |span: Span| match span.micros() % DAY.micros() {
            0 if span > Span::ZERO => format!("{}d", span.micros() / DAY.micros()),
            _ => seconds(span),
        };
        let paths: Vec<_> = self.file_roots.iter().map(|path| path.display().to_string()).collect();
        match key {
            "enabled" => self.enabled.to_string(),
            "require_delivery" => self.require_delivery.to_string(),
            "channels" => self.channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            "step_timeout" => seconds(self.step_timeout),
            "retry_delay" => seconds(self.retry_delay),
            "undo_window" => seconds(self.undo_window),
            "schedule_min_interval" => seconds(self.schedule_min_interval),
            "keep_completed" => days(self.keep_completed),
            "keep_failed" => days(self.keep_failed),
            "database_url" => format!("sqlite:{}", self.database.display()),
            "file_roots" => paths.join(":"),
            // Whoever reads over a shoulder or a bug report learns that there is one.
            "api_token" | "slack_bot_token" | "slack_app_token" | "slack_signing_secret" | "discord_token" => {
                if reader.text(key).is_empty() { String::new() } else { "***".to_owned() }
            }
            "allowed_hosts" => self.allowed_hosts.join(","),
            "egress_allow" => self.egress_allow.join(","),
            "channel_roles" => self.rules.channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            "chat_role" | "durability" | "log_format" => reader.text(key).to_ascii_lowercase(),
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

fn file_mode(reader: &mut Reader) -> FileMode {
    match reader.text("file_mode").to_ascii_lowercase().as_str() {
        "" => FileMode::ByPlace,
        "auto" => FileMode::Auto,
        "ask" => FileMode::Ask,
        "off" => FileMode::Off,
        _ => {
            reader.refuse("file_mode", "`auto`, `ask`, `off`, or empty");
            FileMode::ByPlace
        }
    }
}

fn channels(reader: &mut Reader) -> Vec<Alias> {
    const KEY: &str = "channels";
    let mut aliases: Vec<Alias> = Vec::new();
    for text in reader.given(KEY).values {
        match text.parse::<Alias>() {
            Ok(alias) if aliases.iter().any(|one| (&one.name, &one.platform) == (&alias.name, &alias.platform)) => {
                let message = format!("`{KEY}` says twice what `{}` is on {}", alias.name, alias.platform);
                reader.fault(code::WF6002, KEY, message);
            }
            Ok(alias) => aliases.push(alias),
            Err(why) => reader.fault(code::WF6002, KEY, format!("`{KEY}`: {why}")),
        }
    }
    aliases
}

fn listen(reader: &mut Reader) -> SocketAddr {
    let text = reader.text("listen");
    let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    named.as_deref().unwrap_or(&text).parse().unwrap_or_else(|_| {
        reader.refuse("listen", "an address and a port: `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:80`");
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
    })
}

/// The token, if one was given. It is never repeated.
fn token(reader: &mut Reader) -> Option<Secret> {
    const KEY: &str = "api_token";
    let text = reader.text(KEY);
    let sendable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() {
        return None;
    }
    if !sendable || text.len() < SHORTEST_TOKEN {
        let message = format!("`{KEY}` must be at least {SHORTEST_TOKEN} letters, digits and signs, without spaces");
        reader.fault(code::WF6002, KEY, message);
    }
    Some(Secret::new(text))
}

fn hosts(reader: &mut Reader) -> Vec<String> {
    const KEY: &str = "allowed_hosts";
    let hosts: Vec<_> = reader.given(KEY).values.iter().map(|host| host.to_ascii_lowercase()).collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if let Some(host) = hosts.iter().find(|host| !host.chars().all(plain)) {
        let message =
            format!("`{KEY}` holds `{host}`: it must be names as in `flows.example.org`, with a port where needed");
        reader.fault(code::WF6002, KEY, message);
    }
    hosts
}

fn size(reader: &mut Reader, key: &'static str, allowed: RangeInclusive<u64>, words: &str) -> u64 {
    let text = reader.text(key);
    let bytes = Bytes::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&text));
    bytes.ok().map(|bytes| bytes.0).filter(|bytes| allowed.contains(bytes)).unwrap_or_else(|| {
        reader.refuse(key, words);
        *allowed.end()
    })
}

fn filter(reader: &mut Reader) -> String {
    let text = reader.text("log");
    if let Err(error) = EnvFilter::try_new(&text) {
        let message = format!("`log` is `{text}`: it must be a level, or levels by room ({error})");
        reader.fault(code::WF6002, "log", message);
    }
    text
}
