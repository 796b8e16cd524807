//! Files as what starts runs.

use serde_json::json;

use crate::domain::id::RunId;
use crate::domain::trigger::{FileMode, TriggerKind};
use crate::service::error::ServiceError;
use crate::service::origin::Origin;
use crate::service::runs::Service;
use crate::store::files::FileRecord;

use super::occur::{Came, Occurrence};
use super::view::state_of;

/// Where a file came from.
#[derive(Debug, Clone, Default)]
pub struct FileCame {
    /// In which channel of a chat.
    pub channel: Option<String>,
    /// What was said with it.
    pub text: String,
    /// Into which watched folder.
    pub folder: Option<String>,
    /// Who brought it.
    pub by: String,
    /// What makes two files the same; their content when absent.
    pub key: Option<String>,
}

impl Service {
    /// A file was taken in: triggers that wait for files like it start runs. The same content again is told as such, with
    /// the execution that it had.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now.
    pub async fn file_came(&self, file: &FileRecord, came: &FileCame) -> Result<Vec<Came>, ServiceError> {
        let facts = json!({
            "type": "file",
            "file": {
                "id": file.id, "name": file.name, "size": file.size, "sha256": file.digest.to_string(),
                "type": file.media_type,
            },
            "channel": came.channel, "text": came.text, "folder": came.folder, "by": came.by,
        });
        let key = came.key.clone().unwrap_or_else(|| format!("file:{}", file.digest));
        let occurrence =
            Occurrence { kind: "file", name: file.name.clone(), key, facts, depth: 0, only: None, window: None };
        self.occur(&occurrence).await
    }

    /// The folders below `inbox` that triggers watch now.
    ///
    /// # Errors
    /// The store fails.
    pub async fn watched_folders(&self) -> Result<Vec<String>, ServiceError> {
        let now = self.engine().clock().now();
        let triggers = self.engine().store().triggers().of_kind("file").await?;
        let on = triggers.into_iter().filter(|trigger| state_of(trigger, now) == "on");
        let mut folders: Vec<String> = on
            .filter_map(|trigger| match trigger.spec.kind {
                TriggerKind::File(file) if file.mode != FileMode::Off => file.folder,
                _ => None,
            })
            .collect();
        folders.sort_unstable();
        folders.dedup();
        Ok(folders)
    }

    /// How many executions stand behind what this one causes.
    ///
    /// # Errors
    /// The store fails.
    pub async fn depth_behind(&self, run: RunId) -> Result<u32, ServiceError> {
        let row = self.engine().store().runs().find(run).await?;
        let origin: Option<Origin> = row.and_then(|row| serde_json::from_str(row.origin.get()).ok());
        Ok(origin.map_or(1, |origin| origin.depth + 1))
    }

    /// A key that nothing else has.
    #[must_use]
    pub fn new_key(&self) -> String {
        format!("{:032x}", self.engine().clock().id_bits())
    }
}
