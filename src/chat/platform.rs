//! A platform elsewhere: its conversations reach us over a connection that we open, or over requests that it makes.
//!
//! A further one is a folder beside `slack` and `discord`, and its line in [`configured`].

use std::sync::Arc;

use futures::future::BoxFuture;
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

/// Something that was looked at: whether it is as it must be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What was looked at, as a sentence that is true when it holds.
    pub about: String,
    /// Whether it holds.
    pub holds: bool,
    /// What to do when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// It is as it must be.
    #[must_use]
    pub fn holds(about: impl Into<String>) -> Self {
        Self { about: about.into(), holds: true, fix: None }
    }

    /// It is not.
    #[must_use]
    pub fn broken(about: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about: about.into(), holds: false, fix: Some(fix.into()) }
    }
}

/// Whether the platforms could be connected as they are set. Asks them, and changes nothing there.
pub async fn check(settings: &Platforms) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(settings) = &settings.slack {
        findings.extend(slack::check(settings).await);
    }
    if let Some(settings) = &settings.discord {
        findings.extend(discord::check(settings).await);
    }
    findings
}
