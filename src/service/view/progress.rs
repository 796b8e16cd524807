//! A run as people and programs see it, in the words of the wire: executions, completed steps, seconds.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::origin::Origin;
use super::super::steering::decisions::ApprovalView;
use super::super::words::{self, Word};
use crate::domain::fault::Fault;
use crate::domain::plan::Plan;
use crate::domain::question::Question;
use crate::domain::run::{Flow, Run, RunState, SkipReason, StepState};
use crate::domain::time::Timestamp;
use crate::domain::wait::Wait;
use crate::engine::Standing;
use crate::language::Outputs;
use crate::store::runs::StoredRun;
use crate::store::workflows::StoredWorkflow;

/// A fault, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FaultView {
    /// The stable code.
    #[serde(deserialize_with = "words::code")]
    pub code: Word,
    /// What is wrong.
    pub message: String,
    /// Where.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none", default)]
    pub place: Option<String>,
    /// What to do.
    pub fix: String,
    /// What kind of trouble it is.
    #[schema(value_type = String)]
    pub class: crate::domain::code::Class,
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        Self {
            code: fault.code.id(),
            message: fault.message.clone(),
            place: fault.place.clone(),
            fix: fault.remedy().to_owned(),
            class: fault.code.class(),
        }
    }
}

/// A step of an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StepView {
    /// Its place, from 0.
    pub index: usize,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// pending, running, retrying, waiting, completed, failed, skipped, cancelled.
    #[serde(deserialize_with = "words::status")]
    pub status: Word,
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts at the most.
    pub max_attempts: u32,
    /// When its first attempt began; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<String>,
    /// Seconds from the first attempt to the end.
    pub duration: Option<f64>,
    /// When the next attempt is due; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due_at: Option<String>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skipped: Option<Cow<'static, str>>,
    /// The step that it stands in, by its id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<String>,
    /// How far its items are, of a step with `foreach`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub items: Option<ItemsView>,
    /// The execution that it began and waits for, or waited for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution_id: Option<String>,
    /// The execution whose result it took instead of working.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cached_from: Option<String>,
    /// Its outputs, where they were asked for.
    #[schema(value_type = Option<Object>)]
    pub outputs: Option<Outputs>,
    /// What people should know.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
    /// Why its last attempt failed.
    pub error: Option<FaultView>,
}

/// How far the items of a step are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ItemsView {
    /// How many there are.
    pub total: u32,
    /// How many are over, well or not.
    pub done: u32,
    /// How many of these have failed.
    pub failed: u32,
    /// How many are under way.
    pub running: u32,
}

/// Where an execution stands that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueueView {
    /// 1 is next.
    pub position: usize,
    /// The concurrency group that has no room; without one there is no free place for anybody.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<String>,
    /// What it waits for, as a sentence.
    pub reason: String,
}

impl QueueView {
    /// Where a run stands in a process that carries so many at the same time.
    pub(in crate::service) fn new(standing: &Standing, places: usize) -> Self {
        let reason = match &standing.group {
            None if standing.claimants > 1 => {
                let many = standing.claimants;
                format!("all {places} places are taken; {many} who started executions take turns")
            }
            None => format!("all {places} places are taken"),
            Some((name, limit, holders)) => {
                let holders: Vec<String> = holders.iter().take(3).map(ToString::to_string).collect();
                format!("the group `{name}` lets {limit} through at a time; under way: {}", holders.join(", "))
            }
        };
        let group = standing.group.as_ref().map(|(name, ..)| name.clone());
        Self { position: standing.position, group, reason }
    }
}

/// An execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunView {
    /// Its id.
    pub execution_id: String,
    /// Its workflow.
    pub workflow_id: String,
    /// The name by which the workflow is run.
    pub workflow: String,
    /// The workflow's title.
    pub name: String,
    /// The workflow has another version by now: `retry` keeps the one that ran, `rerun` takes the one in use.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub version_changed: bool,
    /// queued, running, waiting, pausing, paused, cancelling, completed, failed, cancelled, timed_out.
    #[serde(deserialize_with = "words::status")]
    pub status: Word,
    /// The last step that has begun, from 1; 0 before the first one.
    pub current_step: usize,
    /// How many steps there are.
    pub total_steps: usize,
    /// `100 * current_step / total_steps`.
    pub progress: usize,
    /// When it was accepted; RFC 3339.
    pub created_at: String,
    /// When it was first carried; RFC 3339.
    pub started_at: Option<String>,
    /// When it ended; RFC 3339.
    pub finished_at: Option<String>,
    /// Its steps.
    pub steps: Vec<StepView>,
    /// The earlier execution whose outputs it gives instead of working.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cached_from: Option<String>,
    /// Its outputs.
    pub outputs: Map<String, Value>,
    /// What people should know although it went well.
    pub warnings: Vec<String>,
    /// Why it failed.
    pub error: Option<FaultView>,
    /// Who undid it, right after a trigger had started it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undone_by: Option<String>,
    /// What it asks for before it goes on.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<Object>)]
    pub questions: Vec<Question>,
    /// What it waits for people to approve.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub approvals: Vec<ApprovalView>,
    /// How long it waits for that; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asks_until: Option<String>,
    /// Where it stands while it waits for its turn; only where the service that carries it is asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue: Option<QueueView>,
    /// Where it came from.
    pub origin: Origin,
    /// The number of its last event: what [`crate::service::Archive::events`] goes on after.
    pub seq: u64,
}

impl RunView {
    /// The view of a folded run. Outputs of steps, and who undid it, are put in by whoever has them.
    pub(in crate::service) fn new((row, events): (&StoredRun, u64), run: &Run, flow: &Flow) -> Self {
        let plan = &flow.plan;
        let steps: Vec<StepView> = (0..plan.steps.len()).map(|index| step_view(plan, run, index)).collect();
        // What runs for items is counted with the step that has them.
        let own = || (0..plan.steps.len()).filter(|&step| plan.steps[step].in_loop.is_none());
        let begun = own().filter(|&step| run.steps[step].state != StepState::Pending).count();
        let total = own().count();
        let asking = if run.state.is_finished() { &[] } else { run.asking.as_slice() };
        let fault = row.fault.as_ref().or_else(|| run.fault(plan).map(|(_, fault)| fault));
        Self {
            execution_id: run.id.to_string(),
            workflow_id: row.workflow_id.to_string(),
            workflow: row.slug.clone(),
            name: if row.name == row.slug { plan.name.clone() } else { row.name.clone() },
            version_changed: row.is_behind,
            status: run.state.status(),
            current_step: begun,
            total_steps: total,
            progress: (100 * begun).checked_div(total).unwrap_or(100),
            created_at: run.created_at.to_string(),
            started_at: run.started_at.map(|at| at.to_string()),
            finished_at: run.finished_at.map(|at| at.to_string()),
            steps,
            cached_from: run.recalled.map(|from| from.to_string()),
            outputs: row.outputs.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default(),
            warnings: row.warnings.clone(),
            error: if matches!(run.state, RunState::Finished(_)) { fault.map(FaultView::from) } else { None },
            undone_by: None,
            questions: asking.iter().flat_map(|asking| asking.questions.clone()).collect(),
            approvals: ApprovalView::all(run, flow),
            asks_until: asking
                .iter()
                .map(|asking| asking.until)
                .min()
                .filter(|until| *until < Timestamp::NEVER)
                .map(|until| until.to_string()),
            queue: None,
            origin: serde_json::from_str(row.origin.get()).unwrap_or_default(), // written by this program
            seq: events,
        }
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }

    /// Whether it does nothing until somebody says something: answers, decides, or looks at a step that failed.
    #[must_use]
    pub fn waits_for_somebody(&self) -> bool {
        let held = |step: &StepView| step.status == "waiting" && step.error.is_some();
        !self.is_finished() && (!self.questions.is_empty() || !self.approvals.is_empty() || self.steps.iter().any(held))
    }
}

fn step_view(plan: &Plan, run: &Run, index: usize) -> StepView {
    // What runs for items stands as the loop does that it belongs to.
    let stands = std::iter::successors(Some(index), |&step| plan.steps[step].in_loop).last().unwrap_or(index);
    let (step, state) = (&plan.steps[index], &run.steps[stands]);
    let items = run.loop_at(index).map(|known| {
        let (done, failed, running) = known.tally();
        ItemsView { total: known.count, done, failed: u32::try_from(failed).unwrap_or(u32::MAX), running }
    });
    let due_at = state.state.waits_until().filter(|until| *until < Timestamp::NEVER).map(|until| until.to_string());
    let skipped = match state.state {
        StepState::Skipped(SkipReason::Condition) => Some(Cow::Borrowed("its condition was false")),
        StepState::Skipped(SkipReason::Branch) => Some(Cow::Borrowed("another branch was taken")),
        StepState::Skipped(SkipReason::Asked) => Some(Cow::Borrowed("somebody skipped it")),
        StepState::Skipped(SkipReason::Recalled) => Some(Cow::Borrowed("an earlier execution had done it")),
        StepState::Skipped(SkipReason::RunFailed) => Some(Cow::Borrowed("the workflow had failed before it")),
        _ => None,
    };
    let duration = state.started_at.zip(state.finished_at).map(|(from, to)| to.since(from).as_secs_f64());
    StepView {
        index,
        id: step.id.clone(),
        name: step.name.clone(),
        kind: step.kind.clone(),
        status: state.state.status(),
        attempts: state.attempts,
        max_attempts: step.retry.max_attempts(),
        started_at: state.started_at.map(|at| at.to_string()),
        duration,
        due_at,
        skipped,
        parent: step.parent.map(|parent| plan.steps[parent].id.clone()),
        items,
        execution_id: match run.waits.get(&index) {
            Some(Wait::Child(child)) => Some(child.to_string()),
            _ => None,
        },
        cached_from: run.reused.get(&index).map(ToString::to_string),
        outputs: None,
        warnings: if stands == index { state.warnings.clone() } else { Vec::new() },
        error: state.fault.as_deref().filter(|_| stands == index).map(FaultView::from),
    }
}

/// A workflow that was run or saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WorkflowView {
    /// Its id.
    pub id: String,
    /// Its title.
    pub name: String,
    /// The name by which it is run.
    pub slug: String,
    /// What it does.
    pub description: String,
    /// The template it was made from.
    pub template: Option<String>,
    /// `active`, or `archived` once it was taken out of use.
    #[serde(deserialize_with = "words::status")]
    pub status: Word,
    /// The hash of its present version.
    pub revision: String,
    /// When it was made; RFC 3339.
    pub created_at: String,
}

impl From<StoredWorkflow> for WorkflowView {
    fn from(workflow: StoredWorkflow) -> Self {
        Self {
            id: workflow.id.to_string(),
            name: workflow.name,
            slug: workflow.slug,
            description: workflow.description,
            status: if workflow.archived_at.is_some() { "archived" } else { "active" },
            template: workflow.template,
            revision: workflow.revision_hash,
            created_at: workflow.created_at.to_string(),
        }
    }
}
