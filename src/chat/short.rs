//! Short texts for long actions: where a platform's buttons carry only so many characters, they carry a short text, and
//! the action is kept beside it.
//!
//! The short text is a digest of the action, so that the same action has one row however often its card is drawn; the
//! action is signed, so nothing is gained by guessing one.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::service::ServiceError;
use crate::service::conversations::Conversations;

/// What every short text begins with; no action does.
const SIGN: char = '~';
/// Short texts that are known to be kept; more are asked for again.
const REMEMBERED: usize = 50_000;

/// Makes actions short.
pub struct Shortener {
    keeper: Conversations,
    /// Actions up to this many bytes stay as they are.
    longest: usize,
    kept: Mutex<HashSet<String>>,
}

impl Shortener {
    /// For buttons that carry so many bytes.
    #[must_use]
    pub fn new(keeper: Conversations, longest: usize) -> Self {
        Self { keeper, longest, kept: Mutex::default() }
    }

    /// The text that a button carries for this action; at most 23 bytes where the action is too long.
    ///
    /// # Errors
    /// The store fails.
    pub async fn short(&self, action: &str) -> Result<String, ServiceError> {
        if action.len() <= self.longest && !action.starts_with(SIGN) {
            return Ok(action.to_owned());
        }
        let digest = Sha256::digest(action.as_bytes());
        let short = format!("{SIGN}{}", BASE64_URL_SAFE_NO_PAD.encode(&digest[..16]));
        if !self.kept().contains(&short) {
            self.keeper.keep_action(&short, action).await?;
            let mut kept = self.kept();
            if kept.len() >= REMEMBERED {
                kept.clear();
            }
            kept.insert(short.clone());
        }
        Ok(short)
    }

    /// The action that a button carries; one that was forgotten stays the text that it is, which is no action.
    ///
    /// # Errors
    /// The store fails.
    pub async fn long(&self, text: &str) -> Result<String, ServiceError> {
        if !text.starts_with(SIGN) {
            return Ok(text.to_owned());
        }
        Ok(self.keeper.action(text).await?.unwrap_or_else(|| text.to_owned()))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
