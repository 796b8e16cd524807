//! Who did what, or was not let to, and by which rule.

use serde::{Deserialize, Serialize};

use super::super::error::ServiceError;
use super::super::runs::Service;
use super::caller::Caller;
use super::gate::Target;
use super::mask::masked;
use crate::domain::role::Action;
use crate::domain::time::{Span, Timestamp};
use crate::store::people::Trace;

pub use crate::store::people::TraceFilter;

/// How long lines are kept.
const KEPT: Span = Span::from_secs(400 * 24 * 3_600);
/// Lines of one answer at the most.
const MOST: u32 = 1_000;

/// One thing that somebody did, or was not let to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TraceView {
    /// Its id; what to give as `before` for those before it.
    pub id: String,
    /// When; RFC 3339.
    pub at: String,
    /// Who: a person's name, or what a platform calls them.
    pub identity: String,
    /// What they were called then.
    pub name: String,
    /// Through which door.
    pub door: String,
    /// In which channel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<String>,
    /// The message that said it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// What was typed, without its secrets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub said: Option<String>,
    /// What was meant by it.
    pub verb: String,
    /// What it was about: an execution, a workflow, a person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub about: Option<String>,
    /// Whether it was let.
    pub allowed: bool,
    /// The rule that let it, or did not.
    pub rule: String,
}

impl From<Trace> for TraceView {
    fn from(trace: Trace) -> Self {
        let Trace { id, at, identity, name, door, channel, message, said, verb, about, allowed, rule } = trace;
        Self { id, at: at.to_string(), identity, name, door, channel, message, said, verb, about, allowed, rule }
    }
}

impl TraceView {
    /// The line as people read it.
    #[must_use]
    pub fn told(&self) -> String {
        let what = self.about.as_ref().map(|about| format!(" {about}")).unwrap_or_default();
        let place = self.channel.as_ref().unwrap_or(&self.door);
        let verdict = if self.allowed { "allowed" } else { "denied" };
        let said = self.said.as_ref().map(|said| format!("  \"{said}\"")).unwrap_or_default();
        let Self { at, identity, verb, rule, .. } = self;
        format!("{at}  {identity}  {verb}{what}  {verdict} by {rule}  in {place}{said}")
    }
}

/// What is kept of one thing that somebody wanted, beside who they are.
pub(super) struct Step {
    verb: &'static str,
    about: Option<String>,
    allowed: bool,
    rule: String,
    /// Values in what was typed that nobody else is to see.
    pub secrets: Vec<String>,
}

impl Step {
    /// Somebody wants to do this to that.
    pub const fn of(verb: &'static str, about: Option<String>) -> Self {
        Self { verb, about, allowed: false, rule: String::new(), secrets: Vec::new() }
    }

    /// And is let, or not, by this rule.
    pub fn by(self, allowed: bool, rule: &str) -> Self {
        Self { allowed, rule: rule.to_owned(), ..self }
    }
}

impl Service {
    /// Who did what, newest first.
    ///
    /// # Errors
    /// It is not for this caller, or the store fails.
    pub async fn trail(&self, caller: &Caller, filter: &TraceFilter) -> Result<Vec<TraceView>, ServiceError> {
        self.check(caller, Action::Examine, Target::Instance).await?;
        let filter = TraceFilter { limit: filter.limit.min(MOST), ..filter.clone() };
        let lines = self.engine().store().trail().list(&filter).await?;
        Ok(lines.into_iter().map(TraceView::from).collect())
    }

    /// An id that sorts by time, to the microsecond.
    fn trace_id(&self, at: Timestamp) -> String {
        let chance = self.fresh_id();
        format!("{:016}{}", at.micros(), chance.get(16..).unwrap_or_default())
    }

    /// Keeps a line.
    pub(super) async fn leave_trace(&self, caller: &Caller, step: Step) -> Result<(), ServiceError> {
        let said = caller.said();
        let Step { verb, about, allowed, rule, secrets } = step;
        let at = self.now();
        let trace = Trace {
            id: self.trace_id(at),
            at,
            identity: caller.identity().to_owned(),
            name: caller.name.clone(),
            door: caller.door.to_owned(),
            channel: caller.channel.clone(),
            message: said.message.clone(),
            said: said.text.as_ref().map(|text| masked(text, &secrets)),
            verb: verb.to_owned(),
            about,
            allowed,
            rule,
        };
        let forget = Timestamp::from_micros(at.micros().saturating_sub(KEPT.micros()));
        Ok(self.engine().store().trail().add(&trace, forget).await?)
    }
}
