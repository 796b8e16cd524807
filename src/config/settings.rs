//! The settings by name: one name gives the key of the file, the variable of the environment and the near names.

use crate::domain::code;
use crate::domain::fault::Fault;

use super::layer::Source;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The key in files and on the command line.
    pub key: &'static str,
    /// What separates several values where one text holds them all; `None` when there is only one value.
    pub separator: Option<char>,
    /// Whether a file may hold it. The name of the file itself cannot stand in the file.
    pub in_file: bool,
}

/// The name of the configuration file.
pub(super) const CONFIG: &str = "config";

const fn one(key: &'static str) -> Setting {
    Setting { key, separator: None, in_file: true }
}

const fn several(key: &'static str, separator: char) -> Setting {
    Setting { key, separator: Some(separator), in_file: true }
}

/// Every setting, in the order of `config/default.toml`.
pub const SETTINGS: &[Setting] = &[
    one("enabled"),
    one("max_concurrent"),
    one("step_timeout"),
    one("retry_count"),
    one("retry_delay"),
    one("storage_path"),
    one("database_url"),
    several("file_roots", ':'),
    one("file_mode"),
    one("undo_window"),
    one("schedule_min_interval"),
    several("channels", ','),
    one("require_delivery"),
    one("chat_role"),
    several("channel_roles", ','),
    one("listen"),
    one("api_token"),
    several("allowed_hosts", ','),
    one("upload_limit"),
    one("min_free_disk"),
    one("durability"),
    one("keep_completed"),
    one("keep_failed"),
    several("slack_bot_token", ','),
    several("slack_app_token", ','),
    several("slack_signing_secret", ','),
    one("slack_api_url"),
    one("discord_token"),
    one("discord_api_url"),
    one("discord_public_key"),
    one("discord_ca_file"),
    one("log"),
    one("log_format"),
    several("egress_allow", ','),
    Setting { key: CONFIG, separator: None, in_file: false },
];

/// What every variable of ours begins with.
pub(super) const PREFIX: &str = "WORKFLOW_";

impl Setting {
    /// The environment variable: `max_concurrent` is `WORKFLOW_MAX_CONCURRENT`.
    #[must_use]
    pub fn env(&self) -> String {
        format!("{PREFIX}{}", self.key.to_ascii_uppercase())
    }

    pub(super) fn by_key(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    pub(super) fn by_env(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.env() == name)
    }
}

/// The fault of a key that no setting has.
pub(super) fn unknown_key(key: &str, source: &Source) -> Fault {
    let known = SETTINGS.iter().filter(|setting| setting.in_file).map(|setting| setting.key.to_owned());
    unknown("setting", key, known.collect(), source)
}

/// The fault of a `WORKFLOW_*` variable that no setting has.
pub(super) fn unknown_variable(name: &str, source: &Source) -> Fault {
    unknown("variable", name, SETTINGS.iter().map(Setting::env).collect(), source)
}

fn unknown(noun: &str, name: &str, known: Vec<String>, source: &Source) -> Fault {
    let name: String = name.chars().take(80).collect();
    // Ours alone and without case: a slip of case is no distance, and the common prefix is no likeness.
    let plain = |name: &str| name.to_ascii_uppercase().trim_start_matches(PREFIX).to_owned();
    let given = plain(&name);
    let distance = |known: &str| match plain(known) {
        known if given.len() > 3 && known.starts_with(&given) => 0,
        known => strsim::damerau_levenshtein(&known, &given),
    };
    let near = known.into_iter().map(|known| (distance(&known), known)).min();
    let fault = Fault::permanent(code::WF6001, format!("unknown {noun} `{name}`")).at(source.to_string());
    match near.filter(|(distance, known)| distance * 3 <= plain(known).len()) {
        Some((_, near)) => fault.fix(format!("did you mean `{near}`?")),
        None => fault,
    }
}
