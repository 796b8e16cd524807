//! `/hooks/{token}`: the addresses of triggers of type `webhook`. The body is kept byte for byte until its signature is checked.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::routing::any;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;

use crate::domain::code;
use crate::domain::time::Span;
use crate::http::json::{self, Json, LARGEST};
use crate::http::problem::Problem;
use crate::service::Service;
use crate::service::triggers::{Came, HookAnswer, HookRequest};

/// The longest time that an answer waits for the end of a run.
const LONGEST: Span = Span::from_secs(50);

pub fn routes(service: Service) -> OpenApiRouter {
    OpenApiRouter::default().route("/hooks/{token}", any(take)).with_state(service)
}

async fn take(State(service): State<Service>, Path(token): Path<String>, request: Request) -> Result<Json, Problem> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST).await.map_err(|_| {
        let message = format!("the body is larger than {LARGEST} bytes, or broke off");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code::WF5104, message)
    })?;
    let text = |name: &header::HeaderName, value: &header::HeaderValue| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let request = HookRequest {
        token,
        method: head.method.as_str().to_owned(),
        headers: head.headers.iter().map(|(name, value)| text(name, value)).collect(),
        query: query.into_owned().collect(),
        body: body.to_vec(),
    };
    match service.hook(&request).await? {
        HookAnswer::Unknown => Err(Problem::absent("address", "/hooks/…", None)),
        HookAnswer::Method(methods) => {
            let message = format!("this address takes {}", methods.join(", "));
            Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, code::WF5114, message))
        }
        HookAnswer::Forged(why) => Err(Problem::new(StatusCode::UNAUTHORIZED, code::WF5150, why)),
        HookAnswer::Stale => {
            let message = "the signed time is too far from the time of this machine";
            Err(Problem::new(StatusCode::UNAUTHORIZED, code::WF5151, message))
        }
        HookAnswer::Busy => {
            let message = "the trigger is being changed, or waits until it is quiet; nothing was lost";
            Ok(json::with_status(StatusCode::ACCEPTED, &json!({ "verdict": "kept", "reason": message })))
        }
        HookAnswer::Taken(came, wait) => answer(&service, *came, wait).await,
    }
}

async fn answer(service: &Service, came: Came, wait: Option<Span>) -> Result<Json, Problem> {
    let Came { firing, is_new, .. } = came;
    let mut said = json!({
        "verdict": firing.verdict, "reason": firing.reason, "execution_id": firing.execution_id, "duplicate": !is_new,
    });
    let run = firing.execution_id.as_deref().and_then(|id| id.parse().ok());
    let (Some(run), Some(wait)) = (run, wait) else {
        let is_wrong = firing.verdict == "refused";
        let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::ACCEPTED };
        return Ok(json::with_status(status, &said));
    };
    let view = service.wait(run, wait.min(LONGEST).duration()).await?;
    if !view.is_finished() {
        said["status"] = json!(view.status);
        return Ok(json::with_status(StatusCode::ACCEPTED, &said));
    }
    let view = service.archive().view(run, true).await?;
    said["status"] = json!(view.status);
    said["outputs"] = json!(view.outputs);
    Ok(json::answer(&said))
}
