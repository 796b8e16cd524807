//! Something happened: every trigger that waits for it makes a firing of it, once.

use serde_json::{Value, json};

use crate::domain::schedule::Zone;
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::{DEEPEST, FileMode, Rate, TriggerKind, Verdict};
use crate::language::Happening;
use crate::service::Caller;
use crate::service::error::ServiceError;
use crate::service::origin::Origin;
use crate::service::runs::Service;
use crate::store::StoreError;
use crate::store::firings::{NewFiring, Then};
use crate::store::triggers::StoredTrigger;

use super::fits::{matches, misfit};
use super::start::{Outcome, Wanted};
use super::view::{FiringView, name_of, state_of};

/// How often an occurrence that is to wait is tried to be kept.
const TRIES: usize = 5;
/// The longest key of an occurrence, in bytes.
const LONGEST_KEY: usize = 400;
/// So many files that people bring start by themselves; for more, somebody is asked. A trigger's own `limit` goes before.
const FILES: Rate = Rate { count: 10, per: Span::from_secs(60) };

/// Something that happened.
#[derive(Debug, Clone, Default)]
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
    /// What makes it the same as another one that came under another key, and for how long: the content of a file.
    pub same: Option<(String, Option<Span>)>,
    /// Who did it, in a conversation: their rights count where the trigger lends no others.
    pub who: Option<Caller>,
    /// How many came at once.
    pub together: usize,
    /// Somebody wants the run, having been asked: neither mode nor conditions nor limits count.
    pub is_wanted: bool,
}

/// What came of an occurrence at one trigger.
#[derive(Debug, Clone)]
pub struct Came {
    /// What came of it.
    pub firing: FiringView,
    /// Whether it was new; else what came of it the first time.
    pub is_new: bool,
    /// What it is kept under.
    pub key: String,
    /// Whether whoever did it may see the workflow.
    pub is_seen: bool,
}

impl Occurrence {
    /// An event with these data.
    #[must_use]
    pub fn event(name: &str, key: &str, data: Value) -> Self {
        let mut facts = json!({ "type": "event", "name": name });
        facts["data"] = data;
        Self { kind: "event", name: name.to_owned(), key: key.to_owned(), facts, ..Self::default() }
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
            let Some((firing, is_new)) = self.take(trigger, occurrence).await?.firing() else { continue };
            let is_seen = match &occurrence.who {
                Some(caller) => self.seen_by(caller).sees_workflow(trigger.workflow_id).await?,
                None => true,
            };
            let view = FiringView::new(&firing, &name_of(trigger));
            came.push(Came { firing: view, is_new, key: firing.key, is_seen });
        }
        Ok(came)
    }

    async fn take(&self, trigger: &StoredTrigger, occurrence: &Occurrence) -> Result<Outcome, ServiceError> {
        let now = self.engine().clock().now();
        let happening = Happening::new(occurrence.facts.clone());
        let before = |window: Option<Span>| window.map(|window| Timestamp::from_micros(now.micros() - window.micros()));
        let own = (own_key(trigger, &occurrence.key), before(occurrence.window));
        let same = same_key(trigger, occurrence, &happening).map(|(key, window)| (key, before(window)));
        for (key, forget) in std::iter::once(&own).chain(&same) {
            let known = self.engine().store().triggers().firing(key).await?;
            if known.is_some_and(|known| forget.is_none_or(|forget| known.at >= forget)) {
                return self.known_firing(key).await;
            }
        }
        let (key, forget) = same.unwrap_or_else(|| own.clone());
        let wanted = Wanted {
            key,
            own,
            facts: occurrence.facts.clone(),
            nominal: None,
            forget,
            depth: occurrence.depth,
            by: occurrence.who.as_ref().map(Origin::of),
            reason: told(occurrence),
            then: Then::Stays,
        };
        let why_not = self.why_not(trigger, occurrence, (&happening, now)).await?;
        if let Some((verdict, why)) = why_not {
            let is_question = matches!(verdict, Verdict::Asked | Verdict::Flooded);
            let refused = if is_question { self.may_not_start(trigger, occurrence, false).await? } else { None };
            return self.note(wanted.without(trigger, now, refused.unwrap_or((verdict, why)))).await;
        }
        if let Some(refused) = self.may_not_start(trigger, occurrence, true).await? {
            return self.note(wanted.without(trigger, now, refused)).await;
        }
        match trigger.spec.debounce.filter(|_| !occurrence.is_wanted) {
            Some(quiet) => self.debounce(trigger, &wanted, now.plus(quiet)).await,
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
        if occurrence.is_wanted {
            return Ok(None);
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
        if let TriggerKind::File(file) = &spec.kind
            && file.mode == FileMode::Off
        {
            return Ok(Some((Verdict::LeftAlone, "`mode: off`: files like this are left alone".to_owned())));
        }
        self.too_much(trigger, occurrence, now).await
    }

    /// Why it is too much, or somebody's to decide.
    async fn too_much(
        &self,
        trigger: &StoredTrigger,
        occurrence: &Occurrence,
        now: Timestamp,
    ) -> Result<Option<(Verdict, String)>, ServiceError> {
        let spec = &trigger.spec;
        let triggers = self.engine().store().triggers();
        if let Some(cooldown) = spec.cooldown {
            let since = Timestamp::from_micros(now.micros() - cooldown.micros());
            if let (_, Some(last)) = triggers.started_since(&trigger.key, since).await? {
                let why = format!("the last start was {} ago, and `cooldown` is {cooldown}", now.since(last));
                return Ok(Some((Verdict::Cooldown, why)));
            }
        }
        if let (TriggerKind::File(file), Some(who)) = (&spec.kind, &occurrence.who) {
            let rate = spec.limit.unwrap_or(FILES);
            let since = Timestamp::from_micros(now.micros() - rate.per.micros());
            let count =
                triggers.taken_since(&trigger.key, since).await?.max(occurrence.together.saturating_sub(1) as u64);
            if count >= u64::from(rate.count) || occurrence.together > rate.count as usize {
                let why =
                    format!("more than {} within {}: somebody is asked once for all of them", rate.count, rate.per);
                return Ok(Some((Verdict::Flooded, why)));
            }
            if file.mode == FileMode::Ask && !self.starts_always(trigger, who).await? {
                return Ok(Some((Verdict::Asked, "`mode: ask`: somebody decides".to_owned())));
            }
            return Ok(None);
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
        if let TriggerKind::File(file) = &spec.kind
            && file.mode == FileMode::Ask
        {
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
        wanted: &Wanted,
        due: Timestamp,
    ) -> Result<Outcome, ServiceError> {
        let store = self.engine().store();
        let now = self.engine().clock().now();
        let held = json!({
            "key": wanted.key, "own": wanted.own.0, "facts": wanted.facts, "depth": wanted.depth,
            "reason": wanted.reason, "by": wanted.by,
        });
        let mut trigger = trigger.clone();
        for _ in 0..TRIES {
            let overtaken = trigger.held.iter().map(|held| {
                let verdict = (Verdict::Debounced, "another one came before it was quiet".to_owned());
                read_held(held).without(&trigger, now, verdict)
            });
            let overtaken: Vec<NewFiring> = overtaken.filter(|firing| firing.key != wanted.own.0).collect();
            match store.triggers().hold(&trigger, Some((&held, due)), &overtaken).await {
                Ok(()) => {
                    self.wake().notify_one();
                    return Ok(Outcome::Held(Box::new(wanted.held(&trigger, now))));
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
        let by = wanted.by.clone();
        match self.fire(trigger, wanted).await? {
            Outcome::New(firing) => self.want_its_card(by.as_ref(), firing.run).await,
            Outcome::Known(_) => Ok(self.engine().store().triggers().let_go(trigger, &held).await?),
            _ => Ok(()),
        }
    }
}

fn read_held(held: &Value) -> Wanted {
    let text = |key: &str| held[key].as_str().unwrap_or_default().to_owned();
    let own = held["own"].as_str().map_or_else(|| text("key"), str::to_owned); // an earlier version kept one key alone
    Wanted {
        key: text("key"),
        own: (own, None),
        facts: held["facts"].clone(),
        nominal: None,
        forget: None,
        depth: held["depth"].as_u64().and_then(|depth| u32::try_from(depth).ok()).unwrap_or(0),
        by: serde_json::from_value(held["by"].clone()).ok(),
        reason: text("reason"),
        then: Then::Stays,
    }
}

pub(super) fn own_key(trigger: &StoredTrigger, key: &str) -> String {
    format!("{}|{}", cut(key), trigger.key)
}

/// What makes it the same as one that came under another key, and for how long.
fn same_key(trigger: &StoredTrigger, occurrence: &Occurrence, happening: &Happening) -> Option<(String, Option<Span>)> {
    if occurrence.is_wanted {
        return None;
    }
    let said = trigger.spec.dedupe.as_ref().and_then(|dedupe| Some((happening.text(&dedupe.key).ok()?, dedupe.window)));
    match said {
        Some((key, window)) => Some((format!("same:{}:{}", trigger.key, cut(&key)), Some(window))),
        None => occurrence.same.as_ref().map(|(key, window)| (own_key(trigger, key), *window)),
    }
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
