//! What the conversations do with Discord.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::future::{BoxFuture, ready};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::catch_up::Spoken;
use super::messages::{self, Heard};
use super::modal::Drafts;
use super::places::{Places, Target};
use super::render::{self, Rendered};
use super::replies::{Handle, Replies};
use super::rest::{Call, Rest, RestError};
use super::settings::Settings;
use super::{files, gateway, http};
use crate::chat::adapter::{
    Address, ChatAdapter, Drops, FileRef, Forms, Reader, SendError, Signposts, Traits, Written,
};
use crate::chat::short::Shortener;
use crate::chat::{Chat, Platform};
use crate::domain::card::{Card, CardKind, Form};
use crate::domain::time::Timestamp;
use crate::http::Room;
use crate::service::{Count, FileRecord, LinkState, Links, Service, ServiceError};

/// The platform's name, and that of its link.
pub const PLATFORM: &str = "discord";
/// Bytes that a button carries.
const CUSTOM_ID: usize = 100;
/// How long an answer that nobody else repeats is tried.
const ANSWER: Duration = Duration::from_secs(45);
/// How long a card waits for its place. Five changes in five seconds are what one channel takes: a change that waits so long has
/// its turn, and until then holds one of the seats, which slows all cards down as the channel does.
const CHANGE: Duration = Duration::from_secs(6);
/// How long a new message of the courier's waits; it repeats what fails.
const POST: Duration = Duration::from_secs(3);
/// How often an acknowledgement that is not known yet is asked for again: over HTTP it goes out after our answer.
const UNKNOWN_YET: u32 = 4;

static TRAITS: Traits = Traits {
    platform: PLATFORM,
    names: &["workflow", "bot"],
    private: true,
    edits: true,
    forms: Forms::Modal,
    drops: Drops::AskDocuments,
    edit_interval: Duration::from_millis(1_500),
    // One channel takes 60 a minute, its own bucket sees to that; this is for all channels together.
    edits_per_minute: Some(120),
    silent_edits: true,
    post_interval: Duration::from_secs(1),
    longest_text: 8_000,
    in_flight: 8,
};

/// Who we are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ourselves {
    /// The application.
    pub application: String,
    /// The bot's user.
    pub user: String,
}

/// Discord.
pub struct Discord {
    pub(super) service: Service,
    pub(super) settings: Settings,
    pub(super) rest: Rest,
    pub(super) short: Shortener,
    pub(super) places: Places,
    pub(super) replies: Replies,
    pub(super) heard: Heard,
    ourselves: OnceLock<Ourselves>,
    pub(super) drafts: Drafts,
    pub(super) spoken: Spoken,
    /// What is missing that would make it better; told with the link.
    missing: Mutex<Vec<String>>,
    /// A request was refused for its token, and none was taken since.
    is_refused: AtomicBool,
}

impl Discord {
    /// Discord with these settings.
    ///
    /// # Errors
    /// The file with further authorities cannot be read.
    pub fn new(service: &Service, settings: &Settings) -> Result<Self, String> {
        let rest = Rest::new(&settings.api_url, settings.token.clone(), settings.ca_file.as_deref())?;
        let discord = Self {
            service: service.clone(),
            settings: settings.clone(),
            rest,
            short: Shortener::new(service.conversations(), CUSTOM_ID),
            places: Places::default(),
            replies: Replies::default(),
            heard: Heard::default(),
            ourselves: OnceLock::new(),
            drafts: Drafts::default(),
            spoken: Spoken::default(),
            missing: Mutex::default(),
            is_refused: AtomicBool::default(),
        };
        discord.link(LinkState::Connecting, None);
        Ok(discord)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.service.now()
    }

    pub(super) fn links(&self) -> &Links {
        self.service.links()
    }

    /// Notes how the connection stands.
    pub(super) fn link(&self, state: LinkState, reason: Option<&str>) {
        self.links().set(PLATFORM, state, reason, self.now());
    }

    /// Notes that something is missing, or is there now.
    pub(super) fn lacks(&self, what: &str, lacks: bool) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = missing.iter().any(|known| known == what);
        if lacks == known {
            return;
        }
        if lacks {
            tracing::warn!(missing = what, "Discord could do more with it");
            missing.push(what.to_owned());
        } else {
            missing.retain(|known| known != what);
        }
        self.links().missing(PLATFORM, missing.clone());
    }

    /// Who we are; `None` before Discord has said so.
    pub(super) fn ourselves(&self) -> Option<&Ourselves> {
        self.ourselves.get()
    }

    /// Notes who we are.
    pub(super) fn learn(&self, ourselves: Ourselves) {
        let _ = self.ourselves.set(ourselves); // it never changes
    }

    /// A card as a message.
    pub(super) async fn render(&self, card: &Card) -> Result<Rendered, ServiceError> {
        let mut ids = Vec::new();
        for button in render::buttons(card) {
            ids.push(self.short.short(&render::carried(&button)).await?);
        }
        Ok(render::message(card, &ids))
    }

    /// Sends a new message; the same `nonce` within some minutes is the same message.
    pub(super) async fn send(
        &self,
        target: &Target,
        rendered: Rendered,
        nonce: &str,
        patience: Duration,
    ) -> Result<String, RestError> {
        let Rendered { mut body, file } = rendered;
        body["nonce"] = json!(short_nonce(nonce));
        body["enforce_nonce"] = json!(true);
        if let Some(message) = &target.reply {
            body["message_reference"] = json!({ "message_id": message, "fail_if_not_exists": false });
            body["allowed_mentions"]["replied_user"] = json!(false);
        }
        let path = format!("/channels/{}/messages", target.channel);
        let call = Call::new("POST /channels/messages", &target.channel, path).body(&body).file(file.as_ref());
        let sent = self.counted(self.rest.send(call.patient(patience)).await)?;
        sent["id"].as_str().map(str::to_owned).ok_or_else(|| RestError::Later("a message without an id".to_owned()))
    }

    /// Counts what went through, and tells what is missing where it did not.
    fn counted(&self, sent: Result<Value, RestError>) -> Result<Value, RestError> {
        match &sent {
            Ok(_) => {
                self.links().count(PLATFORM, Count::Sent);
                if self.is_refused.swap(false, Ordering::Relaxed) {
                    self.link(LinkState::Up, None);
                }
            }
            Err(RestError::Busy(_)) => {}
            Err(error) => {
                self.links().count(PLATFORM, Count::Failed);
                if let Some(right) = error.missing() {
                    self.lacks(right, true);
                }
                if error.is_unauthorized() {
                    if !self.is_refused.swap(true, Ordering::Relaxed) {
                        tracing::error!("{}", gateway::TOKEN_REFUSED);
                    }
                    self.link(LinkState::Refused, Some(gateway::TOKEN_REFUSED));
                }
            }
        }
        sent
    }

    /// An answer by the token of what somebody did.
    async fn by_handle(&self, handle: &Handle, rendered: &Rendered) -> Result<String, RestError> {
        self.replies.ready(&handle.token).await;
        let Handle { application, token, .. } = handle;
        let takes_place = handle.is_thinking && self.replies.take_place(token);
        let mut body = rendered.body.clone();
        let (route, path) = if takes_place {
            ("PATCH /webhooks/messages", format!("/webhooks/{application}/{token}/messages/@original"))
        } else {
            body["flags"] = json!(EPHEMERAL);
            ("POST /webhooks", format!("/webhooks/{application}/{token}"))
        };
        let mut unknown = 0;
        loop {
            let call = Call::new(route, token, path.clone()).of_interaction().body(&body).file(rendered.file.as_ref());
            match self.counted(self.rest.send(call.patient(ANSWER)).await) {
                Ok(sent) => return Ok(sent["id"].as_str().unwrap_or("@original").to_owned()),
                Err(error) if error.is_absent() && unknown < UNKNOWN_YET => {
                    unknown += 1;
                    tokio::time::sleep(Duration::from_millis(150 << unknown)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// An answer in the direct conversation. Who takes none is told in the channel that there is one.
    async fn directly(&self, to: &Address, user: &str, rendered: Rendered, nonce: &str) -> Result<String, SendError> {
        let sent = match self.places.direct(&self.rest, user).await {
            Ok(channel) => self.send(&Target { channel, reply: None }, rendered, nonce, ANSWER).await,
            Err(error) => Err(error),
        };
        match sent {
            Err(error) if error.is_closed_to_us() => {
                let mut card = Card::new(CardKind::Error, "An answer for you could not be delivered");
                card.verdict =
                    "your direct messages are closed to me: say it as `/workflow`, which only you see".to_owned();
                card.mentions = vec![user.to_owned()];
                let target = self.places.target(&self.rest, to).await?;
                Ok(self.send(&target, render::message(&card.sealed(), &[]), &format!("{nonce}:closed"), ANSWER).await?)
            }
            sent => Ok(sent?),
        }
    }

    /// Changes a message with the bot's own token, or a private one by the press of its button.
    async fn change(&self, to: &Address, message: &str, rendered: &Rendered) -> Result<(), RestError> {
        if let Some(handle) = self.replies.pressed(message, self.now()) {
            self.replies.ready(&handle.token).await;
            let path = format!("/webhooks/{}/{}/messages/@original", handle.application, handle.token);
            let call = Call::new("PATCH /webhooks/messages", &handle.token, path).of_interaction();
            return self.counted(self.rest.send(call.body(&rendered.body).patient(ANSWER)).await).map(drop);
        }
        let target = self.places.target(&self.rest, to).await?;
        let changed = self.change_in(&target.channel, message, rendered).await;
        match changed {
            // A thread may have begun where there was none when it was posted.
            Err(error) if error.is_absent() && target.channel != to.channel => {
                self.change_in(&to.channel, message, rendered).await
            }
            changed => changed,
        }
    }

    async fn change_in(&self, channel: &str, message: &str, rendered: &Rendered) -> Result<(), RestError> {
        let path = format!("/channels/{channel}/messages/{message}");
        let call = Call::new("PATCH /channels/messages", channel, path).body(&rendered.body);
        self.counted(self.rest.send(call.file(rendered.file.as_ref()).patient(CHANGE)).await).map(drop)
    }
}

/// Only one person sees it.
pub const EPHEMERAL: u64 = 64;

/// A nonce of the length that Discord takes.
fn short_nonce(nonce: &str) -> String {
    let mut text = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(nonce.as_bytes()));
    text.truncate(25);
    text
}

/// Whether the courier repeats this by itself.
fn is_courier(nonce: &str) -> bool {
    ["run:", "told:", "ask:"].iter().any(|begin| nonce.starts_with(begin))
}

impl Signposts for Discord {
    fn link<'a>(&'a self, at: &'a Address, message: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let channel = self.places.target(&self.rest, at).await.ok()?.channel;
            let guild = self.places.guild(&self.rest, &channel).await?;
            Some(format!("https://discord.com/channels/{guild}/{channel}/{message}"))
        })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>> {
        let is_id = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        Box::pin(ready(if is_id { Some(name.to_owned()) } else { self.places.named(name) }))
    }
}

impl ChatAdapter for Discord {
    fn traits(&self) -> &Traits {
        &TRAITS
    }

    fn post<'a>(&'a self, to: &'a Address, card: &'a Card, nonce: &'a str) -> BoxFuture<'a, Result<String, SendError>> {
        Box::pin(async move {
            let rendered = self.render(card).await?;
            let target = self.places.target(&self.rest, to).await?;
            let patience = if is_courier(nonce) { POST } else { ANSWER };
            Ok(self.send(&target, rendered, nonce, patience).await?)
        })
    }

    fn edit<'a>(&'a self, to: &'a Address, message: &'a str, card: &'a Card) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let rendered = self.render(card).await?;
            Ok(self.change(to, message, &rendered).await?)
        })
    }

    fn private<'a>(
        &'a self,
        to: &'a Address,
        reader: Reader<'a>,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<String, SendError>> {
        Box::pin(async move {
            let rendered = self.render(card).await?;
            if let Some(handle) = reader.handle.and_then(|handle| Handle::read(handle, self.now())) {
                match self.by_handle(&handle, &rendered).await {
                    Ok(message) => return Ok(message),
                    Err(error) if error.is_absent() => tracing::debug!(%error, "its token is over: a direct message"),
                    Err(error) => return Err(error.into()),
                }
            }
            self.directly(to, reader.user, rendered, nonce).await
        })
    }

    fn ask<'a>(
        &'a self,
        _to: &'a Address,
        _user: &'a str,
        _form: &'a Form,
        _nonce: &'a str,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        // The card says what is asked, and its first button opens the window.
        Box::pin(ready(Ok(())))
    }

    fn fetch_file<'a>(&'a self, file: &'a FileRef) -> BoxFuture<'a, Result<FileRecord, ServiceError>> {
        Box::pin(files::fetch(self, file))
    }

    fn read<'a>(&'a self, at: &'a Address, message: &'a str) -> BoxFuture<'a, Option<Written>> {
        Box::pin(messages::read(self, at, message))
    }
}

impl Platform for Discord {
    fn connect(self: Arc<Self>, chat: Chat, stop: CancellationToken) -> BoxFuture<'static, ()> {
        Box::pin(gateway::stay(self, chat, stop))
    }

    fn room(self: Arc<Self>, chat: Chat) -> Option<Room> {
        let key = self.settings.public_key?;
        Some(http::room(self, chat, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_has_the_length_that_discord_takes_and_the_same_is_the_same() {
        let nonce = short_nonce("run:exec_01m8");
        assert_eq!(nonce.len(), 25);
        assert_eq!(nonce, short_nonce("run:exec_01m8"));
        assert_ne!(nonce, short_nonce("run:exec_01m9"));
    }
}
