//! The config of `fetch`, and the request that it stands for.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::connect::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use crate::connect::http::{Limits, Method, Request, Url};
use crate::contract::step::Attempt;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::steps::duration::Seconds;
use crate::steps::size::Bytes;

/// No answer may be larger, whatever a config asks for: it is held in memory.
const LARGEST: u64 = 100 * 1024 * 1024;

/// Where an unconfigured install finds something to fetch.
const SAMPLE_PATH: &str = "/api/data";

/// Headers that belong to the connection; set by an author they could only contradict it.
const OURS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A question to the outside world.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// The address; one that begins with `/` belongs to `base_url`.
    pub url: String,
    /// Where an address that begins with `/` belongs.
    base_url: Option<String>,
    /// How to ask.
    #[serde(default)]
    method: Verb,
    /// Headers to send.
    #[serde(default)]
    headers: BTreeMap<String, Scalar>,
    /// Added to the address after `?`; a list repeats its key.
    #[serde(default)]
    query: BTreeMap<String, Listed<Scalar>>,
    /// Text to send.
    body: Option<String>,
    /// A value to send as JSON.
    json: Option<Value>,
    /// How long all of it may take; the step's own timeout where it is shorter.
    timeout: Option<Seconds>,
    /// How large the answer may be, decompressed; 10 MB unless told otherwise.
    max_size: Option<Bytes>,
    /// The statuses that count as success; 200 to 299 unless told otherwise.
    expect_status: Option<Listed<u16>>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    #[default]
    #[serde(alias = "get")]
    Get,
    #[serde(alias = "head")]
    Head,
    #[serde(alias = "post")]
    Post,
    #[serde(alias = "put")]
    Put,
    #[serde(alias = "patch")]
    Patch,
    #[serde(alias = "delete")]
    Delete,
    #[serde(alias = "options")]
    Options,
}

/// A value of one header or of one word of a query.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a text, a number, true or false")]
pub(in crate::steps) enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Truth(truth) => truth.fmt(f),
        }
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected one value, or a list of them")]
pub(in crate::steps) enum Listed<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Listed<T> {
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Where the answer comes from.
pub(in crate::steps) enum Place {
    /// Out there.
    World(Url),
    /// The shipped sample set, under this path.
    Sample(String),
}

impl Config {
    /// Where to ask.
    pub(super) fn place(&self, base: Option<&Url>) -> Result<Place, Fault> {
        locate(&self.url, self.base_url.as_deref(), base)
    }

    /// The request; a fault stands at the key that it is about.
    pub(super) fn request(&self, mut url: Url, attempt: &Attempt) -> Result<Request, Fault> {
        let at = |key: &str, fault: Fault| fault.at(place(attempt, key));
        if !self.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, values) in &self.query {
                pairs.extend_pairs(values.as_slice().iter().map(|value| (name, value.to_string())));
            }
        }
        let mut request = Request::new(self.method.into(), url);
        request.limits = self.limits(attempt).map_err(|fault| at("max_size", fault))?;
        request.headers = headers(&self.headers).map_err(|fault| at("headers", fault))?;
        let (body, content_type) = match (&self.body, &self.json) {
            (Some(_), Some(_)) => {
                let message = "`body` and `json` stand together, and only one can be sent";
                return Err(at("body", Fault::permanent(code::WF2001, message)));
            }
            (Some(text), None) => (Some(text.clone().into_bytes()), "text/plain; charset=utf-8"),
            (None, Some(value)) => (Some(value.to_string().into_bytes()), "application/json"),
            (None, None) => (None, ""),
        };
        if body.is_some() {
            request.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        }
        request.body = body;
        if !request.method.is_safe() {
            let key = HeaderValue::from_str(&attempt.step_key).map_err(|_| unfit("Idempotency-Key"))?;
            request.headers.entry(HeaderName::from_static("idempotency-key")).or_insert(key);
        }
        Ok(request)
    }

    /// Whether this status counts as success.
    pub(super) fn expects(&self, status: u16) -> bool {
        self.expect_status.as_ref().map_or((200..300).contains(&status), |listed| listed.as_slice().contains(&status))
    }

    /// What the request says that an answer might repeat and a log must not: values of headers and of the query, the
    /// latter as they are and as they travel.
    pub(super) fn confidential(&self) -> Vec<String> {
        let written = self.url.split_once('?').map_or("", |(_, query)| query);
        let value = |pair: &str| pair.split_once('=').map_or(pair, |(_, value)| value).to_owned();
        let mut words: Vec<String> = written.split(['&', '#']).map(value).collect();
        words.extend(url::form_urlencoded::parse(written.as_bytes()).map(|(_, value)| value.into_owned()));
        for value in self.query.values().flat_map(Listed::as_slice).map(Scalar::to_string) {
            words.push(url::form_urlencoded::byte_serialize(value.as_bytes()).collect());
            words.push(value);
        }
        words.extend(self.headers.values().map(Scalar::to_string));
        words
    }

    fn limits(&self, attempt: &Attempt) -> Result<Limits, Fault> {
        let mut limits = Limits { total: attempt.timeout, ..Limits::default() };
        if let Some(Seconds(timeout)) = self.timeout {
            limits.total = timeout.min(attempt.timeout);
            limits.first_byte = limits.total;
        }
        if let Some(Bytes(size)) = self.max_size {
            if size > LARGEST {
                return Err(Fault::permanent(
                    code::WF2001,
                    format!("`max_size` is {size}, and can be {LARGEST} at most"),
                ));
            }
            limits.body = size;
        }
        Ok(limits)
    }
}

/// Where an address leads: out there as it is or joined to its base, or to the shipped sample set.
pub(in crate::steps) fn locate(written: &str, own: Option<&str>, base: Option<&Url>) -> Result<Place, Fault> {
    let written = written.trim();
    let unreadable = |text: &str, error: url::ParseError| {
        // The text may hold a secret behind its `?`.
        let text: String = text.split(['?', '#', '@']).next().unwrap_or_default().chars().take(80).collect();
        Fault::permanent(code::WF3101, format!("`{text}` is not a full address: {error}"))
    };
    if !written.starts_with('/') || written.starts_with("//") {
        return Url::parse(written).map(Place::World).map_err(|error| unreadable(written, error));
    }
    let own = own.map(|base| Url::parse(base.trim()).map_err(|error| unreadable(base, error)));
    match own.transpose()?.as_ref().or(base) {
        Some(base) => {
            let url = base.join(written).map_err(|error| unreadable(written, error))?;
            // A path that begins with `/\` would otherwise lead to a host of its own.
            if url.origin() == base.origin() {
                return Ok(Place::World(url));
            }
            Err(Fault::permanent(code::WF3101, "the address leaves its `base_url`"))
        }
        None if written == SAMPLE_PATH => Ok(Place::Sample(written.to_owned())),
        None => Err(Fault::permanent(code::WF3101, format!("`{written}` belongs to no `base_url`"))
            .fix("write the full address, or set `base_url`")),
    }
}

/// The headers of a request as an author writes them, and what is accepted as an answer.
pub(in crate::steps) fn headers(written: &BTreeMap<String, Scalar>) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
    for (name, value) in written {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit(name))?;
        if OURS.contains(&parsed.as_str()) {
            let message = format!("the header `{name}` belongs to the connection and cannot be set");
            return Err(Fault::permanent(code::WF2001, message).fix("remove it from `headers`"));
        }
        let value = HeaderValue::from_str(value.to_string().trim()).map_err(|_| unfit(name))?;
        headers.insert(parsed, value);
    }
    Ok(headers)
}

/// A key of the config, as people find it.
pub(super) fn place(attempt: &Attempt, key: &str) -> String {
    format!("{}.config.{key}", attempt.step)
}

/// Names the header, never its value.
fn unfit(name: &str) -> Fault {
    let name: String = name.chars().take(80).collect();
    Fault::permanent(code::WF2001, format!("the header `{name}` holds characters that no header can hold"))
}

impl From<Verb> for Method {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Get => Self::GET,
            Verb::Head => Self::HEAD,
            Verb::Post => Self::POST,
            Verb::Put => Self::PUT,
            Verb::Patch => Self::PATCH,
            Verb::Delete => Self::DELETE,
            Verb::Options => Self::OPTIONS,
        }
    }
}
