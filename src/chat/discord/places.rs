//! Where things are said: which channels are threads, whose a direct conversation is, what people call a channel.
//! Learnt from what comes in, asked where it is not known, and kept for as long as the process lives.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::rest::{Call, Rest, RestError};
use crate::chat::adapter::Address;

/// Channels that are remembered at the most.
const MOST: usize = 50_000;
/// How long a question may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// What stands in the place of a server where there is none.
const ALONE: &str = "@me";
/// Kinds of channels, as Discord numbers them.
const DIRECT: [u64; 2] = [1, 3];
const THREADS: [u64; 3] = [10, 11, 12];

/// What a channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A channel of a guild.
    Channel,
    /// A thread in this channel.
    Thread(String),
    /// A direct conversation.
    Direct,
    /// Nothing that we know of; a message perhaps.
    Absent,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The channel, or the thread.
    pub channel: String,
    /// The message that it answers.
    pub reply: Option<String>,
}

#[derive(Default)]
struct Known {
    kinds: HashMap<String, Kind>,
    /// The direct conversation with each person.
    direct: HashMap<String, String>,
    /// Channels by what people call them.
    names: HashMap<String, String>,
    /// Servers of channels.
    guilds: HashMap<String, String>,
    /// Servers that have taken us in.
    servers: Vec<String>,
    /// The server in which somebody was heard last.
    homes: HashMap<String, String>,
    /// Roles that are ours alone: whoever calls one calls us.
    roles: Vec<String>,
}

/// The places.
#[derive(Default)]
pub struct Places {
    known: Mutex<Known>,
}

impl Kind {
    /// The kind of this number.
    #[must_use]
    pub fn of(number: u64, parent: Option<String>) -> Self {
        match parent {
            Some(parent) if THREADS.contains(&number) => Self::Thread(parent),
            _ if DIRECT.contains(&number) => Self::Direct,
            _ => Self::Channel,
        }
    }
}

impl Places {
    /// Notes what a channel is.
    pub fn note(&self, id: &str, kind: Kind) {
        let mut known = self.known();
        if known.kinds.len() >= MOST {
            known.kinds.clear();
        }
        known.kinds.insert(id.to_owned(), kind);
    }

    /// Notes the server of a channel.
    pub fn note_guild(&self, channel: &str, guild: &str) {
        let mut known = self.known();
        if known.guilds.len() >= MOST {
            known.guilds.clear();
        }
        known.guilds.insert(channel.to_owned(), guild.to_owned());
        if !known.servers.iter().any(|server| server == guild) && known.servers.len() < MOST {
            known.servers.push(guild.to_owned());
        }
    }

    /// Where somebody is at home who speaks here: the server, and where they speak to us alone the one in which they were
    /// heard last, or the only one that we are in.
    pub fn home(&self, user: &str, guild: Option<&str>) -> String {
        let mut known = self.known();
        if let Some(guild) = guild {
            if known.homes.len() >= MOST {
                known.homes.clear();
            }
            known.homes.insert(user.to_owned(), guild.to_owned());
            return guild.to_owned();
        }
        let only = known.servers.first().filter(|_| known.servers.len() == 1);
        known.homes.get(user).or(only).cloned().unwrap_or_else(|| ALONE.to_owned())
    }

    /// The server of a channel, as its messages' addresses name it; `None`: Discord does not say now.
    pub async fn guild(&self, rest: &Rest, channel: &str) -> Option<String> {
        {
            let known = self.known();
            if known.kinds.get(channel) == Some(&Kind::Direct) {
                return Some(ALONE.to_owned());
            }
            if let Some(guild) = known.guilds.get(channel) {
                return Some(guild.clone());
            }
        }
        let call = Call::new("GET /channels", channel, format!("/channels/{channel}")).patient(PATIENCE);
        let told = rest.send(call).await.ok()?;
        match told["guild_id"].as_str() {
            Some(guild) => {
                self.note_guild(channel, guild);
                Some(guild.to_owned())
            }
            None => told["type"].as_u64().filter(|kind| DIRECT.contains(kind)).map(|_| ALONE.to_owned()),
        }
    }

    /// Notes what people call a channel; the first of several keeps the name.
    pub fn note_name(&self, name: &str, id: &str) {
        let mut known = self.known();
        if known.names.len() < MOST {
            known.names.entry(name.to_lowercase()).or_insert_with(|| id.to_owned());
        }
    }

    /// Notes whose a direct conversation is.
    pub fn note_direct(&self, user: &str, channel: &str) {
        self.note(channel, Kind::Direct);
        let mut known = self.known();
        if known.direct.len() >= MOST {
            known.direct.clear();
        }
        known.direct.insert(user.to_owned(), channel.to_owned());
    }

    /// Notes a role of ours.
    pub fn note_role(&self, role: String) {
        let mut known = self.known();
        if !known.roles.contains(&role) && known.roles.len() < MOST {
            known.roles.push(role);
        }
    }

    /// Whether a role is ours.
    pub fn is_our_role(&self, role: &str) -> bool {
        self.known().roles.iter().any(|ours| ours == role)
    }

    /// The channel that people call so.
    pub fn named(&self, name: &str) -> Option<String> {
        self.known().names.get(&name.trim_start_matches('#').to_lowercase()).cloned()
    }

    /// What a channel is.
    ///
    /// # Errors
    /// Discord cannot be asked.
    pub async fn kind(&self, rest: &Rest, id: &str) -> Result<Kind, RestError> {
        if let Some(kind) = self.known().kinds.get(id).cloned() {
            return Ok(kind);
        }
        let call = Call::new("GET /channels", id, format!("/channels/{id}")).patient(PATIENCE);
        let kind = match rest.send(call).await {
            Ok(channel) => {
                let parent = channel["parent_id"].as_str().map(str::to_owned);
                Kind::of(channel["type"].as_u64().unwrap_or_default(), parent)
            }
            Err(error) if error.is_absent() => Kind::Absent,
            Err(RestError::Refused { status: 403, .. }) => return Ok(Kind::Absent),
            Err(error) => return Err(error),
        };
        self.note(id, kind.clone());
        Ok(kind)
    }

    /// Where a message to this address goes: into its thread, or as an answer to the message that stands for one.
    ///
    /// # Errors
    /// Discord cannot be asked.
    pub async fn target(&self, rest: &Rest, to: &Address) -> Result<Target, RestError> {
        let Some(thread) = &to.thread else { return Ok(Target { channel: to.channel.clone(), reply: None }) };
        Ok(match self.kind(rest, thread).await? {
            Kind::Thread(_) => Target { channel: thread.clone(), reply: None },
            _ => Target { channel: to.channel.clone(), reply: Some(thread.clone()) },
        })
    }

    /// The direct conversation with a person.
    ///
    /// # Errors
    /// Discord cannot be asked, or does not give one.
    pub async fn direct(&self, rest: &Rest, user: &str) -> Result<String, RestError> {
        if let Some(channel) = self.known().direct.get(user).cloned() {
            return Ok(channel);
        }
        let body = json!({ "recipient_id": user });
        let call = Call::new("POST /users/@me/channels", "", "/users/@me/channels".to_owned());
        let channel = rest.send(call.body(&body).patient(Duration::from_secs(30))).await?;
        let id = channel["id"].as_str().ok_or_else(|| RestError::Later("a channel without an id".to_owned()))?;
        self.note_direct(user, id);
        Ok(id.to_owned())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_known_by_its_kind_and_its_parent() {
        assert_eq!(Kind::of(11, Some("1".to_owned())), Kind::Thread("1".to_owned()));
        assert_eq!(Kind::of(0, Some("a category".to_owned())), Kind::Channel);
        assert_eq!(Kind::of(1, None), Kind::Direct);
        let places = Places::default();
        places.note_name("Ops", "7");
        places.note_name("ops", "8");
        assert_eq!(places.named("#OPS"), Some("7".to_owned()));
    }

    #[test]
    fn who_speaks_to_us_alone_is_at_home_where_they_were_heard_or_where_else_they_could_be() {
        let places = Places::default();
        assert_eq!(places.home("ana", None), "@me");
        places.note_guild("1", "g");
        assert_eq!(places.home("ana", None), "g", "there is no other");
        places.note_guild("2", "h");
        assert_eq!(places.home("ana", None), "@me", "it could be either");
        assert_eq!((places.home("ana", Some("h")), places.home("ana", None)), ("h".to_owned(), "h".to_owned()));
    }
}
