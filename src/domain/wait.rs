//! What steps wait for that is neither work of their own nor a point in time: people, other runs, events.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::id::RunId;
use super::run::Run;
use super::time::{Span, Timestamp};

/// What becomes of an approval that nobody decided in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpire {
    /// It counts as rejected.
    #[default]
    Reject,
    /// It counts as given.
    Approve,
    /// The step fails as unanswered.
    Fail,
}

/// An approval that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalSpec {
    /// What is to be approved, for people.
    pub title: String,
    /// Who may decide, by name; empty: whoever may steer the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// How many must agree.
    pub required: u32,
    /// Who started the run.
    pub requester: String,
    /// Whether that person may decide too.
    pub allow_requester: bool,
    /// What becomes of it when nobody decides in time.
    pub on_expire: OnExpire,
    /// A rejection is an outcome like any other; otherwise it fails the step.
    pub rejection_continues: bool,
    /// What to look at before deciding, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub show: Map<String, Value>,
}

impl ApprovalSpec {
    /// Whether somebody is named among those who decide.
    #[must_use]
    pub fn names(&self, who: &str) -> bool {
        self.approvers.iter().any(|name| name.trim_start_matches('@') == who)
    }

    /// Why somebody may not decide, if so. `by` is who they are, never what they are called.
    #[must_use]
    pub fn forbids(&self, by: &str) -> Option<String> {
        if !self.allow_requester && by == self.requester {
            return Some(format!("{by} asked for it, and somebody else has to decide"));
        }
        let named = self.approvers.is_empty() || self.names(by);
        (!named).then(|| format!("{by} is not among those who decide: {}", self.approvers.join(", ")))
    }
}

/// What one person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// What.
    pub approves: bool,
    /// Who.
    pub by: String,
    /// What people call them, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Vote {
    /// Who it is, for people.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.by)
    }
}

/// An approval and what was decided so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// What is asked.
    pub spec: ApprovalSpec,
    /// Since when.
    pub since: Timestamp,
    /// How long it waits.
    pub until: Timestamp,
    /// What was decided.
    pub votes: Vec<Vote>,
}

/// What a step waits for, or waited for until it went on.
#[derive(Debug, Clone, PartialEq)]
pub enum Wait {
    /// The end of another run.
    Child(RunId),
    /// People.
    Approval(Approval),
    /// An event.
    Event {
        /// Its name.
        name: String,
        /// What came with it, once it came.
        payload: Option<Value>,
    },
}

impl Wait {
    /// What the step gives when it has gone on.
    #[must_use]
    pub fn outputs(&self) -> Map<String, Value> {
        let outputs = match self {
            Self::Child(child) => json!({ "execution_id": child }),
            Self::Event { name, payload } => json!({ "event": name, "payload": payload }),
            Self::Approval(approval) => {
                let agree: Vec<&str> = approval.votes.iter().filter(|vote| vote.approves).map(Vote::called).collect();
                let against: Vec<&str> =
                    approval.votes.iter().filter(|vote| !vote.approves).map(Vote::called).collect();
                let comments: Vec<&str> = approval.votes.iter().filter_map(|vote| vote.comment.as_deref()).collect();
                let expired = against.is_empty() && agree.len() < approval.spec.required as usize;
                let approved = against.is_empty() && (!expired || approval.spec.on_expire == OnExpire::Approve);
                json!({ "approved": approved, "approved_by": agree, "rejected_by": against, "comments": comments, "expired": expired })
            }
        };
        match outputs {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }
}

/// How long a run that a step waits for has rested while people were to decide.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct InnerRest {
    pub micros: u64,
    pub resting: bool,
}

impl Run {
    /// Until when the run waits for what it cannot begin without.
    #[must_use]
    pub fn held_back_until(&self) -> Option<Timestamp> {
        self.asking.iter().find(|asking| asking.step.is_none()).map(|asking| asking.until)
    }

    /// How long it has rested by `now` while people were to decide, and whether it does.
    #[must_use]
    pub fn rest(&self, now: Timestamp) -> (Span, bool) {
        let since = self.people_since.or(self.paused_at);
        let now = since.map_or(0, |since| now.since(since).micros());
        let micros = u64::try_from(self.rested.micros() + now).unwrap_or(0);
        (Span::from_micros(micros), since.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_may_not_decide_unless_told_so_and_others_must_be_named() {
        let spec = ApprovalSpec {
            title: "Book it".to_owned(),
            approvers: vec!["@bob".to_owned(), "cleo".to_owned()],
            required: 1,
            requester: "ana".to_owned(),
            allow_requester: false,
            on_expire: OnExpire::Reject,
            rejection_continues: false,
            show: Map::new(),
        };
        assert!(spec.forbids("ana").is_some_and(|why| why.contains("somebody else")));
        assert_eq!(spec.forbids("bob"), None);
        assert!(spec.forbids("dan").is_some_and(|why| why.contains("cleo")));
        let open = ApprovalSpec { approvers: Vec::new(), allow_requester: true, ..spec };
        assert_eq!((open.forbids("ana"), open.forbids("dan")), (None, None));
    }
}
