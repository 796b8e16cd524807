//! Slack over HTTP: signatures, bodies, repeats.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use workflow::chat::{Platforms, configured};
use workflow::http::caller::Secret;

use super::fake::{BOT, Fake, GENERAL};
use super::side;
use crate::chat::stage::{Platform, Side, Stage};

const SECRET: &str = "a-signing-secret";

struct Door {
    stage: Stage,
    routes: Router,
    stop: CancellationToken,
}

impl Door {
    /// A service whose Slack comes over HTTP alone, beside the stage that shows what is said.
    async fn open() -> Self {
        let workflows = BTreeMap::from([(
            "quick.yaml".to_owned(),
            "name: Quick\nsteps: [{type: noop, name: Only Step}]\n".to_owned(),
        )]);
        let stage = Stage::new(Platform::Slack, &BTreeMap::new(), &workflows, &BTreeMap::new()).await;
        let mut settings = side::settings(&fake(&stage));
        settings.app_tokens.clear();
        settings.signing_secrets =
            ["another-app's-secret", SECRET].map(|secret| Secret::new(secret.to_owned())).to_vec();
        let platforms =
            configured(&stage.app.service, &Platforms { slack: Some(settings), discord: None }).expect("good settings");
        let platform = platforms.into_iter().next().expect("one platform");
        let stop = CancellationToken::new();
        let asked = fake(&stage).calls("auth.test").len();
        tokio::spawn(Arc::clone(&platform).connect(stage.chat.clone(), stop.clone()));
        fake(&stage).called("auth.test", asked + 1).await;
        let routes = platform.room(stage.chat.clone()).expect("a room").routes.split_for_parts().0;
        Self { stage, routes, stop }
    }

    async fn post(
        &self,
        path: &str,
        kind: &str,
        body: &str,
        (at, signature): (i64, Option<&str>),
    ) -> (StatusCode, String) {
        let signature = signature.map_or_else(|| signed(SECRET, at, body), str::to_owned);
        let request = Request::post(path)
            .header("content-type", kind)
            .header("x-slack-request-timestamp", at.to_string())
            .header("x-slack-signature", signature)
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let response = self.routes.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// The same, once the workspace is entered: what comes before is asked for again.
    async fn event(&self, event: &Value) -> StatusCode {
        loop {
            let body = event.to_string();
            let (status, _) = self.post("/slack/events", "application/json", &body, (now(), None)).await;
            if status != StatusCode::SERVICE_UNAVAILABLE {
                return status;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn close(self) {
        self.stop.cancel();
        self.stage.close().await;
    }
}

fn fake(stage: &Stage) -> Arc<Fake> {
    match &stage.side {
        Side::Slack(slack) => Arc::clone(&slack.fake),
        _ => panic!("the stage is Slack"),
    }
}

#[expect(clippy::disallowed_methods, reason = "Slack signs with the time of day, and so does whoever plays Slack")]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

fn signed(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("v0:{at}:{body}").as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={digits}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_within_five_minutes_is_not_read() {
    let door = Box::pin(Door::open()).await;
    let body = json!({ "type": "url_verification", "challenge": "c-1" }).to_string();
    let post = |at, signature| door.post("/slack/events", "application/json", &body, (at, signature));
    assert_eq!(post(now(), None).await, (StatusCode::OK, "c-1".to_owned()));
    assert_eq!(post(now() - 310, None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(post(now() + 310, None).await.0, StatusCode::UNAUTHORIZED);
    let other = signed("another-secret", now(), &body);
    let short = &signed(SECRET, now(), &body)[..20];
    for wrong in [other.as_str(), short, "", "v0=", "v1=00"] {
        assert_eq!(post(now(), Some(wrong)).await.0, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    // The signature is over the bytes as they came.
    let at = now();
    let signature = signed(SECRET, at, &body);
    let changed = body.replace("c-1", "c-2");
    let answer = door.post("/slack/events", "application/json", &changed, (at, Some(&signature))).await;
    assert_eq!(answer.0, StatusCode::UNAUTHORIZED);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_repeated_and_forms_are_taken_once() {
    let door = Box::pin(Door::open()).await;
    let fake = fake(&door.stage);
    let event = fake.event(&fake.message("UANA", GENERAL, &format!("<@{BOT}> run quick")));
    for _ in 0..3 {
        assert_eq!(door.event(&event).await, StatusCode::OK);
    }
    fake.shown("the card", |posted| posted.text.contains("Quick · by ana · completed")).await;
    let command = fake.command("UANA", GENERAL, "help");
    let pairs = command
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()));
    let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let kind = "application/x-www-form-urlencoded";
    let (status, body) = door.post("/slack/commands", kind, &form, (now(), None)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
    let told = fake.shown("the help", |posted| posted.text.contains("What you can say here")).await;
    let blocks =
        told.blocks.as_array().into_iter().flatten().find(|block| block["type"] == "actions").expect("buttons").clone();
    let (action, value) = (&blocks["elements"][0]["action_id"], &blocks["elements"][0]["value"]);
    let press = fake.press("UANA", &told, (action.as_str().unwrap_or_default(), value.as_str().unwrap_or_default()));
    let form: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &press.to_string()).finish();
    let (status, _) = door.post("/slack/interactivity", kind, &form, (now(), None)).await;
    assert_eq!(status, StatusCode::OK);
    fake.shown("what was shared", |posted| posted.text.contains("shared by")).await;
    let cards = fake.messages().into_iter().filter(|posted| posted.text.starts_with("Workflow started")).count();
    assert_eq!(cards, 1);
    for garbage in ["{", "payload=%7B"] {
        let kind = if garbage == "{" { "application/json" } else { kind };
        let (status, _) = door.post("/slack/interactivity", kind, garbage, (now(), None)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    door.close().await;
}
