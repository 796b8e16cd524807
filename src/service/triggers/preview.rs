//! Times ahead, by the scheduler's own code: what a schedule would do, told with the clocks of its zone.

use serde::{Deserialize, Serialize};

use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::schedule::{Fire, Timing, Zone};
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::{Rhythm, ScheduleSpec, TriggerKind};
use crate::language::schedule::{self, Wrong};
use crate::service::archive::Archive;
use crate::service::error::ServiceError;

/// Times of one answer at the most.
const MOST: usize = 10_000;

/// Which times are asked for.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// A cron expression, plain words, or the name of a schedule.
    pub what: String,
    /// Whose clocks; UTC, or those that the words or the schedule name, when absent.
    pub zone: Option<String>,
    /// After when; now when absent.
    pub from: Option<String>,
}

/// One time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PreviewFire {
    /// In UTC.
    pub at: String,
    /// As the clocks of the zone show it.
    pub local: String,
    /// What the clocks do to it, or on that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a schedule does in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SimulateView {
    /// The schedule, as it was understood.
    pub schedule: String,
    /// Whose clocks.
    pub zone: String,
    /// The version of the zone database.
    pub database: String,
    /// The times.
    pub fires: Vec<PreviewFire>,
    /// When clocks are changed meanwhile.
    pub changes: Vec<String>,
}

fn refused(wrong: Wrong) -> ServiceError {
    ServiceError::Inputs(vec![Fault::permanent(code::WF1061, wrong.message).fix(wrong.fix)])
}

/// An instant for programs: seconds, in UTC.
fn plain(at: Timestamp) -> String {
    at.to_string().replace(".000Z", "Z")
}

impl Preview {
    /// The schedule that an expression or words name.
    ///
    /// # Errors
    /// They name none, or one that never happens.
    pub fn spec(&self) -> Result<ScheduleSpec, ServiceError> {
        let (rhythm, said) = schedule::either(&self.what).map_err(refused)?;
        let zone = match (&self.zone, said) {
            (Some(name), _) => schedule::zone(name).map_err(refused)?,
            (None, Some(zone)) => zone,
            (None, None) => Zone::UTC,
        };
        Ok(ScheduleSpec::usual(rhythm, zone.name()))
    }

    /// The next times of a schedule.
    ///
    /// # Errors
    /// It never happens, or `from` is no time.
    pub fn next(&self, spec: &ScheduleSpec, now: Timestamp, count: usize) -> Result<SimulateView, ServiceError> {
        let (timing, from) = self.begin(spec, now)?;
        let fires: Vec<Fire> = timing.fires(from, count.min(MOST)).collect();
        if fires.is_empty() && !matches!(spec.rhythm, Rhythm::At(_)) {
            return Err(refused(schedule::never()));
        }
        let until = fires.last().map_or(from, |fire| fire.at);
        Ok(view(spec, &timing, (from, until), &fires))
    }

    /// What a schedule does within so long.
    ///
    /// # Errors
    /// `from` is no time.
    pub fn simulate(&self, spec: &ScheduleSpec, now: Timestamp, long: Span) -> Result<SimulateView, ServiceError> {
        let (timing, from) = self.begin(spec, now)?;
        let until = from.plus(long);
        let fires: Vec<Fire> = timing.fires(from, MOST).take_while(|fire| fire.at <= until).collect();
        Ok(view(spec, &timing, (from, until), &fires))
    }

    fn begin(&self, spec: &ScheduleSpec, now: Timestamp) -> Result<(Timing, Timestamp), ServiceError> {
        let from = match &self.from {
            Some(text) => {
                let zone = Zone::named(&spec.zone).unwrap_or(Zone::UTC);
                schedule::instant(text, zone).map_err(refused)?
            }
            None => now,
        };
        let timing = schedule::check(spec, from).map_err(refused)?;
        Ok((timing, from))
    }
}

fn view(spec: &ScheduleSpec, timing: &Timing, (from, until): (Timestamp, Timestamp), fires: &[Fire]) -> SimulateView {
    let zone = timing.zone();
    let seconds = |at: Timestamp| at.micros().div_euclid(1_000_000);
    let note = |fire: &Fire| {
        let change = fire.change?;
        let clocks = format!(
            "the clocks go {} by {} min",
            if change.is_gap() { "forward" } else { "back" },
            (change.after - change.before).abs() / 60
        );
        Some(if fire.is_moved {
            format!("{clocks}; its own time is left out, so it comes right after")
        } else {
            format!("{clocks} that day")
        })
    };
    let told = |fire: &Fire| PreviewFire { at: plain(fire.at), local: zone.spoken(seconds(fire.at)), note: note(fire) };
    let changes =
        zone.changes(seconds(from), seconds(until)).into_iter().map(|change| zone.spoken(change.at)).collect();
    SimulateView {
        schedule: spec.told(),
        zone: zone.name().to_owned(),
        database: Zone::database().to_owned(),
        fires: fires.iter().map(told).collect(),
        changes,
    }
}

impl SimulateView {
    /// The answer on several lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let fire = |fire: &PreviewFire| {
            let note = fire.note.as_ref().map(|note| format!("  ({note})")).unwrap_or_default();
            format!("{}  {}{note}", fire.local, fire.at)
        };
        let mut lines = vec![match self.schedule.ends_with(&self.zone) {
            true => self.schedule.clone(),
            false => format!("{} ({})", self.schedule, self.zone),
        }];
        lines.extend(self.fires.iter().map(fire));
        if !self.changes.is_empty() {
            lines.push(format!("clocks are changed: {}", self.changes.join(", ")));
        }
        lines
    }
}

impl Archive {
    /// The schedule that is meant: one that is armed, by its name, or what an expression or words say.
    ///
    /// # Errors
    /// It is neither, or the store fails.
    pub async fn schedule_of(&self, preview: &Preview) -> Result<ScheduleSpec, ServiceError> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.');
        if preview.what.chars().all(plain)
            && !preview.what.is_empty()
            && let Ok(found) = self.trigger_row(&preview.what, Some("schedule")).await
            && let TriggerKind::Schedule(spec) = found.spec.kind
        {
            return Ok(spec);
        }
        preview.spec()
    }
}
