//! Calls of the Web API: in turn where Slack counts them together, never before the time that it named, each with an end.
//!
//! Requests and answers are JSON values: what is read of an answer is little, and a field that Slack adds or leaves out is no error.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use slack_morphism::errors::SlackClientError;
use slack_morphism::prelude::{SlackApiToken, SlackHyperClient};
use tokio::time::Instant;

use super::super::adapter::SendError;

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a call waits for its turn by itself before whoever calls is told to come back.
const SHORT: Duration = Duration::from_secs(3);
/// Where Slack does not say for how long nothing is to be sent.
const UNSAID: Duration = Duration::from_secs(5);
/// Channels that get about one message a second each; more lanes than this are looked through for idle ones.
const LANES: usize = 4_096;
/// Between two messages in one channel.
const POSTS: Duration = Duration::from_secs(1);

/// Why a call brought nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// Slack says no.
    #[error("Slack answers `{method}` with `{code}`{}", needed.as_ref().map(|scope| format!(", the scope `{scope}` is missing")).unwrap_or_default())]
    No {
        /// What was asked.
        method: String,
        /// Slack's word for why not.
        code: String,
        /// The scope that would be needed, or what is wrong with what was sent.
        needed: Option<String>,
    },
    /// Not before this time.
    #[error("Slack wants {} s of silence", .0.as_secs())]
    Busy(Duration),
    /// No answer. It may have happened.
    #[error("{0}")]
    Lost(String),
}

impl CallError {
    /// Slack's word for why not; empty when it said nothing.
    pub fn code(&self) -> &str {
        match self {
            Self::No { code, .. } => code,
            Self::Busy(_) | Self::Lost(_) => "",
        }
    }

    /// Whether the message or its place is not there for us.
    pub fn is_gone(&self) -> bool {
        let gone = [
            "message_not_found",
            "channel_not_found",
            "not_in_channel",
            "is_archived",
            "cant_update_message",
            "edit_window_closed",
            "thread_not_found",
            "invalid_thread_ts",
            "user_not_in_channel",
        ];
        gone.contains(&self.code())
    }

    /// Whether the token is good for nothing any more.
    pub fn is_revoked(&self) -> bool {
        let revoked = [
            "token_revoked",
            "token_expired",
            "invalid_auth",
            "account_inactive",
            "not_authed",
            "not_allowed_token_type",
            "team_access_not_granted",
            "org_login_required",
        ];
        revoked.contains(&self.code())
    }

    /// Whether Slack does not take what was sent as it was sent.
    pub fn is_refused_content(&self) -> bool {
        let content =
            ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_arguments"];
        content.contains(&self.code())
    }
}

impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        let passing = ["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"];
        match &error {
            CallError::Busy(wait) => Self::Busy(*wait),
            CallError::Lost(why) => Self::Later(why.clone()),
            _ if error.is_gone() => Self::Gone,
            _ if error.is_revoked() => Self::Barred(error.to_string()),
            CallError::No { code, .. } if passing.contains(&code.as_str()) => Self::Later(error.to_string()),
            CallError::No { .. } => Self::Refused(error.to_string()),
        }
    }
}

/// The turns of one workspace: Slack counts per method, and messages per channel.
#[derive(Default)]
pub struct Lanes {
    lanes: std::sync::Mutex<HashMap<String, Arc<Lane>>>,
}

/// One call at a time; not before this time.
struct Lane(tokio::sync::Mutex<Instant>);

impl Lanes {
    fn lane(&self, method: &str, body: &Value) -> Arc<Lane> {
        let key = match (method, body["channel"].as_str()) {
            ("chat.postMessage", Some(channel)) => format!("{method} {channel}"),
            _ => method.to_owned(),
        };
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= LANES {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        Arc::clone(lanes.entry(key).or_insert_with(|| Arc::new(Lane(tokio::sync::Mutex::new(Instant::now())))))
    }
}

/// Calls a method with this token, in its turn.
///
/// # Errors
/// It brought nothing.
pub async fn call(
    client: &SlackHyperClient,
    token: &SlackApiToken,
    lanes: &Lanes,
    method: &str,
    body: &Value,
) -> Result<Value, CallError> {
    // A window is worth nothing a moment later: it does not wait behind another one.
    if method == "views.open" {
        return send(client, token, method, body).await;
    }
    let lane = lanes.lane(method, body);
    let mut not_before = lane.0.lock().await;
    let wait = not_before.saturating_duration_since(Instant::now());
    if wait > SHORT {
        return Err(CallError::Busy(wait));
    }
    tokio::time::sleep(wait).await;
    let result = send(client, token, method, body).await;
    match &result {
        Err(CallError::Busy(wait)) => *not_before = Instant::now() + *wait,
        _ if method == "chat.postMessage" => *not_before = Instant::now() + POSTS,
        _ => {}
    }
    result
}

/// Calls a method now.
///
/// # Errors
/// It brought nothing.
pub async fn send(
    client: &SlackHyperClient,
    token: &SlackApiToken,
    method: &str,
    body: &Value,
) -> Result<Value, CallError> {
    let session = client.open_session(token);
    let answer = match reads_form(method) {
        true => {
            let pairs = pairs(body);
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), Some(value))).collect();
            let sent = session.http_session_api.http_get::<Value, _, _>(method, &pairs, None);
            tokio::time::timeout(PATIENCE, sent).await
        }
        false => {
            tokio::time::timeout(PATIENCE, session.http_session_api.http_post::<_, Value>(method, body, None)).await
        }
    };
    match answer {
        // What is no JSON is read as an empty object.
        Ok(Ok(answer)) if answer["ok"] == json!(true) => Ok(answer),
        Ok(Ok(_)) => Err(CallError::Lost(format!("Slack's answer to `{method}` cannot be read"))),
        Ok(Err(error)) => Err(sort(method, error)),
        Err(_) => Err(CallError::Lost(format!("Slack does not answer `{method}` within {} s", PATIENCE.as_secs()))),
    }
}

/// Methods that read no JSON body.
fn reads_form(method: &str) -> bool {
    method.ends_with(".info")
        || matches!(
            method,
            "files.getUploadURLExternal" | "conversations.list" | "conversations.history" | "conversations.replies"
        )
}

fn pairs(body: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    body.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// What went wrong, without what was sent and without whole answers.
fn sort(method: &str, error: SlackClientError) -> CallError {
    match error {
        SlackClientError::ApiError(error) => {
            let body: Value = error
                .http_response_body
                .as_deref()
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_default();
            let needed = body["needed"].as_str().or_else(|| body["response_metadata"]["messages"][0].as_str());
            let needed = needed.map(|text| text.chars().take(200).collect());
            match error.code.as_str() {
                "ratelimited" | "rate_limited" => CallError::Busy(UNSAID),
                _ => CallError::No { method: method.to_owned(), code: error.code, needed },
            }
        }
        SlackClientError::RateLimitError(error) => CallError::Busy(error.retry_after.unwrap_or(UNSAID)),
        SlackClientError::HttpError(error) => {
            CallError::Lost(format!("Slack answers `{method}` with {}", error.status_code))
        }
        SlackClientError::ProtocolError(_) => CallError::Lost(format!("Slack's answer to `{method}` cannot be read")),
        other => CallError::Lost(format!("`{method}` did not reach Slack: {}", deepest(&other))),
    }
}

/// The client hides what lies below in texts of `Debug`; of those the first plain cause is enough.
fn deepest(error: &SlackClientError) -> String {
    match error {
        SlackClientError::HttpProtocolError(error) => {
            error.cause.as_ref().map_or_else(|| "the connection broke".to_owned(), |cause| super::wire::cause(&**cause))
        }
        SlackClientError::SystemError(error) => {
            error.cause.as_ref().map_or_else(|| "the connection broke".to_owned(), |cause| super::wire::cause(&**cause))
        }
        _ => "the connection broke".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no(code: &str) -> CallError {
        CallError::No { method: "chat.update".to_owned(), code: code.to_owned(), needed: None }
    }

    #[test]
    fn what_slack_says_is_sorted_by_what_can_be_done() {
        assert!(matches!(no("message_not_found").into(), SendError::Gone));
        assert!(matches!(no("is_archived").into(), SendError::Gone));
        assert!(matches!(no("token_revoked").into(), SendError::Barred(_)));
        assert!(matches!(no("missing_scope").into(), SendError::Refused(_)));
        assert!(matches!(no("internal_error").into(), SendError::Later(_)));
        assert!(matches!(CallError::Lost(String::new()).into(), SendError::Later(_)));
        assert!(matches!(CallError::Busy(UNSAID).into(), SendError::Busy(UNSAID)));
        assert!(no("token_revoked").is_revoked() && !no("missing_scope").is_revoked());
    }
}
