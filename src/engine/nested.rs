//! Runs inside runs: a step begins another run and waits for its end. The end is a fact of the other run, written with
//! it; who waits reads it there, so a crash between the two loses nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::carried::{Carried, Origin};
use super::turns::queue::SharedLane;
use super::{EngineError, Inner, ledger, raw, reception};
use crate::contract::crash::crash_point;
use crate::contract::directory::{Found, Wanted};
use crate::contract::step::Nest;
use crate::domain::code;
use crate::domain::command::Command;
use crate::domain::fault::{Again, Fault};
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::run::{Flow, RunState, StepState};
use crate::domain::time::{Span, Timestamp};
use crate::domain::wait::Wait;
use crate::language::inputs;
use crate::store::StoreError;
use crate::store::journal::NewRun;
use crate::store::runs::StoredRun;

/// The door of runs that other runs began.
const DOOR: &str = "workflow";
/// Runs stand in runs at most so deep.
const DEEPEST: usize = 8;

/// The step of another run that began this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The run.
    pub run: RunId,
    /// The step, by its place.
    pub step: usize,
}

/// A workflow as it was when the outermost run began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The name by which it is run.
    pub slug: String,
    /// Its version then.
    pub revision: String,
}

/// What a run hands on to those that it begins; a part of its origin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kin {
    /// Who began it, if another run did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The workflows of the runs around it, from the outside in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<String>,
    /// The versions that the workflows had, by the names that steps call them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pins: BTreeMap<String, Pin>,
    /// The trigger that started the outermost run: it takes turns as that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_of: Option<String>,
    /// The concurrency groups in which the runs around it hold places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// What is known of the step that begins a run.
#[derive(Clone)]
pub struct Beginner {
    run: RunId,
    step: usize,
    generation: u32,
    workflow: WorkflowId,
    flow: Arc<Flow>,
    origin: Arc<Origin>,
    lane: Option<SharedLane>,
}

impl Beginner {
    pub fn of(carried: &Carried, step: usize) -> Self {
        Self {
            run: carried.run.id,
            step,
            generation: carried.run.steps[step].generation,
            workflow: carried.workflow,
            flow: Arc::clone(&carried.flow),
            origin: Arc::clone(&carried.origin),
            lane: carried.lane.clone(),
        }
    }

    /// The run of the step.
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// What its workflow is called.
    pub fn slug(&self) -> &str {
        &self.flow.plan.slug
    }

    /// The groups in which this run, and those around it, hold places.
    fn groups(&self) -> impl Iterator<Item = &String> {
        let own = self.lane.as_ref().and_then(|lane| lane.group.as_ref()).map(|group| &group.name);
        self.origin.kin.groups.iter().chain(own)
    }

    /// The id of the run that this step begins: the same however often it is tried.
    fn child(&self, generation: u32) -> RunId {
        let text = format!("{}/{}/{generation}", self.run, self.step);
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let chance = hash[..10].iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        RunId::from_bits((self.run.bits() >> 80) << 80 | chance)
    }
}

/// Begins the run, or finds it begun.
///
/// # Errors
/// There is no such workflow, its inputs do not fit, or it stands in itself.
pub async fn begin(inner: &Arc<Inner>, beginner: &Beginner, nest: &Nest) -> Result<RunId, Fault> {
    let child = beginner.child(beginner.generation);
    if stored(inner, child).await?.is_some() {
        return Ok(child);
    }
    let found = find(inner, beginner, &nest.wanted).await?;
    check_lineage(beginner, &found.slug)?;
    let (inputs, _) = inputs::check(&found.flow.plan, &nest.inputs).map_err(|faults| first(faults, &found.slug))?;
    if let Some(earlier) = earlier(inner, beginner, &found, &inputs).await? {
        return Ok(earlier);
    }
    let mut kin = beginner.origin.kin.clone();
    kin.parent = nest.wait.then_some(Parent { run: beginner.run, step: beginner.step });
    kin.lineage.push(beginner.flow.plan.slug.clone());
    kin.groups = beginner.groups().cloned().collect();
    kin.turn_of = kin.turn_of.or_else(|| beginner.origin.trigger.clone());
    let Origin { name, identity, channel, home, .. } = &*beginner.origin;
    let mut origin = json!({ "door": DOOR, "name": name, "identity": identity, "began_by": beginner.run });
    if let Some(channel) = channel {
        merge(&mut origin, json!({ "channel": channel }));
    }
    if let Some(home) = home {
        merge(&mut origin, json!({ "home": home }));
    }
    merge(&mut origin, json!(kin));
    let new = NewRun {
        workflow_id: found.workflow.unwrap_or(beginner.workflow),
        revision_hash: found.flow.plan.hash.clone(),
        slug: found.slug,
        origin: raw(&origin),
        inputs: raw(&inputs),
        parent: nest.wait.then_some(beginner.run),
        lane: None,
        firing: None,
    };
    let fresh = Carried::fresh(child, new, found.flow, None, inner.clock.now()).map_err(not_begun)?;
    check_groups(beginner, &fresh)?;
    crash_point("inner run: before its beginning");
    let begun = reception::accept(inner, fresh).await;
    crash_point("inner run: begun");
    match begun {
        // Somebody was quicker: it is the same run.
        Ok(()) | Err(EngineError::Store(StoreError::Conflict(_))) => Ok(child),
        Err(error) => Err(not_begun(error)),
    }
}

/// Who waits for a run keeps its place in its group, so the run must not need a place there.
fn check_groups(beginner: &Beginner, fresh: &Carried) -> Result<(), Fault> {
    let Some(group) = fresh.lane.as_ref().and_then(|lane| lane.group.as_ref()) else { return Ok(()) };
    let waits = fresh.origin.kin.parent.is_some();
    if waits && beginner.groups().any(|held| *held == group.name) {
        let message = format!(
            "`{}` would wait for itself: it belongs to the concurrency group `{}`, as what begins it",
            fresh.flow.plan.slug, group.name
        );
        return Err(Fault::permanent(code::WF4013, message));
    }
    Ok(())
}

fn not_begun(error: EngineError) -> Fault {
    match error {
        EngineError::Group(fault) => fault,
        EngineError::Full(why) => Fault::transient(code::WF4014, why),
        error => Fault::transient(code::WF4006, "the workflow could not be begun").context(error),
    }
}

/// What the step began in an earlier generation: done or broken off, it need not begin anew. What is broken goes on.
async fn earlier(
    inner: &Arc<Inner>,
    beginner: &Beginner,
    found: &Found,
    inputs: &Map<String, Value>,
) -> Result<Option<RunId>, Fault> {
    for generation in (0..beginner.generation).rev() {
        let child = beginner.child(generation);
        let Some(row) = stored(inner, child).await? else { continue };
        let same = row.revision_hash == found.flow.plan.hash && row.inputs.get() == raw(inputs).get();
        if !same {
            return Ok(None);
        }
        if matches!(row.status.as_str(), "failed" | "cancelled" | "timed_out") {
            let by = beginner.run.to_string();
            let retry = Command::Retry { step: None, inputs: Map::new(), by };
            let begun = Box::pin(reception::command(inner, child, reception::Wish::Command(retry))).await;
            begun.map_err(|error| {
                Fault::permanent(code::WF4013, format!("`{child}` could not be retried")).context(error)
            })?;
        }
        return Ok(Some(child));
    }
    Ok(None)
}

async fn find(inner: &Inner, beginner: &Beginner, wanted: &Wanted) -> Result<Found, Fault> {
    if let Wanted::Workflow(name) = wanted
        && let Some(pin) = beginner.origin.kin.pins.get(name)
    {
        let flow = inner.plans.get(&inner.store, &pin.revision).await;
        let flow = flow.map_err(|error| Fault::permanent(code::WF4013, error.to_string()))?;
        return Ok(Found { workflow: Some(pin.workflow), slug: pin.slug.clone(), flow });
    }
    match inner.plans.directory() {
        Some(directory) => directory.find(wanted).await,
        None => Err(Fault::permanent(code::WF4013, "this process knows no workflows by name")),
    }
}

fn check_lineage(beginner: &Beginner, slug: &str) -> Result<(), Fault> {
    let lineage = beginner.origin.kin.lineage.iter().map(String::as_str).chain([beginner.flow.plan.slug.as_str()]);
    if lineage.clone().any(|known| known == slug) {
        let way: Vec<&str> = lineage.chain([slug]).collect();
        let message = format!("`{slug}` would stand in itself: {}", way.join(" begins "));
        return Err(Fault::permanent(code::WF4013, message));
    }
    if beginner.origin.kin.lineage.len() + 1 >= DEEPEST {
        let message = format!("workflows stand in workflows deeper than {DEEPEST} levels");
        return Err(Fault::permanent(code::WF4013, message));
    }
    Ok(())
}

fn first(faults: Vec<Fault>, slug: &str) -> Fault {
    let more = faults.len().saturating_sub(1);
    let Some(fault) = faults.into_iter().next() else {
        return Fault::permanent(code::WF4013, format!("the inputs of `{slug}` do not fit"));
    };
    let rest = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    Fault { message: format!("`{slug}`: {}{rest}", fault.message), again: Again::Permanent, ..fault }
}

async fn stored(inner: &Inner, run: RunId) -> Result<Option<StoredRun>, Fault> {
    let found = inner.store.runs().find(run).await;
    found.map_err(|error| Fault::transient(code::WF4006, "the store could not be read").context(error))
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// How a run that a step waited for came out: what it gives, or why it did not go well.
pub struct Ended {
    pub outputs: Map<String, Value>,
    pub fault: Option<Fault>,
    pub warnings: Vec<String>,
}

/// How a run came out; `None` while it is not over.
pub async fn ended(inner: &Inner, child: RunId) -> Result<Option<Ended>, StoreError> {
    let Some(row) = inner.store.runs().find(child).await? else { return Ok(None) };
    if row.finished_at.is_none() {
        return Ok(None);
    }
    let mut outputs: Map<String, Value> =
        row.outputs.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    outputs.entry("execution_id").or_insert_with(|| json!(child));
    let fault = match row.status.as_str() {
        "completed" => None,
        status => Some(match row.fault {
            Some(fault) => {
                Fault { message: format!("`{}`: {}", row.slug, fault.message), again: Again::Permanent, ..fault }
            }
            None => Fault::permanent(code::WF4007, format!("`{}` was {status} ({child})", row.slug)),
        }),
    };
    let warnings = match row.warnings.len() {
        0 => Vec::new(),
        count => vec![format!("`{}` ended with {count} warnings ({child})", row.slug)],
    };
    Ok(Some(Ended { outputs, fault, warnings }))
}

/// Tells whoever waits for it that a run is over, or goes on.
pub fn tell_parent(inner: &Arc<Inner>, parent: RunId, wish: reception::Wish) {
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        crash_point("inner run: over");
        // Who does not hear of an end now reads it at the next start.
        if let Err(error) = reception::command(&inner, parent, wish).await {
            tracing::debug!(%parent, %error, "nobody waits for this any more");
        }
    });
}

/// Whether a run has no time left while others are under way for it.
pub fn is_overdue(carried: &Carried, now: Timestamp) -> bool {
    carried.run.deadline.is_some_and(|deadline| deadline <= now) && !carried.children().is_empty()
}

/// Looks whether a run that has no time left has some after all, because what it waits for rested for people.
pub async fn still_rests(inner: &Inner, carried: &mut Carried) -> bool {
    if let Err(error) = note_rests(inner, carried).await {
        tracing::warn!(run = %carried.run.id, %error, "how long inner executions rested cannot be read");
    }
    matches!(carried.run.state, RunState::Waiting { until } if until > inner.clock.now())
}

/// Notes how long the runs that a run waits for have rested while people were to decide.
///
/// # Errors
/// The store fails, or one of them cannot be read.
pub async fn note_rests(inner: &Inner, carried: &mut Carried) -> Result<(), EngineError> {
    if carried.run.deadline.is_none() || carried.flow.plan.includes_waits {
        return Ok(());
    }
    for child in carried.children() {
        let (rested, resting) = rest(inner, child).await?;
        let noted = Command::InnerRested { child, rested, resting };
        carried.step(noted, inner.clock.now())?;
    }
    Ok(())
}

/// How long a run and those that it waits for have rested, and whether they do.
async fn rest(inner: &Inner, run: RunId) -> Result<(Span, bool), EngineError> {
    let (folded, _) = ledger::fold(&inner.store, &inner.plans, run).await?;
    let (mut rested, mut resting) = folded.rest(inner.clock.now());
    for (step, wait) in &folded.waits {
        if let Wait::Child(child) = wait
            && folded.steps[*step].state == StepState::Nesting
        {
            let (inside, rests) = Box::pin(rest(inner, *child)).await?;
            (rested, resting) = (rested.plus(inside), resting || rests);
        }
    }
    Ok((rested, resting))
}

/// Passes a wish on to the runs that a run waits for.
pub fn pass_on(inner: &Arc<Inner>, children: Vec<RunId>, command: &Command) {
    for child in children {
        let (inner, command) = (Arc::clone(inner), command.clone());
        tokio::spawn(async move {
            if let Err(error) = reception::command(&inner, child, reception::Wish::Command(command)).await {
                tracing::debug!(%child, %error, "the wish came too late");
            }
        });
    }
}
