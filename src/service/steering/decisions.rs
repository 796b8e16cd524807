//! What people decide about an execution while it waits for them: approvals, steps left out, events sent by hand.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Caller;
use super::super::error::ServiceError;
use super::super::origin::Origin;
use super::super::people::Target;
use super::super::runs::Service;
use super::super::view::progress::RunView;
use crate::domain::command::{Command, Refusal};
use crate::domain::id::RunId;
use crate::domain::role::Action;
use crate::domain::run::{Flow, Run, StepState};
use crate::domain::time::Timestamp;
use crate::domain::wait::{Approval, Vote, Wait};

/// The step type that asks for a decision.
const APPROVAL: &str = "approve";

/// An approval that an execution waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApprovalView {
    /// The step that asks, by its id; for one item of a loop as `book[3]`.
    pub step: String,
    /// What is to be approved.
    pub title: String,
    /// Who may decide; empty: whoever may steer the execution.
    pub approvers: Vec<String>,
    /// How many must agree.
    pub required: u32,
    /// Who agreed so far.
    pub approved_by: Vec<String>,
    /// What to look at before deciding.
    pub show: Map<String, Value>,
    /// Since when it waits; RFC 3339.
    pub since: String,
    /// How long it waits; RFC 3339. `None`: for ever.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
}

impl ApprovalView {
    /// The approvals that a run waits for.
    pub(in crate::service) fn all(run: &Run, flow: &Flow) -> Vec<Self> {
        if run.state.is_finished() {
            return Vec::new();
        }
        let open = run.waits.iter().filter(|(step, _)| matches!(run.steps[**step].state, StepState::Deciding { .. }));
        let view = |(step, wait): (&usize, &Wait)| {
            let Wait::Approval(approval) = wait else { return None };
            let agreed = approval.votes.iter().filter(|vote| vote.approves);
            Some(Self {
                step: run.path(flow, *step),
                title: approval.spec.title.clone(),
                approvers: approval.spec.approvers.clone(),
                required: approval.spec.required,
                approved_by: agreed.map(|vote| vote.called().to_owned()).collect(),
                show: approval.spec.show.clone(),
                since: approval.since.to_string(),
                until: (approval.until < Timestamp::NEVER).then(|| approval.until.to_string()),
            })
        };
        open.filter_map(view).collect()
    }
}

impl Service {
    /// Approves or rejects what a step asks for; without a step, what the only one asks for.
    ///
    /// # Errors
    /// No such execution or step, it asks for nothing, or it is not for this caller to say.
    pub async fn decide(
        &self,
        caller: &Caller,
        run: RunId,
        step: Option<&str>,
        (approves, comment): (bool, Option<String>),
    ) -> Result<RunView, ServiceError> {
        let action = if approves { Action::Approve } else { Action::Reject };
        let open = self.asked(run).await?;
        let named = open.iter().any(|(_, approval)| approval.spec.names(caller.identity()));
        let target = if named { Target::Named(run) } else { Target::Run(run) };
        self.check(caller, action, target).await?;
        let step = match step {
            Some(step) => Some(self.step_place(run, step).await?),
            None => None,
        };
        if let Some((rule, why)) = self.objection(caller, run, (open, step)).await? {
            self.refuse_in_trail(caller, (action, run), &rule).await?;
            return Err(ServiceError::Refused(Refusal::Forbidden(why)));
        }
        self.permit(caller, action, target).await?;
        // The name is for show; who decides is told apart by what they cannot choose.
        let by = caller.identity().to_owned();
        let name = Some(caller.name.clone()).filter(|name| *name != by && !name.is_empty());
        self.command(run, Command::Decide { step, vote: Vote { approves, by, name, comment } }).await
    }

    /// Why somebody may not decide what is asked: the rule, and the reason for people. Also where they were called
    /// otherwise when they asked for it or decided before: a code gave them a name meanwhile, or it was taken back.
    async fn objection(
        &self,
        caller: &Caller,
        run: RunId,
        (mut open, step): (Vec<(usize, Approval)>, Option<usize>),
    ) -> Result<Option<(String, String)>, ServiceError> {
        open.retain(|(at, _)| step.is_none_or(|step| step == *at));
        let [(_, approval)] = open.as_slice() else { return Ok(None) }; // the machine says what is wrong
        let (history, _) = self.archive().history(run).await?;
        let origin: Origin = serde_json::from_str(history.row.origin.get()).unwrap_or_default();
        let (spec, who) = (&approval.spec, caller.identity());
        Ok(if !spec.allow_requester && (origin.is_of(caller) || spec.requester == who) {
            let why = format!("{who} asked for it, and somebody else has to decide");
            Some(("allow_requester: false".to_owned(), why))
        } else if approval.votes.iter().any(|vote| caller.subject().is(&vote.by)) {
            Some(("once each".to_owned(), format!("{who} has decided already")))
        } else {
            spec.forbids(who).map(|why| (format!("approvers: {}", spec.approvers.join(", ")), why))
        })
    }

    /// What a run asks people to decide now, by the steps that ask.
    async fn asked(&self, run: RunId) -> Result<Vec<(usize, Approval)>, ServiceError> {
        let (standing, _) = self.archive().run(run).await?;
        let steps = standing.steps;
        let open = standing.waits.into_iter().filter_map(|(step, wait)| match (wait, steps[step].state) {
            (Wait::Approval(approval), StepState::Deciding { .. }) => Some((step, approval)),
            _ => None,
        });
        Ok(open.collect())
    }

    /// Leaves a step out: one that has not begun, that waits, or that failed. The execution goes on without it.
    ///
    /// # Errors
    /// No such execution or step, or it is under way or done.
    pub async fn skip(&self, caller: &Caller, run: RunId, step: &str) -> Result<RunView, ServiceError> {
        self.permit(caller, Action::Skip, Target::Run(run)).await?;
        let step = self.step_place(run, step).await?;
        // Who may not decide must not get round the decision.
        let (standing, flow) = self.archive().run(run).await?;
        if holds_approval(&standing, &flow, step) {
            self.permit(caller, Action::SkipApproval, Target::Run(run)).await?;
        }
        self.command(run, Command::SkipStep { step, by: caller.name.clone() }).await
    }

    /// Sends an event to an execution: steps that wait for it go on, and those that will find it there.
    ///
    /// # Errors
    /// No such execution, or it is over.
    pub async fn signal(
        &self,
        caller: &Caller,
        run: RunId,
        (event, payload): (&str, Value),
    ) -> Result<RunView, ServiceError> {
        self.permit(caller, Action::Signal, Target::Run(run)).await?;
        let signal = Command::Signal { event: event.to_owned(), payload, by: caller.name.clone() };
        self.command(run, signal).await
    }
}

/// Whether a step asks for a decision, or one of those that stand in it does.
fn holds_approval(run: &Run, flow: &Flow, step: usize) -> bool {
    let (steps, outer) = (&flow.plan.steps, &flow.step(run, step).id);
    let around = |at: usize| std::iter::successors(Some(at), |at| steps[*at].parent);
    let asking = (0..steps.len()).filter(|&at| steps[at].kind == APPROVAL);
    asking.flat_map(around).any(|at| steps[at].id == *outer)
}
