//! What the conversations do with Slack: post, edit, answer one person, fetch a file.

use std::time::Duration;

use futures::future::{BoxFuture, ready};
use serde_json::json;

use super::answers::{UNSEEN, backoff};
use super::calls::CallError;
use super::echoes::{mark, run_of};
use super::render::{self, Drawn};
use super::text::{escaped, is_id};
use super::workspace::Workspace;
use super::{PLATFORM, Slack};
use crate::chat::adapter::{Address, ChatAdapter, FileRef, MessageRef, Reader, SendError, Signposts, Traits, Written};
use crate::chat::forms;
use crate::domain::card::{Card, CardKind, Form};
use crate::service::{FileRecord, ServiceError};

/// How often a message is tried that nobody else tries again.
const TRIES: u32 = 4;
/// The longest silence that it waits out.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// A message on its way.
struct Post<'p> {
    workspace: &'p Workspace,
    channel: &'p str,
    thread: Option<&'p str>,
    drawn: &'p Drawn,
    mark: &'p str,
    /// Nobody else tries it again.
    is_patient: bool,
}

impl Slack {
    /// The workspace and the channel of an address.
    async fn located<'a>(&self, to: &'a Address) -> Result<(std::sync::Arc<Workspace>, &'a str), SendError> {
        let (team, channel) = to.channel.split_once('.').unwrap_or((to.channel.as_str(), ""));
        self.entered_soon(Some(team)).await?;
        match self.workspace(team) {
            Some(workspace) if workspace.is_refused() => {
                Err(SendError::Barred(format!("the token of workspace {team} is refused")))
            }
            Some(workspace) => Ok((workspace, channel)),
            None if self.is_complete() => Err(SendError::Refused(format!("workspace {team} is not connected"))),
            None => Err(SendError::Later("Slack is being connected".to_owned())),
        }
    }

    /// A card as it is sent: its buttons carry short texts.
    async fn drawn(&self, card: &Card, nonce: &str) -> Result<Drawn, SendError> {
        let mut card = card.clone();
        for button in &mut card.buttons {
            button.action = self.shortener.short(&button.action).await?;
        }
        if let Some(form) = &mut card.form
            && forms::opener(form).is_some()
        {
            form.submit = self.shortener.short(&form.submit).await?;
        }
        Ok(render::draw(&card, &mark(nonce)))
    }

    async fn put(&self, to: &Address, card: &Card, nonce: &str) -> Result<MessageRef, SendError> {
        let (workspace, channel) = self.located(to).await?;
        let (channel, thread) = beneath(channel, to.thread.as_deref());
        let (drawn, mark) = (self.drawn(card, nonce).await?, mark(nonce));
        let is_run = card.kind == CardKind::Run;
        if let Some(ts) = self.known(&workspace, (channel, thread), nonce, &mark).await? {
            // It is there from an earlier try, and shows what was so then.
            match if is_run { self.update(&workspace, channel, &ts, &drawn).await } else { Ok(()) } {
                Err(error) if error.is_gone() => self.echoes.forget(&ts),
                shown => return Ok(shown.map(|()| ts)?),
            }
        }
        // The courier tries the card of a run again; everything else is tried here.
        let post = Post { workspace: &workspace, channel, thread, drawn: &drawn, mark: &mark, is_patient: !is_run };
        let ts = match self.say(&post).await {
            Ok(ts) => ts,
            Err(error) if is_run && error.is_gone() => return self.put_aside(post, nonce, error).await,
            Err(error) => return Err(error.into()),
        };
        if let Some(whole) = drawn.whole.as_deref().filter(|_| !is_run) {
            self.attach(&workspace, (channel, Some(thread.unwrap_or(&ts))), card, whole).await;
        }
        if is_run && let Some(elsewhere) = self.was_strayed(channel) {
            workspace.invite(channel, &elsewhere).await;
        }
        Ok(ts)
    }

    /// Posts a message, once: one whose answer was lost is looked for among those that came back.
    async fn say(&self, post: &Post<'_>) -> Result<String, CallError> {
        let mut body = json!({
            "channel": post.channel, "text": post.drawn.text, "unfurl_links": false, "unfurl_media": false,
        });
        if !post.drawn.blocks.is_empty() {
            body["blocks"] = json!(post.drawn.blocks);
        }
        if let Some(thread) = post.thread {
            body["thread_ts"] = json!(thread);
        }
        let mut tried = 0;
        loop {
            if let Some(ts) = self.echoes.find(post.mark) {
                return Ok(ts);
            }
            let error = match post.workspace.call("chat.postMessage", &body).await {
                Ok(answer) => {
                    let ts = answer["ts"].as_str().unwrap_or_default().to_owned();
                    self.echoes.heard(post.mark, &ts);
                    post.workspace.is_inside(post.channel);
                    return Ok(ts);
                }
                Err(error) => error,
            };
            match &error {
                CallError::Lost(_) => {
                    if let Some(ts) = self.echoes.wait(post.mark).await {
                        return Ok(ts);
                    }
                }
                _ if error.is_refused_content() && body["blocks"].is_array() => {
                    tracing::error!(%error, "Slack refuses a message as it was drawn; its text is sent alone");
                    body.as_object_mut().map(|body| body.remove("blocks"));
                    continue;
                }
                // The message under which it was to stand is gone.
                _ if matches!(error.code(), "thread_not_found" | "invalid_thread_ts")
                    && body["thread_ts"].is_string() =>
                {
                    body.as_object_mut().map(|body| body.remove("thread_ts"));
                    continue;
                }
                _ => {}
            }
            match (wait_after(&error, tried), post.is_patient && tried < TRIES) {
                (Some(wait), true) => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
            tried += 1;
        }
    }

    /// A card whose channel takes none from us: it goes to the direct conversation with whoever asked for the run.
    async fn put_aside(&self, post: Post<'_>, nonce: &str, error: CallError) -> Result<MessageRef, SendError> {
        post.workspace.is_outside(post.channel);
        let Some(run) = run_of(nonce) else { return Err(error.into()) };
        let Some(card) = self.service.conversations().card(run).await? else { return Err(error.into()) };
        let direct = post.workspace.direct(&card.requester).await?;
        if direct == post.channel {
            return Err(error.into());
        }
        let ts = self.say(&Post { channel: &direct, thread: None, ..post }).await?;
        post.workspace.invite(&direct, post.channel).await;
        Ok(format!("{direct}:{ts}"))
    }

    async fn change(&self, to: &Address, message: &str, card: &Card) -> Result<(), SendError> {
        let (workspace, channel) = self.located(to).await?;
        let drawn = self.drawn(card, message).await?;
        if message.starts_with(UNSEEN) {
            return if self.answers.change(&self.wire, message, &drawn).await { Ok(()) } else { Err(SendError::Gone) };
        }
        let (channel, ts) = message.split_once(':').unwrap_or((channel, message));
        Ok(self.update(&workspace, channel, ts, &drawn).await?)
    }

    /// Changes what a message shows.
    async fn update(&self, workspace: &Workspace, channel: &str, ts: &str, drawn: &Drawn) -> Result<(), CallError> {
        let mut body = json!({ "channel": channel, "ts": ts, "text": drawn.text, "blocks": drawn.blocks });
        match workspace.call("chat.update", &body).await {
            Err(error) if error.is_refused_content() => {
                tracing::error!(%error, "Slack refuses a message as it was drawn; its text is sent alone");
                body["blocks"] = json!([]);
                workspace.call("chat.update", &body).await.map(|_| ())
            }
            answer => answer.map(|_| ()),
        }
    }

    /// Shows a card to one person: by the address that came with what they did, beside the conversation, or in the direct one.
    async fn show(&self, to: &Address, reader: Reader<'_>, card: &Card, nonce: &str) -> Result<MessageRef, SendError> {
        let (workspace, channel) = self.located(to).await?;
        let (mut drawn, mark) = (self.drawn(card, nonce).await?, mark(nonce));
        if drawn.whole.is_some() {
            note(&mut drawn, "The whole is a file in our direct conversation.");
        }
        let thread = to.thread.as_deref();
        let shown = self.show_there(&workspace, (channel, thread), reader, &drawn).await;
        let message = match shown {
            Some(message) => message,
            None => {
                let direct =
                    if channel.starts_with('D') { channel.to_owned() } else { workspace.direct(reader.user).await? };
                let thread = thread.filter(|_| direct == channel);
                let post = Post {
                    workspace: &workspace,
                    channel: &direct,
                    thread,
                    drawn: &drawn,
                    mark: &mark,
                    is_patient: true,
                };
                self.say(&post).await?
            }
        };
        if let Some(whole) = &drawn.whole {
            let direct = workspace.direct(reader.user).await?;
            self.attach(&workspace, (&direct, None), card, whole).await;
        }
        Ok(message)
    }

    /// Shows a card to one person where they are; `None`: it has to go to the direct conversation.
    async fn show_there(
        &self,
        workspace: &Workspace,
        (channel, thread): (&str, Option<&str>),
        reader: Reader<'_>,
        drawn: &Drawn,
    ) -> Option<MessageRef> {
        if let Some(url) = reader.handle
            && self.answers.send(&self.wire, url, thread, drawn).await
        {
            return Some(UNSEEN.to_owned());
        }
        if channel.starts_with('D') {
            return None;
        }
        let mut body = json!({ "channel": channel, "user": reader.user, "text": drawn.text, "blocks": drawn.blocks });
        if let Some(thread) = thread {
            body["thread_ts"] = json!(thread);
        }
        for tried in 0..TRIES {
            let error = match workspace.call("chat.postEphemeral", &body).await {
                Ok(answer) => return Some(format!("{UNSEEN}{}", answer["message_ts"].as_str().unwrap_or_default())),
                Err(error) => error,
            };
            tracing::debug!(%error, "an answer for one person is not taken");
            tokio::time::sleep(wait_after(&error, tried)?).await;
        }
        None
    }

    /// Brings the whole of something whose message shows only a part.
    async fn attach(&self, workspace: &Workspace, place: (&str, Option<&str>), card: &Card, whole: &str) {
        let comment = escaped(&card.title);
        if let Err(error) = self.bring(workspace, place, ("answer.txt", &comment), whole).await {
            tracing::warn!(%error, "a long answer could not be brought as a file");
        }
    }
}

/// The channel and the thread of an address; a message that was put aside names the channel in which it stands itself.
fn beneath<'a>(channel: &'a str, thread: Option<&'a str>) -> (&'a str, Option<&'a str>) {
    match thread.and_then(|thread| thread.split_once(':')) {
        Some((aside, ts)) => (aside, Some(ts)),
        None => (channel, thread),
    }
}

/// How long to wait before something is tried again; `None`: it is not.
fn wait_after(error: &CallError, tried: u32) -> Option<Duration> {
    match error {
        CallError::Busy(wait) => (*wait <= LONGEST_SILENCE).then_some(*wait),
        CallError::Lost(_) => Some(backoff(tried)),
        CallError::No { .. } => None,
    }
}

fn note(drawn: &mut Drawn, text: &str) {
    drawn.blocks.push(json!({ "type": "context", "elements": [{ "type": "plain_text", "text": text }] }));
    drawn.text.push('\n');
    drawn.text.push_str(text);
}

impl Signposts for Slack {
    fn link<'a>(&'a self, at: &'a Address, message: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let (workspace, channel) = self.located(at).await.ok().filter(|_| !message.starts_with(UNSEEN))?;
            let (channel, thread) = beneath(channel, at.thread.as_deref());
            let (channel, ts) = message.split_once(':').unwrap_or((channel, message));
            workspace.permalink(channel, ts, thread)
        })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let name = name.trim_start_matches('#');
            self.entered_soon(None).await.ok()?;
            for workspace in self.workspaces() {
                let known = name.strip_prefix(&format!("{}.", workspace.team)).map(str::to_owned);
                let id = match known {
                    Some(id) => Some(id),
                    None if name.starts_with(['C', 'G', 'D']) && is_id(name) => Some(name.to_owned()),
                    None => workspace.resolve(name).await,
                };
                if let Some(id) = id {
                    return Some(format!("{}.{id}", workspace.team));
                }
            }
            tracing::debug!(platform = PLATFORM, "no workspace has a channel of that name");
            None
        })
    }
}

impl ChatAdapter for Slack {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn post<'a>(
        &'a self,
        to: &'a Address,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>> {
        Box::pin(self.put(to, card, nonce))
    }

    fn edit<'a>(&'a self, to: &'a Address, message: &'a str, card: &'a Card) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.change(to, message, card))
    }

    fn private<'a>(
        &'a self,
        to: &'a Address,
        reader: Reader<'a>,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>> {
        Box::pin(self.show(to, reader, card, nonce))
    }

    /// The card has the button that opens the window.
    fn ask<'a>(
        &'a self,
        _to: &'a Address,
        _user: &'a str,
        _form: &'a Form,
        _nonce: &'a str,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(ready(Ok(())))
    }

    fn fetch_file<'a>(&'a self, file: &'a FileRef) -> BoxFuture<'a, Result<FileRecord, ServiceError>> {
        Box::pin(self.take_in(file))
    }

    fn read<'a>(&'a self, at: &'a Address, message: &'a str) -> BoxFuture<'a, Option<Written>> {
        Box::pin(async move { self.read_again(&self.located(at).await.ok()?.0, at, message).await })
    }
}
