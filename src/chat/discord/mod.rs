//! Discord.

mod settings;

use std::sync::Arc;

pub use settings::{API_URL, Settings};

use super::Platform;
use crate::service::Service;

/// Discord with these settings. Opens no connection.
///
/// # Errors
/// Something that a setting names cannot be read.
pub fn open(_service: &Service, _settings: &Settings) -> Result<Arc<dyn Platform>, String> {
    Err("Discord is not built yet".to_owned())
}
