//! All cards at one moment: what is due, what is being sent, and when the next one is due. Pure.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::delivery::Delivery;
use crate::domain::id::RunId;

/// A card that is being kept up to date.
pub struct Live {
    pub delivery: Delivery,
    /// Something happened since the last send began.
    pub dirty: bool,
    /// It is something that people wait for.
    pub turned: bool,
    /// It is being sent.
    pub sending: bool,
    /// Not before this.
    pub next: Instant,
    /// When it has to be sent again although nothing happens.
    pub passing: Option<Instant>,
    pub failures: u32,
    /// Since when its platform does not take it.
    pub behind: Option<Instant>,
}

/// All cards at one moment.
pub struct Survey {
    /// How many there are, by platform.
    pub cards: HashMap<String, usize>,
    /// How many are being sent, by platform.
    pub in_flight: HashMap<String, usize>,
    /// Channels to which a new message is on its way.
    pub posting: HashSet<(String, String)>,
    /// What is due: nobody waits for it, and the execution.
    pub due: Vec<(bool, RunId)>,
    /// When the next one is.
    pub next: Instant,
}

impl Survey {
    /// What there is to do, and what is being done; where nothing is due, the next look is after `longest`.
    pub fn of(cards: &HashMap<RunId, Live>, now: Instant, longest: Duration) -> Self {
        let mut survey = Self {
            cards: HashMap::new(),
            in_flight: HashMap::new(),
            posting: HashSet::new(),
            due: Vec::new(),
            next: now + longest,
        };
        for (run, live) in cards {
            let card = &live.delivery.card;
            *survey.cards.entry(card.platform.clone()).or_default() += 1;
            if live.sending {
                *survey.in_flight.entry(card.platform.clone()).or_default() += 1;
                if card.message.is_none() {
                    survey.posting.insert((card.platform.clone(), card.channel.clone()));
                }
                continue;
            }
            let is_due = live.dirty || live.passing.is_some_and(|at| at <= now);
            if is_due && live.next <= now {
                survey.due.push((!live.turned, *run));
            } else if let Some(next) = if is_due { Some(live.next) } else { live.passing } {
                survey.next = survey.next.min(next);
            }
        }
        // What people wait for goes first, and of that the execution that began first: ids are in the order of time.
        survey.due.sort_unstable();
        survey
    }
}
