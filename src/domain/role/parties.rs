//! Whom the rules of a workflow let in: roles, people, channels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::roles::{Action, Role, Standing};

/// Where something is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The platform's name.
    pub platform: String,
    /// The channel's id there.
    pub channel: String,
    /// Names that people have for it, without `#`, as far as a rule mentions them.
    pub names: Vec<String>,
}

/// A channel as a rule names it: `#ops`, an id, and perhaps the platform in front, as in `slack:#ops`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Channel {
    /// The platform; `None`: any.
    pub platform: Option<String>,
    /// `#` and a name, or an id.
    pub name: String,
}

impl Channel {
    /// Whether this is the place.
    #[must_use]
    pub fn is(&self, place: &Place) -> bool {
        let on = self.platform.as_ref().is_none_or(|platform| *platform == place.platform);
        on && match self.name.strip_prefix('#') {
            Some(name) => place.names.iter().any(|known| known == name),
            // An id may stand behind that of its workspace.
            None => self.name == place.channel || place.channel.rsplit('.').next() == Some(self.name.as_str()),
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.platform {
            Some(platform) => write!(f, "{platform}:{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (platform, name) = match text.split_once(':') {
            Some((platform, name)) => (Some(platform), name),
            None => (None, text),
        };
        let plain = |text: &str| !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !c.is_control());
        let fits =
            plain(name.trim_start_matches('#')) && platform.is_none_or(|it| it.chars().all(char::is_alphanumeric));
        if !fits || platform == Some("") {
            return Err(format!("`{text}` is no channel: write `#ops`, `slack:#ops`, or a channel's id"));
        }
        Ok(Self { platform: platform.map(str::to_owned), name: name.to_owned() })
    }
}

/// Whom a rule lets in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Party {
    /// Whoever has this role or a higher one.
    Role(Role),
    /// Whoever says it there, guests and people of other workspaces apart.
    Channel(Channel),
    /// A person, by the name that was given to them here or by what a platform calls them.
    Person(String),
    /// Whoever has this standing and was not given a name here.
    Standing(Standing),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Channel(channel) => write!(f, "channel:{channel}"),
            Self::Person(name) => write!(f, "@{name}"),
            Self::Standing(standing) => write!(f, "standing:{}", standing.word()),
        }
    }
}

impl From<Party> for String {
    fn from(party: Party) -> Self {
        party.to_string()
    }
}

impl TryFrom<String> for Party {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Party {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix('@') {
            let fits = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-:/".contains(c));
            return if fits { Ok(Self::Person(name.to_owned())) } else { Err(format!("`{text}` names nobody")) };
        }
        match text.split_once(':') {
            // It would let in guests and strangers, which nobody means who writes of roles.
            Some(("role", "none")) => {
                Err("`role:none` would be everybody; write `standing:guest` or `standing:foreign` for those".to_owned())
            }
            Some(("role", role)) => Ok(Self::Role(role.parse()?)),
            Some(("channel", channel)) => Ok(Self::Channel(channel.parse()?)),
            Some(("standing", "member")) => Ok(Self::Standing(Standing::Member)),
            Some(("standing", "guest")) => Ok(Self::Standing(Standing::Guest)),
            Some(("standing", "foreign")) => Ok(Self::Standing(Standing::Foreign)),
            Some(("standing", other)) => Err(format!("`{other}` is no standing: they are member, guest, foreign")),
            _ => {
                Err(format!("`{text}` names nobody: write `role:operator`, `@ana`, `channel:#ops` or `standing:guest`"))
            }
        }
    }
}

/// The rules of a workflow. A list that is there decides in place of the roles; admins may always.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// Who may start it and answer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Vec<Party>>,
    /// Who may approve and reject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approve: Option<Vec<Party>>,
    /// Who may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<Vec<Party>>,
    /// Who may see it. Whoever may do anything else with it may see it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<Vec<Party>>,
    /// Who may pause, resume and cancel what others started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Vec<Party>>,
}

impl Permissions {
    /// The rules of a workflow whose own cannot be read.
    #[must_use]
    pub fn for_editors() -> Self {
        let editors = || Some(vec![Party::Role(Role::Editor)]);
        Self { run: editors(), approve: editors(), edit: editors(), view: editors(), cancel: editors() }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The list that decides about an action, with its name.
    pub(super) fn list(&self, action: Action) -> Option<(&'static str, &[Party])> {
        let (name, list) = match action {
            Action::Start | Action::Answer | Action::Schedule => ("run", &self.run),
            Action::Approve | Action::Reject => ("approve", &self.approve),
            Action::Edit | Action::SkipApproval => ("edit", &self.edit),
            Action::View => ("view", &self.view),
            Action::Pause | Action::Resume | Action::Cancel => ("cancel", &self.cancel),
            _ => return None,
        };
        list.as_ref().map(|list| (name, list.as_slice()))
    }

    pub(super) fn lists(&self) -> impl Iterator<Item = &Party> {
        [&self.run, &self.approve, &self.edit, &self.view, &self.cancel].into_iter().flatten().flatten()
    }

    /// The channels that the rules name.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.lists().filter_map(|party| if let Party::Channel(channel) = party { Some(channel) } else { None })
    }
}
