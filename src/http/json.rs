//! Bodies read strictly: what arrives is kept exactly or refused, with the place where it is wrong.
//!
//! JSON as such allows things that readers treat differently: a key twice, a number that no machine number holds, half
//! a surrogate pair. A run must see what was sent, so these are refused instead of guessed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read as _;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::domain::code;

/// A body holds at most this many bytes, packed or unpacked.
pub const LARGEST: usize = 1 << 20;
/// Of a body that is too large, this much is read before it is refused.
const DRAINED: usize = 16 << 20;
/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Objects and lists stand at most this deep in each other.
const DEEPEST: usize = 64;

/// A JSON body as a `T`. An empty body reads as `{}`, so that a bodiless POST needs no ceremony.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = bytes(&parts.headers, body).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return read(b"{}").map(Self);
        }
        check_type(&parts.headers)?;
        let value = read(&bytes)?;
        // A list would else count as the fields in their order.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(Problem::unfit("the body", "the body must be an object").fix("send `{...}`"));
        }
        Ok(Self(value))
    }
}

/// The bytes of a body, unpacked, at most [`LARGEST`].
async fn bytes(headers: &HeaderMap, body: axum::body::Body) -> Result<Bytes, Problem> {
    let packed = match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => false,
        Some(b"gzip") => true,
        Some(_) => {
            let message = "the body's content encoding is not supported";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::WF5102, message)
                .fix("send it plain, or with `Content-Encoding: gzip`"));
        }
    };
    let bytes = tokio::time::timeout(PATIENCE, collect(body)).await.map_err(|_| {
        let message = format!("the body did not come within {} s", PATIENCE.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, code::WF5106, message)
    })??;
    if !packed {
        return Ok(bytes.into());
    }
    let mut unpacked = Vec::new();
    let limit = LARGEST as u64 + 1;
    let read = flate2::read::MultiGzDecoder::new(&bytes[..]).take(limit).read_to_end(&mut unpacked);
    if unpacked.len() > LARGEST {
        return Err(too_large());
    }
    read.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, code::WF5101, "the body is not gzip"))?;
    Ok(unpacked.into())
}

/// Reads a body, and some of what is too much: who is still sending when the connection closes may never read why.
async fn collect(body: axum::body::Body) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut seen = 0;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let broken = |_| Problem::new(StatusCode::BAD_REQUEST, code::WF5101, "the body broke off");
        let piece = piece.map_err(broken)?;
        seen += piece.len();
        if seen <= LARGEST {
            bytes.extend_from_slice(&piece);
        } else if seen > DRAINED {
            break;
        }
    }
    if seen > LARGEST { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> Problem {
    let message = format!("the body is larger than {LARGEST} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code::WF5104, message)
        .fix("send less; bring large data as a file (`POST /api/files`) and name its `file_id`")
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let charset = parts.find_map(|part| part.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned()));
    let json = kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json");
    if json && charset.is_none_or(|name| name == "utf-8" || name == "utf8") {
        return Ok(());
    }
    let message = match given {
        "" => "the body has no content type".to_owned(),
        _ => format!("the body is `{}`", super::problem::shown(given)),
    };
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::WF5102, message)
        .fix("send JSON in UTF-8, with `Content-Type: application/json`"))
}

/// Reads a text strictly.
///
/// # Errors
/// It is not JSON (400), it nests too deep, or something in it does not fit or would not be kept (422).
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let message = format!("the body is not UTF-8 (byte {})", error.valid_up_to());
        Problem::new(StatusCode::BAD_REQUEST, code::WF5101, message)
    })?;
    if depth(text) > DEEPEST {
        let message = format!("the body nests deeper than {DEEPEST} levels");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::WF5103, message).fix("nest less"));
    }
    // As JSON first: what is wrong with the text is told before what is wrong with its content.
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| unreadable(&error, String::new()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let place = error.path().to_string();
        unreadable(&error.into_inner(), place)
    })?;
    Exact { text: text.as_bytes(), at: 0 }.check()?;
    Ok(value)
}

fn unreadable(error: &serde_json::Error, place: String) -> Problem {
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    let position = format!("line {}, column {}", error.line(), error.column());
    if said.contains("out of range") || said.contains("hex escape") {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::WF5105, said);
        return problem.at(position);
    }
    if error.is_data() {
        let place = if place.is_empty() || place == "." { position } else { place };
        return Problem::unfit(&place, said);
    }
    Problem::new(StatusCode::BAD_REQUEST, code::WF5101, format!("the body is not JSON: {said}"))
        .at(position.clone())
        .cause(said.to_owned())
        .fix(format!("correct the JSON at {position}"))
}

/// How deep brackets stand in each other, texts left out.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    let (mut inside, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b'{' | b'[' if !inside => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !inside => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// A walk over a text that is known to be JSON, for what its readers do not tell: keys written twice, and numbers
/// that become other numbers.
struct Exact<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Exact<'a> {
    fn check(mut self) -> Result<(), Problem> {
        // One entry an open bracket: the keys so far, for an object.
        let mut open: Vec<Option<HashSet<Cow<'a, [u8]>>>> = Vec::new();
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'{' => open.push(Some(HashSet::new())),
                b'[' => open.push(None),
                b'}' | b']' => drop(open.pop()),
                b'"' => {
                    let start = self.at;
                    let content = self.string();
                    if self.is_key()
                        && let Some(Some(keys)) = open.last_mut()
                        && !keys.insert(plain(content))
                    {
                        let key = super::problem::shown(&String::from_utf8_lossy(content));
                        let problem =
                            Problem::unfit(&self.position(start), format!("the key `{key}` is written twice"));
                        return Err(problem.fix("delete one of the two"));
                    }
                }
                b'-' | b'0'..=b'9' => self.number()?,
                _ => {}
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The content of the text that begins here, as it is written; ends on its closing quote.
    fn string(&mut self) -> &'a [u8] {
        let start = self.at + 1;
        self.at = start;
        while self.text.get(self.at).is_some_and(|byte| *byte != b'"') {
            self.at += if self.text[self.at] == b'\\' { 2 } else { 1 };
        }
        &self.text[start..self.at.min(self.text.len())]
    }

    fn is_key(&self) -> bool {
        let rest = &self.text[self.text.len().min(self.at + 1)..];
        rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }

    /// The number that begins here; ends on its last character.
    fn number(&mut self) -> Result<(), Problem> {
        let start = self.at;
        let part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let length = self.text[start..].iter().take_while(|byte| part(byte)).count();
        let written = String::from_utf8_lossy(&self.text[start..start + length]);
        self.at = start + length - 1;
        let kept = serde_json::from_str::<serde_json::Number>(&written).map(|number| number.to_string());
        if kept.is_ok_and(|kept| Decimal::of(&kept) == Decimal::of(&written)) {
            return Ok(());
        }
        let message = format!("the number {} would not be kept exactly", super::problem::shown(&written));
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::WF5105, message).at(self.position(start)))
    }

    fn position(&self, at: usize) -> String {
        let before = &self.text[..at];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        format!("line {line}, column {column}")
    }
}

/// A key as it is meant: `\u0061` is `a`.
fn plain(written: &[u8]) -> Cow<'_, [u8]> {
    if !written.contains(&b'\\') {
        return Cow::Borrowed(written);
    }
    let quoted = [b"\"", written, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map_or(Cow::Borrowed(written), |text| Cow::Owned(text.into_bytes()))
}

/// A number as its digits and the place of its point: equal when the numbers are, however written.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Self { negative: false, digits: String::new(), exponent: 0 };
        }
        let trailing = digits.len() - digits.trim_end_matches('0').len();
        let exponent: i64 = exponent.parse().unwrap_or(i64::MAX / 2);
        let places = i64::try_from(fraction.len()).unwrap_or(0) - i64::try_from(trailing).unwrap_or(0);
        Self { negative: text.starts_with('-'), digits: significant.to_owned(), exponent: exponent - places }
    }
}

/// A JSON answer.
pub type Json = Response;

/// A value as an answer with status 200.
#[must_use]
pub fn answer(value: &impl Serialize) -> Json {
    with_status(StatusCode::OK, value)
}

/// A value as an answer with this status.
#[must_use]
pub fn with_status(status: StatusCode, value: &impl Serialize) -> Json {
    match serde_json::to_vec(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], text)
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code::WF5100, "the service failed to answer this")
                .into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn refused(text: &str) -> (u16, String) {
        let problem = read::<Value>(text.as_bytes()).expect_err("refused");
        (problem.status().as_u16(), problem.message().to_owned())
    }

    #[test]
    fn what_would_be_changed_in_silence_is_refused() {
        for (text, says) in [
            (r#"{"a": 18446744073709551616}"#, "would not be kept exactly"),
            (r#"{"a": 0.10000000000000000001}"#, "would not be kept exactly"),
            (r#"{"a": 1e999}"#, "out of range"),
            (r#"{"a": 1, "b": {"a": 2}, "a": 3}"#, "`a` is written twice"),
            (r#"{"a": 1, "\u0061": 3}"#, "is written twice"),
            (r#"[{"x": "\ud800"}]"#, "hex escape"),
        ] {
            let (status, message) = refused(text);
            assert!(status == 422 && message.contains(says), "{text}: {status} {message}");
        }
    }

    #[test]
    fn numbers_that_a_machine_holds_are_kept_as_they_were_written() {
        for text in ["9007199254740993", "18446744073709551615", "-9223372036854775808", "0.1", "1e2", "-0", "100.50"] {
            let value: Value = read(text.as_bytes()).expect("kept");
            assert!(Decimal::of(&value.to_string()) == Decimal::of(text), "{text} became {value}");
        }
    }

    #[test]
    fn a_key_that_stands_in_several_objects_is_no_duplicate() {
        let text = r#"{"a": [{"k": "a\"b"}, {"k": "}"}], "k": {"a": 1}}"#;
        assert!(read::<Value>(text.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        let problem = read::<Value>(b"{\n  \"a\": NaN }").expect_err("not JSON");
        let shown = serde_json::to_value(&problem).expect("serialises");
        assert_eq!(shown["status"], 400);
        assert_eq!(shown["where"], "line 2, column 8");
        assert_eq!(refused(&"[".repeat(100_000)).0, 422, "too deep");
    }
}
