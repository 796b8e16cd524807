//! What steps give: how it comes into a run, and how it is kept.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cached::Slot;
use super::carried::Carried;
use super::{EngineError, Inner, attempt, nested, values};
use crate::domain::command::Command;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::run::{Run, StepState};
use crate::domain::wait::Wait;
use crate::language::Outputs;
use crate::store::StoreError;
use crate::store::cache::CachedResult;

/// Rows of steps that are read in one go.
const ROWS_AT_A_TIME: usize = 2_000;

impl Carried {
    /// A step gave something: what later steps see of it, and what other runs may take.
    pub async fn keep(
        &mut self,
        inner: &Inner,
        command: Command,
        (step, outputs): (usize, Map<String, Value>),
        slot: Option<Slot>,
    ) -> Result<(), Fault> {
        let blobs = inner.store.blobs();
        let result = match slot {
            Some(Slot { key, expires_at }) => {
                Some(CachedResult { key, outputs: values::pack(&outputs, &*blobs).await?, expires_at })
            }
            None => None,
        };
        let outputs = attempt::shape(self, step, outputs)?;
        let row = values::pack(&outputs, &*blobs).await?;
        match self.succeed(step, command, (outputs, row), inner.clock.now()) {
            Ok(()) => self.results.extend(result),
            Err(refusal) => tracing::warn!(run = %self.run.id, %refusal, "an outcome came too late"),
        }
        Ok(())
    }

    /// The runs that steps wait for.
    pub fn children(&self) -> Vec<RunId> {
        let child = |(step, wait): (&usize, &Wait)| match wait {
            Wait::Child(child) if self.run.steps[*step].state == StepState::Nesting => Some(*child),
            _ => None,
        };
        self.run.waits.iter().filter_map(child).collect()
    }

    /// A run that a step waits for may be over: then the step goes on with what it gave.
    pub async fn take_child(&mut self, inner: &Inner, child: RunId) -> Result<(), EngineError> {
        // Whoever loaded the run has looked already.
        if !self.children().contains(&child) {
            return Ok(());
        }
        let Some(ended) = nested::ended(inner, child).await? else { return Ok(()) };
        nested::note_rests(inner, self).await?;
        let step = self.run.waits.iter().find(|(_, wait)| **wait == Wait::Child(child)).map(|(step, _)| *step);
        let nested::Ended { outputs, mut fault, warnings } = ended;
        let mark = self.settled.len();
        // Before the step settles: what settles with it may read what it gave.
        if let (Some(step), None) = (step, &fault) {
            match attempt::shape(self, step, outputs) {
                Ok(outputs) => self.outputs[step] = Some(Outputs::Values(outputs)),
                Err(trouble) => fault = Some(trouble),
            }
        }
        let went_well = fault.is_none();
        self.step(Command::ChildEnded { child, fault, warnings }, inner.clock.now())?;
        let settled = self.settled[mark..].iter().position(|settled| Some(settled.position) == step);
        self.unpacked.extend(settled.filter(|_| went_well).map(|place| mark + place));
        Ok(())
    }

    /// Brings the outputs of loops into the form in which they are kept.
    pub(super) async fn pack(&mut self, inner: &Inner) -> Result<(), StoreError> {
        for place in std::mem::take(&mut self.unpacked) {
            let position = self.settled[place].position;
            let Some(outputs) = self.outputs[position].clone() else { continue };
            let blobs = inner.store.blobs();
            let packed = match &outputs {
                Outputs::Values(values) => values::pack(values, &*blobs).await,
                Outputs::Text(_) => values::pack_text(&outputs.text(), &*blobs).await,
            };
            // As a commit that fails: nothing is acknowledged, and the next start goes on from the last one.
            let packed = packed.map_err(|fault| StoreError::Failed {
                action: "keep outputs in",
                path: "files".into(),
                message: fault.to_string(),
            })?;
            self.settled[place].outputs = Some(packed);
        }
        Ok(())
    }
}

/// What steps gave, by place; and what of that is lost.
type Kept = (Vec<Option<Outputs>>, BTreeMap<usize, Fault>);

/// What the steps of a run gave, as it was kept; and what of that cannot be read. Who needs it fails, the others go on.
pub async fn take_up(inner: &Inner, run: &Run) -> Result<Kept, StoreError> {
    let (mut outputs, mut lost) = (vec![None; run.steps.len()], BTreeMap::new());
    let blobs = inner.store.blobs();
    for from in (0..run.steps.len()).step_by(ROWS_AT_A_TIME) {
        let places = from..run.steps.len().min(from + ROWS_AT_A_TIME);
        for (position, row) in inner.store.journal().outputs(run.id, places).await? {
            if run.steps[position].state != StepState::Succeeded {
                continue;
            }
            match values::take_up(row, &*blobs).await {
                Ok(kept) => outputs[position] = Some(kept),
                Err(fault) => _ = lost.insert(position, fault),
            }
        }
    }
    Ok((outputs, lost))
}
