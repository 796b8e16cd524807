//! How Discord is reached.

use std::path::PathBuf;

use crate::http::caller::Secret;

/// The base of Discord's own API.
pub const API_URL: &str = "https://discord.com";

/// How Discord is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The bot's token.
    pub token: Secret,
    /// The base of the API: scheme and host, without a slash at its end.
    pub api_url: String,
    /// With what Discord's requests are verified, where interactions come to us over HTTP.
    pub public_key: Option<[u8; 32]>,
    /// Further certificate authorities, PEM.
    pub ca_file: Option<PathBuf>,
    /// The largest file that is taken in, in bytes.
    pub upload_limit: u64,
}
