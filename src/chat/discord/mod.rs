//! Discord. serenity is behind this folder alone: it speaks to the gateway and knows the shapes of what comes in.
//!
//! | part | what it does |
//! |---|---|
//! | `gateway`, `session`, `budget` | stay connected, begin sessions, count them |
//! | `relay` | the way to the gateway where further authorities are trusted |
//! | `catch_up` | what was written while we were away |
//! | `interactions`, `messages`, `http` | what comes in, taken in before it is acknowledged |
//! | `answered` | what follows the acknowledgement |
//! | `commands`, `modal` | `/workflow` and windows, as Discord wants them |
//! | `adapter`, `replies`, `places` | what goes out, to whom and where |
//! | `render`, `markup` | a card as a message; pure |
//! | `rest` | requests, in Discord's own pace |
//! | `files` | what people attach |
//! | `check` | what is missing, and the link to be invited by |

mod adapter;
mod answered;
mod budget;
mod catch_up;
mod check;
mod commands;
mod files;
mod gateway;
mod http;
mod interactions;
mod markup;
mod messages;
mod modal;
mod places;
mod relay;
mod render;
mod replies;
mod rest;
mod session;
mod settings;

use std::sync::Arc;

pub use check::{check, invite};
pub use settings::{API_URL, Settings};

use super::Platform;
use crate::service::Service;

/// Discord with these settings. Opens no connection.
///
/// # Errors
/// Something that a setting names cannot be read.
pub fn open(service: &Service, settings: &Settings) -> Result<Arc<dyn Platform>, String> {
    Ok(Arc::new(adapter::Discord::new(service, settings)?))
}
