//! Slack: one app in any number of workspaces, over Socket Mode, over HTTP, or both.
//!
//! What comes in goes `socket` or `routes` -> `receive` -> `events`, `presses` -> the chat; what goes out `adapter` -> `render` ->
//! `workspace` -> `calls`. Nothing outside this folder knows a type of Slack's library. Start at `receive`.

mod adapter;
mod answers;
mod calls;
mod check;
mod echoes;
mod events;
mod files;
mod manifest;
mod presses;
mod receive;
mod render;
mod routes;
mod settings;
mod socket;
mod state;
mod text;
mod view;
mod wire;
mod workspace;

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use check::check;
pub use manifest::manifest;
pub use settings::{API_URL, Settings};

use super::{Chat, Platform};
use crate::http::Room;
use crate::service::LinkState;
use crate::service::Service;
use state::Slack;

/// The platform's name.
const PLATFORM: &str = "slack";

/// Slack with these settings. Opens no connection.
///
/// # Errors
/// Something that a setting names cannot be read.
pub fn open(service: &Service, settings: &Settings) -> Result<Arc<dyn Platform>, String> {
    Ok(Arc::new(Slack::new(service.clone(), settings.clone())?))
}

impl Platform for Slack {
    fn connect(self: Arc<Self>, chat: Chat, stop: CancellationToken) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let entering = Arc::clone(&self).enter_all(stop.clone());
            let listening = async {
                self.has_entered(&stop).await;
                let apps = self.app_tokens();
                match apps.as_slice() {
                    [] => self.link(LinkState::Up, None),
                    [_] => {}
                    // Each tells of itself.
                    [..] => self.service.links().forget(PLATFORM),
                }
                let stays =
                    apps.into_iter().map(|app| socket::stay(Arc::clone(&self), chat.clone(), app, stop.clone()));
                futures::future::join_all(stays).await;
            };
            tokio::join!(entering, listening);
            stop.cancelled().await;
        })
    }

    fn room(self: Arc<Self>, chat: Chat) -> Option<Room> {
        let secrets = self.settings.signing_secrets.clone();
        (!secrets.is_empty()).then(|| routes::room(self, chat, &secrets))
    }
}
