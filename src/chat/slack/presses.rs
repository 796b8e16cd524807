//! Presses of buttons, and the windows that they open.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::answers::UNSEEN;
use super::receive::{Ack, Done, Kept, inbound, pressed};
use super::render::OPENS;
use super::view;
use super::workspace::Workspace;
use super::{PLATFORM, Slack};
use crate::chat::Chat;
use crate::chat::adapter::{ChatAdapter as _, Inbound, What};
use crate::domain::card::{Card, CardKind, Form};

/// How long after a press on the home tab it is drawn again: what was begun is seen then.
const THEN: Duration = Duration::from_millis(1_500);

impl Slack {
    pub(super) async fn interaction(self: &Arc<Self>, chat: &Chat, workspace: &Arc<Workspace>, payload: &Value) -> Ack {
        match payload["type"].as_str().unwrap_or_default() {
            "block_actions" => self.press(chat, workspace, payload).await,
            "view_submission" if payload["view"]["callback_id"] == view::CALLBACK => {
                self.window_sent(chat, workspace, payload).await
            }
            _ => Ack::Done,
        }
    }

    async fn press(self: &Arc<Self>, chat: &Chat, workspace: &Arc<Workspace>, payload: &Value) -> Ack {
        let (container, action) = (&payload["container"], &payload["actions"][0]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let Some(value) = action["value"].as_str() else { return Ack::Done };
        let Ok(long) = self.shortener.long(value).await else { return Ack::Again };
        let user = text(&payload["user"]["id"]);
        let is_foreign = payload["user"]["team_id"].as_str().is_some_and(|team| team != workspace.team);
        let (ts, url) = (text(&container["message_ts"]), text(&payload["response_url"]));
        let is_unseen = container["is_ephemeral"].as_bool() == Some(true);
        let message = if is_unseen { format!("{UNSEEN}{ts}") } else { ts.clone() };
        if !url.is_empty() {
            self.answers.was_pressed(&message, &url);
        }
        let thread = [&container["thread_ts"], &payload["message"]["thread_ts"]].into_iter().find_map(|ts| ts.as_str());
        let thread = thread.filter(|thread| *thread != ts).map(str::to_owned);
        let channel =
            container["channel_id"].as_str().or_else(|| payload["channel"]["id"].as_str()).unwrap_or_default();
        let (person, (from, is_direct)) =
            tokio::join!(workspace.person(&user, is_foreign), self.place(workspace, &user, channel, thread));
        // A press on the home tab has a window in the place of a message.
        let on = if ts.is_empty() { text(&container["view_id"]) } else { ts };
        let key = format!("{on}:{}:{}:{user}", text(&action["action_id"]), text(&action["action_ts"]));
        let done = Done { key, from, is_direct, user: &user, handle: Some(&url), message: None };
        let inbound = inbound(workspace, person, done, pressed(&message, long.clone(), serde_json::Map::new()));
        if action["action_id"].as_str().is_some_and(|id| id.starts_with(OPENS))
            && let Ok(Some(form)) = chat.form(&inbound, &long).await
        {
            self.open_window(workspace, inbound, form, text(&payload["trigger_id"]));
            return Ack::Done;
        }
        if container["type"] == "view" {
            self.show_home(chat, workspace, &user, THEN);
        }
        match self.keep(chat, inbound.clone()).await {
            Kept::Taken => {}
            // A press that is not acknowledged does not come again: whoever made it is told.
            not => self.tell(inbound, not.words(), ""),
        }
        Ack::Done
    }

    /// Opens the window of a form: within three seconds of the press, so before anything else.
    fn open_window(self: &Arc<Self>, workspace: &Arc<Workspace>, inbound: Inbound, form: Form, trigger: String) {
        let What::Pressed { message, action, .. } = &inbound.what else { return };
        let (message, action) = (message.clone(), action.clone());
        let (slack, workspace) = (Arc::clone(self), Arc::clone(workspace));
        tokio::spawn(async move {
            let Ok(short) = slack.shortener.short(&action).await else {
                return slack.tell(inbound, "The service cannot write to its disk.", "press again in a moment");
            };
            let memory = json!({
                "action": short, "channel": inbound.from.channel, "thread": inbound.from.thread, "message": message,
                "direct": inbound.is_direct,
            });
            let given = slack.answers.draft(&inbound.user, &action);
            let view = view::window(&form, &memory.to_string(), &given);
            let opened = workspace.call("views.open", &json!({ "trigger_id": trigger, "view": view })).await;
            if let Err(error) = opened {
                tracing::warn!(%error, "a window did not open");
                let fix = "press again, or say `answer` with what is asked for, as key=value";
                slack.tell(inbound, "The window did not open in time.", fix);
            }
        });
    }

    async fn window_sent(&self, chat: &Chat, workspace: &Workspace, payload: &Value) -> Ack {
        let sent = &payload["view"];
        let wrong = view::errors(sent);
        if !wrong.is_empty() {
            return Ack::With(json!({ "response_action": "errors", "errors": wrong }));
        }
        let memory: Value =
            sent["private_metadata"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let Ok(action) = self.shortener.long(&text(&memory["action"])).await else { return again(sent, Kept::Failed) };
        let user = text(&payload["user"]["id"]);
        let is_foreign = payload["user"]["team_id"].as_str().is_some_and(|team| team != workspace.team);
        let values = view::values(sent);
        self.answers.keep_draft(&user, &action, &values);
        let from = crate::chat::adapter::Address {
            platform: PLATFORM.to_owned(),
            channel: text(&memory["channel"]),
            thread: memory["thread"].as_str().map(str::to_owned),
        };
        let is_direct = memory["direct"].as_bool() == Some(true);
        let person = workspace.person(&user, is_foreign).await;
        let done = Done { key: text(&sent["id"]), from, is_direct, user: &user, handle: None, message: None };
        let what = pressed(&text(&memory["message"]), action, values);
        match self.keep(chat, inbound(workspace, person, done, what)).await {
            Kept::Taken => Ack::Done,
            not => again(sent, not),
        }
    }

    /// Tells one person something, after the acknowledgement.
    pub(super) fn tell(self: &Arc<Self>, inbound: Inbound, what: &str, fix: &str) {
        let slack = Arc::clone(self);
        let card = Card::new(CardKind::Error, what).verdict(fix).sealed();
        tokio::spawn(async move {
            let nonce = format!("{}:told", inbound.key);
            if let Err(error) = slack.private(&inbound.from, inbound.reader(), &card, &nonce).await {
                tracing::warn!(%error, "somebody could not be told");
            }
        });
    }
}

/// The window stays open and says that it was not taken in.
fn again(view: &Value, kept: Kept) -> Ack {
    let first = view["state"]["values"].as_object().and_then(|values| values.keys().next().cloned());
    match first {
        Some(block) => Ack::With(json!({ "response_action": "errors", "errors": { block: kept.words() } })),
        None => Ack::Again,
    }
}
