//! Files: those of people are fetched as streams and taken in; long answers of ours are brought as files.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures::{Stream, StreamExt as _};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio_util::io::StreamReader;

use super::answers::backoff;
use super::calls::CallError;
use super::wire::{self, WireError};
use super::workspace::Workspace;
use super::{Slack, manifest};
use crate::chat::adapter::FileRef;
use crate::chat::grammar::inert;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::service::{FileRecord, ServiceError};

/// How often a file is fetched before it counts as out of reach.
const TRIES: u32 = 3;

/// Why a file is not here.
enum Missed {
    /// It will not be.
    Never(ServiceError),
    /// It may be, the next time.
    Perhaps(String),
}

impl Slack {
    /// Takes a file in that a message named.
    ///
    /// # Errors
    /// It cannot be had, is too large, or the disk fails.
    pub(super) async fn take_in(&self, file: &FileRef) -> Result<FileRecord, ServiceError> {
        let name = inert(&file.name, 80);
        let Some((workspace, id)) = file.id.split_once('.').and_then(|(team, id)| Some((self.workspace(team)?, id)))
        else {
            return Err(refused(format!("`{name}` is of a workspace that is not connected"), "bring it again"));
        };
        let mut last = String::new();
        for tried in 0..TRIES {
            match self.fetch(&workspace, id, &name).await {
                Ok(record) => return Ok(record),
                Err(Missed::Never(error)) => return Err(error),
                Err(Missed::Perhaps(why)) => last = why,
            }
            tokio::time::sleep(backoff(tried)).await;
        }
        Err(refused(format!("`{name}` could not be fetched from Slack: {last}"), "drop it again in a moment"))
    }

    async fn fetch(&self, workspace: &Workspace, id: &str, name: &str) -> Result<FileRecord, Missed> {
        let answer = workspace.call("files.info", &json!({ "file": id })).await.map_err(|error| about(&error, name))?;
        let told = &answer["file"];
        let size = told["size"].as_u64().unwrap_or(0);
        if size > self.settings.upload_limit {
            return Err(Missed::Never(too_large(name, self.settings.upload_limit)));
        }
        let url = told["url_private_download"].as_str().or_else(|| told["url_private"].as_str());
        let Some(url) = url.filter(|_| told["is_external"].as_bool() != Some(true)) else {
            return Err(Missed::Never(refused(format!("`{name}` does not lie at Slack"), "upload the file itself")));
        };
        let response = match self.wire.fetch(url, workspace.token()).await {
            Ok(response) => response,
            Err(WireError::Lost(why)) => return Err(Missed::Perhaps(why)),
            Err(WireError::Foreign(host)) => {
                let message = format!("`{name}` lies at `{}`, which is not Slack", inert(&host, 80));
                return Err(Missed::Never(refused(message, "upload the file itself")));
            }
        };
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_page = kind.starts_with("text/html") && !told["mimetype"].as_str().unwrap_or_default().contains("html");
        if status.is_redirection() || matches!(status.as_u16(), 401 | 403) || (status.is_success() && is_page) {
            workspace.miss("files:read");
            return Err(Missed::Never(sign_in_page(name)));
        }
        if !status.is_success() {
            return Err(Missed::Perhaps(format!("Slack answers with {}", status.as_u16())));
        }
        self.keep_content(name, told["name"].as_str().unwrap_or("file"), size, wire::pieces(response)).await
    }

    /// Keeps the content as it comes; `size` is what was told of it.
    async fn keep_content(
        &self,
        shown: &str,
        name: &str,
        size: u64,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send,
    ) -> Result<FileRecord, Missed> {
        let (came, is_broken) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let limit = self.settings.upload_limit;
        let (count, broken) = (Arc::clone(&came), Arc::clone(&is_broken));
        let counted = pieces.map(move |piece| {
            let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
            let so_far = count.fetch_add(length, Ordering::Relaxed) + length;
            if piece.is_err() {
                broken.store(true, Ordering::Relaxed);
            }
            if so_far > limit { Err(io::Error::from(io::ErrorKind::FileTooLarge)) } else { piece }
        });
        let mut source = StreamReader::new(Box::pin(counted));
        let taken = self.service.take_in_stream(name, &mut source).await;
        let came = came.load(Ordering::Relaxed);
        if came > limit {
            return Err(Missed::Never(too_large(shown, limit)));
        }
        if is_broken.load(Ordering::Relaxed) || (size > 0 && came != size) {
            return Err(Missed::Perhaps(format!("{came} of {size} bytes came")));
        }
        taken.map_err(Missed::Never)
    }

    /// Brings a text as a file into a channel.
    ///
    /// # Errors
    /// Slack does not take it.
    pub(super) async fn bring(
        &self,
        workspace: &Workspace,
        place: (&str, Option<&str>),
        (name, comment): (&str, &str),
        text: &str,
    ) -> Result<(), CallError> {
        let asked = json!({ "filename": name, "length": text.len().to_string() });
        let answer = workspace.call("files.getUploadURLExternal", &asked).await?;
        let (Some(url), Some(id)) = (answer["upload_url"].as_str(), answer["file_id"].as_str()) else {
            return Err(CallError::Lost("Slack names no place for a file".to_owned()));
        };
        let sent = self.wire.post(url, None, "application/octet-stream", Bytes::copy_from_slice(text.as_bytes())).await;
        match sent {
            Ok(answer) if answer.status < 300 => {}
            Ok(answer) => return Err(CallError::Lost(format!("Slack answers a file with {}", answer.status))),
            Err(error) => return Err(CallError::Lost(error.to_string())),
        }
        let mut done =
            json!({ "files": [{ "id": id, "title": name }], "channel_id": place.0, "initial_comment": comment });
        if let Some(thread) = place.1 {
            done["thread_ts"] = json!(thread);
        }
        workspace.call("files.completeUploadExternal", &done).await.map(|_| ())
    }
}

fn about(error: &CallError, name: &str) -> Missed {
    match error {
        CallError::Busy(_) | CallError::Lost(_) => Missed::Perhaps(error.to_string()),
        CallError::No { code, .. } if code == "missing_scope" => Missed::Never(sign_in_page(name)),
        CallError::No { code, .. } if code == "file_deleted" || code == "file_not_found" => {
            Missed::Never(refused(format!("`{name}` is not at Slack any more"), "drop it again"))
        }
        CallError::No { .. } => {
            Missed::Never(refused(format!("`{name}` cannot be fetched: {error}"), "ask whoever runs the service"))
        }
    }
}

fn sign_in_page(name: &str) -> ServiceError {
    let message = format!("Slack gave a sign-in page instead of `{name}`: the app lacks the scope `files:read`");
    refused(message, manifest::HOW_TO_ADD)
}

fn too_large(name: &str, limit: u64) -> ServiceError {
    refused(format!("`{name}` is larger than {limit} bytes"), "bring a smaller file, or raise `upload_limit`")
}

fn refused(message: String, fix: &str) -> ServiceError {
    ServiceError::Inputs(vec![Fault::permanent(code::WF2103, message).fix(fix)])
}

/// The files that a message names, as they are fetched later.
pub(super) fn named(team: &str, files: &Value) -> Vec<FileRef> {
    let file = |file: &Value| {
        let id = file["id"].as_str()?;
        let name = file["name"].as_str().or_else(|| file["title"].as_str()).unwrap_or("file");
        Some(FileRef { id: format!("{team}.{id}"), name: name.to_owned() })
    };
    files.as_array().into_iter().flatten().filter_map(file).collect()
}
