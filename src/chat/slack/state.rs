//! What everything in this folder works with, and how the workspaces are entered: each by its own token, each for itself.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::Value;
use slack_morphism::prelude::{
    SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientHyperConnector, SlackHyperClient,
};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::answers::Answers;
use super::echoes::Echoes;
use super::settings::Settings;
use super::wire::{Wire, WireError};
use super::workspace::{Means, Workspace, revoked};
use super::{PLATFORM, manifest};
use crate::chat::adapter::{Drops, Forms, SendError, Traits};
use crate::chat::short::Shortener;
use crate::domain::time::Timestamp;
use crate::http::caller::Secret;
use crate::service::LinkState;
use crate::service::Service;

/// Bytes of an action that a button carries as it is. Slack's take 2,000, and each counts for the size of its message.
const LONGEST_ACTION: usize = 300;
/// How long something that is to be sent waits for its workspace to be entered.
const MOMENT: Duration = Duration::from_secs(3);
/// How long to wait where only somebody can mend it.
const REFUSED: Duration = Duration::from_secs(60);
/// The first and the longest wait before a workspace is entered again.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// How long it is remembered that somebody spoke from a channel that we are not in.
const STRAYED: Duration = Duration::from_secs(300);
/// Executions and conversations whose messages of an earlier life were looked for.
const LOOKED_FOR: usize = 50_000;

/// Slack.
pub struct Slack {
    pub(super) service: Service,
    pub(super) settings: Settings,
    pub(super) wire: Wire,
    pub(super) client: SlackHyperClient,
    pub(super) shortener: Shortener,
    pub(super) echoes: Echoes,
    pub(super) answers: Answers,
    pub(super) traits: Traits,
    /// Files that came with their message.
    pub(super) files: Mutex<HashSet<String>>,
    /// When this life of the process began.
    pub(super) began: Timestamp,
    workspaces: RwLock<HashMap<String, Arc<Workspace>>>,
    /// Somebody listens to Slack, and enters the workspaces for that.
    listens: AtomicBool,
    /// Held by whoever enters them for want of a listener.
    entering: tokio::sync::Mutex<()>,
    /// How many tokens were tried to their end: entered, or refused.
    settled: watch::Sender<usize>,
    /// Direct conversations, and the channel from which their person spoke.
    strays: Mutex<HashMap<String, (Instant, String)>>,
    looked_for: Mutex<HashSet<String>>,
}

impl Slack {
    /// Slack with these settings.
    ///
    /// # Errors
    /// The base is no address.
    pub fn new(service: Service, settings: Settings) -> Result<Self, String> {
        let wire = Wire::new(&settings.api_url)?;
        let connector =
            SlackClientHyperConnector::with_connector(wire.connector()).with_slack_api_url(&settings.api_url);
        let traits = Traits {
            platform: PLATFORM,
            names: &["workflow", "bot"],
            private: true,
            edits: true,
            forms: Forms::Modal,
            drops: Drops::Ask,
            edit_interval: Duration::from_millis(1_500),
            edits_per_minute: Some(50),
            silent_edits: true,
            post_interval: Duration::from_secs(1),
            longest_text: 3_500,
            in_flight: 8,
        };
        let slack = Self {
            shortener: Shortener::new(service.conversations(), LONGEST_ACTION),
            client: SlackClient::new(connector),
            wire,
            echoes: Echoes::default(),
            answers: Answers::default(),
            traits,
            files: Mutex::default(),
            began: service.now(),
            workspaces: RwLock::default(),
            listens: AtomicBool::new(false),
            entering: tokio::sync::Mutex::default(),
            settled: watch::Sender::new(0),
            strays: Mutex::default(),
            looked_for: Mutex::default(),
            settings,
            service,
        };
        slack.link(LinkState::Connecting, None);
        Ok(slack)
    }

    /// A workspace that was entered.
    pub(super) fn workspace(&self, team: &str) -> Option<Arc<Workspace>> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).get(team).cloned()
    }

    /// All of them.
    pub(super) fn workspaces(&self) -> Vec<Arc<Workspace>> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Whether every token was tried: what is not there now will not be.
    pub(super) fn is_complete(&self) -> bool {
        *self.settled.borrow() >= self.settings.bot_tokens.len()
    }

    /// The tokens of Socket Mode, each with the name of its connection.
    pub(super) fn app_tokens(&self) -> Vec<(String, SlackApiToken)> {
        let tokens = &self.settings.app_tokens;
        let name = |place: usize| match tokens.len() {
            1 => PLATFORM.to_owned(),
            _ => format!("{PLATFORM} app {}", place + 1),
        };
        let token = |token: &Secret| SlackApiToken::new(SlackApiTokenValue(token.reveal().to_owned()));
        tokens.iter().enumerate().map(|(place, secret)| (name(place), token(secret))).collect()
    }

    /// Tells how the app as a whole is connected.
    pub(super) fn link(&self, state: LinkState, reason: Option<&str>) {
        self.service.links().set(PLATFORM, state, reason, self.service.now());
    }

    /// A wait, with up to a quarter more, so that many who wait for the same do not come back together.
    pub(super) fn jittered(&self, wait: Duration) -> Duration {
        let chance = self.service.fresh_id().bytes().rev().take(4).fold(0_u32, |all, byte| all * 31 + u32::from(byte));
        wait + wait.mul_f64(f64::from(chance % 1_000) / 4_000.0)
    }

    /// Enters every workspace; one that is out of reach is tried again until it is entered or refused.
    pub(super) async fn enter_all(self: Arc<Self>, stop: CancellationToken) {
        self.listens.store(true, Ordering::Relaxed);
        self.link(LinkState::Connecting, None);
        let tokens = self.settings.bot_tokens.len();
        let entering = (0..tokens).map(|place| {
            let (slack, stop) = (Arc::clone(&self), stop.clone());
            async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = slack.stay_in(place) => {}
                }
            }
        });
        futures::future::join_all(entering).await;
    }

    /// Waits a moment for a workspace, or for any of them, where they are being entered. A process that posts and listens to
    /// nobody enters them here.
    ///
    /// # Errors
    /// A token is refused, and the workspace is not there.
    pub(super) async fn entered_soon(&self, team: Option<&str>) -> Result<(), SendError> {
        let is_there = || team.map_or_else(|| !self.workspaces().is_empty(), |team| self.workspace(team).is_some());
        if is_there() || self.is_complete() {
            return Ok(());
        }
        if self.listens.load(Ordering::Relaxed) {
            let tokens = self.settings.bot_tokens.len();
            let mut settled = self.settled.subscribe();
            let there = settled.wait_for(|settled| is_there() || *settled >= tokens);
            let _ = tokio::time::timeout(MOMENT, there).await; // what is not there then is told by whoever looks for it
            return Ok(());
        }
        let _one = self.entering.lock().await;
        for place in 0..self.settings.bot_tokens.len() {
            if is_there() {
                break;
            }
            match self.ask_who(self.settings.bot_tokens[place].reveal()).await {
                Ok((told, scopes)) => drop(self.entered(place, &told, scopes.as_deref())),
                Err(Who::Refused(code)) => return Err(SendError::Barred(revoked(&code))),
                Err(Who::Later(why)) => return Err(SendError::Later(why)),
                Err(Who::Busy(silence)) => return Err(SendError::Busy(silence)),
            }
        }
        Ok(())
    }

    /// Resolves when a token was tried to its end: a workspace is there, or none will be.
    pub(super) async fn has_entered(&self, stop: &CancellationToken) {
        let mut settled = self.settled.subscribe();
        tokio::select! {
            () = stop.cancelled() => {}
            _ = settled.wait_for(|settled| *settled > 0) => {}
        }
    }

    /// Enters a workspace. A token that is refused, now or later, is asked about again: it may be good once more.
    async fn stay_in(&self, place: usize) {
        let mut was_refused = false;
        loop {
            let entered = self.enter(place, was_refused).await;
            if !was_refused {
                self.settled.send_modify(|settled| *settled += 1);
            }
            if let Some(workspace) = entered {
                workspace.until_refused().await;
            }
            was_refused = true;
            tokio::time::sleep(self.jittered(REFUSED)).await;
        }
    }

    /// Enters a workspace; `None`: its token is refused.
    async fn enter(&self, place: usize, was_refused: bool) -> Option<Arc<Workspace>> {
        let name = format!("{PLATFORM} token {}", place + 1);
        let mut wait = WAITS.0;
        loop {
            match self.ask_who(self.settings.bot_tokens[place].reveal()).await {
                Ok((told, scopes)) => {
                    self.service.links().forget(&name);
                    return self.entered(place, &told, scopes.as_deref());
                }
                // It is said of its workspace already.
                Err(Who::Refused(_)) if was_refused => return None,
                Err(Who::Refused(code)) => {
                    tracing::error!(token = place + 1, %code, "Slack refuses a bot token");
                    let reason = revoked(&code);
                    self.service.links().set(&name, LinkState::Refused, Some(&reason), self.service.now());
                    if self.settings.bot_tokens.len() == 1 {
                        self.link(LinkState::Refused, Some(&reason));
                    }
                    return None;
                }
                Err(Who::Later(why)) => {
                    tracing::warn!(%why, "Slack is not reached; it is tried again");
                    self.link(LinkState::Down, Some(&why));
                }
                Err(Who::Busy(silence)) => wait = wait.max(silence),
            }
            tokio::time::sleep(self.jittered(wait)).await;
            wait = (wait * 2).min(WAITS.1);
        }
    }

    fn entered(&self, place: usize, told: &Value, scopes: Option<&str>) -> Option<Arc<Workspace>> {
        let token = SlackApiTokenValue(self.settings.bot_tokens[place].reveal().to_owned());
        let service = self.service.clone();
        let means = Means {
            client: self.client.clone(),
            token: SlackApiToken::new(token),
            links: self.service.links().clone(),
            clock: Box::new(move || service.now()),
        };
        let Some(workspace) = Workspace::new(means, told) else {
            tracing::error!(token = place + 1, "Slack does not say whose token this is");
            return None;
        };
        self.service.links().set(&workspace.link, LinkState::Up, None, self.service.now());
        let missing = scopes.map(manifest::missing).unwrap_or_default();
        if !missing.is_empty() {
            workspace.miss(&missing.iter().map(|(scope, _)| *scope).collect::<Vec<_>>().join(","));
        }
        tracing::info!(team = %workspace.team, bot = %workspace.bot_user, "a workspace of Slack is connected");
        let workspace = Arc::new(workspace);
        let mut workspaces = self.workspaces.write().unwrap_or_else(PoisonError::into_inner);
        let known = workspaces.insert(workspace.team.clone(), Arc::clone(&workspace));
        if known.is_some_and(|known| !known.is_refused() && known.token() != workspace.token()) {
            tracing::warn!(token = place + 1, "two bot tokens are of the same workspace; the later one is used");
        }
        Some(workspace)
    }

    /// Asks Slack whose token this is, and what it may do.
    async fn ask_who(&self, token: &str) -> Result<(Value, Option<String>), Who> {
        ask_who(&self.wire, &self.settings.api_url, token).await
    }

    /// Somebody spoke from a channel that we are not in: their run is shown in the direct conversation.
    pub(super) fn strayed(&self, direct: &str, channel: &str) {
        let mut strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
        strays.retain(|_, (at, _)| at.elapsed() < STRAYED);
        strays.insert(direct.to_owned(), (Instant::now(), channel.to_owned()));
    }

    /// The channel from which somebody spoke whose answer went to this direct conversation; told once.
    pub(super) fn was_strayed(&self, direct: &str) -> Option<String> {
        let mut strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
        strays.remove(direct).filter(|(at, _)| at.elapsed() < STRAYED).map(|(_, channel)| channel)
    }

    /// Whether a message of an earlier life is still to be looked for; once for each.
    pub(super) fn looks_back(&self, nonce: &str) -> bool {
        let mut looked_for = self.looked_for.lock().unwrap_or_else(PoisonError::into_inner);
        if looked_for.len() >= LOOKED_FOR {
            looked_for.clear();
        }
        looked_for.insert(nonce.to_owned())
    }

    /// It could not be looked for: it still is to be.
    pub(super) fn looks_again(&self, nonce: &str) {
        self.looked_for.lock().unwrap_or_else(PoisonError::into_inner).remove(nonce);
    }
}

/// Why nobody said whose token it is.
pub enum Who {
    /// The token is refused, with Slack's word for why.
    Refused(String),
    /// Slack cannot be reached.
    Later(String),
    /// Not before this time.
    Busy(Duration),
}

/// Whose token this is, and what it may do.
///
/// # Errors
/// It is refused, or Slack does not answer.
pub async fn ask_who(wire: &Wire, api_url: &str, token: &str) -> Result<(Value, Option<String>), Who> {
    let url = format!("{api_url}/auth.test");
    let answer = match wire.post(&url, Some(token), "application/x-www-form-urlencoded", Bytes::new()).await {
        Ok(answer) => answer,
        Err(error @ (WireError::Lost(_) | WireError::Foreign(_))) => return Err(Who::Later(error.to_string())),
    };
    if answer.status == 429 {
        return Err(Who::Busy(answer.retry_after.unwrap_or(WAITS.0)));
    }
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (told["ok"].as_bool(), told["error"].as_str()) {
        (Some(true), _) if answer.status == 200 => Ok((told, answer.scopes)),
        (_, Some(code))
            if !matches!(code, "internal_error" | "fatal_error" | "service_unavailable" | "ratelimited") =>
        {
            Err(Who::Refused(code.to_owned()))
        }
        _ => Err(Who::Later(format!("Slack answers `auth.test` with {}", answer.status))),
    }
}
