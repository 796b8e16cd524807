//! How a refusal looks on the wire (`application/problem+json`), and the only map from refusals to status numbers.

use std::fmt::Write as _;

use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::code::{self, Code};
use crate::domain::command::Refusal;
use crate::domain::fault::Fault;
use crate::service::ServiceError;

/// The content type of refusals.
pub const JSON_PROBLEM: &str = "application/problem+json";

/// A refusal: status, code, what is wrong, where, why, and what to do about it.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Said>);

#[derive(Debug, Clone, Serialize)]
struct Said {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "number")]
    status: StatusCode,
    code: &'static str,
    message: String,
    #[serde(rename = "where")]
    place: Option<String>,
    cause: Option<String>,
    fix: String,
    /// Put in by the porch, which numbers requests.
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Part>,
    /// Further members, as problem+json allows them: `current`, `possible`, `candidates`.
    #[serde(flatten)]
    more: Map<String, Value>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One of several things that are wrong.
#[derive(Debug, Clone, Serialize)]
struct Part {
    code: &'static str,
    message: String,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    fix: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A refusal with the remedy of its code.
    #[must_use]
    pub fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Said {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            code: code.id(),
            message: message.into(),
            place: None,
            cause: None,
            fix: code.remedy().to_owned(),
            request_id: None,
            errors: Vec::new(),
            more: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// There is no such thing.
    #[must_use]
    pub fn absent(noun: &str, name: &str, near: Option<&str>) -> Self {
        let problem = Self::new(StatusCode::NOT_FOUND, code::WF5111, format!("there is no {noun} `{}`", shown(name)));
        match near {
            Some(near) => problem.fix(format!("did you mean `{near}`?")).with("near", near),
            None => problem,
        }
    }

    /// Something in the request does not fit.
    #[must_use]
    pub fn unfit(place: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code::WF5103, message).at(place)
    }

    /// A fault with this status.
    #[must_use]
    pub fn of(status: StatusCode, fault: &Fault) -> Self {
        let mut problem = Self::new(status, fault.code, fault.message.clone()).fix(fault.remedy());
        problem.0.place.clone_from(&fault.place);
        problem
    }

    /// The same, telling where in the request.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.0.place = Some(place.into());
        self
    }

    /// The same, telling what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.0.fix = fix.into();
        self
    }

    /// The same, telling what lies behind it.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The same with one more member for programs.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// The same with a header: `Retry-After`, `Allow`, `WWW-Authenticate`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// Its status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The whole answer; the porch knows the request's id.
    pub(super) fn answer(mut self, request_id: String) -> axum::response::Response {
        self.0.request_id = Some(request_id);
        let body = serde_json::to_vec(&self).unwrap_or_default(); // plain structs with string keys
        let mut response = Response::new(body.into());
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON_PROBLEM));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.0.headers);
        response
    }

    fn several(faults: &[Fault]) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let [first, ..] = faults else { return Self::new(status, code::WF2005, "an input is missing or wrong") };
        // Switched off: nothing is wrong with what was sent.
        let status = if first.code == code::WF5002 { StatusCode::SERVICE_UNAVAILABLE } else { status };
        let mut problem = Self::of(status, first);
        let parts = faults.iter().map(|fault| Part {
            code: fault.code.id(),
            message: fault.message.clone(),
            place: fault.place.clone(),
            fix: fault.remedy().to_owned(),
        });
        problem.0.errors = parts.collect();
        problem
    }

    fn refused(refusal: &Refusal) -> Self {
        if let Refusal::Forbidden(why) = refusal {
            return Self::new(StatusCode::FORBIDDEN, code::WF5123, why.clone());
        }
        let problem = Self::new(StatusCode::CONFLICT, code::WF5113, refusal.to_string());
        match refusal {
            Refusal::State { action, status, possible } => problem
                .fix(format!("{action} is possible while the execution is {possible}"))
                .with("current", *status)
                .with("possible", *possible),
            Refusal::Step(_) | Refusal::Stale { .. } | Refusal::Forbidden(_) => problem,
        }
    }
}

/// The porch turns it into an answer: only there the request has an id.
impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = self.0.status;
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound { noun, name, near } => Self::absent(noun, &name, near.as_deref()),
            ServiceError::Ambiguous { ref short, ref candidates } => {
                Self::new(StatusCode::CONFLICT, code::WF5112, format!("`{}` could be several things", shown(short)))
                    .with("candidates", candidates.clone())
            }
            ServiceError::Definition(report) => definition(&report),
            ServiceError::Inputs(faults) => Self::several(&faults),
            ServiceError::Refused(refusal) => Self::refused(&refusal),
            ServiceError::Denied(denial) => {
                Self::new(StatusCode::FORBIDDEN, code::WF5125, denial.why()).fix(denial.fix())
            }
            ServiceError::Full(why) => Self::new(StatusCode::TOO_MANY_REQUESTS, code::WF5124, why),
            ServiceError::NoDisk { free, wanted } => {
                let message = format!("{} MiB are left of the {} MiB that must stay free", free >> 20, wanted >> 20);
                Self::new(StatusCode::INSUFFICIENT_STORAGE, code::WF5133, message).header(header::RETRY_AFTER, "60")
            }
            ServiceError::Stopping => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code::WF5130, "the service is shutting down")
                    .header(header::RETRY_AFTER, "5")
            }
            ServiceError::Disk(error) => {
                tracing::error!(%error, "the store failed");
                let message = "the disk or the database failed; what was acknowledged is kept";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code::WF5131, message)
            }
            ServiceError::Internal(error) => {
                tracing::error!(%error, "a request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::WF5100, "the service failed to answer this")
            }
        }
    }
}

/// A workflow file's problems, each with its line and column.
fn definition(report: &crate::language::Report) -> Problem {
    let mut problem =
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::WF5110, "the workflow's definition has errors");
    let problems = report.problems.iter();
    let parts: Vec<Part> = problems
        .filter(|found| found.severity == crate::language::Severity::Error)
        .map(|found| Part {
            code: found.code.id(),
            message: found.message.clone(),
            place: Some(format!("line {}, column {}", found.line, found.column)),
            fix: found.fix.clone().unwrap_or_else(|| found.code.remedy().to_owned()),
        })
        .collect();
    if let Some(first) = parts.first() {
        problem.0.code = first.code;
        problem.0.message.clone_from(&first.message);
        problem.0.place.clone_from(&first.place);
        problem.0.fix.clone_from(&first.fix);
    }
    problem.0.errors = parts;
    problem
}

/// A text from outside as it may stand in a message: short, on one line, nothing invisible.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(80) {
        let hidden = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if hidden {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c)); // writing to a String cannot fail
        } else {
            out.push(c);
        }
    }
    out
}
