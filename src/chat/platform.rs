//! A platform elsewhere: its conversations reach us over a connection that we open, or over requests that it makes.
//!
//! A further one is a folder beside `slack` and `discord`, and its line in [`configured`].

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::Chat;
use super::adapter::ChatAdapter;
use super::{discord, slack};
use crate::http::Room;
use crate::service::Service;

/// The settings of every platform; what is `None` is not connected.
#[derive(Debug, Clone, Default)]
pub struct Platforms {
    /// Slack.
    pub slack: Option<slack::Settings>,
    /// Discord.
    pub discord: Option<discord::Settings>,
}

/// Something that was found when a platform was asked how it sees us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// What is wrong with it and what to do; `None`: it is as it should be.
    pub trouble: Option<String>,
}

impl Finding {
    /// Something that is as it should be.
    #[must_use]
    pub fn good(what: impl Into<String>) -> Self {
        Self { what: what.into(), trouble: None }
    }

    /// Something that is not, and what to do.
    #[must_use]
    pub fn bad(what: impl Into<String>, trouble: impl Into<String>) -> Self {
        Self { what: what.into(), trouble: Some(trouble.into()) }
    }
}

/// Asks every platform that is set up how it sees us: tokens, what is allowed, what is missing. Changes nothing.
pub async fn check(settings: &Platforms) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(settings) = &settings.discord {
        findings.extend(discord::check(settings).await);
    }
    findings
}

/// A platform elsewhere.
pub trait Platform: ChatAdapter {
    /// Stays connected and brings what comes in to the chat, until stopped. What cannot be reached is tried again; how it
    /// stands is told in [`Service::links`].
    fn connect(self: Arc<Self>, chat: Chat, stop: CancellationToken) -> BoxFuture<'static, ()>;

    /// Where the platform makes requests to us; `None` where it does not.
    fn room(self: Arc<Self>, chat: Chat) -> Option<Room>;
}

/// The platforms that have what they need to be connected. Opens no connection.
///
/// # Errors
/// Something that a setting names cannot be read; the sentence says what.
pub fn configured(service: &Service, settings: &Platforms) -> Result<Vec<Arc<dyn Platform>>, String> {
    let mut platforms: Vec<Arc<dyn Platform>> = Vec::new();
    if let Some(settings) = &settings.slack {
        platforms.push(slack::open(service, settings)?);
    }
    if let Some(settings) = &settings.discord {
        platforms.push(discord::open(service, settings)?);
    }
    Ok(platforms)
}
