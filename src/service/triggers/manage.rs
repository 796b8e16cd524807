//! Triggers in people's hands: on, off, paused until, fired, made up for, made and taken away.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::role::Action;
use crate::domain::schedule::Zone;
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::{ScheduleSpec, TriggerKind, TriggerSpec};
use crate::language::{self, Source, schedule};
use crate::service::Caller;
use crate::service::error::ServiceError;
use crate::service::library::Ready;
use crate::service::people::Target;
use crate::service::runs::Service;
use crate::store::firings::{Firing, Then};
use crate::store::triggers::{Armed, StoredTrigger};

use super::arm::next_of;
use super::occur::{Came, Occurrence};
use super::preview::Preview;
use super::start::Wanted;
use super::view::{FiringView, TriggerView, name_of};

/// Instants of one backfill at the most.
const MOST: usize = 1_000;
/// How long what came of an occurrence is kept.
const KEPT: Span = Span::from_secs(90 * 86_400);
/// How long an old secret counts beside a new one.
const ROTATION: Span = Span::from_secs(24 * 3_600);

/// A schedule that somebody makes by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrigger {
    /// The workflow.
    pub workflow: String,
    /// A cron expression or plain words.
    pub schedule: String,
    /// Its name; made of nothing else when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Whose clocks.
    #[serde(default)]
    pub tz: Option<String>,
    /// The inputs of its runs.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub inputs: Option<Value>,
}

/// Instants to be made up for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Backfill {
    /// The instants.
    pub instants: Vec<String>,
    /// What came of each; empty where it was only asked.
    pub came: Vec<FiringView>,
}

fn refused(message: impl Into<String>, fix: impl Into<String>) -> ServiceError {
    ServiceError::Inputs(vec![Fault::permanent(code::WF1061, message.into()).fix(fix)])
}

impl Service {
    /// Switches a trigger on or off, or pauses it until a time.
    ///
    /// # Errors
    /// They may not, no such trigger, `until` is no time, or the store fails.
    pub async fn switch_trigger(
        &self,
        caller: &Caller,
        name: &str,
        (on, until): (bool, Option<&str>),
    ) -> Result<TriggerView, ServiceError> {
        let mut trigger = self.trigger_for(caller, Action::Schedule, (name, None)).await?;
        let now = self.engine().clock().now();
        trigger.paused_until = match until {
            Some(text) => {
                Some(schedule::instant(text, zone_of(&trigger)).map_err(|wrong| refused(wrong.message, wrong.fix))?)
            }
            None => None,
        };
        trigger.switched = Some(on || until.is_some());
        let next = next_of(&trigger.key, &trigger.spec, Some(&trigger), now);
        let store = self.engine().store();
        store.triggers().switch(&trigger.key, (trigger.switched, trigger.paused_until), next).await?;
        tracing::info!(trigger = %name_of(&trigger), by = %caller.name, on, until, "a trigger was switched");
        self.wake().notify_one();
        self.archive().trigger(&name_of(&trigger), now).await
    }

    /// A trigger, for somebody who may do this to its workflow.
    pub(super) async fn trigger_for(
        &self,
        caller: &Caller,
        action: Action,
        (name, kind): (&str, Option<&str>),
    ) -> Result<StoredTrigger, ServiceError> {
        let trigger = self.seen_by(caller).trigger_row(name, kind).await?;
        match self.engine().store().workflows().find(trigger.workflow_id).await? {
            Some(workflow) => self.permit(caller, action, Target::Saved(&workflow)).await?,
            None => self.permit(caller, action, Target::Thing(name)).await?,
        }
        Ok(trigger)
    }

    /// Makes a schedule by hand, beside those of the workflow's file.
    ///
    /// # Errors
    /// They may not, no such workflow, the schedule cannot be read, or its name is taken by the file.
    pub async fn add_trigger(&self, caller: &Caller, new: &NewTrigger) -> Result<TriggerView, ServiceError> {
        let preview = Preview { what: new.schedule.clone(), zone: new.tz.clone(), from: None };
        let spec = preview.spec()?;
        let now = self.engine().clock().now();
        schedule::check(&spec, now).map_err(|wrong| refused(wrong.message, wrong.fix))?;
        if let Some(wrong) = schedule::too_often(&spec, now, self.engine().plans().options().shortest) {
            return Err(refused(wrong.message, wrong.fix));
        }
        let ready = self.ready_for(caller, Action::Schedule, (&new.workflow, None)).await?;
        let id = new.name.as_deref().map_or_else(|| "by_hand".to_owned(), language::slug);
        if ready.flow.plan.triggers.iter().any(|known| known.id == id) {
            return Err(refused(format!("the workflow's file has a trigger `{id}`"), "choose another name"));
        }
        let spec = TriggerSpec {
            id,
            kind: TriggerKind::Schedule(spec),
            when: None,
            inputs: new.inputs.clone(),
            dedupe: None,
            debounce: None,
            cooldown: None,
            limit: None,
            enabled: true,
            run_as: None,
        };
        self.arm_by_hand(&ready, &spec).await
    }

    /// Makes a trigger of any type by hand, beside those of the workflow's file; it is written as there.
    ///
    /// # Errors
    /// They may not, no such workflow, the trigger cannot be read, or its name is taken by the file.
    pub async fn make_trigger(
        &self,
        caller: &Caller,
        (workflow, said): (&str, &Value),
    ) -> Result<TriggerView, ServiceError> {
        let ready = self.ready_for(caller, Action::Schedule, (workflow, None)).await?;
        // Read as a workflow's file is, with all that is checked there.
        let text = format!("{:#}", json!({ "name": "by hand", "steps": [{ "type": "noop" }], "triggers": [said] }));
        let compiled = self.library().check(&Source { name: "trigger".to_owned(), text }, false);
        let Some(plan) = compiled.plan else { return Err(ServiceError::Definition(compiled.report)) };
        let Some(spec) = plan.triggers.into_iter().next() else {
            return Err(refused("there is no trigger", "write it as a workflow file has it under `triggers`"));
        };
        if ready.flow.plan.triggers.iter().any(|known| known.id == spec.id) {
            return Err(refused(format!("the workflow's file has a trigger `{}`", spec.id), "give it another `id`"));
        }
        self.check_lent(caller, &ready.slug, std::slice::from_ref(&spec)).await?;
        self.arm_by_hand(&ready, &spec).await
    }

    async fn arm_by_hand(&self, ready: &Ready, spec: &TriggerSpec) -> Result<TriggerView, ServiceError> {
        let now = self.engine().clock().now();
        let key = format!("{}/{}", ready.workflow, spec.id);
        let store = self.engine().store();
        let before = store.triggers().find(&key).await?;
        let armed = Armed {
            key: &key,
            workflow_id: ready.workflow,
            slug: &ready.slug,
            spec,
            managed: true,
            next: next_of(&key, spec, before.as_ref(), now),
            token: self.address_of(spec),
        };
        store.triggers().arm(&[armed], &[], now).await?;
        self.wake().notify_one();
        self.archive().trigger(&format!("{}/{}", ready.slug, spec.id), now).await
    }

    /// Asks about each file again, wherever somebody said that a trigger starts by itself.
    ///
    /// # Errors
    /// They may not, or there is no such trigger.
    pub async fn ask_again(&self, caller: &Caller, name: &str) -> Result<TriggerView, ServiceError> {
        let trigger = self.trigger_for(caller, Action::Schedule, (name, None)).await?;
        self.engine().store().triggers().ask_again(&trigger.key).await?;
        self.archive().trigger(&name_of(&trigger), self.engine().clock().now()).await
    }

    /// Forgets what came of occurrences long ago.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_firings(&self) -> Result<(), ServiceError> {
        let before = Timestamp::from_micros(self.engine().clock().now().micros() - KEPT.micros());
        self.engine().store().triggers().expire(before).await?;
        self.forget_floods().await
    }

    /// Takes away a trigger that was made by hand.
    ///
    /// # Errors
    /// They may not, no such trigger, or it stands in a file.
    pub async fn remove_trigger(&self, caller: &Caller, name: &str) -> Result<(), ServiceError> {
        let trigger = self.trigger_for(caller, Action::Schedule, (name, None)).await?;
        if !trigger.managed {
            return Err(refused(
                format!("`{name}` stands in its workflow's file"),
                "take it out there, or switch it off",
            ));
        }
        Ok(self.engine().store().triggers().arm(&[], &[trigger.key], self.engine().clock().now()).await?)
    }

    /// Gives a trigger with an address another secret; the old one counts for a day. The secret is told once, here.
    ///
    /// # Errors
    /// They may not, no such trigger, or one without an address.
    pub async fn rotate_secret(&self, caller: &Caller, name: &str) -> Result<String, ServiceError> {
        let trigger = self.trigger_for(caller, Action::Edit, (name, None)).await?;
        let Some((_, secret)) = self.address_of(&trigger.spec) else {
            return Err(refused(format!("`{name}` has no address"), "only triggers of type `webhook` have one"));
        };
        let now = self.engine().clock().now();
        self.engine().store().triggers().rotate(&trigger.key, &secret, now.plus(ROTATION)).await?;
        Ok(secret)
    }

    /// Fires a trigger by hand, with these data. `key`: what makes two such hands the same.
    ///
    /// # Errors
    /// They may not, no such trigger, the store fails, or nothing new is taken in now.
    pub async fn fire_trigger(
        &self,
        caller: &Caller,
        name: &str,
        data: Value,
        key: Option<&str>,
    ) -> Result<Option<Came>, ServiceError> {
        let trigger = self.trigger_for(caller, Action::Start, (name, None)).await?;
        let clock = self.engine().clock();
        let key = key.map_or_else(|| format!("manual:{:032x}", clock.id_bits()), |key| format!("manual:{key}"));
        let facts = json!({ "type": "manual", "data": data, "by": caller.name });
        let occurrence = Occurrence {
            kind: "manual",
            name: caller.name.clone(),
            key,
            facts,
            only: Some(trigger.key.clone()),
            ..Occurrence::default()
        };
        Ok(self.occur(&occurrence).await?.pop())
    }

    /// Makes up for the instants of a schedule in a stretch of time; with `preview` only says which. An instant that has
    /// its run already is not started again.
    ///
    /// # Errors
    /// They may not, no such schedule, no such times, too many, or the store fails.
    pub async fn backfill(
        &self,
        caller: &Caller,
        name: &str,
        (from, until): (&str, &str),
        preview: bool,
    ) -> Result<Backfill, ServiceError> {
        let trigger = self.trigger_for(caller, Action::Schedule, (name, Some("schedule"))).await?;
        let TriggerKind::Schedule(spec) = &trigger.spec.kind else {
            return Err(refused(format!("`{name}` is no schedule"), "only schedules have instants"));
        };
        let read =
            |text: &str| schedule::instant(text, zone_of(&trigger)).map_err(|wrong| refused(wrong.message, wrong.fix));
        let (from, until) = (read(from)?, read(until)?.min(self.engine().clock().now()));
        let timing = spec.timing().map_err(|error| refused(error.to_string(), "correct the schedule"))?;
        let first = Timestamp::from_micros(from.micros() - 1);
        let instants: Vec<Timestamp> =
            timing.fires(first, MOST + 1).map(|fire| fire.at).take_while(|at| *at < until).collect();
        if instants.len() > MOST {
            return Err(refused(format!("these are more than {MOST} instants"), "make up for a shorter time"));
        }
        let mut came = Vec::new();
        for &at in instants.iter().filter(|_| !preview) {
            let outcome = self.backfill_one(&trigger, spec, at, &caller.name).await?;
            came.extend(outcome.map(|firing| FiringView::new(&firing, &name_of(&trigger))));
        }
        Ok(Backfill { instants: instants.iter().map(ToString::to_string).collect(), came })
    }

    async fn backfill_one(
        &self,
        trigger: &StoredTrigger,
        spec: &ScheduleSpec,
        at: Timestamp,
        by: &str,
    ) -> Result<Option<Firing>, ServiceError> {
        let key = format!("cron:{}:{}", trigger.key, at.micros() / 1_000);
        let triggers = self.engine().store().triggers();
        // An instant that was passed over may be made up for under a key of its own; one that has its run may not.
        let key = match triggers.firing(&key).await? {
            Some(known) if known.run.is_none() => format!("back:{key}"),
            _ => key,
        };
        let facts = json!({ "type": "schedule", "scheduled_at": at.to_string(), "zone": spec.zone, "backfill": true,
            "local": zone_of(trigger).local(at.micros().div_euclid(1_000_000)) });
        let wanted = Wanted::instant(key, facts, at, (format!("made up for by {by}"), Then::Stays));
        Ok(self.fire(trigger, wanted).await?.firing().map(|(firing, _)| firing))
    }
}

fn zone_of(trigger: &StoredTrigger) -> Zone {
    match &trigger.spec.kind {
        TriggerKind::Schedule(spec) => Zone::named(&spec.zone).unwrap_or(Zone::UTC),
        _ => Zone::UTC,
    }
}
