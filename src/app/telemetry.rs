//! Logs: to standard error, as text for people or as JSON lines for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat, Source};

/// What libraries of sockets say of single frames carries tokens, one-time addresses and what people wrote: it is never said.
const NEVER_SAID: [&str; 2] = ["tungstenite=info", "tokio_tungstenite=info"];

/// Starts logging as configured. A second call changes nothing. `for_people`: somebody watches a single command, so
/// unless they asked for more they get warnings only.
pub fn start(config: &Config, for_people: bool) {
    let asked = config.effective().iter().any(|row| row.key == "log" && row.source != Source::Default);
    let wanted = if for_people && !asked { "warn" } else { config.log.as_str() };
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("warn"));
    let filter = NEVER_SAID.iter().filter_map(|cap| cap.parse().ok()).fold(filter, EnvFilter::add_directive);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let logs = logs.with_ansi(std::io::stderr().is_terminal());
    let started = match config.log_format {
        LogFormat::Text => logs.with_target(false).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
    let _ = started; // a test process may have started it already
}
