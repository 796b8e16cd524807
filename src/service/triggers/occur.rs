//! Something happened: every trigger that waits for it makes a firing of it, once.

use serde_json::{Value, json};

use crate::domain::schedule::Zone;
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::{DEEPEST, FileMode, FileSpec, TriggerKind, Verdict};
use crate::language::Happening;
use crate::service::error::ServiceError;
use crate::service::runs::Service;
use crate::store::StoreError;
use crate::store::firings::{NewFiring, Then};
use crate::store::triggers::StoredTrigger;

use super::start::{Outcome, Wanted};
use super::view::{FiringView, name_of, state_of};

/// How often an occurrence that is to wait is tried to be kept.
const TRIES: usize = 5;
/// The longest key of an occurrence, in bytes.
const LONGEST_KEY: usize = 400;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Occurrence {
    /// `event`, `webhook`, `file`, `workflow`, `command`, `reaction`, `manual`.
    pub kind: &'static str,
    /// The name of an event, the word of a command, the workflow that ended.
    pub name: String,
    /// What makes two occurrences the same.
    pub key: String,
    /// What expressions read as `trigger`.
    pub facts: Value,
    /// How many executions stand behind it.
    pub depth: u32,
    /// The only trigger that it is for.
    pub only: Option<String>,
    /// For how long the key is remembered; as long as anything is when absent.
    pub window: Option<Span>,
}

/// What came of an occurrence at one trigger.
#[derive(Debug, Clone)]
pub struct Came {
    /// What came of it.
    pub firing: FiringView,
    /// Whether it was new; else what came of it the first time.
    pub is_new: bool,
}

impl Occurrence {
    /// An event with these data.
    #[must_use]
    pub fn event(name: &str, key: &str, data: Value) -> Self {
        let mut facts = json!({ "type": "event", "name": name });
        facts["data"] = data;
        Self { kind: "event", name: name.to_owned(), key: key.to_owned(), facts, depth: 0, only: None, window: None }
    }
}

impl Service {
    /// Something happened. What comes of it at each trigger is durable when this returns.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now; then the same may be said again.
    pub async fn occur(&self, occurrence: &Occurrence) -> Result<Vec<Came>, ServiceError> {
        let store = self.engine().store();
        let triggers = match &occurrence.only {
            Some(key) => store.triggers().find(key).await?.into_iter().collect(),
            None => store.triggers().of_kind(occurrence.kind).await?,
        };
        let mut came = Vec::new();
        for trigger in triggers.iter().filter(|trigger| trigger.removed_at.is_none() && matches(trigger, occurrence)) {
            if let Some((firing, is_new)) = self.take(trigger, occurrence).await?.firing() {
                came.push(Came { firing: FiringView::new(&firing, &name_of(trigger)), is_new });
            }
        }
        Ok(came)
    }

    async fn take(&self, trigger: &StoredTrigger, occurrence: &Occurrence) -> Result<Outcome, ServiceError> {
        let now = self.engine().clock().now();
        let happening = Happening::new(occurrence.facts.clone());
        let (key, window) = match &trigger.spec.dedupe {
            Some(dedupe) => match happening.text(&dedupe.key) {
                Ok(key) => (format!("same:{}:{}", trigger.key, cut(&key)), Some(dedupe.window)),
                Err(_) => (own_key(trigger, occurrence), occurrence.window),
            },
            None => (own_key(trigger, occurrence), occurrence.window),
        };
        let forget = window.map(|window| Timestamp::from_micros(now.micros() - window.micros()));
        let known = self.engine().store().triggers().firing(&key).await?;
        if known.is_some_and(|known| forget.is_none_or(|forget| known.at >= forget)) {
            return self.known_firing(&key).await;
        }
        let wanted = Wanted {
            key,
            facts: occurrence.facts.clone(),
            nominal: None,
            forget,
            depth: occurrence.depth,
            reason: told(occurrence),
            then: Then::Stays,
        };
        if let Some(verdict) = self.why_not(trigger, occurrence, (&happening, now)).await? {
            return self.note(wanted.without(trigger, now, verdict)).await;
        }
        match trigger.spec.debounce {
            Some(quiet) => self.debounce(trigger, (occurrence, &wanted), now.plus(quiet)).await,
            None => self.fire(trigger, wanted).await,
        }
    }

    /// The first reason why an occurrence starts nothing.
    async fn why_not(
        &self,
        trigger: &StoredTrigger,
        occurrence: &Occurrence,
        (happening, now): (&Happening, Timestamp),
    ) -> Result<Option<(Verdict, String)>, ServiceError> {
        let spec = &trigger.spec;
        match state_of(trigger, now) {
            "paused" => {
                let until =
                    trigger.paused_until.map(|until| Zone::UTC.spoken(until.micros() / 1_000_000)).unwrap_or_default();
                return Ok(Some((Verdict::Paused, format!("the trigger is paused until {until}"))));
            }
            "off" => return Ok(Some((Verdict::Paused, "the trigger is off".to_owned()))),
            _ => {}
        }
        if let TriggerKind::File(file) = &spec.kind
            && let Some(why) = misfit(file, &occurrence.facts)
        {
            return Ok(Some((Verdict::Filtered, why)));
        }
        if let Some(when) = &spec.when {
            match happening.first_false(when) {
                Ok(None) => {}
                Ok(Some(part)) => return Ok(Some((Verdict::Filtered, format!("`{part}` does not hold")))),
                Err(fault) => {
                    return Ok(Some((Verdict::Filtered, format!("`when` cannot be evaluated: {}", fault.message))));
                }
            }
        }
        if occurrence.depth > DEEPEST {
            let why = format!("{DEEPEST} executions started each other one after the other; further ones are not");
            return Ok(Some((Verdict::Loop, why)));
        }
        let triggers = self.engine().store().triggers();
        if let Some(cooldown) = spec.cooldown {
            let since = Timestamp::from_micros(now.micros() - cooldown.micros());
            if let (_, Some(last)) = triggers.started_since(&trigger.key, since).await? {
                let why = format!("the last start was {} ago, and `cooldown` is {cooldown}", now.since(last));
                return Ok(Some((Verdict::Cooldown, why)));
            }
        }
        if let Some(rate) = spec.limit {
            let since = Timestamp::from_micros(now.micros() - rate.per.micros());
            let (count, _) = triggers.started_since(&trigger.key, since).await?;
            if count >= u64::from(rate.count) {
                let why = format!("{count} starts within {}, and `limit` is {}", rate.per, rate.count);
                self.tell_of_flood(trigger, (count, now, rate.per)).await?;
                return Ok(Some((Verdict::Throttled, why)));
            }
        }
        if let TriggerKind::File(FileSpec { mode: FileMode::Ask, .. }) = &spec.kind {
            return Ok(Some((Verdict::Asked, "`mode: ask`: somebody decides".to_owned())));
        }
        Ok(None)
    }

    /// One event for all that is dropped within a window, so that somebody can be asked once.
    async fn tell_of_flood(
        &self,
        trigger: &StoredTrigger,
        (count, now, per): (u64, Timestamp, Span),
    ) -> Result<(), ServiceError> {
        let window = now.micros() / per.micros().max(1);
        let name = name_of(trigger);
        let data = json!({ "trigger": name, "workflow": trigger.slug, "started": count, "since": now.to_string() });
        tracing::warn!(trigger = %name, count, "more comes than its limit allows; the rest is kept as throttled");
        let occurrence = Occurrence::event("trigger.throttled", &format!("flood:{}:{window}", trigger.key), data);
        Box::pin(self.occur(&occurrence)).await.map(drop)
    }

    /// Keeps an occurrence until it has been quiet; the one that waited before is told to have been overtaken.
    async fn debounce(
        &self,
        trigger: &StoredTrigger,
        (occurrence, wanted): (&Occurrence, &Wanted),
        due: Timestamp,
    ) -> Result<Outcome, ServiceError> {
        let store = self.engine().store();
        let now = self.engine().clock().now();
        let held =
            json!({ "key": wanted.key, "facts": wanted.facts, "depth": occurrence.depth, "reason": wanted.reason });
        let mut trigger = trigger.clone();
        for _ in 0..TRIES {
            let overtaken = trigger.held.iter().map(|held| {
                let verdict = (Verdict::Debounced, "another one came before it was quiet".to_owned());
                read_held(held).without(&trigger, now, verdict)
            });
            let overtaken: Vec<NewFiring> = overtaken.filter(|firing| firing.key != wanted.key).collect();
            match store.triggers().hold(&trigger, Some((&held, due)), &overtaken).await {
                Ok(()) => {
                    self.wake().notify_one();
                    return Ok(Outcome::Stale);
                }
                // What waited was dealt with, or another one came, at this moment.
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
            let Some(fresh) = store.triggers().find(&trigger.key).await? else { return Ok(Outcome::Stale) };
            trigger = fresh;
        }
        Err(ServiceError::Internal(format!("`{}` is changed all the time", trigger.key)))
    }

    /// An occurrence that was kept, and after which it has been quiet.
    pub(super) async fn release(&self, trigger: &StoredTrigger, held: Value) -> Result<(), ServiceError> {
        let wanted = Wanted { then: Then::LetsGo(trigger.rev, held.clone()), ..read_held(&held) };
        match self.fire(trigger, wanted).await? {
            Outcome::Known(_) => Ok(self.engine().store().triggers().let_go(trigger, &held).await?),
            _ => Ok(()),
        }
    }
}

fn read_held(held: &Value) -> Wanted {
    let text = |key: &str| held[key].as_str().unwrap_or_default().to_owned();
    Wanted {
        key: text("key"),
        facts: held["facts"].clone(),
        nominal: None,
        forget: None,
        depth: held["depth"].as_u64().and_then(|depth| u32::try_from(depth).ok()).unwrap_or(0),
        reason: text("reason"),
        then: Then::Stays,
    }
}

fn own_key(trigger: &StoredTrigger, occurrence: &Occurrence) -> String {
    format!("{}|{}", cut(&occurrence.key), trigger.key)
}

/// A key from outside, as long as a key may be; of a longer one its hash.
fn cut(key: &str) -> String {
    use sha2::{Digest as _, Sha256};
    if key.len() <= LONGEST_KEY { key.to_owned() } else { crate::domain::hex::of(&Sha256::digest(key)) }
}

fn told(occurrence: &Occurrence) -> String {
    match occurrence.kind {
        "event" => format!("event `{}`", occurrence.name),
        "workflow" => format!("`{}` ended", occurrence.name),
        "file" => format!("file `{}`", occurrence.name),
        "webhook" => "a request to its address".to_owned(),
        "manual" => format!("by hand of {}", occurrence.name),
        kind => format!("{kind} `{}`", occurrence.name),
    }
}

/// Whether a trigger waits for things like this.
fn matches(trigger: &StoredTrigger, occurrence: &Occurrence) -> bool {
    if occurrence.only.is_some() {
        return true;
    }
    let name = occurrence.name.as_str();
    match &trigger.spec.kind {
        TriggerKind::Event { name: wanted } => match wanted.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == wanted,
        },
        TriggerKind::Workflow { of, states } => {
            of == name
                && occurrence.facts["run"]["status"].as_str().is_some_and(|status| states.iter().any(|s| s == status))
        }
        TriggerKind::Command { command, aliases } => command == name || aliases.iter().any(|alias| alias == name),
        TriggerKind::Reaction { emoji } => emoji.trim_matches(':') == name.trim_matches(':'),
        TriggerKind::File(file) => file.mode != FileMode::Off,
        TriggerKind::Schedule(_) | TriggerKind::Webhook(_) | TriggerKind::Manual => false,
    }
}

/// Why a file does not fit.
fn misfit(file: &FileSpec, facts: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let (name, kind) = (text(&facts["file"]["name"]), text(&facts["file"]["type"]));
    let (channel, folder, said) = (text(&facts["channel"]), text(&facts["folder"]), text(&facts["text"]));
    let ending = name.rsplit('.').next().unwrap_or_default();
    let fits_type = |wanted: &String| wanted == ending || *wanted == kind || kind.ends_with(&format!("/{wanted}"));
    if !file.types.is_empty() && !file.types.iter().any(fits_type) {
        return Some(format!("`{name}` ({kind}) is none of {}", file.types.join(", ")));
    }
    match &file.folder {
        Some(wanted) if wanted.to_lowercase() != folder => {
            return Some(format!("it did not come into `inbox/{wanted}`"));
        }
        None if !folder.is_empty() => return Some("it came into a watched folder of another trigger".to_owned()),
        _ => {}
    }
    let plain = |channel: &str| channel.trim_start_matches('#').to_lowercase();
    if !file.channels.is_empty() && !file.channels.iter().any(|wanted| plain(wanted) == plain(&channel)) {
        return Some(format!("it came in `{channel}`, not in {}", file.channels.join(", ")));
    }
    if let Some(part) = file.name.as_ref().filter(|part| !name.contains(&part.to_lowercase())) {
        return Some(format!("`{name}` does not hold `{part}`"));
    }
    let size = facts["file"]["size"].as_u64().unwrap_or(0);
    if let Some(most) = file.max_size.filter(|most| size > *most) {
        return Some(format!("it has {size} bytes, and at most {most} are taken"));
    }
    if !file.text_any.is_empty() && !file.text_any.iter().any(|word| said.contains(&word.to_lowercase())) {
        return Some(format!("nothing that was said with it holds {}", file.text_any.join(" or ")));
    }
    None
}
