//! The HTTP side of the service: its socket, its rooms, and the note that tells tools where it listens.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::App;
use crate::api;
use crate::chat::web::WebChat;
use crate::chat::{self, Chat};
use crate::config::{Config, user_name};
use crate::contract::clock::SystemClock;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::http::caller::Guard;
use crate::http::{Door, Listening, Room};
use crate::service::Service;

/// Holds the address while the service listens.
const NOTE: &str = "http.addr";

/// The service as it listens; [`Web::close`] ends it in good order.
pub struct Web {
    listening: Listening,
    chat: Chat,
    note: PathBuf,
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

/// The conversations behind the page, and what they bring to it.
async fn conversations(config: &Config, service: &Service) -> anyhow::Result<(Chat, Room)> {
    let web = WebChat::open(service.clone()).await?;
    let chat = Chat::start(service.clone(), vec![web.clone()], config.chat()).await?;
    let room = chat::web::room(chat.clone(), web);
    Ok((chat, room))
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
        let (chat, room) = conversations(config, &self.service).await?;
        let routes = api::routes(settings, vec![room], &door);
        let listening = Listening::start(listener, routes, door)?;
        let note = config.storage_path.join(NOTE);
        std::fs::write(&note, format!("{}\n", listening.address))
            .with_context(|| format!("write `{}`", note.display()))?;
        Ok(Web { listening, chat, note })
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
        self.listening.drain().await;
        self.chat.close().await;
    }
}
