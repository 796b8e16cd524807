//! Requests that may come twice: who names a request by a key of their own gets the same answer again instead of a
//! second run, for a day, also when the process died between doing and answering.
//!
//! The id of what is made is promised before it is made. A repeat that finds a promise and no answer looks whether the
//! promised thing is there: if so it is the answer, if not it is made now, under the promised id.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::error::ServiceError;
use super::runs::Service;
use crate::contract::blob::Digest;
use crate::contract::crash::crash_point;
use crate::domain::time::{Span, Timestamp};
use crate::store::repeats::KeyedRequest;

/// How long an answer is kept.
const KEPT: Span = Span::from_secs(24 * 3_600);

/// The keyed requests. Cheap to clone.
#[derive(Clone)]
pub struct Repeats {
    service: Arc<Service>,
    /// Keys of requests that this process is working on.
    open: Arc<Mutex<HashSet<String>>>,
}

/// What a key means now.
pub enum Claim {
    /// Do it, and say what came of it.
    Ours(Ticket),
    /// It was done; the status and body of its answer.
    Done(u16, String),
    /// The key belongs to another request.
    Other,
    /// It is being done.
    Busy,
}

/// The right to do a request.
pub struct Ticket {
    repeats: Repeats,
    key: String,
    /// The bits of the id to be made.
    pub bits: u128,
    /// Whether somebody had this ticket before and did not come to an answer.
    pub is_second_try: bool,
}

impl Repeats {
    /// The keyed requests of this service.
    #[must_use]
    pub fn new(service: Service) -> Self {
        Self { service: Arc::new(service), open: Arc::default() }
    }

    /// What this key means for a request of this content.
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim(&self, key: &str, content: &str) -> Result<Claim, ServiceError> {
        if !self.open().insert(key.to_owned()) {
            return Ok(Claim::Busy);
        }
        let clock = self.service.engine().clock();
        let mut ticket = Ticket { repeats: self.clone(), key: key.to_owned(), bits: 0, is_second_try: false };
        let fingerprint = Digest::from_bytes(&Sha256::digest(content.as_bytes()).into()).to_string();
        let store = self.service.engine().store();
        let now = clock.now();
        let oldest = Timestamp::from_micros(now.micros() - KEPT.micros());
        let known = store.repeats().find(key).await?.filter(|known| known.created_at >= oldest);
        if let Some(known) = known {
            if known.fingerprint != fingerprint {
                return Ok(Claim::Other);
            }
            if let Some((status, body)) = known.answer {
                return Ok(Claim::Done(status, body));
            }
            ticket.bits = known.made.parse().unwrap_or_else(|_| clock.id_bits());
            ticket.is_second_try = true;
            return Ok(Claim::Ours(ticket));
        }
        ticket.bits = clock.id_bits();
        let request = KeyedRequest { fingerprint, made: ticket.bits.to_string(), answer: None, created_at: now };
        store.repeats().promise(key, &request, oldest).await?;
        crash_point("request: its id is promised");
        Ok(Claim::Ours(ticket))
    }

    fn open(&self) -> MutexGuard<'_, HashSet<String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner) // every change is one infallible call
    }
}

impl Ticket {
    /// It was done, and this is the answer.
    ///
    /// # Errors
    /// The store fails.
    pub async fn answer(self, status: u16, body: &str) -> Result<(), ServiceError> {
        crash_point("request: done, without its answer");
        Ok(self.repeats.service.engine().store().repeats().answer(&self.key, status, body).await?)
    }

    /// It was refused: a better request may use the key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget(self) -> Result<(), ServiceError> {
        Ok(self.repeats.service.engine().store().repeats().forget(&self.key).await?)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.repeats.open().remove(&self.key);
    }
}
