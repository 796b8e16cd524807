//! One request after the other, each in its bucket.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use serenity_http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serenity_http::multipart::{Form, Part};
use serenity_http::redirect::Policy;
use serenity_http::{Certificate, Client, Method, RequestBuilder, Response};

use super::buckets::{Buckets, Route, Told, Wait};
use super::error::{RestError, Said};
use crate::http::caller::Secret;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a piece of an answer may take.
const PIECE: Duration = Duration::from_secs(30);
/// How long a request may take altogether.
const WHOLE: Duration = Duration::from_secs(20);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 8 << 20;
/// The place under which refusals of the token itself are counted.
const TOKEN: &str = "token";
/// What Discord wants to hear of whoever asks.
const AGENT: &str = concat!("DiscordBot (workflow, ", env!("CARGO_PKG_VERSION"), ")");

/// A text that goes along as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosure {
    /// Its name.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// A request.
pub struct Call<'c> {
    /// Where its rates are counted.
    pub route: Route<'c>,
    /// The method.
    pub method: Method,
    /// The path behind `/api/v10`.
    pub path: String,
    /// The body.
    pub body: Option<&'c Value>,
    /// A file that goes along.
    pub file: Option<&'c Enclosure>,
    /// How long it may wait for its place, and be tried again.
    pub patience: Duration,
    /// How long one try may take.
    pub timeout: Duration,
}

impl<'c> Call<'c> {
    /// A request of this route.
    #[must_use]
    pub fn new(name: &'static str, place: &'c str, path: String) -> Self {
        let method = name.split(' ').next().and_then(|method| Method::from_bytes(method.as_bytes()).ok());
        Self {
            route: Route { name, place, counts: true },
            method: method.unwrap_or(Method::GET),
            path,
            body: None,
            file: None,
            patience: Duration::ZERO,
            timeout: WHOLE,
        }
    }

    /// The same with this body.
    #[must_use]
    pub const fn body(mut self, body: &'c Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The same with a file.
    #[must_use]
    pub const fn file(mut self, file: Option<&'c Enclosure>) -> Self {
        self.file = file;
        self
    }

    /// The same, waiting so long where it has to.
    #[must_use]
    pub const fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same as an answer to an interaction: these are not counted among all requests, and are signed by their path.
    #[must_use]
    pub const fn of_interaction(mut self) -> Self {
        self.route.counts = false;
        self
    }
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct Rest {
    client: Client,
    base: Arc<str>,
    token: Secret,
    buckets: Arc<Mutex<Buckets>>,
}

impl Rest {
    /// A client for this base with this token.
    ///
    /// # Errors
    /// The file with further authorities cannot be read.
    pub fn new(base: &str, token: Secret, ca_file: Option<&Path>) -> Result<Self, String> {
        Ok(Self { client: client(ca_file)?, base: base.into(), token, buckets: Arc::default() })
    }

    /// The client below, for serenity and for files.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request; its answer as JSON, `null` where it has none.
    ///
    /// # Errors
    /// See [`RestError`].
    pub async fn send(&self, call: Call<'_>) -> Result<Value, RestError> {
        let patient_until = Instant::now() + call.patience;
        let mut failures = 0;
        loop {
            self.wait(&call, patient_until).await?;
            let error = match self.once(&call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            let pause = match &error {
                RestError::Busy(_) => Duration::ZERO, // the bucket knows how long
                RestError::Later(_) => Duration::from_millis(250 << failures.min(5)),
                RestError::Refused { .. } | RestError::LeftAlone => return Err(error),
            };
            if Instant::now() + pause >= patient_until {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits for a place in the bucket.
    async fn wait(&self, call: &Call<'_>, patient_until: Instant) -> Result<(), RestError> {
        loop {
            let now = Instant::now();
            let until = {
                let mut buckets = self.buckets();
                // A token that was refused several times is tried again only by asking who we are.
                if call.route.counts && call.route.name != WHO && buckets.is_refused(TOKEN, now) {
                    return Err(RestError::LeftAlone);
                }
                buckets.take(call.route, now)
            };
            let until = match until {
                Ok(()) => return Ok(()),
                Err(Wait::Refused(_)) => return Err(RestError::LeftAlone),
                Err(Wait::Until(until)) => until,
            };
            // To find out how large a bucket is takes one answer: that is worth waiting for.
            if until > patient_until.max(now + Duration::from_millis(100)) {
                return Err(RestError::Busy(until - now));
            }
            tokio::time::sleep_until(until.into()).await;
        }
    }

    async fn once(&self, call: &Call<'_>) -> Result<Value, RestError> {
        let sent = match self.request(call) {
            Ok(request) => tokio::time::timeout(call.timeout, request.send()).await,
            Err(error) => {
                self.buckets().unanswered(call.route);
                return Err(error);
            }
        };
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                self.buckets().unanswered(call.route);
                return Err(RestError::Later(reason(&error)));
            }
            Err(_) => {
                self.buckets().unanswered(call.route);
                return Err(RestError::Later(format!("no answer within {} s", call.timeout.as_secs())));
            }
        };
        self.buckets().answered(call.route, &told(response.headers()), Instant::now());
        self.read(call, response).await
    }

    fn request(&self, call: &Call<'_>) -> Result<RequestBuilder, RestError> {
        let url = format!("{}/api/v10{}", self.base, call.path);
        let request = self.client.request(call.method.clone(), url).header(USER_AGENT, AGENT);
        let request = match call.route.counts {
            true => {
                let token = HeaderValue::from_str(&format!("Bot {}", self.token.reveal()));
                let mut token = token.map_err(|_| RestError::Later("the token is no header".to_owned()))?;
                token.set_sensitive(true);
                request.header(AUTHORIZATION, token)
            }
            false => request,
        };
        let json = |body: &Value| body.to_string();
        Ok(match (call.body, call.file) {
            (Some(body), Some(file)) => {
                let part = Part::bytes(file.text.clone().into_bytes()).file_name(file.name.clone());
                let part =
                    part.mime_str("text/plain; charset=utf-8").map_err(|error| RestError::Later(reason(&error)))?;
                request.multipart(Form::new().text("payload_json", json(body)).part("files[0]", part))
            }
            (Some(body), None) => request.header("content-type", "application/json").body(json(body)),
            (None, _) => request,
        })
    }

    async fn read(&self, call: &Call<'_>, mut response: Response) -> Result<Value, RestError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        loop {
            let piece = tokio::time::timeout(call.timeout, response.chunk()).await;
            let piece = piece.map_err(|_| RestError::Later("the answer broke off".to_owned()))?;
            let Some(piece) = piece.map_err(|error| RestError::Later(reason(&error)))? else { break };
            if body.len() + piece.len() > LONGEST {
                return Err(RestError::Later("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&piece);
        }
        let json = serde_json::from_slice::<Value>(&body).unwrap_or(Value::Null);
        let now = Instant::now();
        if status.is_success() {
            let mut buckets = self.buckets();
            buckets.welcome(call.route.place);
            if call.route.counts {
                buckets.welcome(TOKEN);
            }
            return Ok(json);
        }
        let said: Said = serde_json::from_value(json.clone()).unwrap_or_default();
        match status.as_u16() {
            429 => {
                let length = silence(&headers, &json);
                let all = json["global"].as_bool() == Some(true) || json.is_null();
                self.buckets().silence(call.route, all, length, now);
                Err(RestError::Busy(length))
            }
            401 if call.route.counts => {
                self.buckets().refused(TOKEN, now);
                Err(RestError::Refused { status: 401, said })
            }
            403 => {
                self.buckets().refused(call.route.place, now);
                Err(RestError::Refused { status: 403, said })
            }
            status @ 500.. => Err(RestError::Later(format!("it answers {status}"))),
            status => {
                let error = RestError::Refused { status, said };
                if status == 400 && !error.is_acknowledged() && !error.is_absent() {
                    // What we sent is wrong: that is ours to mend. Names of fields only, never what stood in them.
                    tracing::error!(route = call.route.name, %error, errors = %json["errors"], "refused");
                }
                Err(error)
            }
        }
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The route by which we ask who we are: it is asked whatever was refused before.
pub const WHO: &str = "GET /applications/@me";

#[expect(clippy::disallowed_methods, reason = "it speaks to one host that the operator named, as serenity's own would")]
fn client(ca_file: Option<&Path>) -> Result<Client, String> {
    let mut builder =
        Client::builder().connect_timeout(CONNECT).read_timeout(PIECE).redirect(Policy::none()).no_proxy();
    if let Some(path) = ca_file {
        let read = std::fs::read(path).map_err(|error| error.to_string());
        let certificates = read.and_then(|pem| Certificate::from_pem_bundle(&pem).map_err(|error| reason(&error)));
        let certificates =
            certificates.map_err(|error| format!("`discord_ca_file` `{}` cannot be read: {error}", path.display()))?;
        builder = certificates.into_iter().fold(builder, serenity_http::ClientBuilder::add_root_certificate);
    }
    builder.build().map_err(|error| reason(&error))
}

/// Why, without the address: tokens stand in some.
fn reason(error: &serenity_http::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    match error.downcast_ref::<serenity_http::Error>() {
        Some(own) if own.is_timeout() => "it took too long".to_owned(),
        Some(_) => "the request failed".to_owned(),
        None => error.to_string(),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    headers.get(HeaderName::from_static(name))?.to_str().ok()
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn told(headers: &HeaderMap) -> Told {
    Told {
        bucket: text(headers, "x-ratelimit-bucket").map(str::to_owned),
        limit: text(headers, "x-ratelimit-limit").and_then(|text| text.parse().ok()),
        remaining: text(headers, "x-ratelimit-remaining").and_then(|text| text.parse().ok()),
        reset_after: text(headers, "x-ratelimit-reset-after").and_then(seconds),
    }
}

/// How long Discord wants silence: as its body says, or its header where somebody before it answered.
fn silence(headers: &HeaderMap, json: &Value) -> Duration {
    let of_body = json["retry_after"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let of_header = text(headers, "retry-after").and_then(seconds);
    of_body.max(of_header).unwrap_or(Duration::from_secs(5)).min(Duration::from_secs(24 * 3_600))
}
