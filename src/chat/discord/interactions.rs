//! Commands, presses and windows: taken in first, acknowledged then, within the three seconds that Discord waits. The same
//! whether they come over the gateway or as a request.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use serenity::model::Permissions;
use serenity::model::application::{
    CommandInteraction, ComponentInteraction, ComponentInteractionDataKind, Interaction, ModalInteraction,
};
use serenity::model::channel::{MessageFlags, PartialChannel};
use serenity::model::guild::Member;
use serenity::model::id::{ChannelId, GuildId};
use serenity::model::user::User;

use super::adapter::{Discord, EPHEMERAL, PLATFORM};
use super::answered::{After, First};
use super::places::Kind;
use super::replies::Handle;
use super::rest::Call;
use super::{commands, files, modal, render};
use crate::chat::Chat;
use crate::chat::adapter::{Address, FileRef, Inbound, Standing, What};
use crate::domain::card::{Card, CardKind, Style};
use crate::service::Count;

/// How long a place in the channel's queue is waited for.
const PLACE: Duration = Duration::from_millis(2_000);
/// How long it may take until it is kept, altogether. The acknowledgement itself needs the rest of the three seconds.
const KEPT: Duration = Duration::from_millis(2_400);
/// How long a form may take to be found; then the press is taken in as it is.
const FORM: Duration = Duration::from_millis(400);
/// How long the acknowledgement may take; later, nobody waits for it.
const ACKNOWLEDGE: Duration = Duration::from_millis(2_500);
/// Kinds of first answers.
const PONG: u8 = 1;
const SAY: u8 = 4;
const THINKING: u8 = 5;
const NOTHING_NEW: u8 = 6;
const CHOICES: u8 = 8;
const WINDOW: u8 = 9;
/// Characters of a choice, and of its value.
const CHOICE: usize = 100;
/// Ways to go on that Discord shows.
const MOST: usize = 25;

/// What we need to be allowed in a channel.
pub const NEEDED: [(Permissions, &str); 6] = [
    (Permissions::VIEW_CHANNEL, "View Channel"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads"),
    (Permissions::EMBED_LINKS, "Embed Links"),
    (Permissions::ATTACH_FILES, "Attach Files"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History"),
];

/// Takes interactions in. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    pub discord: Arc<Discord>,
    pub chat: Chat,
}

/// What all kinds of interactions have.
struct Origin<'i> {
    id: String,
    application: String,
    token: &'i str,
    guild: Option<GuildId>,
    channel: Option<&'i PartialChannel>,
    channel_id: ChannelId,
    member: Option<&'i Member>,
    user: &'i User,
    permissions: Option<Permissions>,
}

macro_rules! origin {
    ($interaction:expr, $member:expr) => {
        Origin {
            id: $interaction.id.to_string(),
            application: $interaction.application_id.to_string(),
            token: &$interaction.token,
            guild: $interaction.guild_id,
            channel: $interaction.channel.as_ref(),
            channel_id: $interaction.channel_id,
            member: $member,
            user: &$interaction.user,
            permissions: $interaction.app_permissions,
        }
    };
}

impl Desk {
    /// Takes an interaction in over the gateway and acknowledges it.
    pub async fn over_gateway(&self, interaction: Interaction) {
        let (id, token) = (interaction.id().to_string(), interaction.token().to_owned());
        let Some(first) = self.first(interaction).await else { return };
        let path = format!("/interactions/{id}/{token}/callback");
        let mut call = Call::new("POST /interactions/callback", &id, path).of_interaction().body(&first.answer);
        call.timeout = ACKNOWLEDGE / 2;
        match self.discord.rest.send(call.patient(ACKNOWLEDGE)).await {
            Ok(_) => {}
            // The answer to it was lost, and it is there all the same.
            Err(error) if error.is_acknowledged() => {}
            Err(error) => {
                let late = error.is_too_late();
                tracing::warn!(%error, late, "an interaction could not be acknowledged; its answer comes another way");
            }
        }
        self.after(first).await;
    }

    /// The first answer to an interaction; `None` where there is none to give: it came before.
    pub async fn first(&self, interaction: Interaction) -> Option<First> {
        if !self.discord.replies.is_new(&interaction.id().to_string()) {
            return None;
        }
        self.discord.links().count(PLATFORM, Count::Received);
        match interaction {
            Interaction::Ping(_) => Some(First::only(json!({ "type": PONG }))),
            Interaction::Autocomplete(command) => Some(First::only(self.choices(&command).await)),
            Interaction::Command(command) => self.command(&command).await,
            Interaction::Component(press) => self.press(&press).await,
            Interaction::Modal(window) => self.filled_in(&window).await,
            _ => Some(First::only(said("This is nothing that I know."))),
        }
    }

    async fn choices(&self, command: &CommandInteraction) -> Value {
        let chosen = commands::Chosen::read(&command.data.options);
        let typed = chosen.as_ref().and_then(commands::typed);
        let mut choices = Vec::new();
        if let Some((line, before)) = typed {
            // Only what whoever types may see.
            let origin = origin!(command, command.member.as_deref());
            let inbound = self.inbound(&origin, What::Said { text: line.clone(), files: Vec::new() }, false);
            let found = tokio::time::timeout(PLACE, self.chat.candidates(&inbound, &line)).await;
            let found = found.unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_else(|error| {
                tracing::warn!(%error, "nothing can be proposed");
                Vec::new()
            });
            for candidate in found {
                let Some(value) = candidate.text.strip_prefix(&before).filter(|value| fits(value)) else { continue };
                let name = match candidate.hint.is_empty() {
                    true => value.to_owned(),
                    false => super::markup::cut(&format!("{value} · {}", candidate.hint), CHOICE),
                };
                choices.push(json!({ "name": name, "value": value }));
            }
        }
        choices.truncate(MOST);
        json!({ "type": CHOICES, "data": { "choices": choices } })
    }

    async fn command(&self, command: &CommandInteraction) -> Option<First> {
        let Some(chosen) = commands::Chosen::read(&command.data.options) else {
            return Some(First::only(said("This is no command of mine any more: type `/workflow` anew.")));
        };
        let attached = |id| {
            let file = command.data.resolved.attachments.get(&id)?;
            Some(files::named(&file.url, &file.filename, u64::from(file.size)))
        };
        let files: Vec<FileRef> = chosen.files().filter_map(attached).collect();
        let origin = origin!(command, command.member.as_deref());
        let what = What::Said { text: chosen.line(), files };
        let is_thread = origin.channel.is_some_and(|channel| channel.thread_metadata.is_some());
        let lacks = lacks(origin.permissions.filter(|_| origin.guild.is_some()), is_thread);
        let thinking = json!({ "type": THINKING, "data": { "flags": EPHEMERAL } });
        self.take_in(&origin, (what, true), (thinking, lacks)).await
    }

    async fn press(&self, press: &ComponentInteraction) -> Option<First> {
        let origin = origin!(press, press.member.as_ref());
        let carried = match self.discord.short.long(&press.data.custom_id).await {
            Ok(carried) => carried,
            Err(error) => return Some(First::only(said(&format!("Nothing was done: {error}")))),
        };
        if !matches!(press.data.kind, ComponentInteractionDataKind::Button) {
            return Some(First::only(said("This is nothing that I know.")));
        }
        let handle = self.handle(&origin, false);
        if press.message.flags.is_some_and(|flags| flags.contains(MessageFlags::EPHEMERAL)) {
            self.discord.replies.note_pressed(&press.message.id.to_string(), handle);
        }
        if let Some((question, action)) = carried.strip_prefix('?').and_then(|rest| rest.split_once('\n')) {
            return Some(First::only(self.asked_first(question, action).await));
        }
        let message = press.message.id.to_string();
        let what = What::Pressed { message, action: carried.clone(), values: Map::new() };
        let inbound = self.inbound(&origin, what, false);
        let form = tokio::time::timeout(FORM, self.chat.form(&inbound, &carried)).await;
        if let Ok(Ok(Some(form))) = form {
            let given = self.discord.drafts.draft(&inbound.user, &carried);
            let id = self.discord.short.short(&form.submit).await.unwrap_or_default();
            if let Some(window) = modal::window(&form, &id, &given) {
                return Some(First::only(json!({ "type": WINDOW, "data": window })));
            }
        }
        self.take_in(&origin, (inbound.what, false), (json!({ "type": NOTHING_NEW }), None)).await
    }

    /// A button that asks before it counts: Discord has no dialogs, so the question is a message for them alone.
    async fn asked_first(&self, question: &str, action: &str) -> Value {
        let card = Card::new(CardKind::Answer, "Really?").verdict(question);
        let card = card.button("Yes", action.to_owned(), Style::Danger).sealed();
        match self.discord.render(&card).await {
            Ok(rendered) => {
                let mut data = render::message(&card, &[]).body;
                data["components"] = rendered.body["components"].clone();
                data["flags"] = json!(EPHEMERAL);
                json!({ "type": SAY, "data": data })
            }
            Err(error) => said(&format!("Nothing was done: {error}")),
        }
    }

    async fn filled_in(&self, window: &ModalInteraction) -> Option<First> {
        let origin = origin!(window, window.member.as_ref());
        let action = match self.discord.short.long(&window.data.custom_id).await {
            Ok(action) => action,
            Err(error) => return Some(First::only(said(&format!("Nothing was done: {error}")))),
        };
        let values = modal::values(&window.data.components);
        self.discord.drafts.keep(&origin.user.id.to_string(), &action, values.clone());
        let message = window.message.as_ref().map(|message| message.id.to_string()).unwrap_or_default();
        let stands_alone = message.is_empty();
        let what = What::Pressed { message, action, values };
        let answer = match stands_alone {
            true => json!({ "type": THINKING, "data": { "flags": EPHEMERAL } }),
            false => json!({ "type": NOTHING_NEW }),
        };
        self.take_in(&origin, (what, stands_alone), (answer, None)).await
    }

    /// Takes it in; the acknowledgement, or in words why there is none.
    async fn take_in(
        &self,
        origin: &Origin<'_>,
        (what, is_thinking): (What, bool),
        (answer, lacks): (Value, Option<String>),
    ) -> Option<First> {
        let handle = self.handle(origin, is_thinking);
        let inbound = self.inbound(origin, what, is_thinking);
        self.discord.replies.open(origin.token);
        // In a task of its own: what is being kept is not given up half-way.
        let chat = self.chat.clone();
        let taken = tokio::spawn(async move { chat.receive_within(inbound, PLACE).await });
        let trouble = match tokio::time::timeout(KEPT, taken).await {
            Ok(Ok(Ok(Some(receipt)))) if receipt.duplicate => {
                self.discord.replies.close(origin.token);
                return None;
            }
            Ok(Ok(Ok(Some(receipt)))) => {
                let after = After { handle: Some(handle), answered: Some(receipt.answered), lacks };
                return Some(First { answer, after });
            }
            Ok(Ok(Ok(None))) => {
                "Too much is being said here at once: nothing was started. Say it again in a moment.".to_owned()
            }
            Ok(Ok(Err(error))) => format!("Nothing was started: {error}"),
            Ok(Err(_)) => "Nothing was started: the service failed.".to_owned(),
            Err(_) => {
                "This takes longer than it should. It may have been started: look at `/workflow status` before you say \
                 it again."
                    .to_owned()
            }
        };
        tracing::warn!(id = origin.id, %trouble, "an interaction was not taken in");
        let after = After { handle: Some(Handle { is_thinking: false, ..handle }), answered: None, lacks: None };
        Some(First { answer: said(&trouble), after })
    }

    fn handle(&self, origin: &Origin<'_>, is_thinking: bool) -> Handle {
        Handle::new(origin.application.clone(), origin.token.to_owned(), is_thinking, self.discord.now())
    }

    fn inbound(&self, origin: &Origin<'_>, what: What, is_thinking: bool) -> Inbound {
        let user = origin.user.id.to_string();
        let id = origin.channel_id.to_string();
        let is_direct = origin.guild.is_none();
        let guild = origin.guild.map(|guild| guild.to_string());
        let home = self.discord.places.home(&user, guild.as_deref());
        if let Some(guild) = &guild {
            self.discord.places.note_guild(&id, guild);
        }
        let mut from = Address { platform: PLATFORM.to_owned(), channel: id.clone(), thread: None };
        if is_direct {
            self.discord.places.note_direct(&user, &id);
        } else if let Some(channel) = origin.channel {
            let kind = Kind::of(u8::from(channel.kind).into(), channel.parent_id.map(|parent| parent.to_string()));
            self.discord.places.note(&id, kind.clone());
            if let Kind::Thread(parent) = kind {
                from = Address { channel: parent, thread: Some(id), ..from };
            }
        }
        let name = origin.member.and_then(|member| member.nick.clone());
        let name = name.or_else(|| origin.user.global_name.as_deref().map(str::to_owned));
        Inbound {
            key: format!("{PLATFORM}:{}", origin.id),
            from,
            user,
            name: Some(name.unwrap_or_else(|| origin.user.name.clone())),
            workspace: Some(home),
            standing: match origin.member {
                Some(member) if member.pending => Standing::Guest,
                None if !is_direct => Standing::Foreign,
                _ => Standing::Member,
            },
            handle: self.handle(origin, is_thinking).text(),
            is_direct,
            message: None,
            what,
        }
    }
}

/// A sentence that one person sees.
fn said(text: &str) -> Value {
    json!({ "type": SAY, "data": { "content": text, "flags": EPHEMERAL, "allowed_mentions": { "parse": [] } } })
}

/// Whether a text can be proposed whole.
fn fits(value: &str) -> bool {
    !value.is_empty() && value.encode_utf16().count() <= CHOICE
}

/// What we are not allowed and need to show a run there; `None`: nothing, or nobody says.
fn lacks(allowed: Option<Permissions>, is_thread: bool) -> Option<String> {
    let allowed = allowed?;
    let speaking = if is_thread { Permissions::SEND_MESSAGES_IN_THREADS } else { Permissions::SEND_MESSAGES };
    let needed = Permissions::VIEW_CHANNEL | Permissions::EMBED_LINKS | speaking;
    let lacks = NEEDED.iter().filter(|(right, _)| needed.contains(*right) && !allowed.contains(*right));
    let lacks: Vec<&str> = lacks.map(|(_, name)| *name).collect();
    (!allowed.administrator() && !lacks.is_empty()).then(|| lacks.join(", "))
}
