//! What starts runs by itself: triggers as a workflow declares them, what happened outside, and what came of it.
//!
//! An *occurrence* is something that happened; a *firing* is what one trigger made of it, kept under a key, so that the
//! same thing twice is one run; its *verdict* says what came of it, and why.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schedule::{At, Cron, CronError, Every, Gap, Overlap, Rules, Timing, Zone};
use super::time::{Span, Timestamp};

/// A run that was started by a run that was started by a run … : so deep and no deeper.
pub const DEEPEST: u32 = 5;

/// A trigger as a workflow declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerSpec {
    /// Its name within the workflow.
    pub id: String,
    /// What it waits for.
    pub kind: TriggerKind,
    /// The bare expression that must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The run's inputs, with expressions; what happened itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Value>,
    /// What makes two occurrences the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe: Option<Dedupe>,
    /// Waits until nothing more has come for so long; only the last one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debounce: Option<Span>,
    /// After a start, nothing for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Span>,
    /// So many starts in so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Rate>,
    /// Whether it is on.
    pub enabled: bool,
    /// In whose name its runs are started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as: Option<String>,
}

/// What makes two occurrences the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dedupe {
    /// A template scalar over what happened.
    pub key: String,
    /// For how long it is remembered.
    pub window: Span,
}

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how long.
    pub per: Span,
}

/// What a trigger waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TriggerKind {
    /// The time.
    Schedule(ScheduleSpec),
    /// An event with this name.
    Event {
        /// The name, or its beginning and `*`.
        name: String,
    },
    /// A request to an address of its own.
    Webhook(WebhookSpec),
    /// A file.
    File(FileSpec),
    /// A word of the chat.
    Command {
        /// The word.
        command: String,
        /// Further words.
        aliases: Vec<String>,
        /// Channels in which it may be said; any when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        channels: Vec<String>,
    },
    /// The end of a run of another workflow.
    Workflow {
        /// Which, by the name under which it is started.
        of: String,
        /// How it ended.
        states: Vec<String>,
    },
    /// A reaction to a message.
    Reaction {
        /// Which.
        emoji: String,
        /// Channels in which it may be made; any when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        channels: Vec<String>,
    },
    /// Somebody's hand.
    Manual,
}

impl TriggerKind {
    /// The word that stands for it in a file.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Schedule(_) => "schedule",
            Self::Event { .. } => "event",
            Self::Webhook(_) => "webhook",
            Self::File(_) => "file",
            Self::Command { .. } => "command",
            Self::Workflow { .. } => "workflow",
            Self::Reaction { .. } => "reaction",
            Self::Manual => "manual",
        }
    }
}

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// At the times of an expression.
    Cron(String),
    /// Again and again after so long, counted from an instant.
    Every(Span, Timestamp),
    /// At single instants.
    At(Vec<Timestamp>),
}

/// What becomes of instants that went by while nobody was there to start a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MisfirePolicy {
    /// The newest is made up for.
    #[default]
    One,
    /// All are made up for.
    All,
    /// None is.
    Skip,
}

/// What a schedule does while a run that it started is still under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOverlap {
    /// Starts none.
    #[default]
    Skip,
    /// Starts one when the other has ended; a further one takes its place.
    Queue,
    /// Starts another one beside it.
    Allow,
    /// Cancels it and starts another one.
    Cancel,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleSpec {
    /// When.
    pub rhythm: Rhythm,
    /// Whose clocks.
    pub zone: String,
    /// A fixed hour that is left out does not happen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skips_gaps: bool,
    /// Which of two passes of an hour counts: `first`, `last`, `both`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<String>,
    /// Days on which nothing happens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<NaiveDate>,
    /// What becomes of instants that went by.
    pub misfire: MisfirePolicy,
    /// How far back they are made up for.
    pub window: Span,
    /// How many are made up for at the most.
    pub most: u32,
    /// What happens while a run is under way.
    pub overlap: OnOverlap,
    /// Starts are spread over so long.
    pub jitter: Span,
    /// An instant without a start after so long is told as an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_after: Option<Span>,
}

impl ScheduleSpec {
    /// A schedule of this rhythm with everything else as usual.
    #[must_use]
    pub fn usual(rhythm: Rhythm, zone: &str) -> Self {
        Self {
            rhythm,
            zone: zone.to_owned(),
            skips_gaps: false,
            pass: None,
            exclude: Vec::new(),
            misfire: MisfirePolicy::One,
            window: Span::from_secs(86_400),
            most: 100,
            overlap: OnOverlap::Skip,
            jitter: Span::ZERO,
            alert_after: None,
        }
    }

    /// Its times.
    ///
    /// # Errors
    /// Its expression or its zone is unknown to this version.
    pub fn timing(&self) -> Result<Timing, CronError> {
        let zone =
            Zone::named(&self.zone).ok_or_else(|| CronError::Wrong(format!("there is no zone `{}`", self.zone)))?;
        Ok(match &self.rhythm {
            Rhythm::Cron(text) => {
                let overlap = match self.pass.as_deref() {
                    Some("last") => Overlap::Last,
                    Some("both") => Overlap::Both,
                    _ => Overlap::First,
                };
                let gap = if self.skips_gaps { Gap::Skip } else { Gap::RunAfter };
                let rules = Rules { gap, overlap, exclude: self.exclude.clone() };
                Timing::Cron { cron: Box::new(Cron::read(text)?), zone, rules }
            }
            Rhythm::Every(span, from) => Timing::Every(Every { span: *span, from: *from }, zone),
            Rhythm::At(instants) => Timing::At(At { instants: instants.clone() }, zone),
        })
    }

    /// Its rhythm in words.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.rhythm {
            Rhythm::Cron(text) => format!("`{text}` {}", self.zone),
            Rhythm::Every(span, _) => format!("every {span}"),
            Rhythm::At(instants) => {
                let instants: Vec<_> = instants.iter().map(ToString::to_string).collect();
                format!("at {}", instants.join(", "))
            }
        }
    }
}

/// How a request to a trigger's address is known to be genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// By its address alone.
    #[default]
    Token,
    /// `X-Hub-Signature-256: sha256=…` over the body.
    Github,
    /// `Stripe-Signature: t=…,v1=…` over time and body.
    Stripe,
    /// `X-Signature: …` over `X-Timestamp`, a dot, and the body.
    Hmac,
}

/// A request to an address of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSpec {
    /// How it is known to be genuine.
    pub auth: Scheme,
    /// How old a signed time may be.
    pub tolerance: Span,
    /// Methods that are taken.
    pub methods: Vec<String>,
    /// The JSON pointer of what makes two requests the same one, where no header does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How long the answer waits for the end of the run; at once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Span>,
}

/// What a file trigger does with a file that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileMode {
    /// Starts a run.
    #[default]
    Auto,
    /// Offers one.
    Ask,
    /// Nothing.
    Off,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileSpec {
    /// Channels in which it may come; any when empty.
    pub channels: Vec<String>,
    /// Endings of names, or media types; any when empty.
    pub types: Vec<String>,
    /// A part of its name, small and large letters alike; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Bytes at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    /// Words of what was said with it, one of which must be there.
    pub text_any: Vec<String>,
    /// A folder of the storage path's `inbox` that is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// What happens.
    pub mode: FileMode,
}

/// What came of an occurrence at a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A run was started.
    Started,
    /// Somebody is asked whether one shall be.
    Asked,
    /// More came than starts by itself: somebody is asked once for all of them.
    Flooded,
    /// Somebody was asked, and said no.
    Declined,
    /// It fits, and its trigger says that nothing happens.
    LeftAlone,
    /// It waits until nothing more has come.
    Held,
    /// A condition does not hold.
    Filtered,
    /// The run before is still under way.
    SkippedOverlap,
    /// It went by, and is not made up for.
    SkippedCatchup,
    /// It went by too long ago.
    Missed,
    /// Another one came before it was quiet.
    Debounced,
    /// Too soon after a start.
    Cooldown,
    /// Too many in too short a time.
    Throttled,
    /// The trigger is paused.
    Paused,
    /// Runs start runs that start runs.
    Loop,
    /// The workflow cannot be started so.
    Refused,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Asked => "asked",
            Self::Flooded => "flooded",
            Self::Declined => "declined",
            Self::LeftAlone => "left_alone",
            Self::Held => "held",
            Self::Filtered => "filtered",
            Self::SkippedOverlap => "skipped_overlap",
            Self::SkippedCatchup => "skipped_catchup",
            Self::Missed => "missed",
            Self::Debounced => "debounced",
            Self::Cooldown => "cooldown",
            Self::Throttled => "throttled",
            Self::Paused => "paused",
            Self::Loop => "loop",
            Self::Refused => "refused",
        }
    }
}
