//! The configuration as an operator meets it: precedence, refusals with name and line, and papers that stay true.

mod papers;
mod platforms;
mod refusals;
mod sources;

use std::ffi::OsString;
use std::fs;

use workflow::config::{Config, ConfigError, Surroundings};

/// A working directory with these files, and surroundings that see it.
struct Bench {
    directory: tempfile::TempDir,
    environment: Vec<(OsString, OsString)>,
    overrides: Vec<String>,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        Self { directory, environment: Vec::new(), overrides: Vec::new() }
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.directory.path().join(name), text).expect("the folder is writable");
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn set(mut self, text: &str) -> Self {
        self.overrides.push(text.to_owned());
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&Surroundings {
            directory: self.directory.path().to_owned(),
            environment: self.environment.clone(),
            overrides: self.overrides.clone(),
        })
    }

    fn config(&self) -> Config {
        self.load().expect("the configuration is good")
    }

    /// Each fault as `code message (place) -> remedy`, without the temporary folder's name.
    fn faults(&self) -> Vec<String> {
        let error = self.load().expect_err("the configuration is bad");
        let folder = format!("{}/", self.directory.path().display());
        error.faults().iter().map(|fault| format!("{fault} -> {}", fault.remedy()).replace(&folder, "")).collect()
    }
}

/// Value and source of a setting in force.
fn in_force(config: &Config, key: &str) -> (String, String) {
    let found = config.effective().iter().find(|effective| effective.key == key).expect("a setting");
    (found.value.clone(), found.source.to_string())
}
