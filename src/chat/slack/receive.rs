//! What comes in, over a socket or HTTP: read leniently, kept, then acknowledged. Nothing that takes time happens before that.
//!
//! Slack waits three seconds for an acknowledgement. An event that gets none comes again; a command or a press does not, so that
//! whoever made it is told when it was not taken in.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::text::typed;
use super::workspace::{Person, Workspace};
use super::{Slack, render};
use crate::chat::Chat;
use crate::chat::adapter::{Address, Inbound, What};
use crate::domain::card::{Card, CardKind};
use crate::service::Count;

/// How long something waits for room in its channel's queue.
const ROOM: Duration = Duration::from_millis(1_000);
/// How long it may take to keep something, room included: with what is asked before, less than Slack waits.
const KEEP: Duration = Duration::from_millis(1_500);
/// How long the direct conversation with somebody is asked for.
const SOON: Duration = Duration::from_millis(600);

/// What is said where no workspace can be spoken for.
const NOT_CONNECTED: &str = "This workspace is not connected to the service: its bot token is missing or refused.";

/// What came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A slash command.
    Command,
    /// A press, or a window that was sent.
    Interaction,
    /// An event.
    Event,
}

/// What is answered at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Ack {
    /// It is kept, or not for us.
    Done,
    /// The same, with something that Slack shows.
    With(Value),
    /// It is not kept: it may come again.
    Again,
}

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept and will be answered.
    Taken,
    /// Its channel has no room: nothing was kept.
    Full,
    /// It took too long: it may be kept.
    Unknown,
    /// The store failed.
    Failed,
}

impl Kept {
    /// What whoever did it is told; empty when it was taken in.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Taken => "",
            Self::Full => "Busy: nothing was started. Say it again in a moment.",
            Self::Unknown => "Busy: it may have been taken in. `/workflow status` tells.",
            Self::Failed => {
                "Nothing was started: the service cannot write to its disk. Try again, or tell whoever runs it."
            }
        }
    }
}

impl Slack {
    /// Takes something in.
    pub(super) async fn take(self: &Arc<Self>, chat: &Chat, kind: Kind, payload: &Value) -> Ack {
        let teams = teams_of(kind, payload);
        let Some(team) = teams.first() else {
            tracing::warn!(?kind, "something from Slack names no workspace: it will not be read better another time");
            return Ack::Done;
        };
        let entered = teams.iter().filter_map(|team| self.workspace(team)).find(|workspace| !workspace.is_refused());
        let Some(workspace) = entered else {
            tracing::warn!(?kind, team = %crate::chat::grammar::inert(team, 40), "something came from a workspace whose token is not here");
            return match kind {
                Kind::Command => said(NOT_CONNECTED),
                Kind::Interaction => {
                    self.turn_away(payload);
                    Ack::Done
                }
                Kind::Event => Ack::Again,
            };
        };
        self.service.links().count(&workspace.link, Count::Received);
        match kind {
            Kind::Command => self.command(chat, &workspace, payload).await,
            Kind::Interaction => self.interaction(chat, &workspace, payload).await,
            Kind::Event => self.event(chat, &workspace, payload).await,
        }
    }

    /// Tells whoever pressed something that nothing comes of it, by the address that came with the press.
    fn turn_away(self: &Arc<Self>, payload: &Value) {
        let Some(url) = payload["response_url"].as_str().map(str::to_owned) else { return };
        let slack = Arc::clone(self);
        tokio::spawn(async move {
            let card =
                Card::new(CardKind::Error, NOT_CONNECTED).verdict("whoever runs the service can mend it").sealed();
            slack.answers.send(&slack.wire, &url, None, &render::draw(&card, "away")).await;
        });
    }

    async fn command(&self, chat: &Chat, workspace: &Workspace, payload: &Value) -> Ack {
        let text = |key: &str| payload[key].as_str().unwrap_or_default();
        let (user, channel, trigger) = (text("user_id"), text("channel_id"), text("trigger_id"));
        if user.is_empty() || channel.is_empty() {
            return said("Slack did not say who this was, or where: nothing was started.");
        }
        let (person, (from, is_direct)) =
            tokio::join!(workspace.person(user, false), self.place(workspace, user, channel, None));
        let line = format!("/workflow {}", typed(text("text"), &workspace.bot_user));
        let key = if trigger.is_empty() { self.service.fresh_id() } else { trigger.to_owned() };
        let done = Done { key, from, is_direct, user, handle: Some(text("response_url")), message: None };
        let what = What::Said { text: line.trim_end().to_owned(), files: Vec::new() };
        match self.keep(chat, inbound(workspace, person, done, what)).await {
            Kept::Taken => Ack::Done,
            not => said(not.words()),
        }
    }

    /// Where the answer to something goes: its channel, or the direct conversation with whoever did it where we are no members.
    pub(super) async fn place(
        &self,
        workspace: &Workspace,
        user: &str,
        channel: &str,
        thread: Option<String>,
    ) -> (Address, bool) {
        if !channel.is_empty() && workspace.is_member(channel).await {
            return (workspace.address(channel, thread), channel.starts_with('D'));
        }
        match tokio::time::timeout(SOON, workspace.direct(user)).await {
            Ok(Ok(direct)) => {
                if !channel.is_empty() {
                    self.strayed(&direct, channel);
                }
                (workspace.address(&direct, None), true)
            }
            _ => (workspace.address(channel, thread), false),
        }
    }

    /// Keeps something. What was begun is not given up half way, so that what is told of it is true.
    pub(super) async fn keep(&self, chat: &Chat, inbound: Inbound) -> Kept {
        let chat = chat.clone();
        let kept = tokio::spawn(async move { chat.receive_within(inbound, ROOM).await });
        match tokio::time::timeout(KEEP, kept).await {
            Ok(Ok(Ok(Some(_)))) => Kept::Taken,
            Ok(Ok(Ok(None))) => Kept::Full,
            Ok(Ok(Err(error))) => {
                tracing::error!(%error, "something from Slack cannot be kept");
                Kept::Failed
            }
            Ok(Err(_)) => Kept::Failed,
            Err(_) => Kept::Unknown,
        }
    }
}

/// Something that somebody did.
pub(super) struct Done<'d> {
    pub key: String,
    pub from: Address,
    pub is_direct: bool,
    pub user: &'d str,
    pub handle: Option<&'d str>,
    pub message: Option<&'d str>,
}

pub(super) fn inbound(workspace: &Workspace, person: Person, done: Done<'_>, what: What) -> Inbound {
    Inbound {
        key: format!("{}:{}:{}", super::PLATFORM, workspace.team, done.key),
        from: done.from,
        user: done.user.to_owned(),
        name: person.name,
        workspace: Some(workspace.team.clone()),
        standing: person.standing,
        handle: done.handle.filter(|url| !url.is_empty()).map(str::to_owned),
        is_direct: done.is_direct,
        message: done.message.map(str::to_owned),
        what,
    }
}

/// A press of something with these values.
pub(super) fn pressed(message: &str, action: String, values: Map<String, Value>) -> What {
    What::Pressed { message: message.to_owned(), action, values }
}

/// Something that only whoever asked sees, with the acknowledgement.
pub(super) fn said(text: &str) -> Ack {
    Ack::With(json!({ "response_type": "ephemeral", "text": text }))
}

/// The workspaces in which something may have happened, the likeliest first. A channel that two workspaces share brings
/// presses and events that name the other one: the workspace is the one whose message it is, or whose token may see it.
fn teams_of(kind: Kind, payload: &Value) -> Vec<&str> {
    let named: Vec<&Value> = match kind {
        Kind::Command => vec![&payload["team_id"]],
        Kind::Event => {
            let seers = payload["authorizations"].as_array().into_iter().flatten().map(|seer| &seer["team_id"]);
            seers.chain([&payload["team_id"], &payload["context_team_id"]]).collect()
        }
        Kind::Interaction => vec![
            &payload["message"]["team"],
            &payload["view"]["app_installed_team_id"],
            &payload["team"]["id"],
            &payload["user"]["team_id"],
        ],
    };
    named.into_iter().filter_map(Value::as_str).filter(|team| !team.is_empty()).collect()
}
