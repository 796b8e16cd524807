//! What executions have done, and taking it back: an execution of its own, newest effect first.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::Caller;
use super::super::archive::Archive;
use super::super::error::ServiceError;
use super::super::origin::Origin;
use super::super::people::Target;
use super::super::runs::Service;
use super::super::view::progress::RunView;
use crate::domain::command::Refusal;
use crate::domain::id::{CheckpointId, RunId};
use crate::domain::role::Action;
use crate::engine::{self, Deed, How};
use crate::store::journal::NewRun;
use crate::store::runs::StoredRun;

/// Something that an execution did, and how it can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EffectView {
    /// The execution that did it; an inner one where a step began another workflow.
    pub execution_id: String,
    /// The step; for one item of a loop as `load[3]`.
    pub step: String,
    /// The step's type.
    pub r#type: String,
    /// When; RFC 3339.
    pub at: String,
    /// `by_itself`: its type knows how to take it back. `by_steps`: the workflow says how. `never`: what is done is
    /// done. `kept`: the workflow wants it kept.
    pub undo: String,
    /// The execution that has taken it back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undone_by: Option<String>,
}

impl EffectView {
    fn new(deed: &Deed) -> Self {
        let undo = match deed.how {
            How::ByItself => "by_itself",
            How::BySteps => "by_steps",
            How::Never => "never",
            How::Kept => "kept",
        };
        Self {
            execution_id: deed.execution.to_string(),
            step: deed.step.clone(),
            r#type: deed.kind.clone(),
            at: deed.at.to_string(),
            undo: undo.to_owned(),
            undone_by: deed.undone_by.map(|run| run.to_string()),
        }
    }

    /// What becomes of it in a rollback, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { step, r#type: kind, at, .. } = self;
        let what = match (&self.undone_by, self.undo.as_str()) {
            (Some(run), _) => format!("was taken back by {run}"),
            (None, "by_itself") => "can be taken back".to_owned(),
            (None, "by_steps") => "can be taken back, by the steps under its `rollback`".to_owned(),
            (None, "kept") => "stays: `rollback: none`".to_owned(),
            (None, _) => "stays: what is done is done".to_owned(),
        };
        format!("{at}  {step} ({kind}) {what}")
    }
}

impl Archive {
    /// What an execution has done that stays, newest first; `to`: only what was done after this step.
    ///
    /// # Errors
    /// No such execution or step, or the store fails.
    pub async fn effects(&self, run: RunId, to: Option<&str>) -> Result<Vec<EffectView>, ServiceError> {
        Ok(self.deeds(run, to).await?.iter().map(EffectView::new).collect())
    }
}

impl Service {
    /// Takes back what an execution has done, newest first; `to`: only what was done after this step.
    ///
    /// # Errors
    /// No such execution or step, it is under way, or there is nothing to take back.
    pub async fn roll_back(&self, caller: &Caller, run: RunId, to: Option<&str>) -> Result<RunView, ServiceError> {
        self.permit(caller, Action::RollBack, Target::Run(run)).await?;
        let row = self.at_rest(run).await?;
        let deeds = self.archive().deeds(run, to).await?;
        self.take_back(Origin { rolls_back: Some(run), ..Origin::of(caller) }, row, &deeds).await
    }

    /// Marks a place in what a workflow does: everything that its executions do from now on can be taken back at once.
    ///
    /// # Errors
    /// No such workflow, or the store fails.
    pub async fn checkpoint(&self, caller: &Caller, workflow: &str) -> Result<CheckpointId, ServiceError> {
        let ready = self.ready_for(caller, Action::RollBack, (workflow, None)).await?;
        let clock = self.engine().clock();
        let id = CheckpointId::from_bits(clock.id_bits());
        self.engine().store().effects().mark(id, ready.workflow, clock.now()).await?;
        Ok(id)
    }

    /// Takes back what the executions of a workflow have done since a checkpoint, newest first.
    ///
    /// # Errors
    /// No such checkpoint, one of the executions is under way, or there is nothing to take back.
    pub async fn roll_back_to(&self, caller: &Caller, checkpoint: CheckpointId) -> Result<RunView, ServiceError> {
        let effects = self.engine().store().effects();
        let absent = || ServiceError::NotFound { noun: "checkpoint", name: checkpoint.to_string(), near: None };
        let (workflow, since) = effects.checkpoint(checkpoint).await?.ok_or_else(absent)?;
        let mut deeds = Vec::new();
        let mut newest = None;
        for run in effects.runs_since(workflow, since).await? {
            self.permit(caller, Action::RollBack, Target::Run(run)).await?;
            newest.get_or_insert(self.at_rest(run).await?);
            deeds.extend(self.archive().deeds(run, None).await?.into_iter().filter(|deed| deed.at > since));
        }
        deeds.sort_by_key(|deed| std::cmp::Reverse((deed.at, deed.position)));
        let nothing = || Refusal::Step("nothing was done since the checkpoint".to_owned());
        let row = newest.ok_or_else(|| ServiceError::Refused(nothing()))?;
        self.take_back(Origin::of(caller), row, &deeds).await
    }

    /// The row of an execution in which nothing is under way.
    async fn at_rest(&self, run: RunId) -> Result<StoredRun, ServiceError> {
        let row = self.engine().store().runs().find(run).await?;
        let row = row.ok_or_else(|| ServiceError::NotFound { noun: "execution", name: run.to_string(), near: None })?;
        if row.finished_at.is_none() {
            let message = format!("{run} is {}; a rollback is possible when it is over: cancel it first", row.status);
            return Err(ServiceError::Refused(Refusal::Step(message)));
        }
        Ok(row)
    }

    async fn take_back(&self, origin: Origin, row: StoredRun, deeds: &[Deed]) -> Result<RunView, ServiceError> {
        let none = RawValue::from_string("{}".to_owned()).unwrap_or_default();
        let new = NewRun {
            workflow_id: row.workflow_id,
            revision_hash: row.revision_hash,
            slug: row.slug,
            origin: engine::raw(&origin),
            inputs: none,
            parent: None,
            lane: None,
            firing: None,
        };
        let begun = self.engine().roll_back(deeds, new).await?;
        self.archive().view(begun, false).await
    }
}
