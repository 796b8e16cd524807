//! Where a process finds itself: its folder, its environment, what was said on the command line. A value, so that a
//! test makes its own.

use std::ffi::OsString;
use std::path::PathBuf;

/// What a configuration is read from.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The working directory, where `.env` and `workflow.toml` are looked for.
    pub directory: PathBuf,
    /// The environment's variables; only those that begin with `WORKFLOW_` are looked at.
    pub environment: Vec<(OsString, OsString)>,
    /// Settings of the command line, each as `key=value`; they go before everything else.
    pub overrides: Vec<String>,
}

impl Surroundings {
    /// Those of this process, and these settings of its command line.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn of_process(overrides: Vec<String>) -> Self {
        Self { directory: PathBuf::from("."), environment: std::env::vars_os().collect(), overrides }
    }
}

/// The folders in which other programs are looked for, written as in `PATH`.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one room that reads the environment")]
pub fn program_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"))
}

/// What the person at this terminal is called.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one room that reads the environment")]
pub fn user_name() -> String {
    ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "somebody".to_owned())
}
