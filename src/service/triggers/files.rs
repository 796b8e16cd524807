//! Files as what starts runs, and the ends of runs.

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

    /// A run has ended: triggers that wait for the end of its workflow start runs. Said twice, it is said once.
    ///
    /// # Errors
    /// No such run, the store fails, or nothing new is taken in now.
    pub async fn run_ended(&self, run: RunId) -> Result<Vec<Came>, ServiceError> {
        let store = self.engine().store();
        let Some(row) = store.runs().find(run).await? else { return Ok(Vec::new()) };
        if row.finished_at.is_none() {
            return Ok(Vec::new());
        }
        let origin: Origin = serde_json::from_str(row.origin.get()).unwrap_or_default(); // ours; another shape says nothing
        let outputs: serde_json::Value =
            row.outputs.as_ref().and_then(|outputs| serde_json::from_str(outputs.get()).ok()).unwrap_or_default();
        let facts = json!({
            "type": "workflow",
            "run": {
                "id": run, "workflow": row.slug, "name": row.name, "status": row.status, "outputs": outputs,
                "error": row.fault.as_ref().map(|fault| json!({ "code": fault.code.id(), "message": fault.message })),
            },
        });
        let occurrence = Occurrence {
            kind: "workflow",
            name: row.slug.clone(),
            key: format!("end:{run}:{}", row.finished_at.map_or(0, crate::domain::time::Timestamp::micros)),
            facts,
            depth: origin.depth + 1,
            only: None,
            window: None,
        };
        self.occur(&occurrence).await
    }
}
