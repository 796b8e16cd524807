//! How Slack is reached.

use crate::http::caller::Secret;

/// The base of Slack's own Web API.
pub const API_URL: &str = "https://slack.com/api";

/// How Slack is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A bot token for each workspace, `xoxb-…`; at least one.
    pub bot_tokens: Vec<Secret>,
    /// The tokens for Socket Mode, `xapp-…`: one for each app.
    pub app_tokens: Vec<Secret>,
    /// With what Slack signs its requests, where it comes to us over HTTP: one for each app.
    pub signing_secrets: Vec<Secret>,
    /// The base of the Web API, without a slash at its end.
    pub api_url: String,
    /// The largest file that is taken in, in bytes.
    pub upload_limit: u64,
}
