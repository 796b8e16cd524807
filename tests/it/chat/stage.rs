//! Where a conversation is played: a whole service with real steps, and one of the platforms.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::sync::Notify;
use workflow::app::App;
use workflow::chat::adapter::{Address, ChatAdapter, FileRef, Inbound, What};
use workflow::chat::terminal::{Screen, Terminal};
use workflow::chat::web::{Saying, WebChat};
use workflow::chat::{Chat, Receipt};
use workflow::config::{Config, Surroundings};
use workflow::domain::card::{Card, CardKind};
use workflow::domain::role::{Role, Standing};
use workflow::service::{Caller, Visitor};

use super::discord;
use super::script::{Speaker, fixtures};
use super::slack::{Fake, SlackSide};

/// The person whose the direct conversation of the terminal is.
pub const ANA: &str = "ana";
/// The workspace of everybody who is not the owner.
const WORKSPACE: &str = "T01";
/// The channel of everybody.
const GENERAL: &str = "general";

/// A platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Web,
    Terminal,
    Slack,
    Discord,
}

impl Platform {
    /// Its name in conversation files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Terminal => "terminal",
            Self::Slack => "slack",
            Self::Discord => "discord",
        }
    }

    /// Whether several people speak there, each with answers of their own, and in threads.
    pub fn is_shared(self) -> bool {
        self != Self::Terminal
    }
}

/// A message of ours, as it is shown now.
#[derive(Debug, Clone)]
pub struct Shown {
    pub id: String,
    pub text: String,
    pub card: Option<Card>,
    /// Who alone sees it.
    pub only_for: Option<String>,
    /// It stands in a conversation of theirs with us alone, where everything is for them.
    pub is_direct: bool,
}

/// The stage.
pub struct Stage {
    folder: TempDir,
    settings: Vec<String>,
    pub app: App,
    pub chat: Chat,
    pub side: Side,
    pub moved: Arc<Notify>,
    people: BTreeMap<String, Speaker>,
    /// The code that was made last.
    pub code: String,
    said: usize,
}

/// The platform's side of the stage.
pub enum Side {
    Web(Arc<WebChat>),
    Terminal(Box<Terminal>),
    Slack(SlackSide),
    Discord(Box<discord::Side>),
}

/// A platform elsewhere, as one life of the process leaves it to the next.
enum Peer {
    Slack(Arc<Fake>),
    Discord(discord::Fake),
}

/// A writer that tells when something was written.
struct Bell(Arc<Notify>);

impl Write for Bell {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.notify_waiters();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What somebody does.
#[derive(Debug, Clone, Default)]
pub struct Doing<'d> {
    pub by: &'d str,
    pub text: &'d str,
    pub files: &'d [String],
    pub direct: bool,
    pub thread: Option<String>,
    pub twice: bool,
}

impl Stage {
    pub async fn new(
        platform: Platform,
        settings: &BTreeMap<String, String>,
        workflows: &BTreeMap<String, String>,
        people: &BTreeMap<String, Speaker>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let templates = folder.path().join("templates");
        std::fs::create_dir_all(&templates).expect("made");
        for (name, text) in workflows {
            std::fs::write(templates.join(name), text).expect("written");
        }
        let settings: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let stage = Self { people: people.clone(), ..Self::open(folder, platform, settings, None).await };
        if platform == Platform::Slack {
            // Elsewhere the owner speaks; here nobody is the owner who was not given a name.
            for name in [ANA, "leo"] {
                let person = Some(name.to_owned());
                let speaker = Speaker { person, role: Role::Admin, standing: Standing::Member, name: None };
                stage.introduce(&super::slack::id(name), &speaker).await;
            }
        }
        for (user, speaker) in people {
            stage.introduce(user, speaker).await;
        }
        if let Side::Discord(_) = stage.side {
            for name in [ANA, "leo"] {
                discord::introduce(&stage.app.service, name).await;
            }
        }
        stage
    }

    /// Somebody who has a name here was given it by a code.
    async fn introduce(&self, user: &str, speaker: &Speaker) {
        let Some(person) = &speaker.person else { return };
        let (service, owner) = (&self.app.service, Caller::owner("terminal", ANA));
        service.add_person(&owner, person, speaker.role).await.expect("taken in");
        let code = service.give_code(&owner, person).await.expect("made").code;
        let platform = self.platform().word().to_owned();
        let visitor = Visitor {
            platform,
            workspace: Some(WORKSPACE.to_owned()),
            user: user.to_owned(),
            name: speaker.name.clone(),
            standing: speaker.standing,
            ..Visitor::default()
        };
        let caller = service.recognise(visitor).await.expect("recognised");
        service.link(&caller, &code).await.expect("linked");
    }

    /// An admin makes a code.
    pub async fn make_code(&mut self, person: &str) {
        let owner = Caller::owner("terminal", ANA);
        self.code = self.app.service.give_code(&owner, person).await.expect("made").code;
    }

    /// What a platform brings of somebody who is not the owner.
    async fn brought(&self, by: &str, what: What, (direct, thread): (bool, Option<String>)) -> Inbound {
        let speaker = &self.people[by];
        let channel = match &self.side {
            Side::Web(web) => self.channel_of(web, &Doing { by, direct, ..Doing::default() }).await,
            Side::Terminal(_) => "here".to_owned(),
            Side::Slack(_) => SlackSide::place(by, direct),
            Side::Discord(side) => side.channel_of(by, direct),
        };
        Inbound {
            key: format!("brought:{}", self.app.service.fresh_id()),
            from: Address { platform: self.platform().word().to_owned(), channel, thread },
            user: by.to_owned(),
            name: speaker.name.clone(),
            workspace: Some(WORKSPACE.to_owned()),
            standing: speaker.standing,
            handle: None,
            is_direct: direct,
            message: Some(format!("message-{}", self.said)),
            what,
        }
    }

    async fn files(&self, names: &[String]) -> Vec<FileRef> {
        let mut files = Vec::new();
        for name in names {
            let path = fixtures().join(name);
            let id = match &self.side {
                Side::Web(_) => self.app.service.take_in(&path).await.expect("taken in").id.to_string(),
                Side::Terminal(_) => path.display().to_string(),
                Side::Slack(slack) => slack.file_id(name),
                Side::Discord(side) => side.address_of(name),
            };
            files.push(FileRef { id, name: name.clone() });
        }
        files
    }

    /// `peer`: the platform as an earlier life of the process left it.
    async fn open(folder: TempDir, platform: Platform, settings: Vec<String>, peer: Option<Peer>) -> Self {
        let peer = match (platform, peer) {
            (Platform::Slack, None) => Some(Peer::Slack(Fake::start().await)),
            (Platform::Discord, None) => Some(Peer::Discord(discord::Fake::start().await)),
            (_, peer) => peer,
        };
        let mut all = settings.clone();
        if let Some(Peer::Slack(fake)) = &peer {
            all.extend(fake.settings());
        }
        let config = config(folder.path(), &all);
        let app = App::open(&config, true).await.expect("the service opens");
        let mut moved = Arc::new(Notify::new());
        let service = app.service.clone();
        let (mut side, adapter): (Side, Arc<dyn ChatAdapter>) = match (platform, peer) {
            (Platform::Terminal, None) => {
                let screen = Screen::plain(Box::new(Bell(Arc::clone(&moved))));
                let terminal = Terminal::new(service.clone(), ANA, screen);
                (Side::Terminal(Box::new(terminal.clone())), Arc::new(terminal))
            }
            (_, None) => {
                let web = WebChat::open(service.clone()).await.expect("the web chat opens");
                ring(&web, Arc::clone(&moved));
                (Side::Web(Arc::clone(&web)), web)
            }
            (_, Some(Peer::Slack(fake))) => {
                moved = Arc::clone(&fake.moved);
                let slack = SlackSide::open(&service, fake);
                let adapter = slack.adapter();
                (Side::Slack(slack), adapter)
            }
            (_, Some(Peer::Discord(fake))) => {
                moved = Arc::clone(&fake.moved);
                let side = discord::Side::open(&service, fake);
                let adapter = side.adapter();
                (Side::Discord(Box::new(side)), adapter)
            }
        };
        let chat = Chat::start(service, vec![adapter], config.chat()).await.expect("the chat starts");
        match &mut side {
            Side::Slack(slack) => slack.connect(&chat).await,
            Side::Discord(discord) => discord.connect(&chat).await,
            Side::Web(_) | Side::Terminal(_) => {}
        }
        Self { folder, settings, app, chat, side, moved, people: BTreeMap::new(), code: String::new(), said: 0 }
    }

    /// The process ends in good order and starts again.
    pub async fn restart(self) -> Self {
        let platform = self.platform();
        let Self { folder, settings, app, chat, side, people, code, said, .. } = self;
        let peer = left(side).await;
        chat.close().await;
        app.close().await;
        Self { said, people, code, ..Self::open(folder, platform, settings, peer).await }
    }

    pub fn platform(&self) -> Platform {
        match self.side {
            Side::Web(_) => Platform::Web,
            Side::Terminal(_) => Platform::Terminal,
            Side::Slack(_) => Platform::Slack,
            Side::Discord(_) => Platform::Discord,
        }
    }

    /// Somebody says something; returns when it was answered.
    pub async fn say(&mut self, doing: Doing<'_>) {
        self.said += 1;
        if self.people.contains_key(doing.by) {
            let what = What::Said { text: doing.text.to_owned(), files: self.files(doing.files).await };
            let inbound = self.brought(doing.by, what, (doing.direct, doing.thread.clone())).await;
            let receipt = self.chat.receive(inbound).await.expect("kept");
            return answered(receipt).await;
        }
        let client_id = format!("line-{}", self.said);
        let receipts = match &self.side {
            Side::Web(web) => {
                let channel = self.channel_of(web, &doing).await;
                let channel = web.channel(&channel, doing.by).await.expect("readable").expect("a channel");
                let mut files = Vec::new();
                for name in doing.files {
                    files.push(self.app.service.take_in(&fixtures().join(name)).await.expect("taken in"));
                }
                let saying = Saying { client_id, text: doing.text.to_owned(), files, thread: doing.thread.clone() };
                let mut receipts = Vec::new();
                for _ in 0..=usize::from(doing.twice) {
                    receipts.push(web.say(&self.chat, &channel, doing.by, saying.clone()).await.expect("kept"));
                }
                receipts
            }
            Side::Terminal(terminal) => {
                let paths: Vec<_> = doing.files.iter().map(|name| fixtures().join(name)).collect();
                let inbound = Inbound { user: doing.by.to_owned(), ..terminal.said(doing.text, &paths) };
                let mut receipts = Vec::new();
                for _ in 0..=usize::from(doing.twice) {
                    receipts.push(self.chat.receive(inbound.clone()).await.expect("kept"));
                }
                receipts
            }
            Side::Slack(slack) => return slack.say(&self.chat, &doing).await,
            Side::Discord(side) => return side.say(&self.chat, &doing).await,
        };
        assert!(receipts.iter().skip(1).all(|receipt| receipt.duplicate), "the same thing counts once");
        for receipt in receipts.into_iter().take(1) {
            answered(receipt).await;
        }
    }

    /// Somebody reacts to what was said last.
    pub async fn react(&mut self, by: &str, emoji: &str) {
        match &self.side {
            Side::Slack(slack) => slack.react(&self.chat, by, emoji).await,
            Side::Discord(side) => side.react(&self.chat, by, emoji).await,
            Side::Web(_) | Side::Terminal(_) => panic!("nobody reacts there: say where the step is played"),
        }
    }

    async fn channel_of(&self, web: &WebChat, doing: &Doing<'_>) -> String {
        if !doing.direct {
            return GENERAL.to_owned();
        }
        let channels = web.channels(doing.by).await.expect("readable");
        channels.into_iter().find(|channel| channel.member.is_some()).expect("a direct one").id
    }

    /// Somebody presses the button with this label on the newest message that they see and that has it.
    pub async fn press(&mut self, by: &str, label: &str) {
        let messages = self.messages().await;
        let sees = |shown: &&Shown| shown.only_for.as_deref().is_none_or(|name| name == by);
        let found = messages.iter().rev().filter(sees).find_map(|shown| {
            let button = shown.card.as_ref()?.labelled(label)?;
            Some((shown.id.clone(), button.action.clone()))
        });
        let Some((message, action)) = found else {
            panic!("nothing has a button `{label}` for {by}: {messages:#?}");
        };
        self.press_action(by, &message, &action, Map::new()).await;
    }

    /// Somebody presses just this.
    pub async fn press_action(&mut self, by: &str, message: &str, action: &str, values: Map<String, Value>) {
        if self.people.contains_key(by) {
            let action = match &self.side {
                Side::Slack(_) => SlackSide::action(&self.chat, action).await,
                _ => action.to_owned(),
            };
            let what = What::Pressed { message: message.to_owned(), action, values };
            let inbound = self.brought(by, what, (false, None)).await;
            let receipt = self.chat.receive(inbound).await.expect("kept");
            return answered(receipt).await;
        }
        let receipt = match &self.side {
            Side::Web(web) => {
                let message = web.message(message, by).await.expect("readable").expect("a message");
                web.press(&self.chat, by, (&message, action), values).await.expect("kept")
            }
            Side::Terminal(terminal) => {
                let what = What::Pressed { message: message.to_owned(), action: action.to_owned(), values };
                let inbound = Inbound { user: by.to_owned(), what, ..terminal.said("", &[]) };
                self.chat.receive(inbound).await.expect("kept")
            }
            Side::Slack(slack) => return slack.press_action(&self.chat, by, message, action).await,
            Side::Discord(side) => return drop(side.press(&self.chat, by, (message, action)).await),
        };
        answered(receipt).await;
    }

    /// Somebody fills in the form of the newest card that has one: all at once, or one answer after the other.
    pub async fn fill(&mut self, by: &str, values: &BTreeMap<String, String>) {
        if let Side::Terminal(_) = self.side {
            for value in values.values() {
                match value.strip_prefix("file:") {
                    Some(name) => {
                        let files = [name.to_owned()];
                        self.say(Doing { by, files: &files, ..Doing::default() }).await;
                    }
                    None => self.say(Doing { by, text: value, ..Doing::default() }).await,
                }
            }
            return;
        }
        if let Side::Slack(slack) = &self.side {
            let found = slack.messages().into_iter().rev().find_map(|shown| Some((shown.id, shown.card?.form?.submit)));
            let (message, opener) = found.unwrap_or_default();
            return slack.fill(&self.chat, by, (&message, &opener), values).await;
        }
        if let Side::Discord(side) = &self.side {
            return side.fill(&self.chat, by, values).await;
        }
        let mut given = Map::new();
        for (key, value) in values {
            let value = match value.strip_prefix("file:") {
                Some(name) => {
                    let file = self.app.service.take_in(&fixtures().join(name)).await.expect("taken in");
                    file.id.to_string()
                }
                None => value.clone(),
            };
            given.insert(key.clone(), Value::String(value));
        }
        let messages = self.messages().await;
        let found = messages.iter().rev().find_map(|shown| {
            let form = shown.card.as_ref()?.form.as_ref()?;
            Some((shown.id.clone(), form.submit.clone()))
        });
        let (message, submit) = found.unwrap_or_else(|| panic!("nothing has a form: {messages:#?}"));
        self.press_action(by, &message, &submit, given).await;
    }

    /// Everything of ours that is shown now, in the order in which it came.
    pub async fn messages(&self) -> Vec<Shown> {
        match &self.side {
            Side::Terminal(terminal) => {
                let shown = |(id, card): (String, Card)| Shown {
                    id,
                    text: card.text.clone(),
                    card: Some(card),
                    only_for: None,
                    is_direct: false,
                };
                terminal.messages().into_iter().map(shown).collect()
            }
            Side::Slack(slack) => slack.messages(),
            Side::Discord(side) => side.shown(),
            Side::Web(_) => {
                let keeper = self.app.service.conversations();
                let mut all = Vec::new();
                for channel in self.channels().await {
                    let mut messages = keeper.since(&channel, 0, 10_000).await.expect("readable");
                    messages.sort_by_key(|message| message.posted);
                    let ours = messages.into_iter().filter(|message| !message.is_person);
                    all.extend(ours.map(|message| Shown {
                        id: message.id,
                        text: message.text,
                        card: message.card,
                        only_for: message.visible_to,
                        is_direct: false,
                    }));
                }
                all
            }
        }
    }

    async fn channels(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for person in [ANA, "leo"] {
            for channel in self.app.service.conversations().channels(person).await.expect("readable") {
                if !ids.contains(&channel.id) {
                    ids.push(channel.id);
                }
            }
        }
        ids
    }

    /// The message of the newest execution's card.
    pub async fn newest_card(&self) -> Option<String> {
        let is_run = |shown: &&Shown| shown.card.as_ref().is_some_and(|card| card.kind == CardKind::Run);
        self.messages().await.iter().rfind(is_run).map(|shown| shown.id.clone())
    }

    pub async fn close(self) {
        let Self { chat, app, side, .. } = self;
        left(side).await;
        chat.close().await;
        app.close().await;
    }
}

/// Leaves a platform; what of it outlives the process.
async fn left(side: Side) -> Option<Peer> {
    match side {
        Side::Slack(slack) => Some(Peer::Slack(slack.close().await)),
        Side::Discord(mut discord) => {
            discord.close().await;
            Some(Peer::Discord(discord.fake.clone()))
        }
        Side::Web(_) | Side::Terminal(_) => None,
    }
}

/// Everything that a reader can read rings the bell.
fn ring(web: &Arc<WebChat>, bell: Arc<Notify>) {
    use workflow::http::topics::Topic as _;
    let mut news = web.news();
    tokio::spawn(async move {
        while !matches!(news.recv().await, Err(tokio::sync::broadcast::error::RecvError::Closed)) {
            bell.notify_waiters();
        }
    });
}

async fn answered(receipt: Receipt) {
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, receipt.answered).await.expect("answered in time").expect("answered");
}

fn config(folder: &Path, settings: &[String]) -> Config {
    let storage = format!("storage_path={}", folder.display());
    let usual = ["retry_delay=0.01".to_owned(), storage];
    let overrides = usual.into_iter().chain(settings.iter().cloned()).collect();
    let surroundings = Surroundings { directory: folder.to_owned(), environment: Vec::new(), overrides };
    Config::load(&surroundings).expect("good settings")
}
