//! Why something started or did not: told from what was kept at the time.

use crate::domain::schedule::Zone;
use crate::domain::time::Timestamp;
use crate::domain::trigger::TriggerKind;
use crate::language;
use crate::service::archive::Archive;
use crate::service::error::ServiceError;
use crate::store::triggers::StoredTrigger;

use super::view::{FiringView, TriggerView, name_of};

/// Triggers of one answer at the most.
const MOST: u32 = 20_000;
/// Firings that are looked at.
const LOOKED_AT: u32 = 200;
/// Firings that are told.
const TOLD: usize = 10;

impl Archive {
    /// All triggers, or those of one workflow, with what came of the last occurrence of each.
    ///
    /// # Errors
    /// The store fails.
    pub async fn triggers(&self, workflow: Option<&str>, now: Timestamp) -> Result<Vec<TriggerView>, ServiceError> {
        let mut views = Vec::new();
        for trigger in self.seen_triggers().await? {
            let is_meant = |wanted: &str| trigger.slug == wanted || trigger.workflow_id.to_string() == wanted;
            if workflow.is_none_or(is_meant) {
                let last = self.store().triggers().firings(&trigger.key, 1).await?;
                views.push(TriggerView::new(&trigger, last.first(), now));
            }
        }
        Ok(views)
    }

    /// One trigger, as `workflow/name`, or as the workflow alone where it has only one.
    ///
    /// # Errors
    /// No such trigger, or several; the store fails.
    pub async fn trigger(&self, name: &str, now: Timestamp) -> Result<TriggerView, ServiceError> {
        let trigger = self.trigger_row(name, None).await?;
        let last = self.store().triggers().firings(&trigger.key, 1).await?;
        let always = self.store().triggers().always(&trigger.key).await?;
        let always = always.into_iter().map(|(place, who)| format!("{place}, said {who}")).collect();
        Ok(TriggerView { always, ..TriggerView::new(&trigger, last.first(), now) })
    }

    /// What came of the newest occurrences at a trigger.
    ///
    /// # Errors
    /// No such trigger, or the store fails.
    pub async fn firings(&self, name: &str, limit: u32) -> Result<Vec<FiringView>, ServiceError> {
        let trigger = self.trigger_row(name, None).await?;
        let firings = self.store().triggers().firings(&trigger.key, limit).await?;
        Ok(firings.iter().map(|firing| FiringView::new(firing, &name_of(&trigger))).collect())
    }

    /// The triggers of workflows that are there for whoever reads.
    async fn seen_triggers(&self) -> Result<Vec<StoredTrigger>, ServiceError> {
        let mut seen = Vec::new();
        for trigger in self.store().triggers().list(MOST).await? {
            if self.sees_workflow(trigger.workflow_id).await? {
                seen.push(trigger);
            }
        }
        Ok(seen)
    }

    pub(super) async fn trigger_row(&self, name: &str, kind: Option<&str>) -> Result<StoredTrigger, ServiceError> {
        let all = self.seen_triggers().await?;
        let of_kind = |trigger: &&StoredTrigger| kind.is_none_or(|kind| trigger.spec.kind.word() == kind);
        let all: Vec<_> = all.iter().filter(of_kind).collect();
        if let Some(found) = all.iter().find(|trigger| name_of(trigger) == name || trigger.key == name) {
            return Ok((*found).clone());
        }
        let of_workflow: Vec<_> = all.iter().filter(|trigger| trigger.slug == name).collect();
        match of_workflow.as_slice() {
            [only] => Ok((**only).clone()),
            [] => {
                let names: Vec<_> = all.iter().map(|trigger| name_of(trigger)).collect();
                let near = language::near(name, names.iter().map(String::as_str)).map(str::to_owned);
                Err(ServiceError::NotFound { noun: "trigger", name: name.to_owned(), near })
            }
            several => Err(ServiceError::Ambiguous {
                short: name.to_owned(),
                candidates: several.iter().take(5).map(|trigger| name_of(trigger)).collect(),
            }),
        }
    }

    /// Why a trigger started something or did not: at a time of the day (`02:00`, in its zone), at an instant, or at last.
    /// `last file`: the newest occurrence of any trigger of that kind.
    ///
    /// # Errors
    /// No such trigger, or the store fails.
    pub async fn explain_trigger(
        &self,
        name: &str,
        at: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<String>, ServiceError> {
        if let ("last", Some(kind)) = (name, at) {
            return self.explain_last(kind).await;
        }
        let trigger = self.trigger_row(name, None).await?;
        let view = TriggerView::new(&trigger, None, now);
        let mut lines = vec![view.line()];
        let zone = match &trigger.spec.kind {
            TriggerKind::Schedule(spec) => Zone::named(&spec.zone).unwrap_or(Zone::UTC),
            _ => Zone::UTC,
        };
        let firings = self.store().triggers().firings(&trigger.key, LOOKED_AT).await?;
        let fits = |at: &str, when: Timestamp| {
            let local = zone.local(when.micros().div_euclid(1_000_000));
            local.contains(&format!("T{at}")) || local.starts_with(at) || when.to_string().starts_with(at)
        };
        let told: Vec<_> = firings
            .iter()
            .filter(|firing| {
                let when = firing.nominal.map_or(firing.at, |(from, _)| from);
                at.is_none_or(|at| fits(at, when))
            })
            .take(TOLD)
            .map(|firing| FiringView::new(firing, &name_of(&trigger)).told())
            .collect();
        if told.is_empty() {
            let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
            lines.push(format!("nothing has come{at}: {}", why_nothing(&view)));
        }
        lines.extend(told);
        Ok(lines)
    }

    async fn explain_last(&self, kind: &str) -> Result<Vec<String>, ServiceError> {
        let mut newest = Vec::new();
        for trigger in self.store().triggers().of_kind(kind).await? {
            if !self.sees_workflow(trigger.workflow_id).await? {
                continue;
            }
            for firing in self.store().triggers().firings(&trigger.key, 1).await? {
                newest.push((firing.at, FiringView::new(&firing, &name_of(&trigger))));
            }
        }
        newest.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let Some((latest, _)) = newest.first().cloned() else {
            return Ok(vec![format!("no trigger of type `{kind}` has seen anything yet")]);
        };
        let together = newest.iter().filter(|(at, _)| latest.since(*at).as_secs_f64() < 5.0);
        Ok(together.map(|(_, firing)| format!("{}: {}", firing.trigger, firing.told())).collect())
    }
}

fn why_nothing(view: &TriggerView) -> String {
    match (view.state.as_str(), view.next_local.first()) {
        ("off", _) => "the trigger is off".to_owned(),
        ("paused", _) => "the trigger is paused".to_owned(),
        (_, Some(next)) => format!("it is due next {next}"),
        _ => "nothing like it has happened since it was armed".to_owned(),
    }
}
