//! Keeping what workflows say about their triggers: armed when a workflow is saved, and when a template's text changes.

use tokio::sync::Notify;

use crate::domain::schedule::jitter;
use crate::domain::time::Timestamp;
use crate::domain::trigger::{TriggerKind, TriggerSpec};
use crate::service::archive::MOST_WORKFLOWS;
use crate::service::error::ServiceError;
use crate::service::library::Ready;
use crate::service::runs::Service;
use crate::store::triggers::{Armed, StoredTrigger};

impl Service {
    /// The present time, as the engine knows it.
    #[must_use]
    pub fn engine_now(&self) -> Timestamp {
        self.engine().clock().now()
    }

    /// Woken when a trigger may be due earlier than it was.
    #[must_use]
    pub fn wake(&self) -> &Notify {
        &self.wake
    }

    /// Arms the triggers of all templates and workflows, as their texts are now.
    ///
    /// # Errors
    /// The store fails. A template with errors is passed over: whoever runs it is told.
    pub async fn arm_all(&self) -> Result<(), ServiceError> {
        for template in self.library().list()? {
            if template.errors > 0 {
                continue;
            }
            if self.has_triggers(&template.id).await? {
                let ready = self.shelf().ready(&template.id, false).await?;
                self.arm(&ready).await?;
            }
        }
        let workflows = self.engine().store().workflows().list(None, MOST_WORKFLOWS).await?;
        for workflow in workflows {
            let stands_for_template = workflow.template.as_deref() == Some(workflow.slug.as_str());
            if stands_for_template && self.library().find(&workflow.slug).is_ok() {
                continue;
            }
            match self.shelf().pinned(workflow).await {
                Ok(ready) => self.arm(&ready).await?,
                Err(error) => tracing::warn!(%error, "the triggers of a workflow cannot be read"),
            }
        }
        Ok(())
    }

    /// Whether a template has triggers, or had some: nothing is kept for one that has none.
    async fn has_triggers(&self, template: &str) -> Result<bool, ServiceError> {
        let compiled = self.library().compile(&self.library().find(template)?);
        let Some(plan) = compiled.plan else { return Ok(false) };
        if !plan.triggers.is_empty() {
            return Ok(true);
        }
        let store = self.engine().store();
        let Some(known) = store.workflows().of_template(&plan.slug).await? else { return Ok(false) };
        Ok(!store.triggers().of_workflow(known.id).await?.is_empty())
    }

    /// Keeps what one workflow says about its triggers; what it says no longer is taken out of use.
    pub(in crate::service) async fn arm(&self, ready: &Ready) -> Result<(), ServiceError> {
        let specs = &ready.flow.plan.triggers;
        let store = self.engine().store();
        let known = store.triggers().of_workflow(ready.workflow).await?;
        let now = self.engine().clock().now();
        let key = |spec: &TriggerSpec| format!("{}/{}", ready.workflow, spec.id);
        let keys: Vec<String> = specs.iter().map(key).collect();
        let mut armed = Vec::new();
        for (spec, key) in specs.iter().zip(&keys) {
            let before = known.iter().find(|known| known.key == *key);
            let is_same = |known: &StoredTrigger| {
                known.spec == *spec && known.slug == ready.slug && known.removed_at.is_none() && !known.managed
            };
            if before.is_some_and(is_same) {
                continue;
            }
            armed.push(Armed {
                key,
                workflow_id: ready.workflow,
                slug: &ready.slug,
                spec,
                managed: false,
                next: next_of(key, spec, before, now),
                token: self.address_of(spec),
            });
        }
        let gone =
            known.iter().filter(|known| known.removed_at.is_none() && !known.managed && !keys.contains(&known.key));
        let gone: Vec<String> = gone.map(|known| known.key.clone()).collect();
        if armed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        store.triggers().arm(&armed, &gone, now).await?;
        self.wake().notify_one();
        Ok(())
    }

    /// Takes all triggers of a workflow out of use.
    pub(in crate::service) async fn disarm(&self, workflow: crate::domain::id::WorkflowId) -> Result<(), ServiceError> {
        let store = self.engine().store();
        let known = store.triggers().of_workflow(workflow).await?;
        let gone: Vec<String> =
            known.iter().filter(|known| known.removed_at.is_none()).map(|known| known.key.clone()).collect();
        if gone.is_empty() {
            return Ok(());
        }
        Ok(store.triggers().arm(&[], &gone, self.engine().clock().now()).await?)
    }

    /// An address and a secret that nobody guesses, for a trigger that has one.
    pub(super) fn address_of(&self, spec: &TriggerSpec) -> Option<(String, String)> {
        let chance = || {
            let clock = self.engine().clock();
            // Only the lower 80 bits of an id are chance; two of them are more than enough.
            let bits = [clock.id_bits(), clock.id_bits()].map(|bits| bits & ((1 << 80) - 1));
            format!("{:020x}{:020x}", bits[0], bits[1])
        };
        matches!(spec.kind, TriggerKind::Webhook(_)).then(|| (chance(), chance()))
    }
}

/// The next instant of a trigger that is on, and when it is due. Never behind an instant that is accounted for.
pub(super) fn next_of(
    key: &str,
    spec: &TriggerSpec,
    before: Option<&StoredTrigger>,
    now: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let TriggerKind::Schedule(schedule) = &spec.kind else { return None };
    if !before.and_then(|before| before.switched).unwrap_or(spec.enabled) {
        return None;
    }
    let from = [Some(now), before.and_then(|before| before.last_at), before.and_then(|before| before.paused_until)];
    let from = from.into_iter().flatten().max().unwrap_or(now);
    let next = schedule.timing().ok()?.next(from)?;
    Some((next, jitter::due(key, next, schedule.jitter)))
}
