//! Files as what starts runs.

use serde_json::{Value, json};

use crate::domain::id::RunId;
use crate::domain::time::Timestamp;
use crate::domain::trigger::{FileMode, TriggerKind};
use crate::service::Caller;
use crate::service::error::ServiceError;
use crate::service::origin::Origin;
use crate::service::runs::Service;
use crate::store::files::FileRecord;
use crate::store::triggers::StoredTrigger;

use super::fits::matches;
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
    /// Who brought it in a conversation.
    pub who: Option<Caller>,
    /// Its own name in that conversation: the same when the same message is looked at again.
    pub delivery: Option<String>,
    /// How many came with it, itself included.
    pub together: usize,
}

impl Service {
    /// A file was taken in: triggers that wait for files like it start runs. The same content again is told as such, with
    /// the execution that it had.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now.
    pub async fn file_came(&self, file: &FileRecord, came: &FileCame) -> Result<Vec<Came>, ServiceError> {
        let mut facts = json!({
            "type": "file",
            "file": {
                "id": file.id, "name": file.name, "size": file.size, "sha256": file.digest.to_string(),
                "type": file.media_type,
            },
            "channel": came.channel, "text": came.text, "folder": came.folder, "by": came.by,
        });
        if let Some(who) = &came.who {
            said_by(&mut facts, who);
            facts["delivery"] = json!(came.delivery);
        }
        let content = format!("file:{}", file.digest);
        // Who names a file is believed; else the same content is the same file, once it has started something.
        let (key, same) = match (&came.key, &came.delivery) {
            (Some(key), _) => (key.clone(), None),
            (None, Some(delivery)) => (format!("drop:{delivery}"), Some((content, None))),
            (None, None) => (format!("drop:{}", self.new_key()), Some((content, None))),
        };
        let occurrence = Occurrence {
            kind: "file",
            name: file.name.clone(),
            key,
            facts,
            same,
            who: came.who.clone(),
            together: came.together,
            ..Occurrence::default()
        };
        self.occur(&occurrence).await
    }

    /// The names by which triggers mean the channels in which they wait for what people do.
    ///
    /// # Errors
    /// The store fails.
    pub async fn channels_of_triggers(&self) -> Result<Vec<String>, ServiceError> {
        let mut names = Vec::new();
        for kind in ["file", "command", "reaction"] {
            for trigger in self.engine().store().triggers().of_kind(kind).await? {
                names.extend(match trigger.spec.kind {
                    TriggerKind::File(file) => file.channels,
                    TriggerKind::Command { channels, .. } | TriggerKind::Reaction { channels, .. } => channels,
                    _ => Vec::new(),
                });
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Whether a trigger waits for files that people bring, whatever they are.
    ///
    /// # Errors
    /// The store fails.
    pub async fn waits_for_files(&self) -> Result<bool, ServiceError> {
        let triggers = self.engine().store().triggers().of_kind("file").await?;
        let waits =
            |trigger: &StoredTrigger| matches!(&trigger.spec.kind, TriggerKind::File(file) if file.folder.is_none());
        Ok(triggers.iter().any(waits))
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

impl Service {
    /// A file was taken in, through whichever door: an event. Said twice, it is said once. A trigger that is younger than
    /// the file does not hear of it.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now.
    pub async fn file_stored(&self, file: &FileRecord) -> Result<Vec<Came>, ServiceError> {
        let data = json!({
            "file_id": file.id, "name": file.name, "size": file.size, "sha256": file.digest.to_string(),
            "type": file.media_type,
        });
        let event = Occurrence::event("file.stored", &format!("stored:{}", file.id), data);
        self.occur_since(&event, file.created_at).await
    }

    /// An event of something that happened at this time: triggers that are younger do not hear of it.
    pub(super) async fn occur_since(&self, event: &Occurrence, at: Timestamp) -> Result<Vec<Came>, ServiceError> {
        let mut came = Vec::new();
        for trigger in self.engine().store().triggers().of_kind("event").await? {
            if trigger.created_at <= at && matches(&trigger, event) {
                came.extend(self.occur(&Occurrence { only: Some(trigger.key), ..event.clone() }).await?);
            }
        }
        Ok(came)
    }

    /// Tells of files that were taken in lately: one that was told of counts once.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now.
    pub async fn tell_stored_again(&self, limit: u32) -> Result<(), ServiceError> {
        if self.engine().store().triggers().of_kind("event").await?.is_empty() {
            return Ok(());
        }
        for file in self.engine().store().files().lately(limit).await? {
            self.file_stored(&file).await?;
        }
        Ok(())
    }
}

/// Notes of what somebody did in a conversation who it was, and where.
pub(super) fn said_by(facts: &mut Value, who: &Caller) {
    facts["by"] = json!(who.name);
    facts["identity"] = json!(who.identity());
    let (platform, channel) = who.channel.as_deref().and_then(|at| at.split_once(':')).unwrap_or_default();
    let id = channel.split('/').next().unwrap_or_default();
    let names = who.place_names();
    facts["platform"] = json!(platform);
    facts["channel_id"] = json!(id);
    facts["channel"] = json!(names.first().map_or(id, String::as_str));
    facts["channel_names"] = json!(names);
}
