//! `cache`: an earlier result of the same step, or of the whole workflow, on the same values is as good.

use super::super::report::{Findings, Mark};
use super::super::source::Kind;
use super::fields::{Fields, span};
use super::policy::positive;
use super::{Marked, keys};
use crate::domain::code;
use crate::domain::time::Span;

/// `cache`, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Cache {
    /// `ttl`: how long a result is as good.
    pub ttl: Span,
    /// `key`: what makes two attempts the same, instead of config and ports; or two runs, instead of their inputs.
    pub key: Option<Marked<String>>,
    /// `ignore`: keys of the config, or inputs of the run, that make no difference.
    pub ignore: Vec<String>,
    /// `scope: workflow`: only this workflow's own results count.
    pub of_workflow: bool,
    /// `force`.
    pub force: bool,
    /// Where it stands.
    pub mark: Mark,
}

/// Reads `cache`: a duration, or a map with `ttl`.
pub(super) fn read(fields: &Fields, findings: &mut Findings) -> Option<Cache> {
    let entry = fields.entry("cache")?;
    let plain =
        |ttl: Span| Cache { ttl, key: None, ignore: Vec::new(), of_workflow: false, force: false, mark: entry.mark };
    if !matches!(entry.value.kind, Kind::Map(_)) {
        return span("cache", &entry.value, findings).map(plain);
    }
    let inner = Fields::of(&entry.value, &keys::CACHE, "`cache`".to_owned(), findings)?;
    let Some(ttl) = inner.get("ttl") else {
        let fix = "say how long a result is as good, as in `cache: { ttl: 30d }`";
        findings.error(code::WF1010, entry.mark, "`cache` has no `ttl`").fix(fix);
        return None;
    };
    let ttl = positive("ttl", ttl, findings)?;
    let force = inner.boolean("force", findings).unwrap_or(false);
    let key = inner.text("key", findings);
    let ignore = inner.texts("ignore", findings).unwrap_or_default();
    if let (Some(_), Some(first)) = (&key, ignore.first()) {
        let fix = "leave out of `key` what makes no difference";
        findings
            .error(code::WF1015, first.mark, "`key` says all that counts; `ignore` beside it says nothing")
            .fix(fix);
    }
    let ignore = ignore.into_iter().map(|name| name.value).collect();
    let of_workflow = inner.word("scope", &[("all", false), ("workflow", true)], findings).unwrap_or(false);
    Some(Cache { key, ignore, of_workflow, force, ..plain(ttl) })
}
