//! Typed access to a map: each field is asked for once, and what is wrong with it is told with its place.

use super::super::near;
use super::super::report::{Findings, Mark};
use super::super::source::{Entry, Kind, Node};
use super::Marked;
use super::keys::Keys;
use crate::domain::code;
use crate::domain::time::Span;

/// A map that is being read.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    /// What the map belongs to, for messages: `step `Extract Text``. May be empty.
    owner: String,
}

impl<'n> Fields<'n> {
    /// The fields of `node`, with every key checked; `None` (told) when it is not a map.
    pub(super) fn of(node: &'n Node, keys: &Keys, owner: String, findings: &mut Findings) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            let what = if owner.is_empty() { keys.place } else { &owner };
            findings.error(
                code::WF1011,
                node.mark,
                format!("a map of keys is wanted {}, not {}", to(what), node.describe()),
            );
            return None;
        };
        for entry in entries {
            check_key(entry, keys, &owner, findings);
        }
        Some(Self { entries, owner })
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of this key, unless absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, key: &str, findings: &mut Findings) -> Option<Marked<String>> {
        let node = self.get(key)?;
        match &node.kind {
            Kind::Text(text) => Some(Marked { value: text.clone(), mark: node.mark }),
            // `name: 2026` and `version: 2.4` are meant as they stand.
            Kind::Number(_) | Kind::Bool(_) => Some(Marked { value: raw(node, findings), mark: node.mark }),
            _ => self.wrong(key, node, "a text", findings),
        }
    }

    pub(super) fn boolean(&self, key: &str, findings: &mut Findings) -> Option<bool> {
        let node = self.get(key)?;
        match node.kind {
            Kind::Bool(value) => Some(value),
            _ => self.wrong(key, node, "`true` or `false`", findings),
        }
    }

    pub(super) fn whole(&self, key: &str, findings: &mut Findings) -> Option<Marked<i64>> {
        let node = self.get(key)?;
        match &node.kind {
            Kind::Number(number) if number.as_i64().is_some() => {
                Some(Marked { value: number.as_i64().unwrap_or_default(), mark: node.mark })
            }
            _ => self.wrong(key, node, "a whole number", findings),
        }
    }

    /// A whole number from 1 to `most`.
    pub(super) fn bounded(&self, key: &str, most: u32, findings: &mut Findings) -> Option<u32> {
        let whole = self.whole(key, findings)?;
        let fits = u32::try_from(whole.value).ok().filter(|value| (1..=most).contains(value));
        if fits.is_none() {
            let message = format!("`{key}` is a whole number from 1 to {most}, not {}", whole.value);
            findings.error(code::WF1015, whole.mark, message);
        }
        fits
    }

    pub(super) fn number(&self, key: &str, findings: &mut Findings) -> Option<f64> {
        let node = self.get(key)?;
        match &node.kind {
            Kind::Number(number) => number.as_f64(),
            _ => self.wrong(key, node, "a number", findings),
        }
    }

    pub(super) fn list(&self, key: &str, findings: &mut Findings) -> Option<&'n [Node]> {
        let node = self.get(key)?;
        match &node.kind {
            Kind::List(items) => Some(items),
            _ => self.wrong(key, node, "a list", findings),
        }
    }

    /// A list of texts; a single text counts as a list of one.
    pub(super) fn texts(&self, key: &str, findings: &mut Findings) -> Option<Vec<Marked<String>>> {
        let node = self.get(key)?;
        if let Kind::Text(text) = &node.kind {
            return Some(vec![Marked { value: text.clone(), mark: node.mark }]);
        }
        let items = self.list(key, findings)?;
        let texts = items.iter().filter_map(|item| match &item.kind {
            Kind::Text(text) => Some(Marked { value: text.clone(), mark: item.mark }),
            Kind::Number(_) | Kind::Bool(_) => Some(Marked { value: raw(item, findings), mark: item.mark }),
            _ => self.wrong(key, item, "a list of texts", findings),
        });
        Some(texts.collect())
    }

    pub(super) fn entries(&self, key: &str, findings: &mut Findings) -> Option<&'n [Entry]> {
        let node = self.get(key)?;
        match &node.kind {
            Kind::Map(entries) => Some(entries),
            _ => self.wrong(key, node, "a map", findings),
        }
    }

    pub(super) fn span(&self, key: &str, findings: &mut Findings) -> Option<Span> {
        span(key, self.get(key)?, findings)
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)], findings: &mut Findings) -> Option<T> {
        let node = self.get(key)?;
        let text = node.text().unwrap_or_default();
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let names = || words.iter().map(|(word, _)| *word);
        let message = format!("`{key}` is one of {}, not {}", near::list(names(), 20), node.describe());
        findings.error(code::WF1015, node.mark, message).near(near::near(text, names()));
        None
    }

    /// Tells that a value is not of the kind it must be.
    pub(super) fn wrong<T>(&self, key: &str, node: &Node, wanted: &str, findings: &mut Findings) -> Option<T> {
        let owner = if self.owner.is_empty() { String::new() } else { format!(" of {}", self.owner) };
        let message = format!("`{key}`{owner} must be {wanted}, not {}", node.describe());
        findings.error(code::WF1011, node.mark, message);
        None
    }
}

/// A duration: seconds as a number, or text with a unit.
pub(super) fn span(key: &str, node: &Node, findings: &mut Findings) -> Option<Span> {
    let read = match &node.kind {
        Kind::Number(number) => number.as_f64().and_then(Span::from_secs_f64),
        Kind::Text(text) => text.parse().ok(),
        _ => None,
    };
    if read.is_none() {
        let message = format!("`{key}` must be a duration, not {}", node.describe());
        findings.error(code::WF1016, node.mark, message).fix(code::WF1016.remedy());
    }
    read
}

/// A value as it stands in the file.
fn raw(node: &Node, findings: &Findings) -> String {
    findings.text().get(node.mark.start..node.mark.end).unwrap_or_default().trim().to_owned()
}

fn check_key(entry: &Entry, keys: &Keys, owner: &str, findings: &mut Findings) {
    let key = entry.key.as_str();
    if keys.known.contains(&key) || key.starts_with("x-") {
        return;
    }
    let place = if owner.is_empty() { keys.place.to_owned() } else { format!("in {owner}") };
    if keys.later.contains(&key) {
        let message = format!("the key `{key}` {place} is not supported yet");
        let (code, fix) = match key {
            "secrets" => (code::WF1048, code::WF1048.remedy()),
            _ => (code::WF1013, "leave it out; a workflow must not mean less than it says"),
        };
        findings.error(code, entry.mark, message).fix(fix);
        return;
    }
    let message = format!("unknown key `{}` {place}", super::super::source::short(key));
    let meant = near::near(key, keys.known.iter().chain(keys.later).copied());
    let problem = findings.error(code::WF1012, entry.mark, message).near(meant);
    if meant.is_none() {
        problem.fix(format!(
            "known keys: {}; keys of your own begin with `x-`",
            near::list(keys.known.iter().copied(), 30)
        ));
    }
}

fn to(place: &str) -> String {
    if place.starts_with("in ") || place.starts_with("at ") { place.to_owned() } else { format!("for {place}") }
}

/// The mark of a key if its value is empty: an absent value has no width of its own.
pub(super) fn visible(entry: &Entry) -> Mark {
    if entry.value.mark.end > entry.value.mark.start { entry.value.mark } else { entry.mark }
}
