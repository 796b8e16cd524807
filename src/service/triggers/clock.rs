//! What is due: instants of schedules, and occurrences that were kept for later. The store decides: an instant is accounted
//! for in the commit that starts its run or says why there is none, and that commit moves the trigger to the next one.

use std::collections::VecDeque;

use futures::StreamExt as _;
use serde_json::json;

use crate::domain::command::Command;
use crate::domain::schedule::{Timing, jitter};
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::{MisfirePolicy, OnOverlap, ScheduleSpec, TriggerKind, Verdict};
use crate::engine::EngineError;
use crate::service::error::ServiceError;
use crate::service::runs::Service;
use crate::store::firings::{NewFiring, Then};
use crate::store::triggers::StoredTrigger;

use super::occur::Occurrence;
use super::start::{Outcome, Wanted};
use super::view::name_of;

/// Later than this, an instant counts as one that went by.
pub const LATE: Span = Span::from_secs(60);
/// Triggers of one look.
const BATCH: u32 = 500;
/// Triggers that are looked at side by side, so that their commits go together.
const AT_ONCE: usize = 64;
/// What waits for the end of a run is looked at again after this.
const AGAIN: Span = Span::from_secs(2);
/// Rows for instants that went by, before they are told together.
const SINGLE_ROWS: usize = 20;

/// Instants that are due, of one schedule.
struct Due {
    /// Those that are too many to be told one by one: the first, the last, and how many.
    older: Option<(Timestamp, Timestamp, u64)>,
    recent: VecDeque<Timestamp>,
    /// The first one that is not due.
    next: Option<Timestamp>,
}

impl Service {
    /// Looks at everything that is due now; says when the next one will be.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in. What could not be dealt with is due again at the next look.
    pub async fn tick(&self) -> Result<Option<Timestamp>, ServiceError> {
        loop {
            let now = self.engine().clock().now();
            let due = self.engine().store().triggers().due(now, BATCH).await?;
            let mut is_last = due.len() < BATCH as usize;
            self.look_at_all(due, now, false).await?;
            // Read only now: an instant may just have taken the place of one that waited.
            let held = self.engine().store().triggers().held(now, BATCH).await?;
            is_last &= held.len() < BATCH as usize;
            self.look_at_all(held, now, true).await?;
            if is_last {
                return Ok(self.engine().store().triggers().next_due().await?);
            }
        }
    }

    /// Looks at many side by side, so that their commits go together.
    async fn look_at_all(&self, all: Vec<StoredTrigger>, now: Timestamp, is_held: bool) -> Result<(), ServiceError> {
        let looks = futures::stream::iter(all).map(|trigger| {
            let service = self.clone();
            async move { service.look(&trigger, now, is_held).await }
        });
        let done: Vec<Result<(), ServiceError>> = looks.buffer_unordered(AT_ONCE).collect().await;
        done.into_iter().collect()
    }

    async fn look(&self, trigger: &StoredTrigger, now: Timestamp, is_held: bool) -> Result<(), ServiceError> {
        match &trigger.spec.kind {
            _ if is_held => Box::pin(self.look_at_held(trigger, now)).await,
            TriggerKind::Schedule(spec) => Box::pin(self.look_at_schedule(trigger, spec, now)).await,
            _ => Ok(()),
        }
    }

    async fn look_at_schedule(
        &self,
        trigger: &StoredTrigger,
        spec: &ScheduleSpec,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let Ok(timing) = spec.timing() else {
            tracing::error!(trigger = %trigger.key, "this version cannot read the schedule; it is off until it is changed");
            return Ok(self.engine().store().triggers().switch(&trigger.key, (Some(false), None), None).await?);
        };
        let due = due(trigger, spec, &timing, now);
        let after = |place: usize| due.recent.get(place + 1).copied().or(due.next);
        if let Some((from, until, count)) = due.older {
            let verdict = (Verdict::Missed, "went by while nobody was there to start it".to_owned());
            let next = due.recent.front().copied().or(due.next);
            let firing = self.skipped(trigger, spec, (from, until, count, verdict), next);
            self.engine().store().triggers().note(&[firing]).await?;
        }
        for (place, &at) in due.recent.iter().enumerate() {
            let is_last = place + 1 == due.recent.len();
            let verdict = judge(spec, at, now, (is_last, due.recent.len() - place));
            let next = after(place);
            let outcome = match verdict {
                Some(verdict) => {
                    let firing = self.skipped(trigger, spec, (at, at, 1, verdict), next);
                    self.note(firing).await?
                }
                None => self.start_instant(trigger, spec, (at, next, now)).await?,
            };
            let Some((firing, _)) = outcome.firing() else { return Ok(()) };
            self.alert(trigger, spec, (at, now, &firing.verdict)).await?;
        }
        Ok(())
    }

    /// A firing for instants that start nothing.
    fn skipped(
        &self,
        trigger: &StoredTrigger,
        spec: &ScheduleSpec,
        (from, until, count, (verdict, reason)): (Timestamp, Timestamp, u64, (Verdict, String)),
        next: Option<Timestamp>,
    ) -> NewFiring {
        let next = next.map(|next| (next, jitter::due(&trigger.key, next, spec.jitter)));
        NewFiring {
            key: key_of(trigger, from),
            trigger: trigger.key.clone(),
            at: self.engine().clock().now(),
            nominal: Some((from, until)),
            count,
            verdict,
            reason,
            run: None,
            facts: facts_of(spec, from),
            forget: None,
            then: Then::Advances(trigger.rev, next, until),
        }
    }

    /// Starts the run of an instant, unless one is under way that it must not overlap.
    async fn start_instant(
        &self,
        trigger: &StoredTrigger,
        spec: &ScheduleSpec,
        (at, next, now): (Timestamp, Option<Timestamp>, Timestamp),
    ) -> Result<Outcome, ServiceError> {
        let advance = next.map(|next| (next, jitter::due(&trigger.key, next, spec.jitter)));
        let open = match spec.overlap {
            OnOverlap::Allow => Vec::new(),
            _ => self.engine().store().triggers().open_runs(&trigger.key).await?,
        };
        match (spec.overlap, open.first()) {
            (OnOverlap::Skip, Some(open)) => {
                let verdict = (Verdict::SkippedOverlap, format!("{open} is still under way"));
                return self.note(self.skipped(trigger, spec, (at, at, 1, verdict), next)).await;
            }
            (OnOverlap::Queue, Some(open)) => {
                return self.queue_instant(trigger, spec, (at, next, now), &open.to_string()).await;
            }
            (OnOverlap::Cancel, _) => {
                for run in open {
                    let by = format!("the next one of {}", name_of(trigger));
                    match self.engine().command(run, Command::Cancel { by }).await {
                        // It may have ended just now, and that is as good.
                        Ok(_) | Err(EngineError::Refused(_)) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            _ => {}
        }
        let late = now.since(at);
        let reason =
            if late > LATE { format!("made up for, {late} late") } else { format!("its time, {late} after it") };
        let then = Then::Advances(trigger.rev, advance, at);
        self.fire(trigger, Wanted::instant(key_of(trigger, at), facts_of(spec, at), at, (reason, then))).await
    }

    /// Keeps an instant until the run before it has ended, in place of one that waits already.
    async fn queue_instant(
        &self,
        trigger: &StoredTrigger,
        spec: &ScheduleSpec,
        (at, next, now): (Timestamp, Option<Timestamp>, Timestamp),
        open: &str,
    ) -> Result<Outcome, ServiceError> {
        let store = self.engine().store();
        // What waits is read anew: instants of one look follow each other.
        let Some(fresh) = store.triggers().find(&trigger.key).await? else { return Ok(Outcome::Stale) };
        let waits = fresh.held.as_ref().and_then(|held| held["instant"].as_i64()).map(Timestamp::from_micros);
        if let Some(before) = waits {
            let verdict =
                (Verdict::SkippedOverlap, format!("{open} is still under way, and a newer instant waits for its end"));
            let mut firing = self.skipped(trigger, spec, (before, before, 1, verdict), next);
            let advance = next.map(|next| (next, jitter::due(&trigger.key, next, spec.jitter)));
            firing.then = Then::Advances(trigger.rev, advance, at);
            store
                .triggers()
                .hold(trigger, Some((&json!({ "instant": at.micros() }), now.plus(AGAIN))), &[firing])
                .await?;
        } else {
            store
                .triggers()
                .queue(
                    trigger,
                    (at, next.map(|next| (next, jitter::due(&trigger.key, next, spec.jitter)))),
                    now.plus(AGAIN),
                )
                .await?;
        }
        Ok(Outcome::Stale)
    }

    /// An occurrence that was kept for later, and whose time has come.
    async fn look_at_held(&self, trigger: &StoredTrigger, now: Timestamp) -> Result<(), ServiceError> {
        let Some(held) = &trigger.held else { return Ok(()) };
        let TriggerKind::Schedule(spec) = &trigger.spec.kind else {
            return self.release(trigger, held.clone()).await;
        };
        let Some(at) = held["instant"].as_i64().map(Timestamp::from_micros) else { return Ok(()) };
        let store = self.engine().store();
        if let Some(open) = store.triggers().open_runs(&trigger.key).await?.first() {
            tracing::debug!(trigger = %trigger.key, %open, "an instant waits for the end of a run");
            return Ok(store.triggers().hold(trigger, Some((held, now.plus(AGAIN))), &[]).await?);
        }
        let reason = format!("the run before it has ended, {} after its time", now.since(at));
        let then = Then::LetsGo(trigger.rev, held.clone());
        let wanted = Wanted::instant(key_of(trigger, at), facts_of(spec, at), at, (reason, then));
        match self.fire(trigger, wanted).await? {
            Outcome::Known(_) => Ok(store.triggers().let_go(trigger, held).await?), // it had been dealt with
            _ => Ok(()),
        }
    }

    /// Tells of an instant that did not start in time, where its schedule asks for that.
    async fn alert(
        &self,
        trigger: &StoredTrigger,
        spec: &ScheduleSpec,
        (at, now, verdict): (Timestamp, Timestamp, &str),
    ) -> Result<(), ServiceError> {
        let Some(after) = spec.alert_after else { return Ok(()) };
        if verdict == "started" && now.since(at) <= after {
            return Ok(());
        }
        let name = name_of(trigger);
        tracing::warn!(trigger = %name, instant = %at, verdict, "an expected run did not start in time");
        let data = json!({ "trigger": name, "workflow": trigger.slug, "instant": at.to_string(), "verdict": verdict });
        let occurrence = Occurrence::event("schedule.missed", &format!("missed:{}", key_of(trigger, at)), data);
        Box::pin(self.occur(&occurrence)).await.map(drop)
    }
}

fn key_of(trigger: &StoredTrigger, at: Timestamp) -> String {
    format!("cron:{}:{}", trigger.key, at.micros() / 1_000)
}

fn facts_of(spec: &ScheduleSpec, at: Timestamp) -> serde_json::Value {
    let local = spec.timing().map(|timing| timing.zone().local(at.micros().div_euclid(1_000_000))).unwrap_or_default();
    json!({ "type": "schedule", "scheduled_at": at.to_string(), "local": local, "zone": spec.zone, "date": local.get(..10) })
}

/// The instants of a schedule that are due.
fn due(trigger: &StoredTrigger, spec: &ScheduleSpec, timing: &Timing, now: Timestamp) -> Due {
    let keep = (spec.most as usize).max(SINGLE_ROWS);
    let mut due = Due { older: None, recent: VecDeque::new(), next: trigger.next_at };
    while let Some(at) = due.next.filter(|at| jitter::due(&trigger.key, *at, spec.jitter) <= now) {
        due.recent.push_back(at);
        if due.recent.len() > keep
            && let Some(oldest) = due.recent.pop_front()
        {
            due.older = Some(due.older.map_or((oldest, oldest, 1), |(from, _, count)| (from, oldest, count + 1)));
        }
        due.next = timing.next(at);
    }
    due
}

/// Why an instant starts nothing; `None` when it starts a run.
fn judge(
    spec: &ScheduleSpec,
    at: Timestamp,
    now: Timestamp,
    (is_last, left): (bool, usize),
) -> Option<(Verdict, String)> {
    let late = now.since(at);
    if late <= LATE {
        return None;
    }
    if late > spec.window {
        return Some((Verdict::Missed, format!("went by {late} ago, and only {} are made up for", spec.window)));
    }
    match spec.misfire {
        MisfirePolicy::One if is_last => None,
        MisfirePolicy::One => {
            Some((Verdict::SkippedCatchup, format!("went by {late} ago; only the newest is made up for")))
        }
        MisfirePolicy::All if left <= spec.most as usize => None,
        MisfirePolicy::All => Some((Verdict::SkippedCatchup, format!("at most {} are made up for", spec.most))),
        MisfirePolicy::Skip => Some((Verdict::SkippedCatchup, format!("went by {late} ago; `misfire: skip`"))),
    }
}
