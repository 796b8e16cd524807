//! What is offered: whether a step is wanted, whether there is room for its attempt, and its beginning.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use super::carrier::Carrier;
use super::looped;
use super::turns::rooms::Permit;
use crate::domain::code;
use crate::domain::command::Command;
use crate::domain::fault::Fault;
use crate::domain::machine;
use crate::domain::plan::EffectClass;
use crate::domain::run::{RunState, StepState};
use crate::domain::time::Timestamp;
use crate::language::render;

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// An attempt begins, which does this to the world.
    Begun(EffectClass),
    /// Nothing begins: the step is left out, has failed, or its items are under way.
    Settled,
    /// There is no room for it yet.
    Waits,
}

/// Where the attempts of a run wait for room, and the room that they have.
#[derive(Default)]
pub struct Entrance {
    /// Told when there is room.
    pub room: Arc<Notify>,
    /// The last offers found no room.
    pub is_waiting: bool,
    /// When the first of them has waited too long.
    tired_at: Option<Timestamp>,
    permits: HashMap<usize, Permit>,
}

impl Entrance {
    /// An attempt is over.
    pub fn leave(&mut self, step: usize) {
        self.permits.remove(&step);
    }
}

impl Carrier {
    /// Looks at a step's condition; begins or skips it, or has it wait for room.
    pub(super) fn offer(&mut self, step: usize, now: Timestamp) -> Offered {
        looped::know_items(&mut self.carried, step);
        let first = self.carried.run.steps[step].state == StepState::Pending;
        let wanted = match self.carried.loss(step) {
            Some(lost) => Err(lost),
            None if first => self.carried.left_out(step),
            None => Ok(None),
        };
        let loops = self.carried.run.is_loop(&self.carried.flow, step);
        let offered = match wanted {
            Ok(Some(reason)) => {
                self.apply(Command::Skip { step, reason });
                return Offered::Settled;
            }
            Ok(None) if loops => looped::list(&mut self.carried, step).map(|command| {
                self.apply(command);
                Offered::Settled
            }),
            Ok(None) => self.enter(step, now).map(|is_inside| {
                if !is_inside {
                    return Offered::Waits;
                }
                self.apply(Command::Begin { step });
                Offered::Begun(self.carried.flow.step(&self.carried.run, step).effect)
            }),
            Err(fault) => Err(fault),
        };
        offered.unwrap_or_else(|fault| {
            let fault = fault.at(self.carried.run.path(&self.carried.flow, step));
            self.apply(Command::Begin { step });
            let attempt = self.carried.run.steps[step].attempts;
            self.apply_at(Command::Fail { step, attempt, fault }, now);
            Offered::Settled
        })
    }

    /// Takes room for an attempt of a step that shares something; `false` when it has to wait for it.
    fn enter(&mut self, step: usize, now: Timestamp) -> Result<bool, Fault> {
        let plan = self.carried.flow.step(&self.carried.run, step);
        let Some(room) = &plan.room else { return Ok(true) };
        let group = render::scalar(&room.group, &self.carried.scope(step).view())?;
        let group = group.as_str().map_or_else(|| group.to_string(), str::to_owned);
        let until = plan.queue.map(|span| self.carried.run.ready_since(&self.carried.flow, step).plus(span));
        let run = (self.carried.run.id, &self.entrance.room);
        if let Some(permit) = self.inner.rooms.enter((&group, room.limit), run) {
            self.entrance.permits.insert(step, permit);
            return Ok(true);
        }
        if let (Some(until), Some(span)) = (until, plan.queue)
            && until <= now
        {
            let message = format!("waited longer than {span} for room in the group `{group}`");
            return Err(Fault::permanent(code::WF2004, message));
        }
        let entrance = &mut self.entrance;
        entrance.tired_at = until.into_iter().chain(entrance.tired_at.filter(|_| entrance.is_waiting)).min();
        entrance.is_waiting = true;
        Ok(false)
    }

    /// Whether the run only waits for room.
    pub(super) fn waits_outside(&self) -> bool {
        self.carried.run.state == RunState::Running && self.entrance.is_waiting
    }

    /// When it has something to do although there is no room.
    pub(super) fn tired_at(&self) -> Timestamp {
        let wake = machine::next_wake(&self.carried.run);
        self.entrance.tired_at.into_iter().chain(wake).min().unwrap_or(Timestamp::NEVER)
    }
}
