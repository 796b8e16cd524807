//! The HTTP side of the service: its socket, its rooms, and the note that tells tools where it listens.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::App;
use crate::api;
use crate::chat::adapter::ChatAdapter;
use crate::chat::web::WebChat;
use crate::chat::{self, Chat};
use crate::config::{Config, user_name};
use crate::contract::clock::SystemClock;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::http::caller::Guard;
use crate::http::{Door, Listening, Room};
use crate::service::Service;
use crate::triggers::{self, Triggers};

/// Holds the address while the service listens.
const NOTE: &str = "http.addr";

/// How long a stop waits for connections to be closed in good order.
const GOODBYE: Duration = Duration::from_secs(3);

/// The service as it listens; [`Web::close`] ends it in good order.
pub struct Web {
    listening: Listening,
    conversations: Conversations,
    triggers: Triggers,
    note: PathBuf,
}

/// Every place where people talk to us.
struct Conversations {
    chat: Chat,
    rooms: Vec<Room>,
    /// The connections to platforms elsewhere.
    connections: JoinSet<()>,
    stop: CancellationToken,
}

/// Takes the address, before anything is begun that a taken address would make pointless.
///
/// # Errors
/// Others could reach it and no token keeps them out, or the system does not give it.
pub async fn bind(config: &Config) -> Result<TcpListener, Fault> {
    let address = config.listener()?;
    TcpListener::bind(address).await.map_err(|error| {
        let fault = Fault::permanent(code::WF6007, format!("`{address}` cannot be listened on: {error}"));
        fault.at(config.refuse("listen", "").place.unwrap_or_default())
    })
}

impl Conversations {
    /// The conversations behind the page, and those on the platforms that the configuration names.
    async fn start(config: &Config, service: &Service) -> anyhow::Result<Self> {
        let web = WebChat::open(service.clone()).await?;
        let platforms = chat::configured(service, &config.platforms()).map_err(anyhow::Error::msg)?;
        let mut adapters: Vec<Arc<dyn ChatAdapter>> = vec![web.clone()];
        adapters.extend(platforms.iter().map(|platform| Arc::clone(platform) as Arc<dyn ChatAdapter>));
        let chat = Chat::start(service.clone(), adapters, config.chat()).await?;
        let mut rooms = vec![chat::web::room(chat.clone(), web)];
        let (mut connections, stop) = (JoinSet::new(), CancellationToken::new());
        for platform in platforms {
            rooms.extend(Arc::clone(&platform).room(chat.clone()));
            connections.spawn(platform.connect(chat.clone(), stop.clone()));
        }
        Ok(Self { chat, rooms, connections, stop })
    }

    /// Hears nothing new, and lets what is being answered and sent end.
    async fn close(mut self) {
        self.stop.cancel();
        let gone = async { while self.connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, gone).await; // a connection that hangs is cut when its task is dropped
        self.chat.close().await;
    }
}

impl App {
    /// Answers on this listener until closed.
    ///
    /// # Errors
    /// The listener has no address, the note of it cannot be written, or the store fails.
    pub async fn listen(&self, config: &Config, listener: TcpListener) -> anyhow::Result<Web> {
        let clock = Arc::new(SystemClock);
        let guard = Guard::new(config.api_token.clone(), &config.allowed_hosts, &user_name(), clock.clone());
        let settings = api::Settings { service: self.service.clone(), guard, upload_limit: config.upload_limit, clock };
        let door = Door::default();
        let mut conversations = Conversations::start(config, &self.service).await?;
        self.carriers_came();
        conversations.rooms.push(triggers::room(self.service.clone()));
        let routes = api::routes(settings, std::mem::take(&mut conversations.rooms), &door);
        let listening = Listening::start(listener, routes, door)?;
        let note = config.storage_path.join(NOTE);
        std::fs::write(&note, format!("{}\n", listening.address))
            .with_context(|| format!("write `{}`", note.display()))?;
        let triggers = Triggers::start(&self.service, &config.storage_path);
        Ok(Web { listening, conversations, triggers, note })
    }
}

impl Web {
    /// Where a browser finds it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listening.address)
    }

    /// Takes no more requests, lets those under way finish, says goodbye to whoever listens.
    pub async fn close(self) {
        let _ = std::fs::remove_file(&self.note); // a note of nobody misleads less than a failed stop
        self.triggers.close().await;
        self.listening.drain().await;
        self.conversations.close().await;
    }
}
