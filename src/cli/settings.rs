//! The settings in force: put together from the command line, the environment and the file, and shown.

use clap::Args;
use serde_json::json;

use super::line::Overrides;
use super::{DONE, Ended, print};
use crate::config::{Config, ConfigError, Surroundings};

/// `workflow config`.
#[derive(Debug, Clone, Args)]
pub struct Show {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn load(overrides: &Overrides) -> Result<Config, ConfigError> {
    let named = [("storage_path", &overrides.storage), ("config", &overrides.config)];
    let named = named.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")));
    let all = named.chain(overrides.set.iter().cloned()).collect();
    Config::load(&Surroundings::of_process(all))
}

pub fn show(config: &Config, args: &Show) -> Ended {
    let rows = config.effective();
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| json!({"key": row.key, "value": row.value, "source": row.source.to_string(), "env": row.env}))
            .collect();
        print::json(&rows)?;
        return Ok(DONE);
    }
    let width = |text: fn(&crate::config::Effective) -> usize| rows.iter().map(text).max().unwrap_or(0);
    let (keys, values) = (width(|row| row.key.len()), width(|row| row.value.len()).min(48));
    for row in rows {
        print::line(format!("{:<keys$}  {:<values$}  {}", row.key, row.value, row.source));
    }
    Ok(DONE)
}
