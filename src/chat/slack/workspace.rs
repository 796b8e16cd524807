//! One workspace: its token, who we are there, and what is remembered of its people and channels for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use slack_morphism::prelude::{SlackApiToken, SlackHyperClient};
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::adapter::{Address, Standing};
use super::calls::{self, CallError, Lanes};
use super::text::{escaped, is_id};
use super::{PLATFORM, manifest};
use crate::service::{Count, LinkState, Links};

/// How long people and channels are remembered.
const REMEMBERED: Duration = Duration::from_secs(900);
/// People and channels that are remembered at the most.
const MOST: usize = 10_000;
/// How long something that came in may wait for what Slack says of its sender: they wait for it themselves.
const SOON: Duration = Duration::from_millis(700);

/// Whoever did something.
#[derive(Debug, Clone)]
pub struct Person {
    /// What people call them.
    pub name: Option<String>,
    /// How they belong to the workspace.
    pub standing: Standing,
}

/// What is remembered under an id for a while.
struct Memory<V>(Mutex<HashMap<String, (Instant, V)>>);

impl<V: Clone> Memory<V> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    /// What is remembered, and whether it is fresh.
    fn get(&self, id: &str) -> Option<(V, bool)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id).map(|(at, value)| (value.clone(), at.elapsed() < REMEMBERED))
    }

    fn put(&self, id: &str, value: V) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (at, _)| at.elapsed() < REMEMBERED);
            if known.len() >= MOST {
                known.clear();
            }
        }
        known.insert(id.to_owned(), (Instant::now(), value));
    }

    fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// A workspace.
pub struct Workspace {
    /// Its id.
    pub team: String,
    /// Our user there.
    pub bot_user: String,
    /// Our bot there.
    pub bot_id: String,
    /// What people call us there.
    pub bot_name: String,
    /// Its address, `https://acme.slack.com/`.
    url: String,
    /// The name of its connection.
    pub link: String,
    token: SlackApiToken,
    client: SlackHyperClient,
    lanes: Lanes,
    links: Links,
    /// Slack's word for why the token is good for nothing any more; `None`: it is good.
    refused: watch::Sender<Option<String>>,
    people: Memory<Person>,
    /// Channels of which we are members. That we are none is not remembered: an invitation counts at once.
    channels: Memory<()>,
    /// People, and their direct conversation with us.
    directs: Memory<String>,
    /// Ids of channels by their names.
    names: Memory<String>,
    clock: Box<dyn Fn() -> crate::domain::time::Timestamp + Send + Sync>,
}

/// With what a workspace is reached.
pub struct Means {
    /// The Web API client.
    pub client: SlackHyperClient,
    /// Its bot token.
    pub token: SlackApiToken,
    /// Where it is told how the connection stands.
    pub links: Links,
    /// The time.
    pub clock: Box<dyn Fn() -> crate::domain::time::Timestamp + Send + Sync>,
}

impl Workspace {
    /// The workspace of a token, by what `auth.test` says of it.
    pub fn new(means: Means, told: &Value) -> Option<Self> {
        let text = |key: &str| told[key].as_str().map(str::to_owned);
        let team = text("team_id")?;
        Some(Self {
            link: format!("{PLATFORM} {team}"),
            bot_user: text("user_id")?,
            bot_id: text("bot_id").unwrap_or_default(),
            bot_name: text("user").unwrap_or_default(),
            url: text("url").unwrap_or_default(),
            team,
            token: means.token,
            client: means.client,
            lanes: Lanes::default(),
            links: means.links,
            refused: watch::Sender::new(None),
            people: Memory::new(),
            channels: Memory::new(),
            directs: Memory::new(),
            names: Memory::new(),
            clock: means.clock,
        })
    }

    /// The token, for what the client cannot fetch.
    pub fn token(&self) -> &str {
        &self.token.token_value.0
    }

    /// The address of a channel here.
    pub fn address(&self, channel: &str, thread: Option<String>) -> Address {
        Address { platform: PLATFORM.to_owned(), channel: format!("{}.{channel}", self.team), thread }
    }

    /// Calls a method, in its turn; what it tells of the token is noted. With a token that is refused nothing is asked.
    ///
    /// # Errors
    /// It brought nothing.
    pub async fn call(&self, method: &str, body: &Value) -> Result<Value, CallError> {
        if let Some(code) = self.refused.borrow().clone() {
            return Err(CallError::No { method: method.to_owned(), code, needed: None });
        }
        let result = calls::call(&self.client, &self.token, &self.lanes, method, body).await;
        match &result {
            Ok(_) => self.links.count(&self.link, Count::Sent),
            Err(error) => {
                self.links.count(&self.link, Count::Failed);
                self.note(error);
            }
        }
        result
    }

    /// Notes what an error says of the connection.
    fn note(&self, error: &CallError) {
        match error {
            CallError::No { code, .. } if error.is_revoked() => self.refuse(code),
            CallError::No { code, needed: Some(scope), .. } if code == "missing_scope" => self.miss(scope),
            _ => {}
        }
    }

    /// The token is good for nothing any more.
    pub fn refuse(&self, code: &str) {
        if self.refused.send_replace(Some(code.to_owned())).is_some() {
            return; // it was said
        }
        tracing::error!(team = %self.team, code, "the bot token of a workspace is refused; what is to be sent there waits");
        self.links.set(&self.link, LinkState::Refused, Some(&revoked(code)), (self.clock)());
    }

    /// Some scopes are missing.
    pub fn miss(&self, scopes: &str) {
        tracing::warn!(team = %self.team, scopes, "a scope is missing; {}", manifest::HOW_TO_ADD);
        let scopes = scopes.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty());
        let known = self.links.all().into_iter().find(|link| link.name == self.link);
        let mut missing = known.map(|link| link.missing).unwrap_or_default();
        missing.extend(scopes);
        missing.sort();
        missing.dedup();
        self.links.missing(&self.link, missing);
    }

    /// Whether its token is refused.
    pub fn is_refused(&self) -> bool {
        self.refused.borrow().is_some()
    }

    /// Resolves when its token is refused.
    pub async fn until_refused(&self) {
        let _ = self.refused.subscribe().wait_for(Option::is_some).await; // the sender is here
    }

    /// Where people read a message; `None` where Slack did not say where the workspace is.
    pub fn permalink(&self, channel: &str, ts: &str, thread: Option<&str>) -> Option<String> {
        if self.url.is_empty() {
            return None;
        }
        let beneath = thread.map(|thread| format!("?thread_ts={thread}&cid={channel}")).unwrap_or_default();
        Some(format!("{}/archives/{channel}/p{}{beneath}", self.url.trim_end_matches('/'), ts.replace('.', "")))
    }

    /// Whoever this is. One of whom nothing can be found out counts as a guest: that takes rights away and gives none.
    pub async fn person(&self, id: &str, is_foreign: bool) -> Person {
        let known = self.people.get(id);
        if let Some((person, true)) = &known {
            return person.clone();
        }
        let asked = tokio::time::timeout(SOON, self.call("users.info", &json!({ "user": id }))).await;
        let person = match asked {
            Ok(Ok(answer)) => self.described(&answer["user"], is_foreign),
            _ if is_foreign => return Person { name: None, standing: Standing::Foreign },
            _ => match known {
                Some((person, _)) => return person,
                None => {
                    tracing::warn!(team = %self.team, "Slack does not say who somebody is: they count as a guest for now");
                    return Person { name: None, standing: Standing::Guest };
                }
            },
        };
        self.people.put(id, person.clone());
        person
    }

    fn described(&self, user: &Value, is_foreign: bool) -> Person {
        let texts =
            [&user["profile"]["display_name"], &user["profile"]["real_name"], &user["real_name"], &user["name"]];
        let name = texts.iter().filter_map(|text| text.as_str()).find(|text| !text.trim().is_empty());
        let elsewhere =
            user["team_id"].as_str().is_some_and(|team| team != self.team && user["enterprise_user"].is_null());
        let is = |key: &str| user[key].as_bool() == Some(true);
        let standing = match () {
            () if is_foreign || elsewhere || is("is_stranger") => Standing::Foreign,
            () if is("is_restricted") || is("is_ultra_restricted") => Standing::Guest,
            () => Standing::Member,
        };
        Person { name: name.map(str::to_owned), standing }
    }

    /// Something came from this channel, or went there: we are members.
    pub fn is_inside(&self, channel: &str) {
        if self.channels.get(channel) != Some(((), true)) {
            self.channels.put(channel, ());
        }
    }

    /// We are no members there any more.
    pub fn is_outside(&self, channel: &str) {
        self.channels.forget(channel);
    }

    /// The direct conversation of this person with us became known.
    pub fn meets(&self, user: &str, channel: &str) {
        self.directs.put(user, channel.to_owned());
        self.is_inside(channel);
    }

    /// Whether we can post in a channel. Where Slack does not say so in time, it is assumed: what cannot be posted is told then.
    pub async fn is_member(&self, channel: &str) -> bool {
        if self.channels.get(channel) == Some(((), true)) {
            return true;
        }
        let asked = json!({ "channel": channel });
        let inside = match tokio::time::timeout(SOON, self.call("conversations.info", &asked)).await {
            Ok(Ok(answer)) => {
                let channel = &answer["channel"];
                let is_ours = channel["is_member"].as_bool() == Some(true) || channel["is_im"].as_bool() == Some(true);
                is_ours && channel["is_archived"].as_bool() != Some(true)
            }
            Ok(Err(error)) if error.is_gone() => false,
            _ => return true,
        };
        if inside {
            self.channels.put(channel, ());
        }
        inside
    }

    /// The direct conversation of a person with us.
    ///
    /// # Errors
    /// Slack gives none.
    pub async fn direct(&self, user: &str) -> Result<String, CallError> {
        if let Some((channel, true)) = self.directs.get(user) {
            return Ok(channel);
        }
        let answer = self.call("conversations.open", &json!({ "users": user })).await?;
        let channel = answer["channel"]["id"].as_str().unwrap_or_default().to_owned();
        self.meets(user, &channel);
        Ok(channel)
    }

    /// Says in a direct conversation how the messages of runs come to the channel in which they are asked for.
    pub async fn invite(&self, direct: &str, channel: &str) {
        let there = if is_id(channel) { format!("<#{channel}>") } else { "that channel".to_owned() };
        let name = escaped(&self.bot_name);
        let text =
            format!("This was asked for in {there}, where I am no member. `/invite @{name}` there brings me in.");
        if let Err(error) = self.call("chat.postMessage", &json!({ "channel": direct, "text": text })).await {
            tracing::debug!(%error, "nobody was told how to invite us");
        }
    }

    /// The channel of this name.
    pub async fn resolve(&self, name: &str) -> Option<String> {
        if let Some((id, true)) = self.names.get(name) {
            return Some(id);
        }
        let mut cursor = String::new();
        // A workspace with more channels than this is asked by id.
        for _ in 0..20 {
            let asked = json!({ "types": "public_channel,private_channel", "exclude_archived": "true", "limit": "200", "cursor": cursor });
            let answer = self.call("conversations.list", &asked).await.ok()?;
            for channel in answer["channels"].as_array().into_iter().flatten() {
                if let (Some(id), Some(name)) = (channel["id"].as_str(), channel["name"].as_str()) {
                    self.names.put(name, id.to_owned());
                }
            }
            answer["response_metadata"]["next_cursor"].as_str().unwrap_or_default().clone_into(&mut cursor);
            if let Some((id, _)) = self.names.get(name) {
                return Some(id);
            }
            if cursor.is_empty() {
                return None;
            }
        }
        None
    }
}

/// What a refused token means, and what to do.
pub fn revoked(code: &str) -> String {
    let what = match code {
        "token_revoked" | "account_inactive" => "the app was removed from the workspace, or its token revoked",
        "token_expired" => "the bot token has expired",
        "not_allowed_token_type" => "this is another kind of token than the one that is needed here",
        _ => "Slack does not know this token",
    };
    format!("{what} (`{code}`): install the app again, put its new token into `slack_bot_token`, and restart")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_grows_old_and_stays_bounded() {
        let memory = Memory::new();
        memory.put("U1", 1);
        assert_eq!(memory.get("U1"), Some((1, true)));
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(memory.get("U1"), Some((1, false)));
        for n in 0..MOST + 10 {
            memory.put(&format!("U{n}"), n);
        }
        assert!(memory.0.lock().expect("nobody panicked").len() <= MOST);
    }
}
