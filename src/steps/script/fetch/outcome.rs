//! What an answer means for the step: outputs where it went well, else a fault that knows whether to try again.

use serde_json::{Map, Value, json};

use super::config::Config;
use crate::connect::http::{Answer, StatusCode};
use crate::contract::step::{Done, StepResult};
use crate::domain::code;
use crate::domain::fault::{Again, Fault};
use crate::domain::time::Timestamp;

/// Twelve rows with two duplicates, odd spacing and letters of many scripts.
pub(in crate::steps) const SAMPLE: &str = include_str!("../sample.json");

/// Where lists of rows usually stand in an object.
pub(in crate::steps) const LISTS: &[&str] = &["data", "items", "results", "records"];

/// Parts of names of headers that may hold what nobody else should read.
const CONFIDENTIAL: &[&str] = &["cookie", "auth", "token", "secret", "password", "api-key", "apikey"];

/// How much of an unwelcome answer is kept for the operator.
const EXCERPT: usize = 400;

/// Outputs, or the fault that this status stands for.
pub(super) fn judge(answer: &Answer, config: &Config, now: Timestamp) -> StepResult {
    if config.expects(answer.status.as_u16()) {
        outputs(answer).into()
    } else {
        Err(fault(answer, &config.confidential(), now))
    }
}

/// The sample set instead of an answer.
pub(super) fn simulated(url: &str, reason: &str) -> Done {
    let rows: Value = serde_json::from_str(SAMPLE).unwrap_or_default(); // `the_sample_set_is_what_it_says` reads it
    let response =
        json!({"status": 200, "headers": {}, "json": rows, "url": url, "size": SAMPLE.len(), "duration": 0.0});
    Done::with(json!({"response": response, "records": rows, "simulated": true}))
        .warn(format!("simulated: {reason}; the result is the shipped sample set"))
}

fn outputs(answer: &Answer) -> Done {
    let mut url = answer.url.clone();
    url.set_query(None); // it may hold a key, and outputs are shown
    let mut response = Map::new();
    response.insert("status".to_owned(), answer.status.as_u16().into());
    response.insert("headers".to_owned(), headers(answer));
    let mut warnings = Vec::new();
    let (key, content) = content(answer, &mut warnings);
    response.insert(key.to_owned(), content);
    response.insert("url".to_owned(), url.as_str().into());
    response.insert("size".to_owned(), answer.body.len().into());
    response.insert("duration".to_owned(), answer.duration.as_secs_f64().into());
    let mut outputs = Map::new();
    if let Some(rows) = response.get("json").and_then(records) {
        outputs.insert("records".to_owned(), rows.clone());
    }
    outputs.insert("response".to_owned(), Value::Object(response));
    outputs.insert("simulated".to_owned(), false.into());
    Done { outputs, warnings }
}

/// The body as JSON where it says so or says nothing, else as text, else nothing.
fn content(answer: &Answer, warnings: &mut Vec<String>) -> (&'static str, Value) {
    let kind = answer.content_type();
    let declared = matches!(kind.as_str(), "application/json" | "text/json") || kind.ends_with("+json");
    let Some(text) = answer.text() else {
        let kind = if kind.is_empty() { "of no declared type" } else { kind.as_str() };
        warnings.push(format!("the answer is no text (`{kind}`), so its {} bytes were not kept", answer.body.len()));
        return ("body", Value::Null);
    };
    let looks = kind.is_empty() && text.trim_start().starts_with(['{', '[']);
    if (declared && !text.is_empty()) || looks {
        match serde_json::from_str(&text) {
            Ok(value) => return ("json", value),
            Err(error) if declared => {
                warnings.push(format!("the answer says it is JSON, but is not ({error}); it was kept as text"));
            }
            Err(_) => {}
        }
    }
    ("body", text.into())
}

/// The rows of an answer: itself, or the only list under one of the usual names.
fn records(value: &Value) -> Option<&Value> {
    let Value::Object(map) = value else { return value.is_array().then_some(value) };
    let mut lists = LISTS.iter().filter_map(|name| map.get(*name)).filter(|value| value.is_array());
    let only = lists.next()?;
    lists.next().is_none().then_some(only)
}

fn headers(answer: &Answer) -> Value {
    let mut shown = Map::new();
    for name in answer.headers.keys() {
        if CONFIDENTIAL.iter().any(|part| name.as_str().contains(part)) {
            continue;
        }
        let values: Vec<_> =
            answer.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        shown.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    Value::Object(shown)
}

/// What an unwelcome status means. `said` is what the request said and nobody else should read.
pub(in crate::steps) fn fault(answer: &Answer, said: &[String], now: Timestamp) -> Fault {
    let status = answer.status;
    let host = answer.url.host_str().unwrap_or_default();
    let reason = status.canonical_reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let message = format!("`{host}` answered {}{reason}", status.as_u16());
    let fault = match status.as_u16() {
        408 | 425 | 429 => Fault::transient(code::WF3429, message),
        500..=599 => Fault::transient(code::WF3503, message),
        400..=499 => Fault::permanent(code::WF3401, message),
        _ => Fault::permanent(code::WF3402, message),
    };
    let wait = answer.retry_after(now).filter(|_| fault.again != Again::Permanent);
    let fault = wait.into_iter().fold(fault, Fault::after);
    let fault = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => fault.fix("correct the credentials in `headers`"),
        StatusCode::NOT_FOUND | StatusCode::GONE => fault.fix("correct the path of `url`"),
        _ => fault,
    };
    match excerpt(answer, said) {
        Some(text) => fault.context(text),
        None => fault,
    }
}

/// The beginning of the answer for the operator, without what the request itself said: some services repeat it.
fn excerpt(answer: &Answer, said: &[String]) -> Option<String> {
    let mut text = answer.text().filter(|text| !text.trim().is_empty())?;
    let mut words: Vec<_> = said.iter().flat_map(|value| value.split_whitespace()).collect();
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len())); // a short one may be part of a long one
    for word in words.into_iter().filter(|word| word.len() >= 6) {
        text = text.replace(word, "***");
    }
    Some(text.chars().take(EXCERPT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_set_is_what_it_says() {
        let rows: Vec<Map<String, Value>> = serde_json::from_str(SAMPLE).expect("rows");
        let mut ids: Vec<_> = rows.iter().map(|row| row["id"].as_u64().expect("a number")).collect();
        assert_eq!(ids.len(), 12);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 10, "two duplicates");
        assert!(SAMPLE.contains("  ") && !SAMPLE.is_ascii(), "odd spacing and other scripts");
    }

    #[test]
    fn rows_are_found_where_they_usually_stand() {
        let of = |value: Value| records(&value).cloned();
        assert_eq!(of(json!([1])), Some(json!([1])));
        assert_eq!(of(json!({"items": [1], "total": 1, "data": {"x": 1}})), Some(json!([1])));
        assert_eq!(of(json!({"items": [1], "data": [2]})), None, "two lists: which one is a guess");
        assert_eq!((of(json!({"rows": [1]})), of(json!("x"))), (None, None));
    }
}
