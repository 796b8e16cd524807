//! An answer, read whole and within its limits.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use url::Url;

use super::client::Limits;
use super::error::HttpError;
use crate::domain::time::{Span, Timestamp};

/// Nobody is made to wait longer than this by a header.
const LONGEST_WAIT: Span = Span::from_secs(86_400);

/// An answer of any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, decompressed.
    pub body: Vec<u8>,
    /// Where it came from after all redirects.
    pub url: Url,
    /// From the first connection to the last byte.
    pub duration: Duration,
}

impl Answer {
    /// The content type without parameters, in lower case; empty when there is none.
    #[must_use]
    pub fn content_type(&self) -> String {
        self.text_of(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as text: by its byte order mark, else the declared charset, else UTF-8. `None` when it is no text.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let declared = self.text_of(CONTENT_TYPE).split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').as_bytes())
        });
        let encoding = declared.and_then(encoding_rs::Encoding::for_label).unwrap_or(encoding_rs::UTF_8);
        let (text, _, malformed) = encoding.decode(&self.body);
        (!malformed && !text.contains('\0')).then(|| text.into_owned())
    }

    /// How long the other side asks to wait: seconds, or a date (against the answer's own `Date`, so that clocks
    /// need not agree; else against `now`). At most a day.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> Option<Span> {
        let text = self.text_of(RETRY_AFTER).trim();
        if let Ok(seconds) = text.parse() {
            return Some(Span::from_secs(seconds).min(LONGEST_WAIT));
        }
        let until = http_date(text)?;
        let now = http_date(self.text_of(DATE)).unwrap_or(now);
        Some(until.since(now).min(LONGEST_WAIT))
    }

    fn text_of(&self, name: reqwest::header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    let time = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(Timestamp::from_micros(time.timestamp_micros()))
}

/// Bytes of all names and values.
pub(super) fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Reads the body; what is larger than allowed is noticed before it is kept.
pub(super) async fn read_body(mut response: Response, host: &str, limits: Limits) -> Result<Answer, HttpError> {
    let too_large = || HttpError::TooLarge { host: host.to_owned(), limit: limits.body };
    // The length of a decompressed body is not known before it is there.
    if response.content_length().is_some_and(|length| length > limits.body) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| HttpError::sort(host, &error, limits))? {
        if (body.len() + chunk.len()) as u64 > limits.body {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let (status, url) = (response.status(), response.url().clone());
    let headers = std::mem::take(response.headers_mut());
    Ok(Answer { status, headers, body, url, duration: Duration::ZERO })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header value"));
        }
        let url = "http://a.internal/".parse().expect("an address");
        Answer { status: StatusCode::OK, headers: map, body: body.to_vec(), url, duration: Duration::ZERO }
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date_and_never_exceeds_a_day() {
        let now = Timestamp::from_micros(784_111_777_000_000); // Sun, 06 Nov 1994 08:49:37 GMT
        let after = |headers: &[(&'static str, &str)]| answer(headers, b"").retry_after(now);
        assert_eq!(after(&[("retry-after", " 7 ")]), Some(Span::from_secs(7)));
        assert_eq!(after(&[("retry-after", "99999999999")]), Some(LONGEST_WAIT));
        assert_eq!(after(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]), Some(Span::from_secs(30)));
        assert_eq!(after(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), Some(Span::ZERO));
        let theirs = [("retry-after", "Mon, 01 Jan 2035 00:00:10 GMT"), ("date", "Mon, 01 Jan 2035 00:00:00 GMT")];
        assert_eq!(after(&theirs), Some(Span::from_secs(10)));
        assert_eq!((after(&[("retry-after", "soon")]), after(&[])), (None, None));
    }

    #[test]
    fn text_is_read_in_the_charset_that_it_declares() {
        let latin = answer(&[("content-type", "text/plain; charset=\"ISO-8859-1\"")], b"Stra\xdfe");
        assert_eq!(latin.text().as_deref(), Some("Straße"));
        assert_eq!(answer(&[], "Straße".as_bytes()).text().as_deref(), Some("Straße"));
        assert_eq!(answer(&[], b"\xef\xbb\xbfa").text().as_deref(), Some("a"), "a byte order mark is no text");
        assert_eq!(answer(&[], b"Stra\xdfe").text(), None);
        assert_eq!(answer(&[("content-type", "image/png")], b"\x89PNG\0").text(), None);
    }
}
