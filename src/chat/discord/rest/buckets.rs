//! How much of us Discord takes, by its own account: buckets of requests that its headers describe, all requests
//! together, and refusals, too many of which get an address banned. Pure: the time is a parameter.
//!
//! Invariant: nobody is let through before a time that Discord named is over.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Requests of a second; Discord takes 50.
const A_SECOND: usize = 45;
/// How long an answer may be missing that would tell how large a bucket is.
const PROBE: Duration = Duration::from_secs(5);
/// How soon to look again while a bucket's size is being found out.
const SOON: Duration = Duration::from_millis(25);
/// A little more than Discord says, as its clock is not ours.
const MARGIN: Duration = Duration::from_millis(50);
/// Refusals (401, 403, 429) within [`WINDOW`] from which we are silent; at 10,000 Discord bans the address.
const REFUSALS: usize = 2_000;
const WINDOW: Duration = Duration::from_secs(600);
/// Refusals of one place, one after the other, after which it is left alone for [`LEFT_ALONE`].
const IN_A_ROW: u32 = 3;
const LEFT_ALONE: Duration = Duration::from_secs(600);
/// Buckets that are remembered; idle ones are forgotten first.
const MOST: usize = 10_000;

/// Where a request goes: its route, and the channel, guild or webhook that has a bucket of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'r> {
    /// Method and path, without ids: `POST /channels/messages`.
    pub name: &'static str,
    /// The id that counts by itself.
    pub place: &'r str,
    /// Whether it counts among all requests; answers to interactions do not.
    pub counts: bool,
}

/// What the headers of an answer say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// Which bucket it was; several routes may share one.
    pub bucket: Option<String>,
    /// How many requests it holds.
    pub limit: Option<u32>,
    /// How many are left.
    pub remaining: Option<u32>,
    /// When it is full again.
    pub reset_after: Option<Duration>,
}

/// Why a request is not let through now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not before this time.
    Until(Instant),
    /// This place has refused us several times: not before this time, and not without somebody who mends it.
    Refused(Instant),
}

#[derive(Debug, Default)]
struct Bucket {
    limit: u32,
    /// `None`: nobody has told yet.
    left: Option<u32>,
    /// When `left` is `limit` again.
    full_at: Option<Instant>,
    silent_until: Option<Instant>,
    /// Sent, not answered.
    under_way: u32,
    sent: Option<Instant>,
}

/// The buckets.
#[derive(Debug, Default)]
pub struct Buckets {
    names: HashMap<&'static str, String>,
    buckets: HashMap<(String, String), Bucket>,
    second: VecDeque<Instant>,
    silent_until: Option<Instant>,
    refusals: VecDeque<Instant>,
    refused: HashMap<String, (u32, Option<Instant>)>,
}

impl Buckets {
    /// Takes what a request uses up.
    ///
    /// # Errors
    /// Not now.
    pub fn take(&mut self, route: Route<'_>, now: Instant) -> Result<(), Wait> {
        if let Some(until) = self.refused.get(route.place).and_then(|(_, until)| *until).filter(|until| *until > now) {
            return Err(Wait::Refused(until));
        }
        if let Some(until) = self.silent_until.filter(|until| *until > now) {
            return Err(Wait::Until(until));
        }
        if route.counts {
            while self.second.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
                self.second.pop_front();
            }
            if let (true, Some(first)) = (self.second.len() >= A_SECOND, self.second.front()) {
                return Err(Wait::Until(*first + Duration::from_secs(1)));
            }
        }
        if self.buckets.len() >= MOST {
            self.buckets.retain(|_, bucket| bucket.under_way > 0 || bucket.full_at.is_some_and(|at| at > now));
        }
        self.bucket(route).take(now).map_err(Wait::Until)?;
        if route.counts {
            self.second.push_back(now);
        }
        Ok(())
    }

    /// A request was answered.
    pub fn answered(&mut self, route: Route<'_>, told: &Told, now: Instant) {
        if let Some(name) = &told.bucket
            && self.names.get(route.name) != Some(name)
        {
            self.rename(route, name);
        }
        self.bucket(route).learn(told, now);
    }

    /// A request had no answer.
    pub fn unanswered(&mut self, route: Route<'_>) {
        let bucket = self.bucket(route);
        bucket.under_way = bucket.under_way.saturating_sub(1);
    }

    /// Discord wants silence: of this bucket, or of us altogether.
    pub fn silence(&mut self, route: Route<'_>, all: bool, length: Duration, now: Instant) {
        let until = Some(now + length + MARGIN);
        if all {
            self.silent_until = self.silent_until.max(until);
        }
        let bucket = self.bucket(route);
        bucket.silent_until = bucket.silent_until.max(until);
        self.invalid(now);
    }

    /// A place has refused us; how often in a row.
    pub fn refused(&mut self, place: &str, now: Instant) -> u32 {
        self.invalid(now);
        if self.refused.len() >= MOST {
            self.refused.retain(|_, (_, until)| until.is_some_and(|until| until > now));
        }
        let (times, until) = self.refused.entry(place.to_owned()).or_default();
        *times += 1;
        if *times >= IN_A_ROW {
            *until = Some(now + LEFT_ALONE);
        }
        *times
    }

    /// Whether a place has refused us so often that it is left alone.
    #[must_use]
    pub fn is_refused(&self, place: &str, now: Instant) -> bool {
        self.refused.get(place).is_some_and(|(_, until)| until.is_some_and(|until| until > now))
    }

    /// A place has taken something from us again.
    pub fn welcome(&mut self, place: &str) {
        self.refused.remove(place);
    }

    fn invalid(&mut self, now: Instant) {
        while self.refusals.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            self.refusals.pop_front();
        }
        self.refusals.push_back(now);
        if let (true, Some(first)) = (self.refusals.len() >= REFUSALS, self.refusals.front()) {
            self.silent_until = self.silent_until.max(Some(*first + WINDOW));
        }
    }

    fn key(&self, route: Route<'_>) -> (String, String) {
        let name = self.names.get(route.name).map_or(route.name, String::as_str);
        (name.to_owned(), route.place.to_owned())
    }

    fn bucket(&mut self, route: Route<'_>) -> &mut Bucket {
        let key = self.key(route);
        self.buckets.entry(key).or_default()
    }

    /// A route's bucket has a name now: what is known of it moves there.
    fn rename(&mut self, route: Route<'_>, name: &str) {
        let before = self.key(route);
        self.names.insert(route.name, name.to_owned());
        if let Some(bucket) = self.buckets.remove(&before) {
            let known = self.bucket(route);
            known.under_way += bucket.under_way;
            known.silent_until = known.silent_until.max(bucket.silent_until);
        }
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(until) = self.silent_until.filter(|until| *until > now) {
            return Err(until);
        }
        if self.full_at.is_some_and(|at| at <= now) {
            (self.left, self.full_at) = (Some(self.limit.saturating_sub(self.under_way)), None);
        }
        match (self.left, self.full_at) {
            (None, _) if self.under_way > 0 && self.sent.is_some_and(|at| now.duration_since(at) < PROBE) => {
                return Err(now + SOON);
            }
            (Some(0), Some(at)) => return Err(at),
            (Some(0), None) if self.under_way > 0 => return Err(now + SOON),
            (left, _) => self.left = left.map(|left| left.saturating_sub(1)),
        }
        self.under_way += 1;
        self.sent = Some(now);
        Ok(())
    }

    fn learn(&mut self, told: &Told, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        if let (Some(limit), Some(remaining), Some(reset)) = (told.limit, told.remaining, told.reset_after) {
            self.limit = limit;
            // What is under way may not be counted there yet.
            self.left = Some(remaining.saturating_sub(self.under_way));
            self.full_at = Some(now + reset + MARGIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: Route<'_> = Route { name: "POST /channels/messages", place: "7", counts: true };

    fn told(limit: u32, remaining: u32, reset: u64) -> Told {
        let reset_after = Some(Duration::from_secs(reset));
        Told { bucket: Some("abc".to_owned()), limit: Some(limit), remaining: Some(remaining), reset_after }
    }

    #[test]
    fn one_request_finds_out_how_large_a_bucket_is_and_no_more_than_fit_go_out() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        assert_eq!(buckets.take(POST, now), Ok(()));
        assert_eq!(buckets.take(POST, now), Err(Wait::Until(now + SOON)));
        buckets.answered(POST, &told(5, 4, 5), now);
        for _ in 0..4 {
            assert_eq!(buckets.take(POST, now), Ok(()));
        }
        let full = now + Duration::from_secs(5) + MARGIN;
        assert_eq!(buckets.take(POST, now), Err(Wait::Until(full)));
        assert_eq!(buckets.take(Route { place: "8", ..POST }, now), Ok(()), "another channel has its own");
        for _ in 0..4 {
            buckets.answered(POST, &told(5, 0, 5), now);
        }
        assert_eq!(buckets.take(POST, full), Ok(()), "it is full again");
    }

    #[test]
    fn silence_is_kept_for_the_bucket_or_for_everything() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        buckets.silence(POST, false, Duration::from_secs(3), now);
        let until = now + Duration::from_secs(3) + MARGIN;
        assert_eq!(buckets.take(POST, now), Err(Wait::Until(until)));
        let other = Route { name: "GET /gateway/bot", place: "", counts: true };
        assert_eq!(buckets.take(other, now), Ok(()));
        buckets.silence(POST, true, Duration::from_secs(9), now);
        assert_eq!(buckets.take(other, now), Err(Wait::Until(now + Duration::from_secs(9) + MARGIN)));
    }

    #[test]
    fn all_requests_of_a_second_are_counted_and_answers_to_interactions_are_not() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let places: Vec<String> = (0..A_SECOND).map(|place| place.to_string()).collect();
        for place in &places {
            assert_eq!(buckets.take(Route { place, ..POST }, now), Ok(()));
        }
        let next = Route { place: "next", ..POST };
        assert_eq!(buckets.take(next, now), Err(Wait::Until(now + Duration::from_secs(1))));
        assert_eq!(buckets.take(Route { counts: false, ..next }, now), Ok(()));
    }

    #[test]
    fn a_place_that_refuses_three_times_is_left_alone_until_it_takes_something_again() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        assert_eq!([buckets.refused("7", now), buckets.refused("7", now), buckets.refused("7", now)], [1, 2, 3]);
        assert_eq!(buckets.take(POST, now), Err(Wait::Refused(now + LEFT_ALONE)));
        buckets.welcome("7");
        assert_eq!(buckets.take(POST, now), Ok(()));
    }

    #[test]
    fn long_before_an_address_is_banned_we_are_silent() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        for place in 0..REFUSALS {
            buckets.refused(&place.to_string(), now);
        }
        assert_eq!(buckets.take(POST, now), Err(Wait::Until(now + WINDOW)));
    }
}
