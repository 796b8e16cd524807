//! What was written while we were not there: read from the channels that we know, once a new session has begun. What came
//! before anyway is known by its id and counts once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serenity::model::channel::Message;
use serenity::model::id::GuildId;
use tokio::sync::Mutex;

use super::interactions::Desk;
use super::rest::{Call, RestError};
use crate::domain::time::Span;

/// The names under which it is remembered: the channels, and when we last were there.
const CHANNELS: &str = "discord:channels";
const ALIVE: &str = "discord:alive";
/// Channels that are known at the most; the oldest ids are forgotten first.
const MOST: usize = 200;
/// How far is looked back at the most: what was asked for longer ago would come as a surprise.
const LONGEST: Span = Span::from_secs(6 * 3_600);
/// A little more than was missed: clocks differ, and what was under way when the line broke may be lost.
const MARGIN: Span = Span::from_secs(120);
/// How often is noted that we are there.
const NOTED: Span = Span::from_secs(60);
/// Messages of a page, and pages of a channel.
const PAGE: usize = 100;
const PAGES: usize = 10;
/// The beginning of Discord's time, in milliseconds.
const EPOCH: i64 = 1_420_070_400_000;
/// How long one question may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where we were spoken to, and when it was last noted that we are there.
#[derive(Default)]
pub struct Spoken {
    /// Each channel with its guild; `None`: not read yet.
    channels: Mutex<Option<BTreeMap<String, String>>>,
    noted: AtomicI64,
}

/// Reads what was missed. Cheap to clone.
#[derive(Clone)]
pub struct CatchUp {
    desk: Desk,
}

impl CatchUp {
    /// For these conversations.
    pub const fn new(desk: Desk) -> Self {
        Self { desk }
    }

    fn spoken(&self) -> &Spoken {
        &self.desk.discord.spoken
    }

    /// Notes that we are there now.
    pub async fn alive(&self) {
        let now = self.desk.discord.now().micros();
        let before = self.spoken().noted.load(Ordering::Relaxed);
        if now - before > NOTED.micros() && self.spoken().noted.swap(now, Ordering::Relaxed) == before {
            self.note(ALIVE, &now.to_string()).await;
        }
    }

    /// Notes a channel in which we are spoken to, and that we are there now.
    pub async fn know(&self, channel: &str, guild: Option<&str>) {
        self.alive().await;
        let mut channels = self.spoken().channels.lock().await;
        let known = self.read(&mut channels).await;
        if known.contains_key(channel) {
            return;
        }
        known.insert(channel.to_owned(), guild.unwrap_or_default().to_owned());
        while known.len() > MOST {
            known.pop_first();
        }
        let text = serde_json::to_string(known).unwrap_or_default();
        self.note(CHANNELS, &text).await;
    }

    /// Reads everything since we were last there.
    pub async fn run(&self) {
        let discord = &self.desk.discord;
        let keeper = self.desk.chat.keeper();
        let alive = match keeper.noted(ALIVE).await {
            Ok(alive) => alive.and_then(|alive| alive.parse::<i64>().ok()),
            Err(error) => return tracing::warn!(%error, "what was missed is not looked for"),
        };
        let now = discord.now().micros();
        self.spoken().noted.store(now, Ordering::Relaxed);
        self.note(ALIVE, &now.to_string()).await;
        let Some(alive) = alive else { return };
        let since = (alive - MARGIN.micros()).max(now - LONGEST.micros());
        let channels = {
            let mut channels = self.spoken().channels.lock().await;
            self.read(&mut channels).await.clone()
        };
        for (channel, guild) in channels {
            match self.channel(&channel, guild.parse().ok(), since).await {
                Ok(0) => {}
                Ok(found) => tracing::info!(channel, found, "read what was written while we were away"),
                Err(error) => tracing::warn!(channel, %error, "what was written there while we were away is not known"),
            }
        }
    }

    async fn channel(&self, channel: &str, guild: Option<GuildId>, since: i64) -> Result<usize, RestError> {
        let mut after = snowflake(since);
        let mut found = 0;
        for _ in 0..PAGES {
            let path = format!("/channels/{channel}/messages?after={after}&limit={PAGE}");
            let call = Call::new("GET /channels/messages", channel, path).patient(PATIENCE);
            let page = self.desk.discord.rest.send(call).await?;
            let messages = page.as_array().cloned().unwrap_or_default();
            let full = messages.len() >= PAGE;
            let read = messages.into_iter().filter_map(|message| serde_json::from_value::<Message>(message).ok());
            let mut messages: Vec<Message> = read.collect();
            messages.sort_by_key(|message| message.id);
            for mut message in messages {
                after = after.max(message.id.get());
                message.guild_id = guild;
                match self.desk.written(&message).await {
                    Ok(()) => found += 1,
                    Err(error) => tracing::warn!(%error, "a message that was missed could not be taken in"),
                }
            }
            if !full {
                break;
            }
        }
        Ok(found)
    }

    async fn read<'c>(&self, channels: &'c mut Option<BTreeMap<String, String>>) -> &'c mut BTreeMap<String, String> {
        if channels.is_none() {
            let noted = self.desk.chat.keeper().noted(CHANNELS).await.unwrap_or_default();
            *channels = Some(noted.and_then(|noted| serde_json::from_str(&noted).ok()).unwrap_or_default());
        }
        channels.get_or_insert_default()
    }

    async fn note(&self, name: &str, value: &str) {
        if let Err(error) = self.desk.chat.keeper().note(name, value).await {
            tracing::warn!(%error, "where we were is not remembered");
        }
    }
}

/// The first id of this time, in microseconds.
fn snowflake(micros: i64) -> u64 {
    u64::try_from(micros / 1_000 - EPOCH).unwrap_or_default() << 22
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_their_time() {
        assert_eq!(snowflake(1_462_015_105_796_000), 175_928_847_298_985_984 >> 22 << 22, "Discord's own example");
    }
}
