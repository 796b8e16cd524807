//! Signing in on the page: a token becomes a cookie that scripts cannot read.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::wire::TokenBody;
use crate::domain::code;
use crate::http::caller::{Guard, Perhaps, unknown};
use crate::http::json::{self, Body, Json};
use crate::http::problem::Problem;
use crate::service::Caller;

/// How long a wrong token waits for its answer.
const PENANCE: std::time::Duration = std::time::Duration::from_millis(500);

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(show, sign_in, sign_out))
}

fn session(guard: &Guard, caller: Option<&Caller>) -> Value {
    let authentication = if guard.wants_token() { "token" } else { "none" };
    json!({
        "name": caller.map(|caller| &caller.name), "door": "page", "authentication": authentication,
        "signed_in": caller.is_some(), "version": env!("CARGO_PKG_VERSION"),
    })
}

/// Tells who is signed in, and whether that is needed
#[utoipa::path(get, path = "/api/session", tag = "session", responses((status = 200, description = "`{name, door, authentication, signed_in, version}`")))]
async fn show(State(api): State<Api>, Perhaps(caller): Perhaps) -> Json {
    json::answer(&session(&api.guard, caller.as_ref()))
}

/// Signs in with the token; the answer sets a cookie
#[utoipa::path(post, path = "/api/session", tag = "session", request_body = TokenBody, responses((status = 200), (status = 401)))]
async fn sign_in(
    State(api): State<Api>,
    Perhaps(caller): Perhaps,
    headers: HeaderMap,
    Body(body): Body<TokenBody>,
) -> Result<Response, Problem> {
    if !api.guard.wants_token() {
        return Ok(json::answer(&session(&api.guard, caller.as_ref())));
    }
    let Some(cookie) = api.guard.sign_in(&body.token, &headers) else {
        // One wrong token at a time: whoever guesses gets no further than two a second.
        let Ok(_turn) = api.wrong_tokens.try_lock() else {
            let message = "too many wrong tokens";
            return Err(
                Problem::new(StatusCode::TOO_MANY_REQUESTS, code::WF5132, message).header(header::RETRY_AFTER, "1")
            );
        };
        tokio::time::sleep(PENANCE).await;
        return Err(unknown());
    };
    Ok(([(header::SET_COOKIE, cookie)], json::answer(&session(&api.guard, Some(&api.guard.somebody()))))
        .into_response())
}

/// Signs out of this browser
#[utoipa::path(delete, path = "/api/session", tag = "session", responses((status = 204)))]
async fn sign_out() -> Response {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, Guard::sign_out())]).into_response()
}
