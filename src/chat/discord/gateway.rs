//! Stays connected: who are we, may we, where to; then one session after the other, for ever.
//!
//! serenity speaks to the gateway: it identifies, beats, resumes. A session that it cannot resume ends here instead of
//! being begun anew by itself, because each beginning is counted: Discord takes a token back that identifies too often.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use serenity::model::gateway::GatewayIntents;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::adapter::{Discord, Ourselves, PLATFORM};
use super::budget::Budget;
use super::catch_up::CatchUp;
use super::commands;
use super::interactions::Desk;
use super::messages::CONTENT_INTENT;
use super::rest::{Call, RestError, WHO};
use super::session::{self, Ended};
use crate::chat::Chat;
use crate::service::LinkState;

/// What is said where the token is not taken.
pub const TOKEN_REFUSED: &str = "Discord does not take the token: copy it anew (developer portal, Bot, Reset Token) into `discord_token` and restart";
/// The flags of an application whose bot gets texts; the second where it is in few guilds.
const CONTENT_FLAGS: u64 = 1 << 18 | 1 << 19;
/// Waits between two sessions: a quarter of the first, doubled each time, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long to wait where only somebody can mend it.
const REFUSED_WAIT: Duration = Duration::from_secs(60);
/// Between two identifies, Discord wants 5 s.
const SPACING: Duration = Duration::from_millis(5_250);
/// How long a question before a session may wait and be repeated.
const PATIENCE: Duration = Duration::from_secs(20);

/// What has to be known before a session begins.
pub struct Introduction {
    /// What we want to hear.
    pub intents: GatewayIntents,
    /// Where the gateway is.
    pub url: String,
}

/// Why no session could begin, or why one ended.
enum Why {
    /// It is tried again soon.
    Lost(String),
    /// Somebody has to do something.
    Refused(String),
    /// Not before this time is over.
    Later(String, Duration),
}

impl From<RestError> for Why {
    fn from(error: RestError) -> Self {
        match error {
            error if error.is_unauthorized() => Self::Refused(TOKEN_REFUSED.to_owned()),
            RestError::Busy(length) => Self::Later(error.to_string(), length),
            error => Self::Lost(error.to_string()),
        }
    }
}

/// Stays connected until stopped.
pub async fn stay(discord: Arc<Discord>, chat: Chat, stop: CancellationToken) {
    let desk = Desk { discord, chat };
    for (inbound, answered) in desk.chat.taken_up(PLATFORM) {
        let desk = desk.clone();
        tokio::spawn(async move { desk.take_up(inbound, answered).await });
    }
    let mut line = Line { desk, stop, failures: 0, registered: false, without_content: false, identified: None };
    while !line.stop.is_cancelled() {
        let why = match line.once().await {
            Ok(()) => return,
            Err(why) => why,
        };
        let discord = &line.desk.discord;
        let wait = match why {
            Why::Lost(why) => {
                discord.link(LinkState::Down, Some(&why));
                tracing::warn!(%why, "Discord is not there; it is tried again");
                // A session that was there and broke off is begun anew at once: people are waiting.
                let wait = FIRST_WAIT.saturating_mul(1 << line.failures.min(8)) / 4;
                line.failures += 1;
                let wait = wait.min(LONGEST_WAIT);
                wait + line.jitter(wait)
            }
            Why::Refused(why) => {
                discord.link(LinkState::Refused, Some(&why));
                tracing::error!(%why, "Discord refuses us; it is tried again every minute");
                REFUSED_WAIT
            }
            Why::Later(why, wait) => {
                discord.link(LinkState::Down, Some(&why));
                tracing::warn!(%why, wait = wait.as_secs(), "Discord is tried again later");
                wait
            }
        };
        tokio::select! {
            () = line.stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

struct Line {
    desk: Desk,
    stop: CancellationToken,
    failures: u32,
    registered: bool,
    /// The intent for texts was refused although it seemed to be granted.
    without_content: bool,
    identified: Option<Instant>,
}

impl Line {
    /// Up to a quarter of a wait, so that many services do not come at once.
    fn jitter(&self, wait: Duration) -> Duration {
        let chance = self.desk.discord.service.fresh_id().bytes().last().unwrap_or_default();
        wait * u32::from(chance) / 1_024
    }

    /// One session, from its introduction to its end; `Ok`: we are to stop.
    async fn once(&mut self) -> Result<(), Why> {
        let discord = Arc::clone(&self.desk.discord);
        if self.failures == 0 {
            discord.link(LinkState::Connecting, None);
        }
        let stop = self.stop.clone();
        let introduction = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            introduction = self.introduce() => introduction?,
        };
        if let Some(at) = self.identified {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep_until(at + SPACING) => {}
            }
        }
        Budget::of(&discord).take().await.map_err(|(why, wait)| Why::Later(why, wait))?;
        self.identified = Some(Instant::now());
        let catch_up = CatchUp::new(self.desk.clone());
        let (was_up, ended) = session::run(&self.desk, catch_up, introduction, &self.stop).await;
        if was_up {
            self.failures = 0;
        }
        match ended {
            Ended::Stopped => Ok(()),
            Ended::Lost(why) => Err(Why::Lost(why)),
            Ended::Unauthorized => Err(Why::Refused(TOKEN_REFUSED.to_owned())),
            Ended::Intents => {
                self.without_content = true;
                discord.lacks(CONTENT_INTENT, true);
                Err(Why::Lost("Discord does not grant the intent Message Content: without it".to_owned()))
            }
        }
    }

    /// Who we are, what we may hear, and where.
    async fn introduce(&mut self) -> Result<Introduction, Why> {
        let discord = &self.desk.discord;
        let application =
            discord.rest.send(Call::new(WHO, "", "/applications/@me".to_owned()).patient(PATIENCE)).await?;
        let id = application["id"].as_str().ok_or_else(|| Why::Lost("Discord does not say who we are".to_owned()))?;
        let user = match application["bot"]["id"].as_str() {
            Some(user) => user.to_owned(),
            None => {
                let user = discord.rest.send(Call::new("GET /users/@me", "", "/users/@me".to_owned())).await?;
                user["id"].as_str().unwrap_or(id).to_owned()
            }
        };
        discord.learn(Ourselves { application: id.to_owned(), user });
        let granted = application["flags"].as_u64().unwrap_or_default() & CONTENT_FLAGS != 0 && !self.without_content;
        discord.lacks(CONTENT_INTENT, !granted);
        if !self.registered {
            match register(discord, id).await {
                Ok(()) => self.registered = true,
                Err(error) => tracing::warn!(%error, "`/workflow` could not be registered; it is tried again"),
            }
        }
        let gateway =
            discord.rest.send(Call::new("GET /gateway/bot", "", "/gateway/bot".to_owned()).patient(PATIENCE)).await?;
        check_limit(&gateway["session_start_limit"])?;
        let url = gateway["url"].as_str().filter(|url| url.starts_with("ws"));
        let url = url.ok_or_else(|| Why::Lost("Discord does not say where its gateway is".to_owned()))?.to_owned();
        let mut intents = GatewayIntents::GUILDS
            | GatewayIntents::GUILD_MESSAGES
            | GatewayIntents::GUILD_MESSAGE_REACTIONS
            | GatewayIntents::DIRECT_MESSAGES
            | GatewayIntents::DIRECT_MESSAGE_REACTIONS;
        if granted {
            intents |= GatewayIntents::MESSAGE_CONTENT;
        }
        Ok(Introduction { intents, url })
    }
}

/// Discord's own count of how often we may still begin.
fn check_limit(limit: &Value) -> Result<(), Why> {
    /// Beginnings that are left alone.
    const RESERVE: u64 = 100;
    let (Some(remaining), Some(total)) = (limit["remaining"].as_u64(), limit["total"].as_u64()) else { return Ok(()) };
    if remaining > RESERVE.min(total / 10) {
        return Ok(());
    }
    let wait = Duration::from_millis(limit["reset_after"].as_u64().unwrap_or(3_600_000));
    let why =
        format!("only {remaining} of {total} sessions of a day are left: Discord takes back a token that uses them up");
    Err(Why::Later(why, wait.min(Duration::from_secs(3_600))))
}

/// Registers the command where it is not registered as it is; other commands of the application stay.
async fn register(discord: &Discord, application: &str) -> Result<(), RestError> {
    let path = format!("/applications/{application}/commands");
    let registered =
        discord.rest.send(Call::new("GET /applications/commands", "", path.clone()).patient(PATIENCE)).await?;
    if commands::is_registered(&registered) {
        return Ok(());
    }
    let call = Call::new("POST /applications/commands", "", path).body(commands::definition());
    discord.rest.send(call.patient(PATIENCE)).await?;
    tracing::info!("`/workflow` is registered with Discord");
    Ok(())
}
