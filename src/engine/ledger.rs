//! What runs have done, newest first, and how it is taken back.
//!
//! Nothing is written for it while a run goes on: what a step did stands with the step. A rollback is a run of its own
//! with one `undo` for each effect, so it is as durable, as visible and as retryable as anything else.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::carried::Carried;
use super::plans::Plans;
use super::{EngineError, Inner, attempt, looped, raw, reception};
use crate::contract::crash::crash_point;
use crate::contract::directory::Wanted;
use crate::contract::step::{Done, Effect, Nest, StepOutcome, StepResult, Undone};
use crate::domain::code;
use crate::domain::command::Refusal;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::machine;
use crate::domain::plan::{PlanStep, Rollback};
use crate::domain::run::{Flow, Run, StepState};
use crate::domain::time::Timestamp;
use crate::language::catalog::Undo;
use crate::language::render;
use crate::store::Store;
use crate::store::effects::DoneStep;
use crate::store::journal::NewRun;

/// How an effect can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Its step type knows how.
    ByItself,
    /// By the steps that its author wrote.
    BySteps,
    /// Not at all: what is done is done.
    Never,
    /// Its author wants it kept.
    Kept,
}

/// Something that a step did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// The run; that of a nested workflow where one did it.
    pub execution: RunId,
    /// The step's path.
    pub step: String,
    /// Its place.
    pub position: usize,
    /// Its type.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// How it can be taken back.
    pub how: How,
    /// The run that has taken it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<RunId>,
}

/// What a run and those that it began have done, newest first; `to`: only what was done after this step.
///
/// # Errors
/// No such run or step, or the store fails.
pub async fn deeds(store: &Store, plans: &Plans, run: RunId, to: Option<&str>) -> Result<Vec<Deed>, EngineError> {
    let mut after = None;
    let mut deeds = Vec::new();
    let mut open = vec![run];
    while let Some(next) = open.pop() {
        let (folded, flow) = fold(store, plans, next).await?;
        if let Some(step) = to.filter(|_| next == run) {
            after = Some(end_of(&folded, &flow, step)?);
        }
        open.extend(store.effects().children(next).await?);
        let done = store.effects().done(next).await?;
        deeds.extend(done.iter().filter_map(|done| deed(plans, (&folded, &flow), done)));
    }
    deeds.retain(|deed| after.is_none_or(|after| deed.at > after));
    deeds.sort_by_key(|deed| Reverse((deed.at, deed.position)));
    Ok(deeds)
}

pub(super) async fn fold(store: &Store, plans: &Plans, id: RunId) -> Result<(Run, Arc<Flow>), EngineError> {
    let row = store.runs().find(id).await?.ok_or(EngineError::NotFound(id))?;
    let flow = plans.get(store, &row.revision_hash).await?;
    let mut run = Run::new(id, &flow, row.created_at);
    store.journal().each(id, 0, |(at, event)| machine::apply(&mut run, &flow, at, &event)).await?;
    Ok((run, flow))
}

/// When a step was done.
fn end_of(run: &Run, flow: &Flow, step: &str) -> Result<Timestamp, EngineError> {
    let place = (0..run.planned()).find(|place| flow.plan.steps[*place].id == step);
    let done = place.map(|place| &run.steps[place]).filter(|step| step.state == StepState::Succeeded);
    done.and_then(|step| step.finished_at)
        .ok_or_else(|| EngineError::Refused(Refusal::Step(format!("`{step}` is no step of it that was completed"))))
}

fn deed(plans: &Plans, (run, flow): (&Run, &Flow), done: &DoneStep) -> Option<Deed> {
    let known = done.position < run.steps.len();
    let plan = known.then(|| flow.step(run, done.position))?;
    // A loop itself did nothing: its items did.
    let how = how(plans, plan).filter(|_| !run.is_loop(flow, done.position))?;
    Some(Deed {
        execution: run.id,
        step: run.path(flow, done.position),
        position: done.position,
        kind: plan.kind.clone(),
        at: done.at,
        how,
        undone_by: done.undone_by,
    })
}

/// How what a step did is taken back; `None`: it leaves nothing behind.
fn how(plans: &Plans, plan: &PlanStep) -> Option<How> {
    let undo = plans.catalog().get(&plan.kind).map_or(Undo::Never, |kind| kind.undo);
    match (&plan.rollback, undo) {
        (Some(Rollback::Steps(_)), _) => Some(How::BySteps),
        (_, Undo::Nothing) => None,
        (Some(Rollback::Keep), _) => Some(How::Kept),
        (None, Undo::ByItself) => Some(How::ByItself),
        (None, Undo::Never) => Some(How::Never),
    }
}

/// The run that takes these back, one after the other.
pub fn rollback(of: &str, deeds: &[Deed]) -> Nest {
    let steps = json!([
        {
            "type": "undo", "id": "undo", "name": "Undo",
            "foreach": {
                "in": "${{ inputs.effects }}", "as": "effect", "key": "${{ effect.step }}",
                "max_parallel": 1, "on_item_error": "collect",
            },
            "config": { "execution": "${{ effect.execution }}", "position": "${{ effect.position }}" },
        },
        {
            "type": "assert", "id": "all_undone", "name": "All Undone",
            "config": {
                "that": "${{ steps.undo.outputs.failed == 0 }}",
                "message": "something could not be taken back; look at the items of `undo`, then retry",
            },
        },
    ]);
    let steps = steps.as_array().cloned().unwrap_or_default();
    let open = deeds.iter().filter(|deed| deed.undone_by.is_none());
    let effects: Vec<Value> =
        open.map(|deed| json!({ "execution": deed.execution, "step": deed.step, "position": deed.position })).collect();
    Nest {
        wanted: Wanted::Steps { name: format!("rollback of {of}"), steps },
        inputs: Map::from_iter([("effects".to_owned(), Value::Array(effects))]),
        wait: true,
    }
}

/// Begins to take back what a run has done.
///
/// # Errors
/// It has done nothing that could be taken back, or the store fails.
pub async fn begin(inner: &Arc<Inner>, deeds: &[Deed], new: NewRun) -> Result<RunId, EngineError> {
    if deeds.iter().all(|deed| deed.undone_by.is_some()) {
        let why = if deeds.is_empty() { "nothing was done that stays" } else { "all of it was taken back already" };
        return Err(EngineError::Refused(Refusal::Step(why.to_owned())));
    }
    let nest = rollback(&new.slug, deeds);
    let directory = inner.plans.directory().ok_or(EngineError::Stopping)?;
    let found = directory.find(&nest.wanted).await.map_err(EngineError::Value)?;
    let id = RunId::from_bits(inner.clock.id_bits());
    let new =
        NewRun { revision_hash: found.flow.plan.hash.clone(), slug: found.slug, inputs: raw(&nest.inputs), ..new };
    let fresh = Carried::fresh(id, new, found.flow, None, inner.clock.now())?;
    reception::accept(inner, fresh).await?;
    Ok(id)
}

/// Takes back what one step did, in the name of the run `by`.
pub async fn undo(inner: &Arc<Inner>, by: RunId, (run, step): (RunId, usize)) -> StepResult {
    let unreadable =
        |error: EngineError| Fault::transient(code::WF4006, format!("`{run}` could not be read")).context(error);
    let mut carried = Carried::load(inner, run).await.map_err(unreadable)?;
    let known = carried.run.steps.get(step).is_some_and(|known| known.state == StepState::Succeeded);
    let outputs = carried.outputs.get(step).cloned().flatten();
    let (true, Some(outputs)) = (known, outputs) else {
        let message = format!("place {step} of `{run}` is no step that was completed");
        return Err(Fault::permanent(code::WF2008, message));
    };
    looped::know_items(&mut carried, step);
    let plan = carried.flow.step(&carried.run, step).clone();
    let path = carried.run.path(&carried.flow, step);
    let result = |word: &str, what: &str| json!({ "execution": run, "step": path, "type": plan.kind, "result": word, "what": what });
    let outcome = match &plan.rollback {
        Some(Rollback::Keep) => Done::with(result("kept", "its author wants it kept")).into(),
        Some(Rollback::Steps(steps)) => {
            let scope = carried.scope_with(step, outputs);
            let rendered = render::list(&Value::Array(steps.clone()), &scope.view())?;
            let steps = rendered.as_array().cloned().unwrap_or_default();
            let wanted = Wanted::Steps { name: format!("undo of {path}"), steps };
            Ok(StepOutcome::Nest(Nest { wanted, inputs: Map::new(), wait: true }))
        }
        None => {
            let handler = inner.registry.get(&plan.kind).ok_or_else(|| attempt::unknown_type(inner, &plan.kind))?;
            let (step_key, outputs) = (attempt::step_key(&carried, step), Arc::clone(outputs.values()));
            let effect = Effect { run, step: path.clone(), step_key, outputs };
            match handler.undo(&effect).await? {
                Undone::Gone(what) => Done::with(result("undone", &what)).into(),
                Undone::Lasting(why) => {
                    let done = Done::with(result("lasting", &why)).warn(format!("`{path}` stays: {why}"));
                    return done.into();
                }
            }
        }
    };
    let generation = carried.run.steps[step].generation;
    crash_point("rollback: taken back, not noted");
    let noted = inner.store.effects().note_undone((run, step, generation), by, inner.clock.now()).await;
    noted.map_err(|error| Fault::transient(code::WF4006, "the undoing could not be noted").context(error))?;
    outcome
}
