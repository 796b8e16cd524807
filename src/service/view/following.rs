//! Where readers of an execution's events have come to: who follows one does not have it folded from its beginning at
//! each look.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::events::{EventView, Frames};
use crate::domain::event::Entry;
use crate::domain::id::RunId;
use crate::domain::machine;
use crate::domain::run::{Flow, Run};
use crate::store::runs::StoredRun;
use crate::store::{Store, StoreError};

/// Places that are kept.
const PLACES: usize = 32;
/// Steps of executions that are kept with them, all together: some 20 MiB.
const STEPS: usize = 100_000;

/// Commits that are read in one go. A reader gets whole ones, so few: those of a long loop hold many events.
const COMMITS: u32 = 8;

/// A place: what happened until there is folded.
struct Place {
    run: Run,
    /// The last commit.
    commit: u64,
    /// The number of its last event.
    seq: u64,
}

/// The places of all readers. Cheap to clone.
#[derive(Clone, Default)]
pub(in crate::service) struct Places(Arc<Mutex<VecDeque<Place>>>);

impl Places {
    /// What happened after the event number `after`: at least `limit` events if there are so many, and whole commits.
    pub async fn read(
        &self,
        store: &Store,
        (row, flow): (&StoredRun, &Flow),
        (after, limit): (u64, usize),
    ) -> Result<Vec<EventView>, StoreError> {
        let new = || Place { run: Run::new(row.id, flow, row.created_at), commit: 0, seq: 0 };
        let mut place = self.take(row.id, after).unwrap_or_else(new);
        let mut frames = Frames::default();
        loop {
            let Place { run, commit, seq } = &mut place;
            let fold = |entry: Entry| {
                machine::apply(run, flow, entry.0, &entry.1);
                *seq += 1;
                if *seq > after {
                    frames.push(flow, run, (*seq, &entry));
                }
            };
            let (last, more) = store.journal().page(row.id, (*commit, COMMITS), fold).await?;
            *commit = last;
            if !more || frames.read.len() >= limit {
                break;
            }
        }
        let mut outputs = BTreeMap::new();
        for stretch in frames.wanted() {
            outputs.extend(store.journal().outputs(row.id, stretch).await?);
        }
        frames.fill(&outputs);
        self.keep(place);
        Ok(frames.read)
    }

    /// The furthest place of an execution that is not behind this event.
    fn take(&self, run: RunId, after: u64) -> Option<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = places.iter().enumerate().filter(|(_, place)| place.run.id == run && place.seq <= after);
        let at = fitting.max_by_key(|(_, place)| place.seq).map(|(at, _)| at)?;
        places.remove(at)
    }

    /// Keeps a place as the newest; the oldest go where there are too many.
    fn keep(&self, place: Place) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.push_back(place);
        let mut steps: usize = places.iter().map(|place| place.run.steps.len()).sum();
        while places.len() > 1 && (places.len() > PLACES || steps > STEPS) {
            steps -= places.pop_front().map_or(0, |place| place.run.steps.len());
        }
    }
}
