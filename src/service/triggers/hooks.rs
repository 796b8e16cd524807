//! Requests to a trigger's own address: genuine or not, old or not, the same again or not.

use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::domain::hex;
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::{Scheme, TriggerKind, WebhookSpec};
use crate::service::error::ServiceError;
use crate::service::runs::Service;
use crate::store::triggers::StoredTrigger;

use super::occur::{Came, Occurrence};

/// Headers that name a delivery, the first that is there counts.
const NAMING: [&str; 7] = [
    "idempotency-key",
    "x-github-delivery",
    "webhook-id",
    "ce-id",
    "x-event-id",
    "x-gitlab-event-uuid",
    "x-request-id",
];
/// A body without a name of its own is the same again within this.
const SAME: Span = Span::from_secs(60);
/// Headers that are never handed on.
const PRIVATE: [&str; 4] = ["authorization", "cookie", "x-signature", "proxy-authorization"];

/// A request to a trigger's own address, as it came.
#[derive(Debug, Clone)]
pub struct HookRequest {
    /// The end of the address.
    pub token: String,
    /// Its method.
    pub method: String,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// What stands behind the question mark.
    pub query: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// What a request is answered.
#[derive(Debug)]
pub enum HookAnswer {
    /// Nobody has this address.
    Unknown,
    /// Not with this method; those that are taken.
    Method(Vec<String>),
    /// It is not genuine, and why.
    Forged(&'static str),
    /// Its signed time is too far from ours.
    Stale,
    /// It was taken; what came of it, and how long its sender wants to wait for the end.
    Taken(Box<Came>, Option<Span>),
    /// The trigger is being changed; the same may be sent again.
    Busy,
}

impl HookRequest {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Service {
    /// Takes a request to a trigger's own address. What comes of it is durable when this returns.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now.
    pub async fn hook(&self, request: &HookRequest) -> Result<HookAnswer, ServiceError> {
        let Some(trigger) = self.engine().store().triggers().by_token(&request.token).await? else {
            return Ok(HookAnswer::Unknown);
        };
        let TriggerKind::Webhook(spec) = &trigger.spec.kind else { return Ok(HookAnswer::Unknown) };
        if !spec.methods.contains(&request.method) {
            return Ok(HookAnswer::Method(spec.methods.clone()));
        }
        let now = self.engine().clock().now();
        let signed_at = match genuine(&trigger, spec, request, now) {
            Ok(signed_at) => signed_at,
            Err(answer) => return Ok(answer),
        };
        let body = serde_json::from_slice(&request.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&request.body).into_owned()));
        let (key, window) = key_of(spec, request, &body, signed_at);
        let shown =
            request.headers.iter().filter(|(name, _)| !PRIVATE.contains(&name.as_str()) && !name.contains("signature"));
        let pairs = |pairs: &mut dyn Iterator<Item = &(String, String)>| {
            Value::Object(pairs.map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect())
        };
        let facts = json!({
            "type": "webhook", "method": request.method, "body": body,
            "headers": pairs(&mut shown.into_iter()), "query": pairs(&mut request.query.iter()),
        });
        let occurrence = Occurrence {
            kind: "webhook",
            name: trigger.name.clone(),
            key: format!("hook:{key}"),
            facts,
            only: Some(trigger.key.clone()),
            window,
            ..Occurrence::default()
        };
        let came = self.occur(&occurrence).await?.pop();
        Ok(came.map_or(HookAnswer::Busy, |came| HookAnswer::Taken(Box::new(came), spec.wait)))
    }
}

/// When a genuine request was signed, if its scheme says so.
fn genuine(
    trigger: &StoredTrigger,
    spec: &WebhookSpec,
    request: &HookRequest,
    now: Timestamp,
) -> Result<Option<Timestamp>, HookAnswer> {
    let old = trigger.old_secret.as_ref().filter(|(_, until)| *until > now).map(|(secret, _)| secret);
    let secrets: Vec<&String> = trigger.secret.iter().chain(old).collect();
    let signs = |message: &[&[u8]], wanted: &str| secrets.iter().any(|secret| is_signed(secret, message, wanted));
    let in_time = |time: &str| {
        let at =
            time.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000_000)).map(Timestamp::from_micros);
        let at = at.ok_or(HookAnswer::Forged("the signed time is no number of seconds"))?;
        if at.since(now).max(now.since(at)) > spec.tolerance { Err(HookAnswer::Stale) } else { Ok(at) }
    };
    let body = request.body.as_slice();
    match spec.auth {
        Scheme::Token => Ok(None),
        Scheme::Github => {
            let header = request.header("x-hub-signature-256").and_then(|value| value.strip_prefix("sha256="));
            let header = header.ok_or(HookAnswer::Forged("`X-Hub-Signature-256: sha256=…` is missing"))?;
            if signs(&[body], header) { Ok(None) } else { Err(WRONG) }
        }
        Scheme::Stripe => {
            let header =
                request.header("stripe-signature").ok_or(HookAnswer::Forged("`Stripe-Signature` is missing"))?;
            let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
            let time = parts().find(|(name, _)| *name == "t").map(|(_, value)| value);
            let time = time.ok_or(HookAnswer::Forged("`Stripe-Signature` has no `t=`"))?;
            let is_signed = parts().any(|(name, value)| name == "v1" && signs(&[time.as_bytes(), b".", body], value));
            if is_signed { in_time(time).map(Some) } else { Err(WRONG) }
        }
        Scheme::Hmac => {
            let header = request.header("x-signature").ok_or(HookAnswer::Forged("`X-Signature` is missing"))?;
            let header = header.strip_prefix("sha256=").unwrap_or(header);
            let time = request.header("x-timestamp").ok_or(HookAnswer::Forged("`X-Timestamp` is missing"))?;
            if signs(&[time.as_bytes(), b".", body], header) { in_time(time).map(Some) } else { Err(WRONG) }
        }
    }
}

const WRONG: HookAnswer = HookAnswer::Forged("the signature does not fit the body");

/// Compared by the library, which takes as long wherever they differ.
fn is_signed(secret: &str, message: &[&[u8]], wanted: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    message.iter().for_each(|part| mac.update(part));
    let wanted: Option<Vec<u8>> = (0..wanted.len())
        .step_by(2)
        .map(|at| wanted.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    wanted.is_some_and(|wanted| mac.verify_slice(&wanted).is_ok())
}

/// What makes two requests the same, and for how long where it is only their content.
fn key_of(
    spec: &WebhookSpec,
    request: &HookRequest,
    body: &Value,
    signed_at: Option<Timestamp>,
) -> (String, Option<Span>) {
    let pointed = spec.id.as_deref().and_then(|pointer| body.pointer(pointer)).filter(|value| !value.is_null());
    if let Some(value) = pointed {
        return (value.as_str().map_or_else(|| value.to_string(), str::to_owned), None);
    }
    if let Some(name) = NAMING.iter().find_map(|name| request.header(name)) {
        return (name.to_owned(), None);
    }
    let digest = hex::of(&Sha256::digest(&request.body));
    match signed_at {
        Some(at) => (format!("{digest}:{}", at.micros()), None),
        None => (digest, Some(SAME)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation.
    #[test]
    fn the_published_example_is_genuine_and_a_changed_body_is_not() {
        let wanted = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let secret = "It's a Secret to Everybody";
        assert!(is_signed(secret, &[b"Hello, World!"], wanted));
        assert!(!is_signed(secret, &[b"Hello, World?"], wanted));
        assert!(!is_signed("another", &[b"Hello, World!"], wanted));
        for wrong in ["", "7571", "zz", &wanted[..62], &format!("{wanted}00")] {
            assert!(!is_signed(secret, &[b"Hello, World!"], wrong), "{wrong}");
        }
    }
}
