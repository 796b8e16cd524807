//! The one function that decides, [`may`], and how it says no. A function of values: who somebody is has been found out
//! before.

use std::fmt;

use super::parties::{Party, Permissions, Place};
use super::roles::{Action, Role, Standing};

/// Who wants to do something, as far as it decides what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who it is. No two people have the same, and nobody can choose it: a person's name, `slack:T01/U01ALICE`, or the
    /// user of this machine.
    pub identity: String,
    /// What the platform calls them, where they were given a name here.
    pub alias: Option<String>,
    /// What they may do.
    pub role: Role,
    /// How they belong to the place.
    pub standing: Standing,
    /// Where they are.
    pub place: Option<Place>,
    /// The most that anybody may do there, and the rule that says so.
    pub ceiling: Option<(Role, String)>,
    /// The workspace or server from which they come: `slack:T01`.
    pub home: Option<String>,
}

impl Subject {
    /// The owner of this instance.
    #[must_use]
    pub fn owner(identity: &str) -> Self {
        Self {
            identity: identity.to_owned(),
            alias: None,
            role: Role::Admin,
            standing: Standing::Owner,
            place: None,
            ceiling: None,
            home: None,
        }
    }

    /// Whether something that began in this workspace is other people's: they are known here by their own workspace
    /// alone, and it is another one.
    #[must_use]
    pub fn is_stranger_to(&self, home: Option<&str>) -> bool {
        let known_by_home = self.alias.is_none() && self.standing != Standing::Owner;
        known_by_home && matches!((home, self.home.as_deref()), (Some(there), Some(own)) if there != own)
    }

    /// Whether this text names them.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.identity == name || self.alias.as_deref() == Some(name)
    }

    fn belongs_to(&self, party: &Party) -> bool {
        match party {
            Party::Role(role) => self.role >= *role,
            Party::Person(name) => self.is(name),
            Party::Channel(channel) => {
                self.role > Role::None && self.place.as_ref().is_some_and(|place| channel.is(place))
            }
            Party::Standing(standing) => self.alias.is_none() && self.standing == *standing,
        }
    }
}

/// What it is done to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Resource<'r> {
    /// The rules of the workflow, where there is one.
    pub permissions: Option<&'r Permissions>,
    /// They started it.
    pub is_own: bool,
    /// The step that asks for a decision names them.
    pub is_named: bool,
    /// It began among people to whom they are a stranger: their role counts for nothing there.
    pub is_of_others: bool,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done; the rule that says so.
    Allow(String),
    /// It may not.
    Deny(Denial),
}

impl Verdict {
    /// Whether it may be done.
    #[must_use]
    pub const fn allows(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Why something may not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The role is not enough.
    Role {
        /// What was wanted.
        action: Action,
        /// The role that they have.
        has: Role,
        /// The role that it takes.
        needs: Role,
    },
    /// A list of the workflow does not name them.
    List {
        /// What was wanted.
        action: Action,
        /// The list's name.
        list: &'static str,
        /// Whom it names.
        parties: Vec<Party>,
    },
    /// Nobody may do it there.
    Place {
        /// What was wanted.
        action: Action,
        /// The most that may be done there.
        at_most: Role,
        /// The rule that says so.
        rule: String,
    },
}

impl Denial {
    /// What is missing.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Role { action, has: Role::None, needs } => {
                format!("`{}` needs the role {needs}, and you have none here", action.word())
            }
            Self::Role { action, has, needs } => {
                format!("`{}` needs the role {needs}; yours is {has}", action.word())
            }
            Self::List { action, parties, .. } => format!("`{}` is not for you here: {}", action.word(), told(parties)),
            Self::Place { action, at_most: Role::None, .. } => {
                format!("`{}` is not possible in this channel: nothing is", action.word())
            }
            Self::Place { action, at_most, .. } => {
                format!("`{}` is not possible in this channel: it is for a {at_most} at the most", action.word())
            }
        }
    }

    /// Where or by whom it could be done.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Role { has: Role::None, .. } => "ask an admin for a code, and say `link CODE` to me alone".to_owned(),
            Self::Role { needs: Role::Admin, .. } => "ask an admin".to_owned(),
            Self::Role { needs, .. } => format!("ask somebody with the role {needs}, or an admin for that role"),
            Self::List { parties, .. } => {
                let channels = parties.iter().filter_map(|party| match party {
                    Party::Channel(channel) => Some(channel.to_string()),
                    _ => None,
                });
                let people = parties.iter().filter_map(|party| match party {
                    Party::Person(name) => Some(format!("@{name}")),
                    Party::Role(role) => Some(format!("somebody with the role {role}")),
                    _ => None,
                });
                let (channels, people): (Vec<_>, Vec<_>) = (channels.collect(), people.collect());
                match (channels.is_empty(), people.is_empty()) {
                    (false, false) => format!("say it in {}, or ask {}", channels.join(" or "), people.join(" or ")),
                    (false, true) => format!("say it in {}", channels.join(" or ")),
                    (true, false) => format!("ask {}", people.join(" or ")),
                    (true, true) => "ask an admin".to_owned(),
                }
            }
            Self::Place { .. } => "say it in another channel, or to me alone".to_owned(),
        }
    }

    /// The rule, for whoever looks into it later.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::Role { has, needs, .. } => format!("role {has}, needs {needs}"),
            Self::List { list, parties, .. } => {
                let parties: Vec<_> = parties.iter().map(ToString::to_string).collect();
                format!("permissions.{list}: {}", parties.join(", "))
            }
            Self::Place { rule, .. } => format!("channel_roles: {rule}"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.why(), self.fix())
    }
}

/// Whom a list names, for people.
fn told(parties: &[Party]) -> String {
    let words = parties.iter().map(|party| match party {
        Party::Role(role) => format!("it takes the role {role}"),
        Party::Channel(channel) => format!("it may be said in {channel}"),
        Party::Person(name) => format!("@{name} may"),
        Party::Standing(standing) => format!("a {} may", standing.word()),
    });
    let words: Vec<_> = words.collect();
    if words.is_empty() { "its workflow lets nobody".to_owned() } else { words.join(", ") }
}

/// Whether somebody may do something.
#[must_use]
pub fn may(subject: &Subject, action: Action, on: &Resource<'_>) -> Verdict {
    if action == Action::Help {
        return Verdict::Allow("always".to_owned());
    }
    let steers_own = on.is_own && action.is_steering();
    let needs = if steers_own { Role::Runner } else { action.needs() };
    if let Some((at_most, rule)) = &subject.ceiling
        && needs > *at_most
    {
        return Verdict::Deny(Denial::Place { action, at_most: *at_most, rule: rule.clone() });
    }
    if subject.role == Role::Admin {
        return Verdict::Allow("role admin".to_owned());
    }
    // Whoever may start it keeps hold of what they started.
    if steers_own && by_rules(subject, Action::Start, on).allows() {
        return Verdict::Allow("started it".to_owned());
    }
    if matches!(action, Action::Approve | Action::Reject) && on.is_named && by_rules(subject, Action::View, on).allows()
    {
        return Verdict::Allow("named by the step".to_owned());
    }
    by_rules(subject, action, on)
}

/// What the lists of the workflow say, and where there is none, the role.
fn by_rules(subject: &Subject, action: Action, on: &Resource<'_>) -> Verdict {
    let permissions = on.permissions;
    let list = permissions.and_then(|permissions| permissions.list(action));
    if let Some((name, parties)) = list {
        if let Some(party) = parties.iter().find(|party| subject.belongs_to(party)) {
            return Verdict::Allow(format!("permissions.{name}: {party}"));
        }
    } else if subject.role >= action.needs() && !on.is_of_others {
        return Verdict::Allow(format!("role {}", subject.role));
    }
    if action == Action::View
        && let Some(party) = permissions.and_then(|it| it.lists().find(|party| subject.belongs_to(party)))
    {
        return Verdict::Allow(format!("permissions: {party}"));
    }
    Verdict::Deny(match list {
        Some((list, parties)) => Denial::List { action, list, parties: parties.to_vec() },
        None => Denial::Role { action, has: subject.role, needs: action.needs() },
    })
}
