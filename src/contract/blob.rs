//! Where large values and files are kept: content-addressed, written whole or not at all.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncRead;

use crate::domain::hex;

/// SHA-256 of a content, printed as 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest with these 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(hex::of(bytes))
    }

    /// 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if hex { Ok(Self(text.to_owned())) } else { Err("a digest is 64 hex digits in lower case") }
    }
}

/// What is known of a stored content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its address.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Why a content could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No content has this address.
    #[error("no stored content has the digest {0}")]
    Missing(Digest),
    /// It is larger than the caller allowed; nothing was kept.
    #[error("the content is larger than {limit} bytes")]
    TooLarge {
        /// The allowed size in bytes.
        limit: u64,
    },
    /// The disk refused.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the disk said.
        source: std::io::Error,
    },
}

/// Keeps contents by their digest. A content is durable when `put` returns.
pub trait BlobStore: Send + Sync {
    /// Keeps these bytes.
    fn put<'a>(&'a self, bytes: &'a [u8]) -> BoxFuture<'a, Result<Blob, BlobError>>;

    /// Keeps the content of a file of this machine, reading at most `limit` bytes.
    fn put_file<'a>(&'a self, path: &'a Path, limit: u64) -> BoxFuture<'a, Result<Blob, BlobError>>;

    /// Keeps what comes out of `source`, as it comes, reading at most `limit` bytes; memory stays small whatever its
    /// size.
    fn put_stream<'a>(
        &'a self,
        source: &'a mut (dyn AsyncRead + Send + Unpin),
        limit: u64,
    ) -> BoxFuture<'a, Result<Blob, BlobError>>;

    /// The bytes with this address.
    fn get<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Vec<u8>, BlobError>>;

    /// The absolute path of a file of this machine that holds the content; read only.
    fn local_path<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<PathBuf, BlobError>>;
}
