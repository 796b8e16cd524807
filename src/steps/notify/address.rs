//! Where a message goes: which platform, which channel, which thread. A channel that is named goes nowhere else: what
//! cannot be found is a fault that says how to mend it, never another channel.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::contract::step::Attempt;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::language;

/// The channel that is meant where only a platform is named.
const USUAL: &str = "notifications";
/// The same in the web chat, which has it from the beginning.
const USUAL_ON_WEB: &str = "general";
/// Where a run began.
const ORIGIN: &str = "origin";
/// The platform that is always there.
pub const WEB: &str = "web";
/// Platforms of others, which have to be connected.
pub const REMOTE: &[&str] = &["slack", "discord"];

/// A name for a channel: `notifications=slack:#ops`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// The platform of the channel.
    pub platform: String,
    /// The channel there, without `#`.
    pub channel: String,
}

impl FromStr for Alias {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(name, rest)| Some((name, rest.split_once(':')?)));
        let (name, (platform, channel)) = parts.ok_or_else(|| format!("`{text}` is not `NAME=PLATFORM:CHANNEL`"))?;
        let (name, platform, channel) = (bare(name), platform.trim().to_ascii_lowercase(), bare(channel));
        let known = || REMOTE.iter().copied().chain([WEB]);
        if !known().any(|known| known == platform) {
            let near = language::near(&platform, known()).map(|near| format!("; did you mean `{near}`?"));
            return Err(format!("`{platform}` is no platform: slack, discord, web{}", near.unwrap_or_default()));
        }
        if name.is_empty() || channel.is_empty() {
            return Err(format!("`{text}` names nothing"));
        }
        Ok(Self { name: name.to_owned(), platform, channel: channel.to_owned() })
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}:#{}", self.name, self.platform, self.channel)
    }
}

/// What the operator decides about messages.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Platforms of others for which there is a token.
    pub connected: Vec<&'static str>,
    /// Names for channels.
    pub channels: Vec<Alias>,
    /// Fail instead of pretending, and do not end before a message is delivered.
    pub require_delivery: bool,
    /// Folders in which message templates are found by name.
    pub messages: Vec<PathBuf>,
    /// Where messages are written for which nothing is connected.
    pub outbox: PathBuf,
}

/// A channel of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The platform.
    pub platform: String,
    /// The channel there: a name or an id.
    pub channel: String,
    /// The message under which to write; empty: under none.
    pub thread: String,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// There.
    Channel(Destination),
    /// The run did not begin in a conversation, so there is nobody to tell.
    Nobody,
}

impl Settings {
    /// Whether messages to this platform can be delivered at all.
    #[must_use]
    pub fn is_connected(&self, platform: &str) -> bool {
        !REMOTE.contains(&platform) || self.connected.contains(&platform)
    }

    /// The channel of a platform that a word means: an alias, or a channel of that name.
    #[must_use]
    pub fn on(&self, platform: &str, word: &str) -> Destination {
        let name = bare(word);
        let alias = self.channels.iter().find(|alias| alias.platform == platform && alias.name == name);
        let channel = alias.map_or(name, |alias| &alias.channel).to_owned();
        Destination { platform: platform.to_owned(), channel, thread: String::new() }
    }

    /// Where `notify` sends a message: a platform, `platform:channel`, `origin`, or a channel.
    ///
    /// # Errors
    /// `WF2150` when the word could mean several channels, or none.
    pub fn meant(&self, word: &str, attempt: &Attempt) -> Result<Place, Fault> {
        let word = word.trim();
        if word == ORIGIN {
            return Ok(origin(attempt).map_or(Place::Nobody, Place::Channel));
        }
        let platforms = || REMOTE.iter().copied().chain([WEB]);
        if let Some(platform) = platforms().find(|platform| *platform == word) {
            let usual = if platform == WEB { USUAL_ON_WEB } else { USUAL };
            return Ok(Place::Channel(self.on(platform, usual)));
        }
        if let Some((platform, channel)) = word.split_once(':')
            && let Some(platform) = platforms().find(|known| *known == platform)
        {
            return Ok(Place::Channel(self.on(platform, channel)));
        }
        if matches!(word, "email" | "webhook") {
            let message = format!("`notify` does not write to `{word}`");
            return Err(Fault::permanent(code::WF2150, message).fix(format!("use a step of type `{word}`")));
        }
        self.named(word).map(Place::Channel)
    }

    /// The one channel that has this name.
    fn named(&self, word: &str) -> Result<Destination, Fault> {
        let name = bare(word);
        let aliases: Vec<&Alias> = self.channels.iter().filter(|alias| alias.name == name).collect();
        let connected: Vec<&str> = match aliases.as_slice() {
            [] => self.connected.clone(),
            [alias] => vec![&alias.platform],
            several => {
                let platforms = several.iter().map(|alias| alias.platform.as_str());
                platforms.filter(|platform| self.is_connected(platform)).collect()
            }
        };
        match connected.as_slice() {
            [platform] => Ok(self.on(platform, name)),
            [] => {
                let fault = Fault::permanent(code::WF2150, format!("`{word}` is a channel of no platform"));
                let fix = format!("write `slack:{name}`, `discord:{name}` or `web:{name}`");
                Err(fault.fix(format!("{fix}; or make an alias: WORKFLOW_CHANNELS={name}=slack:#{name}")))
            }
            several => {
                let could: Vec<String> = several.iter().map(|platform| format!("`{platform}:{name}`")).collect();
                let message = format!("`{word}` could be {}", could.join(" or "));
                Err(Fault::permanent(code::WF2150, message).fix(format!("write {}", could.join(" or "))))
            }
        }
    }
}

/// The conversation in which the run began.
fn origin(attempt: &Attempt) -> Option<Destination> {
    let (platform, rest) = attempt.began.channel.as_deref()?.split_once(':')?;
    let (channel, thread) = rest.split_once('/').unwrap_or((rest, ""));
    Some(Destination { platform: platform.to_owned(), channel: channel.to_owned(), thread: thread.to_owned() })
}

/// A name without the sign that people write before it.
fn bare(name: &str) -> &str {
    name.trim().trim_start_matches('#')
}

/// The platform in front of people.
#[must_use]
pub fn called(platform: &str) -> String {
    match platform {
        "slack" => "Slack".to_owned(),
        "discord" => "Discord".to_owned(),
        WEB => "the web chat".to_owned(),
        other => format!("`{other}`"),
    }
}
