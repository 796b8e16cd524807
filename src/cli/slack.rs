//! `slack`: what Slack needs to know of the app.

use super::line::SlackCommand;
use super::{DONE, Ended, print};
use crate::chat::slack::manifest;

/// Prints it.
pub fn slack(command: &SlackCommand) -> Ended {
    match command {
        SlackCommand::Manifest { http } => print::pretty(&manifest(http.as_deref()))?,
    }
    Ok(DONE)
}
