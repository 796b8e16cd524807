//! Where a conversation is played: a whole service with real steps, and one of the platforms.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::Notify;
use workflow::app::App;
use workflow::chat::Chat;
use workflow::chat::adapter::ChatAdapter;
use workflow::chat::terminal::{Screen, Terminal};
use workflow::chat::web::WebChat;
use workflow::config::{Config, Surroundings};
use workflow::domain::card::{Card, CardKind};
use workflow::domain::role::{Role, Standing};
use workflow::service::{Caller, Visitor};

use super::discord;
use super::script::Speaker;
use super::slack::{Fake, SlackSide};

/// The person whose the direct conversation of the terminal is.
pub const ANA: &str = "ana";
/// The workspace of everybody who is not the owner.
pub const WORKSPACE: &str = "T01";
/// The channel of everybody.
pub const GENERAL: &str = "general";

/// Among the settings: nothing more can be taken in.
pub const CROWDED: &str = "crowded=true";

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
    pub(super) folder: TempDir,
    settings: Vec<String>,
    pub app: App,
    pub chat: Chat,
    pub side: Side,
    pub moved: Arc<Notify>,
    pub(super) people: BTreeMap<String, Speaker>,
    /// The code that was made last.
    pub code: String,
    pub(super) said: usize,
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
        let is_global = self.platform() == Platform::Discord;
        let visitor = Visitor {
            platform,
            workspace: (!is_global).then(|| WORKSPACE.to_owned()),
            user: self.user(user),
            name: speaker.name.clone(),
            standing: speaker.standing,
            ..Visitor::default()
        };
        let caller = service.recognise(visitor).await.expect("recognised");
        service.link(&caller, &code).await.expect("linked");
    }

    /// The id that the platform has for somebody.
    pub fn user(&self, speaker: &str) -> String {
        if self.platform() == Platform::Discord { discord::id_of(speaker) } else { speaker.to_owned() }
    }

    /// A text of a conversation file as this platform writes it: ids are its own.
    pub fn written(&self, text: &str) -> String {
        let mut written = text.to_owned();
        for speaker in self.people.keys().filter(|_| self.platform() == Platform::Discord) {
            let id = self.user(speaker);
            written = written.replace(&format!("{WORKSPACE}/{speaker}"), &id).replace(speaker, &id);
        }
        written
    }

    /// An admin makes a code.
    pub async fn make_code(&mut self, person: &str) {
        let owner = Caller::owner("terminal", ANA);
        self.code = self.app.service.give_code(&owner, person).await.expect("made").code;
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
        if let Some(Peer::Discord(fake)) = &peer {
            all.extend(fake.settings());
        }
        // How many wait at the most is no setting: nobody needs to change it.
        let (crowded, all): (Vec<_>, Vec<_>) = all.into_iter().partition(|setting| setting == CROWDED);
        let config = config(folder.path(), &all);
        let mut settings_of_chat = config.chat();
        if !crowded.is_empty() {
            settings_of_chat.waiting = 0;
        }
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
        let chat = Chat::start(service, vec![adapter], settings_of_chat).await.expect("the chat starts");
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
            Side::Discord(side) => {
                let speakers = [ANA, "leo"].into_iter().chain(self.people.keys().map(String::as_str));
                let names: BTreeMap<String, &str> = speakers.map(|name| (discord::id_of(name), name)).collect();
                let named = |shown: Shown| Shown {
                    only_for: shown.only_for.map(|id| names.get(&id).map_or(id, |name| (*name).to_owned())),
                    ..shown
                };
                side.shown().into_iter().map(named).collect()
            }
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

fn config(folder: &Path, settings: &[String]) -> Config {
    let storage = format!("storage_path={}", folder.display());
    let usual = ["retry_delay=0.01".to_owned(), storage];
    let overrides = usual.into_iter().chain(settings.iter().cloned()).collect();
    let surroundings = Surroundings { directory: folder.to_owned(), environment: Vec::new(), overrides };
    Config::load(&surroundings).expect("good settings")
}
