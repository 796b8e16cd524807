//! Contents as files named by their SHA-256. Invariant: a file that bears a digest's name is whole and on the disk:
//! it is written beside, synced, renamed, and its folder is synced, before anybody hears of it.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::future::BoxFuture;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, statvfs, utimensat};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::contract::blob::{Blob, BlobError, BlobStore, Digest};
use crate::contract::crash::crash_point;

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;
/// Where contents are written before they have their name.
const INCOMING: &str = "incoming";

/// A folder of contents.
#[derive(Debug, Clone)]
pub struct DiskBlobs {
    root: PathBuf,
    /// Held while a content gets or loses its name.
    naming: Arc<RwLock<()>>,
}

impl DiskBlobs {
    /// Contents beneath this folder, which is made when the first one comes.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        // Programs that are given a path work in folders of their own, so a relative one would mislead them. Only an
        // empty path or a working directory that is gone has no absolute form; then the first write says so.
        Self { root: std::path::absolute(&root).unwrap_or(root), naming: Arc::default() }
    }

    /// Removes a content that has not been written or found again for this long. Whoever finds it after that writes it
    /// anew; `false` when it stays, or was not there.
    pub async fn remove_settled(&self, digest: &Digest, settled: Duration) -> bool {
        let path = self.path(digest);
        let removed = self.blocking(move |this| {
            let _alone = this.naming.write().unwrap_or_else(PoisonError::into_inner); // it guards no value
            let age = path.metadata().and_then(|found| found.modified()).ok().and_then(|at| at.elapsed().ok());
            Ok(age.is_some_and(|age| age >= settled) && std::fs::remove_file(&path).is_ok())
        });
        removed.await.unwrap_or(false) // only a panic ends up here, and then nobody knows
    }

    /// Removes what writers that were killed have left half written. Only for the owner, before anybody writes.
    pub fn tidy(&self) {
        for entry in std::fs::read_dir(self.root.join(INCOMING)).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(entry.path()); // what cannot be removed is only in the way
        }
    }

    /// Bytes that the disk has left for this user, as far as it says.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        let disk = statvfs(&self.root).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.as_str();
        self.root.join(&name[..2]).join(name)
    }

    /// Reads `source` to its end, keeping what it says under its digest.
    fn keep(&self, source: &mut dyn Read, limit: u64) -> Result<Blob, BlobError> {
        let mut part = self.part()?;
        let (digest, size) = part.fill(source, limit)?;
        self.place(part, digest, size)
    }

    fn part(&self) -> Result<Part, BlobError> {
        let incoming = self.root.join(INCOMING);
        std::fs::create_dir_all(&incoming).map_err(io("create", &incoming))?;
        Part::new(&incoming)
    }

    /// Gives a whole content its name.
    #[expect(clippy::needless_pass_by_value, reason = "its drop clears away what was not renamed")]
    fn place(&self, part: Part, digest: Digest, size: u64) -> Result<Blob, BlobError> {
        let target = self.path(&digest);
        let folder = target.parent().unwrap_or(&self.root);
        let _named = self.naming.read().unwrap_or_else(PoisonError::into_inner); // it guards no value
        if target.exists() {
            // As good as written now: it is not removed before the row comes that names it.
            let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
            let now = Timestamps { last_access: omit, last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW } };
            let touched = utimensat(CWD, &target, &now, AtFlags::empty());
            touched.map_err(std::io::Error::from).map_err(io("touch", &target))?;
        } else {
            std::fs::create_dir_all(folder).map_err(io("create", folder))?;
            crash_point("content: written");
            part.file.sync_all().map_err(io("sync", &part.path))?;
            crash_point("content: synced");
            std::fs::rename(&part.path, &target).map_err(io("rename", &part.path))?;
            crash_point("content: has its name");
        }
        // Also when it was there: somebody else may have renamed it just now and not synced yet.
        for folder in [folder, self.root.as_path()] {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("sync", folder))?;
        }
        crash_point("content: kept");
        Ok(Blob { digest, size })
    }

    async fn receive(&self, source: &mut (dyn AsyncRead + Send + Unpin), limit: u64) -> Result<Blob, BlobError> {
        let part = self.blocking(Self::part).await?;
        let file = part.file.try_clone().map_err(io("open", &part.path))?;
        let mut file = tokio::fs::File::from_std(file);
        let (mut hash, mut size) = (Sha256::new(), 0u64);
        let mut buffer = vec![0; PIECE];
        loop {
            let count = source.read(&mut buffer).await.map_err(io("read into", &part.path))?;
            if count == 0 {
                break;
            }
            size += count as u64;
            if size > limit {
                return Err(BlobError::TooLarge { limit });
            }
            hash.update(&buffer[..count]);
            file.write_all(&buffer[..count]).await.map_err(io("write", &part.path))?;
        }
        file.flush().await.map_err(io("write", &part.path))?;
        let digest = Digest::from_bytes(&hash.finalize().into());
        self.blocking(move |this| this.place(part, digest, size)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&this)).await;
        done.unwrap_or_else(|error| {
            let source = std::io::Error::other(error.to_string());
            Err(BlobError::Io { action: "work on", path: PathBuf::new(), source })
        })
    }
}

impl BlobStore for DiskBlobs {
    fn put<'a>(&'a self, bytes: &'a [u8]) -> BoxFuture<'a, Result<Blob, BlobError>> {
        let bytes = bytes.to_vec();
        Box::pin(self.blocking(move |this| this.keep(&mut bytes.as_slice(), u64::MAX)))
    }

    fn put_file<'a>(&'a self, path: &'a Path, limit: u64) -> BoxFuture<'a, Result<Blob, BlobError>> {
        let path = path.to_owned();
        Box::pin(self.blocking(move |this| {
            let mut file = File::open(&path).map_err(io("open", &path))?;
            this.keep(&mut file, limit)
        }))
    }

    fn put_stream<'a>(
        &'a self,
        source: &'a mut (dyn AsyncRead + Send + Unpin),
        limit: u64,
    ) -> BoxFuture<'a, Result<Blob, BlobError>> {
        Box::pin(self.receive(source, limit))
    }

    fn get<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Vec<u8>, BlobError>> {
        let digest = digest.clone();
        Box::pin(self.blocking(move |this| {
            let path = this.path(&digest);
            std::fs::read(&path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => BlobError::Missing(digest),
                _ => io("read", &path)(error),
            })
        }))
    }

    fn local_path<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<PathBuf, BlobError>> {
        let path = self.path(digest);
        let found = if path.exists() { Ok(path) } else { Err(BlobError::Missing(digest.clone())) };
        Box::pin(std::future::ready(found))
    }
}

/// A content that is still being written; removed when it is not renamed.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn new(folder: &Path) -> Result<Self, BlobError> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(name);
        let file = File::create(&path).map_err(io("create", &path))?;
        Ok(Self { path, file })
    }

    fn fill(&mut self, source: &mut dyn Read, limit: u64) -> Result<(Digest, u64), BlobError> {
        let mut hash = Sha256::new();
        let mut size = 0u64;
        let mut buffer = vec![0; PIECE];
        loop {
            let count = source.read(&mut buffer).map_err(io("read into", &self.path))?;
            if count == 0 {
                return Ok((Digest::from_bytes(&hash.finalize().into()), size));
            }
            size += count as u64;
            if size > limit {
                return Err(BlobError::TooLarge { limit });
            }
            hash.update(&buffer[..count]);
            self.file.write_all(&buffer[..count]).map_err(io("write", &self.path))?;
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path); // gone already when it was renamed
    }
}

fn io<'p>(action: &'static str, path: &'p Path) -> impl Fn(std::io::Error) -> BlobError + 'p {
    move |source| BlobError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_content_is_found_by_its_digest_and_kept_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let blobs = DiskBlobs::new(folder.path().to_owned());
        let first = blobs.put(b"hello").await.expect("kept");
        let again = blobs.put(b"hello").await.expect("kept");
        assert_eq!(first, again);
        assert_eq!(first.digest.as_str(), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assert_eq!(blobs.get(&first.digest).await.expect("found"), b"hello");
        let left: Vec<_> = std::fs::read_dir(folder.path().join("incoming")).expect("the folder").collect();
        assert!(left.is_empty(), "no part is left behind");
    }

    #[tokio::test]
    async fn a_stream_is_kept_like_a_file_and_one_over_the_limit_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let blobs = DiskBlobs::new(folder.path().to_owned());
        let kept = blobs.put_stream(&mut b"hello".as_slice(), 5).await.expect("kept");
        assert_eq!(kept, blobs.put(b"hello").await.expect("kept"));
        let over = blobs.put_stream(&mut [0; 100_000].as_slice(), 99_999).await;
        assert!(matches!(over, Err(BlobError::TooLarge { limit: 99_999 })));
        assert_eq!(std::fs::read_dir(folder.path().join("incoming")).expect("the folder").count(), 0);
    }

    #[tokio::test]
    async fn a_file_over_the_limit_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let blobs = DiskBlobs::new(folder.path().join("blobs"));
        let file = folder.path().join("large");
        std::fs::write(&file, [0; 1_000]).expect("written");
        assert!(matches!(blobs.put_file(&file, 999).await, Err(BlobError::TooLarge { limit: 999 })));
        assert_eq!(std::fs::read_dir(folder.path().join("blobs/incoming")).expect("the folder").count(), 0);
    }
}
