//! `retry`, `timeout`, `on_error`: the same words in a step and in `defaults`.

use super::super::near;
use super::super::report::Findings;
use super::super::source::{Kind, Node};
use super::fields::{Fields, span};
use super::keys;
use super::{Marked, Policy, Retry};
use crate::domain::code;
use crate::domain::retry::Backoff;
use crate::domain::time::Span;

/// `on_error: rollback`, and the type of the step that does it.
pub const ROLLBACK: &str = "rollback";
/// More retries than this are a mistake, not a policy.
const MAX_RETRIES: i64 = 1_000;

/// The policy keys of a step or of `defaults`.
pub(super) fn read(fields: &Fields, findings: &mut Findings) -> Policy {
    let timeout = fields.get("timeout").map(|node| timeout(node, findings)).unwrap_or_default();
    Policy {
        retry: fields.get("retry").map(|node| retry(node, findings)).unwrap_or_default(),
        timeout: timeout.attempt,
        total: timeout.total,
        queue: timeout.queue,
        heartbeat: timeout.heartbeat,
        tolerant: on_error(fields, findings),
        goto: goto(fields, findings),
        asks: says(fields, "ask"),
        rolls_back: says(fields, ROLLBACK),
    }
}

fn says(fields: &Fields, word: &str) -> bool {
    fields.get("on_error").is_some_and(|node| node.text() == Some(word))
}

/// `on_error: { goto: id }`.
fn goto(fields: &Fields, findings: &mut Findings) -> Option<Marked<String>> {
    let node = fields.get("on_error").filter(|node| matches!(node.kind, Kind::Map(_)))?;
    let inner = Fields::of(node, &keys::ON_ERROR, "`on_error`".to_owned(), findings)?;
    let goto = inner.text("goto", findings);
    if goto.is_none() && inner.get("goto").is_none() {
        let fix = "write `on_error: { goto: id }`, or a list of steps";
        findings.error(code::WF1010, node.mark, "`on_error` is a map without `goto`").fix(fix);
    }
    goto
}

fn retry(node: &Node, findings: &mut Findings) -> Retry {
    if let Kind::Number(_) = node.kind {
        return Retry { count: count(node, findings), ..Retry::default() };
    }
    let Some(fields) = Fields::of(node, &keys::RETRY, "`retry`".to_owned(), findings) else { return Retry::default() };
    let backoffs =
        [("constant", Backoff::Constant), ("linear", Backoff::Linear), ("exponential", Backoff::Exponential)];
    let factor = factor(&fields, findings);
    let retry = Retry {
        count: fields.get("count").and_then(|node| count(node, findings)),
        delay: fields.span("delay", findings),
        // Only an exponential delay has a factor, so who writes one means that.
        backoff: fields.word("backoff", &backoffs, findings).or(factor.map(|_| Backoff::Exponential)),
        factor,
        max_delay: fields.span("max_delay", findings),
        jitter: fields.boolean("jitter", findings),
        on: codes(&fields, "on", findings),
        not_on: codes(&fields, "not_on", findings),
    };
    if let (Some(delay), Some(max_delay), Some(node)) = (retry.delay, retry.max_delay, fields.get("max_delay"))
        && max_delay < delay
    {
        let message = format!("`max_delay` ({max_delay}) is shorter than `delay` ({delay})");
        findings.error(code::WF1015, node.mark, message);
    }
    retry
}

/// `factor`, in thousandths: what grows more slowly than not at all, or a hundredfold, is a mistake.
fn factor(fields: &Fields, findings: &mut Findings) -> Option<u32> {
    let node = fields.get("factor")?;
    let factor = fields.number("factor", findings)?;
    if !(1.0..=100.0).contains(&factor) {
        return fields.wrong("factor", node, "a number from 1 to 100", findings);
    }
    if fields.get("backoff").is_some_and(|backoff| backoff.text() != Some("exponential")) {
        let fix = "write `backoff: exponential`, or take `factor` out";
        findings.error(code::WF1015, node.mark, "`factor` grows an exponential delay, and this one is none").fix(fix);
    }
    Some((factor * 1_000.0).round() as u32)
}

fn count(node: &Node, findings: &mut Findings) -> Option<u32> {
    let count = match &node.kind {
        Kind::Number(number) => number.as_i64().filter(|count| (0..=MAX_RETRIES).contains(count)),
        _ => None,
    };
    if count.is_none() {
        let message =
            format!("the number of retries is a whole number from 0 to {MAX_RETRIES}, not {}", node.describe());
        findings.error(code::WF1015, node.mark, message).fix("3 retries mean up to 4 attempts");
    }
    count.and_then(|count| u32::try_from(count).ok())
}

fn codes(fields: &Fields, key: &str, findings: &mut Findings) -> Option<Vec<String>> {
    let texts = fields.texts(key, findings)?;
    for text in &texts {
        if code::Code::find(&text.value).is_none() {
            let message = format!("`{}` is no error code of this version", super::super::source::short(&text.value));
            let meant = near::near(&text.value, code::Code::all().map(code::Code::id));
            findings
                .error(code::WF1015, text.mark, message)
                .near(meant)
                .fix("codes look like WF2004; docs/errors/ lists them");
        }
    }
    Some(texts.into_iter().map(|text| text.value).collect())
}

/// The clocks of a step.
#[derive(Default)]
struct Timeout {
    attempt: Option<Span>,
    total: Option<Span>,
    queue: Option<Marked<Span>>,
    heartbeat: Option<Span>,
}

fn timeout(node: &Node, findings: &mut Findings) -> Timeout {
    if !matches!(node.kind, Kind::Map(_)) {
        return Timeout { attempt: positive("timeout", node, findings), ..Timeout::default() };
    }
    let Some(fields) = Fields::of(node, &keys::TIMEOUT, "`timeout`".to_owned(), findings) else {
        return Timeout::default();
    };
    let mut read = |key| fields.get(key).and_then(|node| positive(key, node, findings));
    let (attempt, total, queue, heartbeat) = (read("attempt"), read("total"), read("queue"), read("heartbeat"));
    let queue = queue.zip(fields.entry("queue")).map(|(value, entry)| Marked { value, mark: entry.mark });
    Timeout { attempt, total, queue, heartbeat }
}

/// A duration that is not zero.
pub(super) fn positive(key: &str, node: &Node, findings: &mut Findings) -> Option<Span> {
    let span = span(key, node, findings)?;
    if span == Span::ZERO {
        findings.error(code::WF1016, node.mark, format!("`{key}` must be longer than nothing"));
        return None;
    }
    Some(span)
}

fn on_error(fields: &Fields, findings: &mut Findings) -> Option<bool> {
    let critical = fields.boolean("critical", findings);
    let Some(node) = fields.get("on_error") else { return critical.map(|critical| !critical) };
    match &node.kind {
        // Read by whoever knows the step.
        Kind::List(_) | Kind::Map(_) => return critical.map(|critical| !critical),
        Kind::Text(text) if text == "ask" || text == ROLLBACK => return critical.map(|critical| !critical),
        _ => {}
    }
    let tolerant =
        fields.word("on_error", &[("stop", false), ("continue", true), ("ask", false), (ROLLBACK, false)], findings)?;
    if critical == Some(tolerant) {
        findings
            .error(code::WF1015, node.mark, "`on_error` and `critical` say opposite things")
            .fix("keep one of the two");
    }
    Some(tolerant)
}
