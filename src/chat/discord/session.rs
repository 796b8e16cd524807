//! One session with the gateway: serenity's shard runs it, we watch that it lives.
//!
//! serenity's manager would begin a session anew by itself, uncounted; it is given no address, so that it cannot
//! (serenity 0.12.5, its shard queuer; to be looked at again with 0.13).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serenity::async_trait;
use serenity::client::{Context, RawEventHandler};
use serenity::gateway::{
    ConnectionStage, GatewayError, Shard, ShardManager, ShardManagerOptions, ShardMessenger, ShardRunner,
    ShardRunnerInfo, ShardRunnerOptions,
};
use serenity::http::{Http, HttpBuilder};
use serenity::model::event::Event;
use serenity::model::gateway::ShardInfo;
use serenity::model::guild::Guild;
use serenity::model::id::ShardId;
use serenity::prelude::{Mutex, RwLock, TypeMap};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::catch_up::CatchUp;
use super::gateway::Introduction;
use super::interactions::Desk;
use super::places::Kind;
use super::relay::Relay;
use crate::service::LinkState;

/// How long a connection to the gateway may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long it may take until the session is there.
const READY: Duration = Duration::from_secs(40);
/// How long the gateway may be silent: two of its beats, and a little.
const SILENT: Duration = Duration::from_secs(90);
/// How often is looked.
const LOOK: Duration = Duration::from_secs(2);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How a session ended.
pub enum Ended {
    /// We were to stop.
    Stopped,
    /// It broke off.
    Lost(String),
    /// The token is not taken.
    Unauthorized,
    /// What we want to hear is not granted.
    Intents,
}

/// Runs a session to its end; whether it was there at all.
pub async fn run(
    desk: &Desk,
    catch_up: CatchUp,
    introduction: Introduction,
    stop: &CancellationToken,
) -> (bool, Ended) {
    let discord = &desk.discord;
    let token = discord.settings.token.reveal();
    let relay = match discord.settings.ca_file.as_deref().filter(|_| introduction.url.starts_with("wss")) {
        Some(file) => match Relay::open(&introduction.url, file).await {
            Ok(relay) => Some(relay),
            Err(why) => return (false, Ended::Lost(why)),
        },
        None => None,
    };
    let url = relay.as_ref().map_or(introduction.url, |relay| relay.url.clone());
    let url = Arc::new(Mutex::new(url));
    let info = ShardInfo { id: ShardId(0), total: 1 };
    let shard = Shard::new(url, token, info, introduction.intents, None);
    let shard = tokio::select! {
        () = stop.cancelled() => return (false, Ended::Stopped),
        shard = tokio::time::timeout(CONNECT, shard) => match shard {
            Ok(Ok(shard)) => shard,
            Ok(Err(error)) => return (false, Ended::Lost(format!("the gateway cannot be reached: {error}"))),
            Err(_) => return (false, Ended::Lost("the gateway does not answer".to_owned())),
        },
    };
    // It sends nothing: serenity wants one to be there.
    let http = HttpBuilder::new(token).client(discord.rest.client().clone()).ratelimiter_disabled(true).build();
    let signs = Arc::new(Signs::default());
    let ear = Arc::new(Ear { desk: desk.clone(), signs: Arc::clone(&signs), catch_up: catch_up.clone() });
    let line = Line::start(shard, introduction.intents, Arc::new(http), ear).await;
    let ended = line.watch(&signs, &catch_up, stop).await;
    (signs.was_up.load(Ordering::Relaxed), ended)
}

/// What shows that it lives.
#[derive(Default)]
struct Signs {
    events: AtomicU64,
    was_up: AtomicBool,
}

struct Line {
    manager: Arc<ShardManager>,
    messenger: ShardMessenger,
    running: JoinHandle<Result<(), serenity::Error>>,
    /// serenity tells its end here; nobody needs to hear it twice.
    _told: Box<dyn std::any::Any + Send + Sync>,
}

impl Line {
    async fn start(
        shard: Shard,
        intents: serenity::model::gateway::GatewayIntents,
        http: Arc<Http>,
        ear: Arc<dyn RawEventHandler>,
    ) -> Self {
        let data = Arc::new(RwLock::new(TypeMap::new()));
        let (manager, told) = ShardManager::new(ShardManagerOptions {
            data: Arc::clone(&data),
            event_handlers: Vec::new(),
            raw_event_handlers: vec![Arc::clone(&ear)],
            shard_index: 0,
            shard_init: 1,
            shard_total: 1,
            ws_url: Arc::new(Mutex::new(String::new())),
            http: Arc::clone(&http),
            intents,
            presence: None,
        });
        let mut runner = ShardRunner::new(ShardRunnerOptions {
            data,
            event_handlers: Vec::new(),
            raw_event_handlers: vec![ear],
            manager: Arc::clone(&manager),
            shard,
            http,
        });
        let messenger = ShardMessenger::new(&runner);
        let running = tokio::spawn(async move { Box::pin(runner.run()).await });
        // It waits five seconds for a runner to end before it begins the session anew; ours has ended by then.
        manager.shutdown_finished(ShardId(0));
        let line = Self { manager, messenger, running, _told: Box::new(told) };
        line.known().await;
        line
    }

    /// Tells serenity's manager of the runner, so that it can be asked to stop.
    async fn known(&self) {
        let info =
            ShardRunnerInfo { latency: None, runner_tx: self.messenger.clone(), stage: ConnectionStage::Disconnected };
        self.manager.runners.lock().await.insert(ShardId(0), info);
    }

    /// Waits for its end, and ends it where it does not live.
    async fn watch(mut self, signs: &Signs, catch_up: &CatchUp, stop: &CancellationToken) -> Ended {
        let began = Instant::now();
        let (mut lived, mut last) = (Instant::now(), None);
        let ended = loop {
            tokio::select! {
                () = stop.cancelled() => break Ended::Stopped,
                ended = &mut self.running => break match ended {
                    Ok(Ok(())) => Ended::Lost("the session is over and cannot be resumed".to_owned()),
                    Ok(Err(serenity::Error::Gateway(GatewayError::InvalidAuthentication))) => Ended::Unauthorized,
                    Ok(Err(serenity::Error::Gateway(
                        GatewayError::DisallowedGatewayIntents | GatewayError::InvalidGatewayIntents,
                    ))) => Ended::Intents,
                    Ok(Err(error)) => Ended::Lost(error.to_string()),
                    Err(error) => Ended::Lost(error.to_string()),
                },
                () = tokio::time::sleep(LOOK) => {}
            }
            let beats = self.manager.runners.lock().await.get(&ShardId(0)).map(|runner| (runner.latency, runner.stage));
            let sign = Some((beats, signs.events.load(Ordering::Relaxed)));
            if sign != last {
                (lived, last) = (Instant::now(), sign);
                if signs.was_up.load(Ordering::Relaxed) {
                    catch_up.alive().await;
                }
            }
            if !signs.was_up.load(Ordering::Relaxed) && began.elapsed() > READY {
                break Ended::Lost("no session came of it".to_owned());
            }
            if lived.elapsed() > SILENT {
                break Ended::Lost(format!("the gateway was silent for {} s", SILENT.as_secs()));
            }
        };
        self.end(matches!(ended, Ended::Stopped)).await;
        ended
    }

    /// Says goodbye where there is time for it, and lets serenity's manager go.
    async fn end(self, politely: bool) {
        self.known().await;
        if !politely {
            self.running.abort();
        }
        let Self { manager, mut running, .. } = self;
        tokio::spawn(async move { manager.shutdown_all().await });
        if politely && tokio::time::timeout(GOODBYE, &mut running).await.is_err() {
            running.abort(); // whoever does not answer is left
        }
    }
}

struct Ear {
    desk: Desk,
    signs: Arc<Signs>,
    catch_up: CatchUp,
}

#[async_trait]
impl RawEventHandler for Ear {
    async fn raw_event(&self, _context: Context, event: Event) {
        self.signs.events.fetch_add(1, Ordering::Relaxed);
        let discord = &self.desk.discord;
        match event {
            Event::Ready(_) => {
                self.signs.was_up.store(true, Ordering::Relaxed);
                discord.link(LinkState::Up, None);
                tracing::info!("connected to Discord");
                self.catch_up.run().await;
            }
            Event::Resumed(_) => discord.link(LinkState::Up, None),
            Event::InteractionCreate(event) => {
                let place = place_of(&event.interaction);
                self.desk.over_gateway(event.interaction).await;
                if let Some((channel, guild)) = place {
                    self.catch_up.know(&channel, guild.as_deref()).await;
                }
            }
            Event::MessageCreate(event) => {
                if let Err(error) = self.desk.written(&event.message).await {
                    tracing::error!(%error, "a message could not be taken in");
                }
                let guild = event.message.guild_id.map(|guild| guild.to_string());
                if self.desk.discord.is_ours(&event.message.id.to_string()) {
                    self.catch_up.know(&event.message.channel_id.to_string(), guild.as_deref()).await;
                }
            }
            Event::MessageUpdate(event) if event.edited_timestamp.is_some() => {
                let at = event.edited_timestamp.map(|at| at.unix_timestamp().to_string()).unwrap_or_default();
                self.desk.changed(&event.id.to_string(), &at).await;
            }
            Event::ReactionAdd(event) => {
                if let Err(error) = self.desk.reacted(&event.reaction).await {
                    tracing::error!(%error, "a reaction could not be taken in");
                }
            }
            Event::MessageDelete(event) => self.desk.taken_back(&event.message_id.to_string()).await,
            Event::GuildCreate(event) => self.learn(&event.guild),
            Event::ThreadCreate(event) => {
                let parent = event.thread.parent_id.map(|parent| parent.to_string());
                let kind = Kind::of(u8::from(event.thread.kind).into(), parent);
                discord.places.note(&event.thread.id.to_string(), kind);
            }
            _ => {}
        }
    }
}

impl Ear {
    /// Channels, threads and roles of a guild.
    fn learn(&self, guild: &Guild) {
        let places = &self.desk.discord.places;
        for channel in guild.channels.values().chain(&guild.threads) {
            let parent = channel.parent_id.map(|parent| parent.to_string());
            let id = channel.id.to_string();
            places.note(&id, Kind::of(u8::from(channel.kind).into(), parent));
            places.note_guild(&id, &guild.id.to_string());
            places.note_name(&channel.name, &id);
        }
        let ours = self.desk.discord.ourselves().map(|ourselves| ourselves.user.clone());
        for role in guild.roles.values() {
            if role.tags.bot_id.map(|bot| bot.to_string()) == ours && ours.is_some() {
                places.note_role(role.id.to_string());
            }
        }
    }
}

/// Where an interaction happened.
pub fn place_of(interaction: &serenity::model::application::Interaction) -> Option<(String, Option<String>)> {
    use serenity::model::application::Interaction;
    let (channel, guild) = match interaction {
        Interaction::Command(command) => (command.channel_id, command.guild_id),
        Interaction::Component(press) => (press.channel_id, press.guild_id),
        Interaction::Modal(window) => (window.channel_id, window.guild_id),
        _ => return None,
    };
    Some((channel.to_string(), guild.map(|guild| guild.to_string())))
}
