//! Files that people bring: kept by content before anybody hears of them.

use std::path::Path;

use tokio::io::AsyncRead;

use super::error::ServiceError;
use super::runs::Service;
use crate::contract::blob::{Blob, BlobError, BlobStore as _};
use crate::contract::crash::crash_point;
use crate::contract::media::Kind;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::FileId;
use crate::store::files::FileRecord;

/// No file is taken in above this many bytes; a workflow's own limit is usually far lower.
const LARGEST: u64 = 1 << 30;
/// The longest name of a file, in characters.
const LONGEST_NAME: usize = 255;

impl Service {
    /// Bytes that the disk of the storage folder has left; `None` where the system does not tell.
    #[must_use]
    pub fn free_disk(&self) -> Option<u64> {
        self.engine().store().free_bytes()
    }

    /// Refuses what is new while the disk has hardly any room: what is under way needs it to come to its end.
    ///
    /// # Errors
    /// The disk is nearly full.
    pub(super) fn check_room(&self) -> Result<(), ServiceError> {
        let wanted = self.admission.min_free_disk;
        match self.free_disk() {
            Some(free) if free < wanted => Err(ServiceError::NoDisk { free, wanted }),
            _ => Ok(()),
        }
    }

    /// Takes in what comes out of `source`, as it comes.
    ///
    /// # Errors
    /// It is empty or larger than any file may be, breaks off, or the disk fails or is nearly full.
    pub async fn take_in_stream(
        &self,
        name: &str,
        source: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<FileRecord, ServiceError> {
        self.check_room()?;
        let blobs = self.engine().store().blobs();
        let blob = blobs.put_stream(source, LARGEST).await.map_err(|error| kept_not(name, error))?;
        if blob.size == 0 {
            return Err(refused(format!("`{name}` is empty")));
        }
        self.record(name, blob).await
    }

    /// What is known of a file that was taken in.
    ///
    /// # Errors
    /// There is no such file.
    pub async fn file(&self, id: FileId) -> Result<FileRecord, ServiceError> {
        let found = self.engine().store().files().find(id).await?;
        found.ok_or_else(|| ServiceError::NotFound { noun: "file", name: id.to_string(), near: None })
    }

    /// The content of a file that was taken in.
    ///
    /// # Errors
    /// Its content is gone, or the disk fails.
    pub async fn open_file(&self, file: &FileRecord) -> Result<tokio::fs::File, ServiceError> {
        let path = self.engine().store().blobs().local_path(&file.digest).await;
        let path = path.map_err(|error| ServiceError::Internal(error.to_string()))?;
        tokio::fs::File::open(path).await.map_err(|error| ServiceError::Internal(error.to_string()))
    }

    /// Takes in a file of this machine.
    ///
    /// # Errors
    /// It is not there, not a file, or too large.
    pub async fn take_in(&self, path: &Path) -> Result<FileRecord, ServiceError> {
        let shown = path.display().to_string();
        let known = tokio::fs::metadata(path).await;
        match &known {
            Err(error) => return Err(refused(format!("`{shown}` cannot be read: {error}"))),
            Ok(known) if !known.is_file() => return Err(refused(format!("`{shown}` is not a file"))),
            Ok(_) => {}
        }
        self.check_room()?;
        let blobs = self.engine().store().blobs();
        let blob = blobs.put_file(path, LARGEST).await.map_err(|error| kept_not(&shown, error))?;
        let name = path.file_name().map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned());
        self.record(&name, blob).await
    }

    async fn record(&self, name: &str, blob: Blob) -> Result<FileRecord, ServiceError> {
        let blobs = self.engine().store().blobs();
        let kept = blobs.local_path(&blob.digest).await.map_err(|error| ServiceError::Internal(error.to_string()))?;
        let kind = tokio::task::spawn_blocking(move || Kind::of(&mut std::fs::File::open(kept)?)).await;
        let kind =
            kind.map_err(std::io::Error::other).flatten().map_err(|error| ServiceError::Internal(error.to_string()))?;
        let clock = self.engine().clock();
        let file = FileRecord {
            id: FileId::from_bits(clock.id_bits()),
            name: plain_name(name),
            size: blob.size,
            digest: blob.digest,
            media_type: kind.media_type().to_owned(),
            created_at: clock.now(),
        };
        crash_point("upload: kept, without its row");
        self.engine().store().files().add(&file).await?;
        crash_point("upload: kept, not told");
        // It is here, whatever becomes of telling; a start tells of what was not told.
        if let Err(error) = Box::pin(self.file_stored(&file)).await {
            tracing::warn!(file = %file.id, %error, "that a file was stored could not be told to triggers");
        }
        Ok(file)
    }
}

/// The last part of a name, however it was written: a name from outside never leads anywhere.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    if plain.trim_matches(['.', ' ']).is_empty() { "file".to_owned() } else { plain }
}

fn refused(message: String) -> ServiceError {
    ServiceError::Inputs(vec![Fault::permanent(code::WF2102, message)])
}

fn kept_not(name: &str, error: BlobError) -> ServiceError {
    match error {
        BlobError::TooLarge { limit } => refused(format!("`{name}` is larger than {limit} bytes")),
        other => ServiceError::Internal(other.to_string()),
    }
}
