//! Slack over HTTP: requests that it signs. Nothing of a request is read before its signature is found right.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use slack_morphism::prelude::SlackSigningSecret;
use slack_morphism::signature_verifier::SlackEventSignatureVerifier;
use utoipa_axum::router::OpenApiRouter;

use super::Slack;
use super::receive::{Ack, Kind};
use crate::chat::Chat;
use crate::http::Room;
use crate::http::caller::Secret;

/// Bytes of a request; Slack's are far smaller.
const LARGEST: usize = 1 << 20;

#[derive(Clone)]
struct Desk {
    slack: Arc<Slack>,
    chat: Chat,
    verifiers: Arc<[SlackEventSignatureVerifier]>,
}

/// The routes at which Slack makes its requests.
pub fn room(slack: Arc<Slack>, chat: Chat, secrets: &[Secret]) -> Room {
    let verifier = |secret: &Secret| SlackEventSignatureVerifier::new(&SlackSigningSecret(secret.reveal().to_owned()));
    let verifiers = secrets.iter().map(verifier).collect();
    let routes = OpenApiRouter::default()
        .route("/slack/events", post(events))
        .route("/slack/commands", post(commands))
        .route("/slack/interactivity", post(interactivity))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(Desk { slack, chat, verifiers });
    Room { routes, topic: None }
}

impl Desk {
    /// The body of a request that Slack signed for one of the apps within the last five minutes.
    fn verified<'b>(&self, headers: &HeaderMap, body: &'b [u8]) -> Option<&'b str> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let body = std::str::from_utf8(body).ok()?;
        let signature = header(SlackEventSignatureVerifier::SLACK_SIGNED_HASH_HEADER)?;
        let at = header(SlackEventSignatureVerifier::SLACK_SIGNED_TIMESTAMP)?;
        self.verifiers.iter().any(|verifier| verifier.verify(signature, body, at).is_ok()).then_some(body)
    }

    async fn take(&self, kind: Kind, headers: &HeaderMap, body: &[u8]) -> Response {
        let Some(body) = self.verified(headers, body) else {
            tracing::warn!(
                "a request to Slack's routes is not signed by Slack, or its signature is older than 5 minutes"
            );
            return (StatusCode::UNAUTHORIZED, "not signed by Slack within the last 5 minutes").into_response();
        };
        let is_json =
            headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let Some(payload) = read(body, is_json) else {
            return (StatusCode::UNPROCESSABLE_ENTITY, "the body cannot be read").into_response();
        };
        if payload["type"] == "url_verification" {
            return payload["challenge"].as_str().unwrap_or_default().to_owned().into_response();
        }
        match self.slack.take(&self.chat, kind, &payload).await {
            Ack::Done => StatusCode::OK.into_response(),
            Ack::With(value) => axum::Json(value).into_response(),
            Ack::Again => (StatusCode::SERVICE_UNAVAILABLE, "not kept: send it again").into_response(),
        }
    }
}

/// The payload of a body: JSON, JSON in a form's field, or the form itself.
fn read(body: &str, is_json: bool) -> Option<Value> {
    if is_json {
        return serde_json::from_str(body).ok();
    }
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    match fields.iter().find(|(name, _)| name == "payload") {
        Some((_, payload)) => serde_json::from_str(payload).ok(),
        None => Some(Value::Object(fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect())),
    }
}

async fn events(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    desk.take(Kind::Event, &headers, &body).await
}

async fn commands(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    desk.take(Kind::Command, &headers, &body).await
}

async fn interactivity(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    desk.take(Kind::Interaction, &headers, &body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_as_slack_sends_them() {
        assert_eq!(read("{\"a\":1}", true).expect("read")["a"], 1);
        assert_eq!(read("payload=%7B%22a%22%3A1%7D", false).expect("read")["a"], 1);
        assert_eq!(read("command=%2Fworkflow&text=run+a%3D%26", false).expect("read")["text"], "run a=&");
        assert!(read("{", true).is_none() && read("payload=%7B", false).is_none());
    }
}
