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
    /// `force`.
    pub force: bool,
    /// Where it stands.
    pub mark: Mark,
}

/// Reads `cache`: a duration, or a map with `ttl`.
pub(super) fn read(fields: &Fields, findings: &mut Findings) -> Option<Cache> {
    let entry = fields.entry("cache")?;
    let plain = |ttl: Span| Cache { ttl, key: None, force: false, mark: entry.mark };
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
    Some(Cache { key: inner.text("key", findings), force, ..plain(ttl) })
}
