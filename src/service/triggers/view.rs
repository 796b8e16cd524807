//! Triggers and firings as people and programs see them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::schedule::Zone;
use crate::domain::time::Timestamp;
use crate::domain::trigger::{FileMode, TriggerKind};
use crate::service::verbs::Verb;
use crate::store::firings::Firing;
use crate::store::triggers::StoredTrigger;

use super::fits::word_of;

/// Times that are told ahead.
const AHEAD: usize = 3;

/// A trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TriggerView {
    /// Workflow and name, as `data_pipeline/nightly`.
    pub id: String,
    /// The workflow that it starts.
    pub workflow: String,
    /// Its id.
    pub workflow_id: String,
    /// `schedule`, `event`, `webhook`, `file`, `command`, `workflow`, `reaction` or `manual`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it waits for, in words.
    pub told: String,
    /// `on`, `off` or `paused`.
    pub state: String,
    /// Until when it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<String>,
    /// Made by hand; its workflow's file does not know it.
    pub by_hand: bool,
    /// The zone of a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The next times, in UTC.
    pub next: Vec<String>,
    /// The same as the clocks of the zone show them.
    pub next_local: Vec<String>,
    /// The path of its own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it starts by itself although it asks, because somebody said "always".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<String>,
    /// All that it says.
    #[schema(value_type = Object)]
    pub spec: Value,
    /// What came of the last occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<FiringView>,
}

/// What came of an occurrence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FiringView {
    /// When it was looked at.
    pub at: String,
    /// The trigger, as `data_pipeline/nightly`.
    pub trigger: String,
    /// The instant of a schedule, the first if it stands for several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instant: Option<String>,
    /// The last instant that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// How many instants it stands for.
    pub count: u64,
    /// `started`, `filtered`, `skipped_overlap`, …
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// The execution that was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
    /// How often the same came again, and started nothing.
    pub repeats: u64,
    /// What happened.
    #[schema(value_type = Object)]
    pub facts: Value,
}

impl FiringView {
    pub(super) fn new(firing: &Firing, trigger: &str) -> Self {
        Self {
            at: firing.at.to_string(),
            trigger: trigger.to_owned(),
            instant: firing.nominal.map(|(from, _)| from.to_string()),
            until: firing.nominal.filter(|(from, until)| from != until).map(|(_, until)| until.to_string()),
            count: firing.count,
            verdict: firing.verdict.clone(),
            reason: firing.reason.clone(),
            execution_id: firing.run.map(|run| run.to_string()),
            repeats: firing.repeats,
            facts: firing.facts.clone(),
        }
    }

    /// The firing on one line.
    #[must_use]
    pub fn told(&self) -> String {
        let instant = self.instant.as_ref().map(|instant| format!(" for {instant}")).unwrap_or_default();
        let run = self.execution_id.as_ref().map(|run| format!(" {run}")).unwrap_or_default();
        let again = match self.repeats {
            0 => String::new(),
            1 => "; it came once more and started nothing".to_owned(),
            times => format!("; it came {times} times more and started nothing"),
        };
        format!("{}{instant}  {}{run}: {}{again}", self.at, self.verdict.replace('_', " "), self.reason)
    }
}

/// The name by which people call a trigger.
pub(super) fn name_of(trigger: &StoredTrigger) -> String {
    format!("{}/{}", trigger.slug, trigger.name)
}

/// Whether it fires, and the word for it.
pub(super) fn state_of(trigger: &StoredTrigger, now: Timestamp) -> &'static str {
    if trigger.paused_until.is_some_and(|until| until > now) {
        "paused"
    } else if trigger.switched.unwrap_or(trigger.spec.enabled) {
        "on"
    } else {
        "off"
    }
}

impl TriggerView {
    pub(super) fn new(trigger: &StoredTrigger, last: Option<&Firing>, now: Timestamp) -> Self {
        let name = name_of(trigger);
        let mut view = Self {
            workflow: trigger.slug.clone(),
            workflow_id: trigger.workflow_id.to_string(),
            kind: trigger.spec.kind.word().to_owned(),
            told: told(&trigger.spec.kind),
            state: state_of(trigger, now).to_owned(),
            paused_until: trigger.paused_until.filter(|until| *until > now).map(|until| until.to_string()),
            by_hand: trigger.managed,
            zone: None,
            next: Vec::new(),
            next_local: Vec::new(),
            path: trigger.token.as_ref().map(|token| format!("/hooks/{token}")),
            always: Vec::new(),
            spec: serde_json::to_value(&trigger.spec).unwrap_or_default(), // plain data
            last: last.map(|firing| FiringView::new(firing, &name)),
            id: name,
        };
        if let TriggerKind::Schedule(spec) = &trigger.spec.kind
            && let Ok(timing) = spec.timing()
        {
            let zone: Zone = timing.zone();
            view.zone = Some(zone.name().to_owned());
            let first = trigger.next_at.filter(|_| view.state != "off");
            let times = std::iter::successors(first, |at| timing.next(*at)).take(AHEAD);
            for at in times {
                view.next.push(at.to_string());
                view.next_local.push(zone.spoken(at.micros().div_euclid(1_000_000)));
            }
        }
        view
    }

    /// The trigger on one line.
    #[must_use]
    pub fn line(&self) -> String {
        let next = self.next_local.first().map(|next| format!("  next {next}")).unwrap_or_default();
        let last = self.last.as_ref();
        let last = last.map(|last| format!("  last {}", last.verdict.replace('_', " "))).unwrap_or_default();
        format!("{}  {}  {}  {}{next}{last}", self.id, self.kind, self.state, self.told)
    }
}

/// Whether a word is one of the verbs, which go before.
fn is_verb(word: &str) -> bool {
    use clap::Subcommand as _;
    let word = word_of(word);
    word == "help" || Verb::augment_subcommands(clap::Command::new("")).find_subcommand(&word).is_some()
}

fn in_channels(channels: &[String]) -> String {
    if channels.is_empty() { String::new() } else { format!(" in {}", channels.join(" or ")) }
}

/// What a trigger waits for, in words.
fn told(kind: &TriggerKind) -> String {
    match kind {
        TriggerKind::Schedule(spec) => spec.told(),
        TriggerKind::Event { name } => format!("event `{name}`"),
        TriggerKind::Webhook(spec) => format!("{} to its address", spec.methods.join(" or ")),
        TriggerKind::File(spec) => {
            let types = if spec.types.is_empty() { "a file".to_owned() } else { spec.types.join(" or ") };
            let folder = spec.folder.as_ref().map(|folder| format!(" in `inbox/{folder}`")).unwrap_or_default();
            let mode = match spec.mode {
                FileMode::Auto => "",
                FileMode::Ask => ", asks",
                FileMode::Off => ", leaves it alone",
            };
            format!("{types}{folder}{}{mode}", in_channels(&spec.channels))
        }
        TriggerKind::Command { command, .. } if is_verb(command) => {
            format!("the word `{command}`, which never reaches it: it is a verb of the chat")
        }
        TriggerKind::Command { command, channels, .. } => format!("the word `{command}`{}", in_channels(channels)),
        TriggerKind::Workflow { of, states } => format!("`{of}` {}", states.join(" or ")),
        TriggerKind::Reaction { emoji, channels } => format!("the reaction `{emoji}`{}", in_channels(channels)),
        TriggerKind::Manual => "somebody's hand".to_owned(),
    }
}
