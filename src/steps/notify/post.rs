//! `slack`, `discord`, `notify`: tell people something in a conversation.
//!
//! ```yaml
//! - type: slack
//!   config: { channel: notifications }
//! - type: notify
//!   config: { channel: origin, text: "done: ${{ steps.load.outputs.loaded.rows }} rows" }
//! ```
//! The message is in the outbox, durably, before anybody sends it, under the key of this step: a repeat after a crash is
//! the same message. The step waits a moment for the receipt, and ends without it when the platform is slow: the message
//! goes out by itself.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::address::{Destination, Place, Settings, called};
use super::simulated;
use crate::contract::crash::crash_point;
use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::message::{Letter, LetterState, Message, Receipt};
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
use crate::store::{Store, StoreError};

/// How long a step waits for the receipt of its message before it ends without.
const PATIENCE: Duration = Duration::from_secs(20);
/// The word of the language that stands for "as it comes".
const DYNAMIC: &str = "dynamic";

/// What is told to whom.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The channel: its name, `#name`, its id, or an alias of WORKFLOW_CHANNELS.
    channel: String,
    /// What to say; without it what `prepare` made.
    text: Option<String>,
    /// The message under which to say it: `card` for that of the run, or the `message` of an earlier step.
    thread: Option<String>,
    /// People whom it is for, one or several.
    #[serde(default)]
    mention: People,
}

/// The same where the platform is a part of the address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NotifyConfig {
    /// Where: `slack`, `discord` or `web` for its usual channel, `slack:#ops`, `origin` for where the run began, or the
    /// name of a channel.
    #[serde(default = "origin")]
    channel: String,
    /// What to say; without it what `prepare` made.
    text: Option<String>,
    /// The message under which to say it: `card` for that of the run, or the `message` of an earlier step.
    thread: Option<String>,
    /// People whom it is for, one or several.
    #[serde(default)]
    mention: People,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a name, or a list of names")]
enum People {
    One(String),
    Several(Vec<String>),
}

impl Default for People {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

fn origin() -> String {
    "origin".to_owned()
}

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `slack`.
    Slack,
    /// `discord`.
    Discord,
    /// `notify`.
    Notify,
}

/// A step that tells people something.
pub struct Post {
    kind: Kind,
    store: Store,
    settings: Arc<Settings>,
}

impl Post {
    /// A step of this kind that writes into the outbox of this store.
    #[must_use]
    pub const fn new(kind: Kind, store: Store, settings: Arc<Settings>) -> Self {
        Self { kind, store, settings }
    }

    /// Where the message goes, and what it says.
    fn read(&self, attempt: &Attempt) -> Result<(Place, Message), Fault> {
        let NotifyConfig { channel, text, thread, mention } = match self.kind {
            Kind::Notify => attempt.config()?,
            Kind::Slack | Kind::Discord => {
                let Config { channel, text, thread, mention } = attempt.config()?;
                NotifyConfig { channel, text, thread, mention }
            }
        };
        let at = |fault: Fault| fault.at(format!("{}.config.channel", attempt.step));
        if channel.trim().trim_start_matches('#').is_empty() {
            return Err(at(Fault::permanent(code::WF2150, "`channel` is empty")));
        }
        let mut place = match self.kind {
            Kind::Slack => Place::Channel(self.settings.on("slack", &channel)),
            Kind::Discord => Place::Channel(self.settings.on("discord", &channel)),
            Kind::Notify => self.settings.meant(&channel, attempt).map_err(at)?,
        };
        if let (Place::Channel(to), Some(thread)) = (&mut place, thread) {
            thread.trim().clone_into(&mut to.thread);
        }
        let mut message = match text.filter(|text| text.trim() != DYNAMIC) {
            Some(text) => Message { text, ..Message::default() },
            None => of_port(attempt.port("message")).map_err(|fault| fault.at(&attempt.step))?,
        };
        if message.is_empty() {
            return Err(Fault::permanent(code::WF2154, "there is no `message`, and no `text`").at(&attempt.step));
        }
        match mention {
            People::One(name) => message.mentions.push(name),
            People::Several(names) => message.mentions.extend(names),
        }
        Ok((place, message))
    }

    async fn tell(&self, attempt: &Attempt) -> StepResult {
        let (place, message) = self.read(attempt)?;
        match place {
            Place::Nobody => {
                let why = "the execution did not begin in a conversation";
                self.pretend(attempt, None, &message, why).await
            }
            Place::Channel(to) if !self.settings.is_connected(&to.platform) => {
                let why = format!("{} is not connected", called(&to.platform));
                self.pretend(attempt, Some(&to), &message, &why).await
            }
            Place::Channel(to) => {
                let Attempt { step_key, run, step, now, .. } = attempt;
                let address = (to.platform.as_str(), to.channel.as_str(), to.thread.as_str());
                let letter = Letter::new(step_key, address, message, (*run, step), *now);
                self.store.outbox().put(&letter).await.map_err(|error| not_kept(&error))?;
                crash_point("letter: kept");
                self.follow(attempt, &to).await
            }
        }
    }

    /// Waits for what becomes of the letter, for a while.
    async fn follow(&self, attempt: &Attempt, to: &Destination) -> StepResult {
        let outbox = self.store.outbox();
        let mut changes = outbox.changes();
        // A fault of ours says more than the time-out of the engine.
        let own = attempt.timeout.duration().mul_f64(0.9);
        let until = Instant::now() + if self.settings.require_delivery { own } else { own.min(PATIENCE) };
        loop {
            changes.mark_unchanged();
            let letter = outbox.find(&attempt.step_key).await.map_err(|error| not_kept(&error))?;
            let Some(letter) = letter else {
                return Err(Fault::permanent(code::WF2151, "the message was dropped from the outbox").at(&attempt.step));
            };
            match (letter.state, &letter.receipt) {
                (LetterState::Sent, Some(receipt)) => return delivered(to, receipt).into(),
                (LetterState::Dead, _) => {
                    let fault = letter.fault.unwrap_or_else(|| Fault::permanent(code::WF2151, "it was given up"));
                    return Err(fault.at(&attempt.step));
                }
                _ => {}
            }
            if !outbox.is_carried(&to.platform) {
                return self.on_its_way(to, "it goes out when `workflow serve` runs, connected");
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = attempt.cancel.cancelled() => {
                    let message = "the step was stopped; its message stays in the outbox";
                    return Err(Fault::transient(code::WF4007, message).at(&attempt.step));
                }
                () = tokio::time::sleep_until(until) => {
                    let why = letter.fault.map(|fault| format!(" ({})", fault.message)).unwrap_or_default();
                    return self.on_its_way(to, &format!("it is tried again until it is there{why}"));
                }
            }
        }
    }

    /// The letter waits; whether that is good enough is for the operator to say.
    fn on_its_way(&self, to: &Destination, what: &str) -> StepResult {
        let message = format!("the message for `{}` on {} waits in the outbox", to.channel, called(&to.platform));
        if self.settings.require_delivery {
            return Err(Fault::transient(code::WF2152, format!("{message}: {what}")));
        }
        told(to, "queued", &json!({ "channel": to.channel })).warn(format!("{message}: {what}")).into()
    }

    /// Nothing can carry the message: it becomes a file.
    async fn pretend(&self, attempt: &Attempt, to: Option<&Destination>, message: &Message, why: &str) -> StepResult {
        if self.settings.require_delivery {
            return Err(Fault::permanent(code::WF2153, why.to_owned()).at(&attempt.step));
        }
        let path = simulated::write(&self.settings.outbox, attempt, to, message).await?;
        let nobody = Destination { platform: "nobody".to_owned(), channel: String::new(), thread: String::new() };
        let to = to.unwrap_or(&nobody);
        let name = path.file_name().map(|name| format!("outbox/{}", name.to_string_lossy()));
        let done = told(to, "simulated", &json!({ "channel": to.channel, "file": name }));
        done.warn(format!("nothing was really sent: {why}")).into()
    }
}

impl StepHandler for Post {
    fn declare(&self) -> StepType {
        let (name, summary, config) = match self.kind {
            Kind::Slack => ("slack", "posts a message to a channel of Slack", schema_for!(Config)),
            Kind::Discord => ("discord", "posts a message to a channel of Discord", schema_for!(Config)),
            Kind::Notify => {
                ("notify", "tells people something, by default where the run began", schema_for!(NotifyConfig))
            }
        };
        StepType {
            name,
            summary,
            config: config.to_value(),
            consumes: vec![Port::takes("message", PortType::Message)],
            produces: vec![Port::gives("delivery", PortType::Receipt)],
            outputs: &["delivery", "channel", "message", "link", "status", "simulated", "file"],
            // A post that was taken while the connection broke may come twice on a platform that cannot tell.
            effect: EffectClass::AtLeastOnce,
            cacheable: false,
            undo: Undo::Never,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(self.tell(attempt))
    }
}

/// What the port holds, as a message.
fn of_port(value: Option<&Value>) -> Result<Message, Fault> {
    match value {
        None => Ok(Message::default()),
        Some(Value::String(text)) => Ok(Message { text: text.clone(), ..Message::default() }),
        Some(value) => serde_json::from_value(value.clone()).map_err(|error| {
            Fault::permanent(code::WF2154, format!("the value on port `message` is no message: {error}"))
        }),
    }
}

fn delivered(to: &Destination, receipt: &Receipt) -> Done {
    let Receipt { channel, message, link } = receipt;
    told(to, "sent", &json!({ "channel": channel, "message": message, "link": link }))
}

/// The outputs: each by itself, and together as `delivery`.
fn told(to: &Destination, status: &str, what: &Value) -> Done {
    let mut outputs = json!({
        "platform": to.platform, "channel": null, "message": null, "link": null, "status": status,
        "simulated": status == "simulated",
    });
    for (key, value) in what.as_object().into_iter().flatten() {
        outputs[key] = value.clone();
    }
    let delivery = outputs.clone();
    if let Some(outputs) = outputs.as_object_mut() {
        outputs.remove("platform");
        outputs.insert("delivery".to_owned(), delivery);
    }
    Done::with(outputs)
}

fn not_kept(error: &StoreError) -> Fault {
    Fault::transient(code::WF2156, "the outbox could not be written or read").context(error)
}
