//! Logs: to standard error, as text for people or as JSON lines for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat, Source};

/// Crates that write what they send and receive into their logs, tokens and messages included, or that talk to themselves:
/// whatever is asked for, they say only what is wrong. (serenity 0.12.5 in the spans and warnings of its gateway; tungstenite
/// 0.21 for every frame; tokio-cron-scheduler 0.15 its first steps at every start.)
const QUIET: [&str; 4] = ["serenity=error", "tungstenite=warn", "tokio_tungstenite=warn", "tokio_cron_scheduler=warn"];

/// Starts logging as configured. A second call changes nothing. `for_people`: somebody watches a single command, so
/// unless they asked for more they get warnings only.
pub fn start(config: &Config, for_people: bool) {
    let asked = config.effective().iter().any(|row| row.key == "log" && row.source != Source::Default);
    let wanted = if for_people && !asked { "warn" } else { config.log.as_str() };
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("warn"));
    let filter = QUIET.iter().filter_map(|quiet| quiet.parse().ok()).fold(filter, EnvFilter::add_directive);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let logs = logs.with_ansi(std::io::stderr().is_terminal());
    let started = match config.log_format {
        LogFormat::Text => logs.with_target(false).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
    let _ = started; // a test process may have started it already
}
