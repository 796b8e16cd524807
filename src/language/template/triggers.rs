//! `triggers`: what starts the workflow by itself.

use super::super::near;
use super::super::report::{Findings, Mark};
use super::super::schedule::{self, Wrong};
use super::super::source::{Kind, Node};
use super::fields::{Fields, visible};
use super::keys::Keys;
use super::{Marked, said, step};
use crate::domain::code;
use crate::domain::schedule::Zone;
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::{
    Dedupe, MisfirePolicy, OnOverlap, Rate, Rhythm, ScheduleSpec, Scheme, TriggerKind, TriggerSpec, WebhookSpec,
};

/// Triggers of one workflow at the most.
const MOST: usize = 50;
/// Where the search for the first times of a schedule begins, so that a file means the same every day: 2026-01-01.
pub const REFERENCE: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// A trigger, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// What it says.
    pub spec: TriggerSpec,
    /// Where it stands.
    pub mark: Mark,
    /// `when`.
    pub when: Option<Marked<String>>,
    /// `inputs`.
    pub inputs: Option<Node>,
    /// `dedupe.key`.
    pub key: Option<Marked<String>>,
}

macro_rules! keys {
    ($name:ident, $place:literal, $($key:literal),*) => {
        const $name: Keys = Keys {
            place: $place,
            known: &["id", "type", "when", "inputs", "dedupe", "debounce", "cooldown", "limit", "enabled", "run_as", $($key),*],
            later: &[],
        };
    };
}
keys!(
    SCHEDULE,
    "in a schedule",
    "cron",
    "every",
    "from",
    "at",
    "text",
    "tz",
    "dst",
    "misfire",
    "overlap",
    "jitter",
    "exclude",
    "alert_after"
);
keys!(EVENT, "in an event trigger", "name");
keys!(WEBHOOK, "in a webhook trigger", "auth", "tolerance", "methods", "dedupe_pointer", "wait");
keys!(FILE, "in a file trigger", "channels", "match", "mode", "folder");
keys!(COMMAND, "in a command trigger", "command", "aliases", "channels");
keys!(WORKFLOW, "in a workflow trigger", "of", "states");
keys!(REACTION, "in a reaction trigger", "emoji", "channels");
keys!(MANUAL, "in a manual trigger",);

const DST: Keys = Keys { place: "in `dst`", known: &["gap", "overlap"], later: &[] };
const MISFIRE: Keys = Keys { place: "in `misfire`", known: &["policy", "window", "max"], later: &[] };
const DEDUPE: Keys = Keys { place: "in `dedupe`", known: &["key", "window"], later: &[] };
const LIMIT: Keys = Keys { place: "in `limit`", known: &["count", "per"], later: &[] };

/// The types, each with its keys.
const TYPES: [(&str, &Keys); 8] = [
    ("schedule", &SCHEDULE),
    ("event", &EVENT),
    ("webhook", &WEBHOOK),
    ("file", &FILE),
    ("command", &COMMAND),
    ("workflow", &WORKFLOW),
    ("reaction", &REACTION),
    ("manual", &MANUAL),
];

/// Reads `triggers` of the file.
pub(super) fn read(fields: &Fields, findings: &mut Findings) -> Vec<Trigger> {
    let Some(items) = fields.list("triggers", findings) else { return Vec::new() };
    if items.len() > MOST {
        let mark = fields.entry("triggers").map_or(items[0].mark, visible);
        findings
            .error(code::WF1014, mark, format!("a workflow has at most {MOST} triggers"))
            .fix(code::WF1014.remedy());
        return Vec::new();
    }
    let mut read: Vec<Trigger> = Vec::new();
    for (place, node) in items.iter().enumerate() {
        let Some(trigger) = one(place, node, findings) else { continue };
        if read.iter().any(|known| known.spec.id == trigger.spec.id) {
            let message = format!("two of the `triggers` have the id `{}`", trigger.spec.id);
            findings.error(code::WF1062, node.mark, message).fix("give each an `id` of its own");
        }
        read.push(trigger);
    }
    read
}

fn one(place: usize, node: &Node, findings: &mut Findings) -> Option<Trigger> {
    let owner = format!("`triggers[{place}]`");
    let Some(kind) = node.entry("type").map(|entry| &entry.value) else {
        let message = format!("{owner} has no `type`");
        let fix = format!("types: {}", near::list(TYPES.iter().map(|(name, _)| *name), 20));
        findings.error(code::WF1010, node.mark, message).fix(fix);
        return None;
    };
    let word = kind.text().unwrap_or_default();
    let Some((word, keys)) = TYPES.iter().find(|(name, _)| *name == word) else {
        let names = || TYPES.iter().map(|(name, _)| *name);
        let message = format!("{} is no type of `triggers`", kind.describe());
        let fix = format!("types: {}", near::list(names(), 20));
        findings.error(code::WF1015, kind.mark, message).near_or(near::near(word, names()), fix);
        return None;
    };
    let fields = Fields::of(node, keys, owner, findings)?;
    let id = fields.text("id", findings).filter(|id| step::check_id(id, findings));
    let id =
        id.map_or_else(|| if place == 0 { (*word).to_owned() } else { format!("{word}_{}", place + 1) }, |id| id.value);
    let kind = match *word {
        "schedule" => schedule(&fields, node.mark, findings),
        "event" => wanted(&fields, "name", node.mark, findings).map(|name| TriggerKind::Event { name }),
        "webhook" => Some(TriggerKind::Webhook(webhook(&fields, findings))),
        "file" => Some(TriggerKind::File(said::file(&fields, findings))),
        "command" => said::command(&fields, node.mark, findings),
        "workflow" => of_workflow(&fields, node.mark, findings),
        "reaction" => wanted(&fields, "emoji", node.mark, findings)
            .map(|emoji| TriggerKind::Reaction { emoji, channels: plain(&fields, "channels", findings) }),
        _ => Some(TriggerKind::Manual),
    }?;
    let when = fields.text("when", findings);
    let (dedupe, key) = dedupe(&fields, findings);
    let inputs = fields.entries("inputs", findings).and_then(|_| fields.get("inputs").cloned());
    let spec = TriggerSpec {
        id,
        kind,
        when: when.as_ref().map(|when| super::super::expression::inside(&when.value).0.to_owned()),
        inputs: inputs.as_ref().map(Node::json),
        dedupe,
        debounce: fields.span("debounce", findings),
        cooldown: fields.span("cooldown", findings),
        limit: limit(&fields, findings),
        enabled: fields.boolean("enabled", findings).unwrap_or(true),
        run_as: fields.text("run_as", findings).map(|name| name.value),
    };
    Some(Trigger { spec, mark: node.mark, when, inputs, key })
}

/// A text that must be there.
pub(super) fn wanted(fields: &Fields, key: &str, mark: Mark, findings: &mut Findings) -> Option<String> {
    let text = fields.text(key, findings).map(|text| text.value).filter(|text| !text.trim().is_empty());
    if text.is_none() && fields.get(key).is_none() {
        findings.error(code::WF1010, mark, format!("`{key}` is missing in a trigger")).fix(format!("add `{key}:`"));
    }
    text
}

pub(super) fn plain(fields: &Fields, key: &str, findings: &mut Findings) -> Vec<String> {
    fields.texts(key, findings).unwrap_or_default().into_iter().map(|text| text.value).collect()
}

fn tell(wrong: &Wrong, mark: Mark, findings: &mut Findings) {
    findings.error(code::WF1061, mark, wrong.message.clone()).fix(wrong.fix.clone());
}

fn schedule(fields: &Fields, mark: Mark, findings: &mut Findings) -> Option<TriggerKind> {
    let given: Vec<&str> =
        ["cron", "every", "at", "text"].into_iter().filter(|key| fields.get(key).is_some()).collect();
    if given.len() != 1 {
        let message = match given.as_slice() {
            [] => "a schedule needs one of `cron`, `every`, `at` and `text`".to_owned(),
            several => format!("a schedule has only one of {}", near::list(several.iter().copied(), 4)),
        };
        findings.error(code::WF1062, mark, message).fix("keep one, as in `cron: \"0 2 * * *\"`");
        return None;
    }
    let named = fields.text("tz", findings);
    let zone = match &named {
        Some(name) => schedule::zone(&name.value).map_err(|wrong| tell(&wrong, name.mark, findings)).ok()?,
        None => Zone::UTC,
    };
    let (rhythm, said) = rhythm(given[0], fields, zone, findings)?;
    if named.is_none() && said.is_none() && !matches!(rhythm, Rhythm::Every(..)) {
        findings
            .warning(code::WF1061, mark, "the schedule names no zone: the clocks of UTC count")
            .fix("write `tz: Europe/Berlin`, or `tz: UTC` if that is meant");
    }
    let zone = said.unwrap_or(zone);
    let mut spec = ScheduleSpec::usual(rhythm, zone.name());
    daylight(fields, &mut spec, findings);
    misfire(fields, &mut spec, findings);
    spec.jitter = fields.span("jitter", findings).unwrap_or_default();
    spec.alert_after = fields.span("alert_after", findings);
    for day in fields.texts("exclude", findings).unwrap_or_default() {
        match chrono::NaiveDate::parse_from_str(&day.value, "%Y-%m-%d") {
            Ok(date) => spec.exclude.push(date),
            Err(_) => tell(&Wrong::day(&day.value), day.mark, findings),
        }
    }
    match schedule::check(&spec, REFERENCE) {
        Ok(_) => Some(TriggerKind::Schedule(spec)),
        Err(wrong) => {
            tell(&wrong, fields.entry(given[0]).map_or(mark, visible), findings);
            None
        }
    }
}

/// The one of `cron`, `every`, `at` and `text` that is written, and the zone if the words name one.
fn rhythm(key: &str, fields: &Fields, zone: Zone, findings: &mut Findings) -> Option<(Rhythm, Option<Zone>)> {
    if key == "every" {
        let span = fields.span("every", findings)?;
        let from = fields.text("from", findings);
        let from = match &from {
            Some(text) => {
                schedule::instant(&text.value, zone).map_err(|wrong| tell(&wrong, text.mark, findings)).ok()?
            }
            None => Timestamp::from_micros(0),
        };
        if span < Span::from_secs(1) {
            let mark = fields.entry("every").map_or(Mark { start: 0, end: 0 }, visible);
            tell(&Wrong::too_short(), mark, findings);
            return None;
        }
        return Some((Rhythm::Every(span, from), None));
    }
    if key == "at" {
        let mut instants = Vec::new();
        for text in fields.texts("at", findings)? {
            instants
                .push(schedule::instant(&text.value, zone).map_err(|wrong| tell(&wrong, text.mark, findings)).ok()?);
        }
        instants.sort_unstable();
        instants.dedup();
        return Some((Rhythm::At(instants), None));
    }
    let text = fields.text(key, findings)?;
    let read = if key == "cron" {
        schedule::cron(&text.value).map(|cron| (Rhythm::Cron(cron.text().to_owned()), None))
    } else {
        schedule::either(&text.value)
    };
    read.map_err(|wrong| tell(&wrong, text.mark, findings)).ok()
}

fn daylight(fields: &Fields, spec: &mut ScheduleSpec, findings: &mut Findings) {
    let Some(node) = fields.get("dst") else { return };
    let Some(inner) = Fields::of(node, &DST, "`dst`".to_owned(), findings) else { return };
    spec.skips_gaps = inner.word("gap", &[("run_after", false), ("skip", true)], findings).unwrap_or(false);
    let passes = [("first", "first"), ("last", "last"), ("both", "both")];
    spec.pass = inner.word("overlap", &passes, findings).filter(|pass| *pass != "first").map(str::to_owned);
}

fn misfire(fields: &Fields, spec: &mut ScheduleSpec, findings: &mut Findings) {
    let policies = [("one", MisfirePolicy::One), ("all", MisfirePolicy::All), ("skip", MisfirePolicy::Skip)];
    if let Some(node) = fields.get("misfire") {
        if matches!(node.kind, Kind::Map(_)) {
            if let Some(inner) = Fields::of(node, &MISFIRE, "`misfire`".to_owned(), findings) {
                spec.misfire = inner.word("policy", &policies, findings).unwrap_or_default();
                spec.window = inner.span("window", findings).unwrap_or(spec.window);
                spec.most = inner.bounded("max", 1_000, findings).unwrap_or(spec.most);
            }
        } else {
            spec.misfire = fields.word("misfire", &policies, findings).unwrap_or_default();
        }
    }
    let words = [
        ("skip", OnOverlap::Skip),
        ("queue", OnOverlap::Queue),
        ("allow", OnOverlap::Allow),
        ("cancel", OnOverlap::Cancel),
    ];
    let usual = if spec.misfire == MisfirePolicy::All { OnOverlap::Allow } else { OnOverlap::Skip };
    spec.overlap = fields.word("overlap", &words, findings).unwrap_or(usual);
    if spec.misfire == MisfirePolicy::All && spec.overlap != OnOverlap::Allow {
        let mark = fields.entry("overlap").map_or(Mark { start: 0, end: 0 }, visible);
        let message = "`misfire: all` makes up for every instant at once, and this `overlap` would drop all but one";
        findings.error(code::WF1062, mark, message).fix("write `overlap: allow`, or `misfire: one`");
    }
}

fn webhook(fields: &Fields, findings: &mut Findings) -> WebhookSpec {
    let schemes =
        [("token", Scheme::Token), ("github", Scheme::Github), ("stripe", Scheme::Stripe), ("hmac", Scheme::Hmac)];
    let methods = match plain(fields, "methods", findings) {
        none if none.is_empty() => vec!["POST".to_owned()],
        some => some.into_iter().map(|method| method.to_uppercase()).collect(),
    };
    WebhookSpec {
        auth: fields.word("auth", &schemes, findings).unwrap_or_default(),
        tolerance: fields.span("tolerance", findings).unwrap_or(Span::from_secs(300)),
        methods,
        id: fields.text("dedupe_pointer", findings).map(|text| text.value),
        wait: fields.span("wait", findings),
    }
}

fn of_workflow(fields: &Fields, mark: Mark, findings: &mut Findings) -> Option<TriggerKind> {
    const STATES: [&str; 5] = ["completed", "failed", "cancelled", "timed_out", "rolled_back"];
    let of = wanted(fields, "of", mark, findings)?;
    let mut states = Vec::new();
    for state in fields.texts("states", findings).unwrap_or_default() {
        if STATES.contains(&state.value.as_str()) {
            states.push(state.value);
        } else {
            let message = format!("`{}` is no end of a run", state.value);
            let fix = format!("ends: {}", near::list(STATES, 9));
            findings.error(code::WF1015, state.mark, message).near_or(near::near(&state.value, STATES), fix);
        }
    }
    if states.is_empty() {
        states.push("completed".to_owned());
    }
    Some(TriggerKind::Workflow { of, states })
}

fn dedupe(fields: &Fields, findings: &mut Findings) -> (Option<Dedupe>, Option<Marked<String>>) {
    let Some(node) = fields.get("dedupe") else { return (None, None) };
    let Some(inner) = Fields::of(node, &DEDUPE, "`dedupe`".to_owned(), findings) else { return (None, None) };
    let Some(key) = inner.text("key", findings) else {
        findings.error(code::WF1010, node.mark, "`dedupe` has no `key`").fix("write what makes two the same");
        return (None, None);
    };
    let window = inner.span("window", findings).unwrap_or(Span::from_secs(7 * 86_400));
    (Some(Dedupe { key: key.value.clone(), window }), Some(key))
}

fn limit(fields: &Fields, findings: &mut Findings) -> Option<Rate> {
    let node = fields.get("limit")?;
    if !matches!(node.kind, Kind::Map(_)) {
        let count = fields.bounded("limit", 100_000, findings)?;
        return Some(Rate { count, per: Span::from_secs(60) });
    }
    let inner = Fields::of(node, &LIMIT, "`limit`".to_owned(), findings)?;
    let count = inner.bounded("count", 100_000, findings)?;
    Some(Rate { count, per: inner.span("per", findings).unwrap_or(Span::from_secs(60)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_tells_every_key() {
        let manual = include_str!("../../../docs/triggers.md");
        let maps = TYPES.iter().map(|(_, keys)| *keys).chain([&DST, &MISFIRE, &DEDUPE, &LIMIT, &said::MATCH]);
        for keys in maps {
            for key in keys.known {
                assert!(manual.contains(&format!("`{key}`")), "docs/triggers.md does not tell `{key}` {}", keys.place);
            }
        }
    }
}
