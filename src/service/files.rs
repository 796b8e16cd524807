//! Files that people bring: kept by content before anybody hears of them.

use std::path::Path;

use super::error::ServiceError;
use super::runs::Service;
use crate::contract::blob::{BlobError, BlobStore as _};
use crate::contract::media::Kind;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::FileId;
use crate::store::files::FileRecord;

/// No file is taken in above this many bytes; a workflow's own limit is usually far lower.
const LARGEST: u64 = 1 << 30;

impl Service {
    /// Takes in a file of this machine.
    ///
    /// # Errors
    /// It is not there, not a file, or too large.
    pub async fn take_in(&self, path: &Path) -> Result<FileRecord, ServiceError> {
        let shown = path.display().to_string();
        let refused = |message: String| ServiceError::Inputs(vec![Fault::permanent(code::WF2102, message)]);
        let known = tokio::fs::metadata(path).await;
        match &known {
            Err(error) => return Err(refused(format!("`{shown}` cannot be read: {error}"))),
            Ok(known) if !known.is_file() => return Err(refused(format!("`{shown}` is not a file"))),
            Ok(_) => {}
        }
        let blobs = self.engine().store().blobs();
        let blob = blobs.put_file(path, LARGEST).await.map_err(|error| match error {
            BlobError::TooLarge { limit } => refused(format!("`{shown}` is larger than {limit} bytes")),
            other => ServiceError::Internal(other.to_string()),
        })?;
        let kept = blobs.local_path(&blob.digest).await.map_err(|error| ServiceError::Internal(error.to_string()))?;
        let kind = tokio::task::spawn_blocking(move || Kind::of(&mut std::fs::File::open(kept)?)).await;
        let kind =
            kind.map_err(std::io::Error::other).flatten().map_err(|error| ServiceError::Internal(error.to_string()))?;
        let clock = self.engine().clock();
        let file = FileRecord {
            id: FileId::from_bits(clock.id_bits()),
            name: path.file_name().map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned()),
            size: blob.size,
            digest: blob.digest,
            media_type: kind.media_type().to_owned(),
            created_at: clock.now(),
        };
        self.engine().store().files().add(&file).await?;
        Ok(file)
    }
}
