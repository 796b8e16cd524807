//! What happens to every request, whatever it asks for: it gets a number, is checked and counted, cannot break the
//! process, and leaves with the headers that keep browsers honest and one line in the log, without its body.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use futures::FutureExt as _;
use tokio::sync::Semaphore;

use super::caller::{Ends, Guard, Who, unknown};
use super::problem::{JSON_PROBLEM, Problem};
use crate::contract::clock::Clock;
use crate::domain::code;

/// Requests that are being answered at once; further ones are told to come back.
const AT_ONCE: usize = 1_024;
/// How long an ordinary request may take.
const ORDINARY: Duration = Duration::from_secs(60);

const ID: HeaderName = HeaderName::from_static("x-request-id");

/// Scripts and styles only from here, nothing inline, no frames: text that people bring stays text.
/// `scripts`: further sources of scripts.
#[must_use]
pub fn policy(scripts: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// For what is no page.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, NO_PAGE),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

#[derive(Clone)]
struct Porch {
    guard: Guard,
    clock: Arc<dyn Clock>,
    places: Arc<Semaphore>,
}

/// These routes behind the porch.
pub fn before(routes: Router, guard: Guard, clock: Arc<dyn Clock>) -> Router {
    let porch = Porch { guard, clock, places: Arc::new(Semaphore::new(AT_ONCE)) };
    routes.layer(middleware::from_fn_with_state(porch, pass))
}

async fn pass(State(porch): State<Porch>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id(request.headers(), &*porch.clock);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = match porch.enter(request, next).await {
        Ok(response) => response,
        Err(problem) => axum::response::IntoResponse::into_response(problem),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.answer(id.clone());
    }
    // The one refusal that does not come from us: an address whose parts are not UTF-8.
    if response.status() == StatusCode::BAD_REQUEST
        && response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != JSON_PROBLEM)
    {
        response = Problem::new(StatusCode::NOT_FOUND, code::WF5114, "the address is not UTF-8").answer(id.clone());
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(ID, value);
    }
    let status = response.status().as_u16();
    let ms = began.elapsed().as_millis();
    tracing::debug!(request_id = %id, %method, path = %super::problem::shown(&path), status, ms, "answered");
    response
}

impl Porch {
    async fn enter(&self, mut request: Request, next: Next) -> Result<Response, Problem> {
        let here = request.extensions().get::<Ends>().map(|ends| ends.here.ip());
        self.guard.check_place(request.uri(), request.headers(), here)?;
        let caller = self.guard.identify(request.headers());
        let path = request.uri().path();
        let open = !path.starts_with("/api/") || path == "/api/session";
        match caller {
            Some(caller) => drop(request.extensions_mut().insert(Who(caller))),
            None if open => {}
            None => return Err(unknown()),
        }
        let Ok(_place) = self.places.try_acquire() else {
            let message = format!("{AT_ONCE} requests are being answered already");
            return Err(
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, code::WF5132, message).header(header::RETRY_AFTER, "1")
            );
        };
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answered.map_err(|_| {
            tracing::error!("a request made its handler panic");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code::WF5100, "the service failed to answer this")
        })
    }
}

/// Ends a request that takes longer than an ordinary one may; a layer for routes that answer at once.
pub async fn in_time(request: Request, next: Next) -> Result<Response, Problem> {
    tokio::time::timeout(ORDINARY, next.run(request)).await.map_err(|_| {
        let message = format!("the request took longer than {} s", ORDINARY.as_secs());
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, code::WF5132, message).header(header::RETRY_AFTER, "5")
    })
}

/// The caller's own number of this request where it is a plain one, else a new one.
fn request_id(headers: &HeaderMap, clock: &dyn Clock) -> String {
    let plain = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let given = headers.get(ID).and_then(|value| value.to_str().ok()).filter(plain);
    given.map_or_else(|| format!("req_{:032x}", clock.id_bits()), str::to_owned)
}
