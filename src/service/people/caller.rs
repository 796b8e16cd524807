//! Who asks. Two things are kept apart: what somebody is called, which they may choose, and who they are, which they
//! may not.

use std::fmt;
use std::str::FromStr;

use super::super::error::ServiceError;
use super::super::origin::CHAT;
use super::super::runs::Service;
use crate::domain::role::{Action, Channel, Permissions, Place, Resource, Role, Standing, Subject, Verdict, may};
use crate::store::people::Account;

/// Characters of a name that somebody chose.
const LONGEST_NAME: usize = 60;
/// The longest reason that is kept.
const LONGEST_REASON: usize = 200;

/// Who asks, and through which door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The door: `terminal`, `chat`, `api`, `page`.
    pub door: &'static str,
    /// The name by which history calls them. For show: nothing is decided by it.
    pub name: String,
    /// The channel in which they asked, if they did so in one.
    pub channel: Option<String>,
    subject: Subject,
    said: Said,
}

/// The words with which something was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub message: Option<String>,
    pub text: Option<String>,
}

/// Somebody whom a platform brings.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// What the platform calls them. `workspace` is absent where its ids are the same everywhere.
    pub platform: String,
    /// The workspace.
    pub workspace: Option<String>,
    /// Their id there.
    pub user: String,
    /// How the platform shows them; anybody may be called anything.
    pub name: Option<String>,
    /// How they belong there.
    pub standing: Standing,
    /// Where they speak, as history keeps it.
    pub address: String,
    /// The channel; `None` where they speak to us alone.
    pub place: Option<Place>,
    /// The workspace or server from which they come, also where ids are the same everywhere: `discord:123`.
    pub home: Option<String>,
    /// The message.
    pub message: Option<String>,
    /// Its text.
    pub text: Option<String>,
}

/// The most that anybody may do in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRole {
    /// The channel.
    pub channel: Channel,
    /// The most.
    pub at_most: Role,
}

impl fmt::Display for ChannelRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.channel, self.at_most)
    }
}

impl FromStr for ChannelRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (channel, role) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not written as `slack:#random=viewer`"))?;
        Ok(Self { channel: channel.trim().parse()?, at_most: role.trim().parse()? })
    }
}

/// What holds for everybody who comes over a platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The role of full members who were not given one.
    pub members: Role,
    /// The most that may be done in some channels.
    pub channels: Vec<ChannelRole>,
}

impl Rules {
    /// The most that may be done in a place, and the rule that says so; the strictest of several counts.
    fn ceiling(&self, place: &Place) -> Option<(Role, String)> {
        let here = self.channels.iter().filter(|rule| rule.channel.is(place));
        here.min_by_key(|rule| rule.at_most).map(|rule| (rule.at_most, rule.to_string()))
    }
}

impl Caller {
    /// The owner of this instance, whom the door has made sure of.
    #[must_use]
    pub fn owner(door: &'static str, name: &str) -> Self {
        let subject = Subject::owner(name);
        Self { door, name: name.to_owned(), channel: None, subject, said: Said::default() }
    }

    /// Somebody whose name was lent, and who does nothing themselves.
    pub(super) fn lent(door: &'static str, channel: Option<&str>, subject: Subject) -> Self {
        let (name, channel) = (subject.identity.clone(), channel.map(str::to_owned));
        Self { door, name, channel, subject, said: Said::default() }
    }

    /// The same caller, in this channel.
    #[must_use]
    pub fn within(self, channel: &str) -> Self {
        Self { channel: Some(channel.to_owned()), ..self }
    }

    /// The same caller, with why they ask: history keeps it beside the name.
    #[must_use]
    pub fn because(mut self, reason: Option<&str>) -> Self {
        if let Some(reason) = reason {
            let reason: String = reason.chars().take(LONGEST_REASON).collect();
            self.name = format!("{} (\"{reason}\")", self.name);
        }
        self
    }

    /// Who they are: nobody else is called so, and nobody can choose it.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.subject.identity
    }

    /// What they may do where no workflow says otherwise.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.subject.role
    }

    /// The most that may be done where they are, and the rule that says so.
    #[must_use]
    pub fn ceiling(&self) -> Option<(Role, &str)> {
        self.subject.ceiling.as_ref().map(|(at_most, rule)| (*at_most, rule.as_str()))
    }

    /// Whether they may do this as a rule. What a workflow says of itself is not looked at.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        may(&self.subject, action, &Resource::default()).allows()
    }

    /// Whether they may do this to a workflow with these rules.
    pub(in crate::service) fn may_with(&self, action: Action, permissions: &Permissions) -> bool {
        let on = Resource { permissions: Some(permissions), ..Resource::default() };
        may(&self.subject, action, &on).allows()
    }

    /// Why they have their role.
    #[must_use]
    pub fn why(&self) -> String {
        let Subject { alias, standing, role, .. } = &self.subject;
        match (alias, standing) {
            (Some(account), _) => format!("{account} belongs to {}, by a code", self.subject.identity),
            (None, Standing::Owner) => "this instance is yours".to_owned(),
            (None, Standing::Member) => format!("members of the workspace are {role} here (`chat_role`)"),
            (None, Standing::Guest) => "guests have no role until a code gives them one".to_owned(),
            (None, Standing::Foreign) => {
                "people of other workspaces have no role until a code gives them one".to_owned()
            }
        }
    }

    /// The names that people have for the channel in which they speak, as far as somebody asked for them.
    pub(in crate::service) fn place_names(&self) -> &[String] {
        self.subject.place.as_ref().map_or(&[], |place| place.names.as_slice())
    }

    pub(in crate::service) const fn subject(&self) -> &Subject {
        &self.subject
    }

    pub(super) const fn said(&self) -> &Said {
        &self.said
    }

    /// Whether nothing is hidden from them and nothing refused to them.
    pub(in crate::service) const fn is_unbound(&self) -> bool {
        matches!(self.subject.role, Role::Admin) && self.subject.ceiling.is_none()
    }

    pub(super) fn verdict(&self, action: Action, on: &Resource<'_>) -> Verdict {
        may(&self.subject, action, on)
    }
}

impl Visitor {
    pub(super) fn account(&self) -> Account {
        let (platform, user) = (plain(&self.platform), plain(&self.user));
        Account { platform, workspace: self.workspace.as_deref().map(plain).unwrap_or_default(), user }
    }

    /// The name that they chose, with what they could not choose behind it: nobody can look like somebody else.
    fn shown(&self) -> String {
        let hidden = |c: &char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        };
        let name: String =
            self.name.iter().flat_map(|name| name.chars()).filter(|c| !hidden(c)).take(LONGEST_NAME).collect();
        let name = name.trim();
        let user = plain(&self.user);
        if name.is_empty() { user } else { format!("{name} ({user})") }
    }
}

/// What a platform calls somebody, as one text: `slack:T01/U01ALICE`.
pub(super) fn text_of(account: &Account) -> String {
    let Account { platform, workspace, user } = account;
    if workspace.is_empty() { format!("{platform}:{user}") } else { format!("{platform}:{workspace}/{user}") }
}

/// The account that a text means.
pub(super) fn account_of(text: &str) -> Option<Account> {
    let (platform, rest) = text.split_once(':')?;
    let (workspace, user) = rest.split_once('/').unwrap_or(("", rest));
    let account = Account { platform: platform.to_owned(), workspace: workspace.to_owned(), user: user.to_owned() };
    (!platform.is_empty() && !user.is_empty()).then_some(account)
}

/// An id as it may stand in an identity: what could be taken for its parts is written out.
fn plain(id: &str) -> String {
    let mut plain = String::new();
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => plain.push(char::from(byte)),
            _ => plain.push_str(&format!("%{byte:02x}")),
        }
    }
    plain
}

impl Service {
    /// Who it is that a platform brings: the owner, a person by a code, or a stranger with the role of strangers.
    ///
    /// # Errors
    /// The store fails.
    pub async fn recognise(&self, visitor: Visitor) -> Result<Caller, ServiceError> {
        let account = visitor.account();
        let ceiling = visitor.place.as_ref().and_then(|place| self.access().rules.ceiling(place));
        let subject = |identity: String, alias, role| Subject {
            identity,
            alias,
            role,
            standing: visitor.standing,
            place: visitor.place.clone(),
            ceiling,
            home: visitor.home.clone(),
        };
        let (name, subject) = if visitor.standing == Standing::Owner {
            (visitor.user.clone(), subject(visitor.user.clone(), None, Role::Admin))
        } else {
            match self.engine().store().people().of_account(&account).await? {
                Some(person) => (person.name.clone(), subject(person.name, Some(text_of(&account)), person.role)),
                None => {
                    // Whatever the settings say: a stranger is let to steer at the most, and a guest to nothing.
                    let is_member = visitor.standing == Standing::Member;
                    let role = if is_member { self.access().rules.members.min(Role::Operator) } else { Role::None };
                    (visitor.shown(), subject(text_of(&account), None, role))
                }
            }
        };
        let said = Said { message: visitor.message, text: visitor.text };
        Ok(Caller { door: CHAT, name, channel: Some(visitor.address), subject, said })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_be_called_like_somebody_else() {
        let visitor = |workspace: Option<&str>, user: &str, name: &str| Visitor {
            platform: "slack".to_owned(),
            workspace: workspace.map(str::to_owned),
            user: user.to_owned(),
            name: Some(name.to_owned()),
            ..Visitor::default()
        };
        let honest = visitor(Some("T01"), "U01", "ana");
        assert_eq!((text_of(&honest.account()), honest.shown()), ("slack:T01/U01".to_owned(), "ana (U01)".to_owned()));
        let forged = visitor(None, "T01/U01", "ana (U01)\u{202e}\n");
        assert_eq!(text_of(&forged.account()), "slack:T01%2fU01");
        assert_eq!(forged.shown(), "ana (U01) (T01%2fU01)");
        assert_eq!(account_of("slack:T01/U01"), Some(honest.account()));
        assert_eq!(account_of("discord:7").map(|account| account.workspace), Some(String::new()));
        assert_eq!((account_of("ana"), account_of("slack:")), (None, None));
    }

    #[test]
    fn the_strictest_rule_of_a_channel_counts() {
        let rules: Vec<ChannelRole> = ["slack:#random=viewer", "#random=runner", "C9=none"]
            .iter()
            .map(|text| text.parse().expect("a rule"))
            .collect();
        let rules = Rules { members: Role::Operator, channels: rules };
        let place = |platform: &str, channel: &str, name: &str| Place {
            platform: platform.to_owned(),
            channel: channel.to_owned(),
            names: vec![name.to_owned()],
        };
        let at_most = |place: &Place| rules.ceiling(place).map(|(role, _)| role);
        assert_eq!(at_most(&place("slack", "C1", "random")), Some(Role::Viewer));
        assert_eq!(at_most(&place("discord", "C1", "random")), Some(Role::Runner));
        assert_eq!(at_most(&place("slack", "C9", "random")), Some(Role::None));
        assert_eq!(at_most(&place("slack", "C1", "ops")), None);
        for wrong in ["slack:#random", "#x=boss", "=viewer"] {
            assert!(wrong.parse::<ChannelRole>().is_err(), "{wrong}");
        }
    }
}
