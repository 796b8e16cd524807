//! One attempt: renders the config, binds the ports, calls the handler, holds it to its time.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Inner;
use super::cached::{self, Slot};
use super::carried::Carried;
use super::feed::Notice;
use super::ledger;
use super::nested::{self, Beginner};
use crate::contract::step::{Attempt, Began, Bound, Done, Progress, StepHandler, StepOutcome, StepResult};
use crate::domain::code;
use crate::domain::command::Command;
use crate::domain::fault::Fault;
use crate::domain::hex;
use crate::domain::id::RunId;
use crate::domain::plan::PortSource;
use crate::domain::time::{Span, Timestamp};
use crate::language::{Outputs, render};

/// An attempt that has ended.
pub struct Ended {
    pub step: usize,
    pub number: u32,
    pub result: Result<Brought, Fault>,
    /// Where its result is to be kept for other runs.
    pub slot: Option<Slot>,
}

/// What an attempt brought.
pub enum Brought {
    /// What its handler says.
    Outcome(StepOutcome),
    /// Another run, begun.
    Nested(RunId),
    /// What the step gave in an earlier run.
    Earlier(RunId, Map<String, Value>),
}

impl Brought {
    /// What follows for the machine; `None` for outputs, which go another way.
    pub fn command(self, (step, attempt): (usize, u32), requester: &str) -> Option<Command> {
        Some(match self {
            Self::Nested(child) => Command::Nest { step, attempt, child },
            Self::Outcome(StepOutcome::WaitUntil(until)) => Command::Sleep { step, attempt, until },
            Self::Outcome(StepOutcome::Ask { questions, until }) => Command::Ask { step, attempt, questions, until },
            Self::Outcome(StepOutcome::Approve { mut spec, until }) => {
                requester.clone_into(&mut spec.requester);
                Command::AskApproval { step, attempt, spec, until }
            }
            Self::Outcome(StepOutcome::Listen { event, until }) => Command::Listen { step, attempt, event, until },
            Self::Earlier(..)
            | Self::Outcome(
                StepOutcome::Done(_) | StepOutcome::Nest(_) | StepOutcome::Undo { .. } | StepOutcome::RollBack { .. },
            ) => return None,
        })
    }
}

/// An attempt ready to go: everything it needs from the run has been taken.
pub struct Prepared {
    step: usize,
    number: u32,
    work: Result<Work, Fault>,
    beginner: Beginner,
    inner: Arc<Inner>,
}

type Work = (Arc<dyn StepHandler>, Attempt, Pulse, Option<Slot>);

/// Takes from the run what the attempt needs. A config that cannot be rendered fails the attempt, not the engine.
pub fn prepare(inner: &Arc<Inner>, carried: &Carried, step: usize, cancel: CancellationToken) -> Prepared {
    let plan_step = carried.flow.step(&carried.run, step);
    let number = carried.run.steps[step].attempts;
    let handler = inner.registry.get(&plan_step.kind).cloned().ok_or_else(|| unknown_type(inner, &plan_step.kind));
    let work = handler.and_then(|handler| {
        let pulse = Pulse::new(plan_step.heartbeat);
        let (attempt, slot) = attempt(inner, carried, step, (cancel, &pulse))?;
        Ok((handler, attempt, pulse, slot))
    });
    let work = work
        .map_err(|fault| if fault.place.is_none() { fault.at(carried.run.path(&carried.flow, step)) } else { fault });
    Prepared { step, number, work, beginner: Beginner::of(carried, step), inner: Arc::clone(inner) }
}

impl Prepared {
    /// Runs to an end within the timeout and the grace. A handler that panics has failed, nothing else.
    pub async fn run(self) -> Ended {
        let mut kept_at = None;
        let result = match self.work {
            Ok((handler, attempt, pulse, slot)) => {
                if let Some(slot) = slot.as_ref().filter(|_| attempt.number == 1)
                    && let Some((from, outputs)) = cached::find(&self.inner, slot).await
                {
                    let result = Ok(Brought::Earlier(from, outputs));
                    return Ended { step: self.step, number: self.number, result, slot: None };
                }
                kept_at = slot;
                let grace = self.inner.settings.stop_grace;
                hold_to_time(&*handler, (&attempt, &pulse), grace, &self.inner.halting).await
            }
            Err(fault) => Err(fault),
        };
        let run = self.beginner.run();
        let result = match result {
            Ok(StepOutcome::Undo { run: of, step }) => ledger::undo(&self.inner, run, (of, step)).await,
            Ok(StepOutcome::RollBack { to }) => {
                let deeds = ledger::deeds(&self.inner.store, &self.inner.plans, run, to.as_deref()).await;
                let deeds = deeds.map_err(|error| Fault::permanent(code::WF2008, error.to_string()));
                deeds.map(|deeds| StepOutcome::Nest(ledger::rollback(self.beginner.slug(), &deeds)))
            }
            other => other,
        };
        let result = match result {
            Ok(StepOutcome::Nest(nest)) => nested::begin(&self.inner, &self.beginner, &nest).await.map(|child| {
                let begun = || Done::with(serde_json::json!({ "execution_id": child }));
                if nest.wait { Brought::Nested(child) } else { Brought::Outcome(StepOutcome::Done(begun())) }
            }),
            other => other.map(Brought::Outcome),
        };
        Ended { step: self.step, number: self.number, result, slot: kept_at }
    }
}

async fn hold_to_time(
    handler: &dyn StepHandler,
    (attempt, pulse): (&Attempt, &Pulse),
    grace: Span,
    halting: &CancellationToken,
) -> StepResult {
    let work = AssertUnwindSafe(handler.run(attempt)).catch_unwind();
    tokio::pin!(work);
    let fault = tokio::select! {
        biased;
        ended = &mut work => return ended.unwrap_or_else(|panic| Err(broke(&attempt.step, &*panic))),
        () = attempt.cancel.cancelled() => stopped(&attempt.step),
        () = halting.cancelled() => stopped(&attempt.step),
        () = tokio::time::sleep(attempt.timeout.duration()) => timed_out(attempt),
        silence = pulse.stops() => silent(attempt, silence),
    };
    attempt.cancel.cancel();
    let ended = tokio::time::timeout(grace.duration(), work).await;
    let succeeded_late = match ended {
        Ok(Ok(Ok(outcome))) => Some(outcome),
        _ => None, // dropped with everything it had started
    };
    // Work that was finished while it was being cancelled is a fact; after a time-out it no longer counts.
    match succeeded_late {
        Some(outcome) if fault.code != code::WF2004 => Ok(outcome),
        _ => Err(fault),
    }
}

fn attempt(
    inner: &Arc<Inner>,
    carried: &Carried,
    step: usize,
    (cancel, pulse): (CancellationToken, &Pulse),
) -> Result<(Attempt, Option<Slot>), Fault> {
    let plan_step = carried.flow.step(&carried.run, step);
    let scope = carried.scope(step);
    let config = render::config(plan_step, &scope.view())?;
    let mut ports = BTreeMap::new();
    for binding in &plan_step.ports {
        if let Some(bound) = bind(carried, step, &binding.source, &scope)? {
            ports.insert(binding.port.clone(), bound);
        }
    }
    let attempt = Attempt {
        run: carried.run.id,
        workflow: carried.flow.plan.slug.clone(),
        step: carried.run.path(&carried.flow, step),
        number: carried.run.steps[step].attempts,
        config,
        ports,
        inputs: Arc::clone(&carried.inputs),
        step_key: step_key(carried, step),
        attended: carried.is_attended(),
        sensitive: sensitive(carried),
        began: began(carried),
        now: inner.clock.now(),
        timeout: time_left(carried, step, inner.clock.now()),
        cancel,
        progress: progress(inner, carried, step, pulse),
    };
    let slot = if carried.origin.fresh { None } else { cached::slot(plan_step, &attempt, &scope.view())? };
    Ok((attempt, slot))
}

fn sensitive(carried: &Carried) -> Vec<String> {
    let declared = carried.flow.plan.inputs.iter().flatten().filter(|input| input.sensitive);
    declared.map(|input| input.name.clone()).collect()
}

fn began(carried: &Carried) -> Began {
    let super::carried::Origin { door, name, channel, .. } = &*carried.origin;
    let at = carried.run.started_at.unwrap_or(carried.run.created_at);
    Began { door: door.clone(), by: name.clone(), channel: channel.clone(), at }
}

/// How long an attempt may take: its own time, and no more than all attempts have left.
fn time_left(carried: &Carried, step: usize, now: Timestamp) -> Span {
    let plan = carried.flow.step(&carried.run, step);
    let begun = carried.run.steps[step].started_at.unwrap_or(now);
    plan.total.map_or(plan.timeout, |total| plan.timeout.min(begun.plus(total).since(now)))
}

fn bind(
    carried: &Carried,
    step: usize,
    source: &PortSource,
    scope: &super::facts::Facts<'_>,
) -> Result<Option<Bound>, Fault> {
    Ok(match source {
        PortSource::Step { step: from, output } => {
            let seen = carried.run.seen_from(&carried.flow, Some(step), *from);
            let outputs = seen.and_then(|seen| carried.outputs[seen].as_ref());
            outputs.map(|outputs| Bound::Output(Arc::clone(outputs.values()), output.clone()))
        }
        PortSource::Input(name) => carried.inputs.get(name).map(|value| Bound::Value(value.clone())),
        PortSource::Expression(text) => Some(Bound::Value(render::scalar(text, &scope.view())?)),
    })
}

/// The same for every attempt of one generation of a step, so that the other side can notice a repeat.
pub fn step_key(carried: &Carried, step: usize) -> String {
    let text = format!("{}/{step}/{}", carried.run.id, carried.run.steps[step].generation);
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    hex::of(&hash[..16])
}

fn progress(inner: &Arc<Inner>, carried: &Carried, step: usize, pulse: &Pulse) -> Progress {
    let (feed, run, step) = (inner.feed.clone(), carried.run.id, carried.run.plan_index(step));
    let beats = pulse.0.as_ref().map(|(_, beats)| beats.clone());
    Arc::new(move |text| {
        if let Some(beats) = &beats {
            beats.send_replace(());
        }
        feed.tell(|| Notice::Progress { run, step, text: text.to_owned() });
    })
}

/// The signs of life of an attempt: each word on how far it is.
struct Pulse(Option<(Span, watch::Sender<()>)>);

impl Pulse {
    fn new(heartbeat: Option<Span>) -> Self {
        Self(heartbeat.map(|heartbeat| (heartbeat, watch::Sender::new(()))))
    }

    /// Resolves once there was none for as long as the step allows; says how long that is.
    async fn stops(&self) -> Span {
        let Some((heartbeat, beats)) = &self.0 else { return std::future::pending().await };
        let mut beats = beats.subscribe();
        while tokio::time::timeout(heartbeat.duration(), beats.changed()).await.is_ok() {}
        *heartbeat
    }
}

/// The outputs that later steps see: the handler's own, or those that the step declares.
pub fn shape(carried: &Carried, step: usize, outputs: Map<String, Value>) -> Result<Arc<Map<String, Value>>, Fault> {
    let declared = &carried.flow.step(&carried.run, step).outputs;
    let outputs = Arc::new(outputs);
    if declared.is_empty() {
        return Ok(outputs);
    }
    let facts = carried.scope_with(step, Outputs::Values(Arc::clone(&outputs)));
    let shaped: Result<Map<_, _>, Fault> =
        declared.iter().map(|(name, text)| Ok((name.clone(), render::scalar(text, &facts.view())?))).collect();
    shaped.map(Arc::new)
}

pub fn unknown_type(inner: &Inner, kind: &str) -> Fault {
    let near = crate::language::near(kind, inner.registry.catalog().iter().map(|step_type| step_type.name));
    let fault = Fault::permanent(code::WF2003, format!("unknown step type: `{kind}`"));
    match near {
        Some(near) => fault.fix(format!("did you mean `{near}`?")),
        None => fault,
    }
}

fn timed_out(attempt: &Attempt) -> Fault {
    let message = format!("`{}` took longer than {}", attempt.step, attempt.timeout);
    Fault::transient(code::WF2004, message).at(&attempt.step)
}

fn silent(attempt: &Attempt, silence: Span) -> Fault {
    let message = format!("`{}` did not tell for {silence} how far it is", attempt.step);
    Fault::transient(code::WF2004, message).at(&attempt.step)
}

fn stopped(step: &str) -> Fault {
    Fault::transient(code::WF4007, format!("`{step}` was stopped before it was done")).at(step)
}

fn broke(step: &str, panic: &(dyn std::any::Any + Send)) -> Fault {
    let said = panic.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(step, said, "a step handler panicked");
    Fault::permanent(code::WF4001, format!("the handler of `{step}` broke")).context(said).at(step)
}
