//! `Idempotency-Key`: a request that comes twice is done once.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use serde_json::Value;

use super::Api;
use crate::domain::code;
use crate::http::json::{self, Json};
use crate::http::problem::Problem;
use crate::service::{Claim, Ticket};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");
const LONGEST: usize = 255;

/// Answers a request with `work`, or, where its key was seen before, with what it was answered then. `work` gets the
/// ticket of a keyed request.
pub async fn once(
    api: &Api,
    headers: &HeaderMap,
    content: &str,
    work: impl AsyncFnOnce(Option<&Ticket>) -> Result<Value, Problem>,
) -> Result<Json, Problem> {
    let Some(key) = headers.get(KEY) else { return Ok(json::answer(&work(None).await?)) };
    let key = key.to_str().ok().filter(|key| (1..=LONGEST).contains(&key.len()));
    let key =
        key.ok_or_else(|| Problem::unfit("Idempotency-Key", format!("a key has 1 to {LONGEST} plain characters")))?;
    match api.repeats.claim(key, content).await? {
        Claim::Ours(ticket) => {
            let done = work(Some(&ticket)).await;
            match done {
                Ok(answer) => {
                    ticket.answer(StatusCode::OK.as_u16(), &answer.to_string()).await?;
                    Ok(json::answer(&answer))
                }
                Err(problem) => {
                    // What failed on our side may have been done: the promise stands for the next try.
                    if problem.status().is_client_error() {
                        ticket.forget().await?;
                    }
                    Err(problem)
                }
            }
        }
        Claim::Done(status, body) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (REPLAY, HeaderValue::from_static("true")),
            ];
            Ok((status, headers, body).into_response())
        }
        Claim::Other => {
            let message = "this idempotency key was used for another request";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::WF5116, message).at("Idempotency-Key"))
        }
        Claim::Busy => {
            let message = "a request with this idempotency key is still being answered";
            Err(Problem::new(StatusCode::CONFLICT, code::WF5117, message).header(header::RETRY_AFTER, "1"))
        }
    }
}
