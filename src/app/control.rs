//! A door for other processes of this machine: the owner of a storage path takes commands on a Unix socket in it,
//! so that `workflow cancel` works while `workflow run` or `workflow serve` holds the store. One JSON line each way.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::register;
use crate::service::outbox::LetterView;
use crate::service::triggers::TriggerAct;
use crate::service::verbs::PeopleWish;
use crate::service::{BulkAct, BulkFilter, Caller, RunView, Service, ServiceError, TraceFilter};

/// A request is a few words; more is a mistake.
const LONGEST_REQUEST: u64 = 64 * 1024;
/// How long the owner may take to answer: a commit, and a store that reads.
const PATIENCE: Duration = Duration::from_secs(15);

/// What can be done to an execution from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Stop at the next step boundary.
    Pause,
    /// Go on.
    Resume,
    /// End it.
    Cancel,
    /// Run a step again; without one, every failed step.
    Retry(Option<String>),
    /// Give it what it asks for.
    Answer(Map<String, Value>),
    /// The same again as a new execution, with some inputs changed.
    Rerun(Map<String, Value>),
    /// Approve or reject what it asks for.
    Decide {
        /// The step that asks; without one, the only one that does.
        step: Option<String>,
        /// Yes or no.
        approves: bool,
        /// Why.
        comment: Option<String>,
    },
    /// Leave a step out.
    Skip(String),
    /// Take back what it has done.
    RollBack {
        /// Only what was done after this step.
        to: Option<String>,
    },
    /// Send an event.
    Signal {
        /// Its name.
        event: String,
        /// What comes with it.
        payload: Value,
    },
}

/// What can be done to a message to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterAct {
    /// Try it again at once.
    Retry,
    /// Never send it.
    Drop,
}

/// What can be asked of the owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Is anybody there? Answered with whether it carries on what others left open.
    Health,
    /// Do the same to many executions, or count them.
    Bulk {
        /// What to do.
        act: BulkAct,
        /// Of this workflow only.
        workflow: Option<String>,
        /// In this state only.
        status: Option<String>,
        /// Do it.
        yes: bool,
        /// Who asks.
        by: String,
    },
    /// Do something to a message that waits or was given up.
    Letter {
        /// Its id, or a short form of it.
        id: String,
        /// What to do.
        act: LetterAct,
        /// Who asks.
        by: String,
    },
    /// Say who is who, or change it.
    People {
        /// What is wanted.
        wish: PeopleWish,
        /// Who asks.
        by: String,
    },
    /// Who did what.
    Audit {
        /// Only this one.
        identity: Option<String>,
        /// Only what was refused.
        denied: bool,
        /// How many lines at the most.
        limit: u32,
        /// Who asks.
        by: String,
    },
    /// Do something to a trigger.
    Trigger {
        /// What to do.
        act: TriggerAct,
        /// Who asks.
        by: String,
    },
    /// Do something to an execution.
    Control {
        /// Its id, or a short form of it.
        execution: String,
        /// What to do.
        act: Act,
        /// Who asks.
        by: String,
    },
}

/// What the owner answers: the execution's view, or why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done; the view of the execution.
    Done(Value),
    /// Not done.
    Refused(String),
}

/// The open door; closes with its drop.
pub struct Door {
    path: PathBuf,
    _open: DropGuard,
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path); // the next owner replaces a stale one anyway
    }
}

/// Opens the door of this storage path. Only its owner may call this: it replaces a door that a crash left.
///
/// # Errors
/// The socket cannot be made, for example because its path is longer than the system allows (about 100 bytes).
pub fn open(storage_path: &Path, service: Service) -> std::io::Result<Door> {
    let path = control_socket(storage_path);
    let _ = std::fs::remove_file(&path); // absent unless a crash left it
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let closed = CancellationToken::new();
    let door = Door { path, _open: closed.clone().drop_guard() };
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted,
                () = closed.cancelled() => return,
            };
            match stream {
                Ok((stream, _)) => {
                    let service = service.clone();
                    tokio::spawn(async move { tokio::time::timeout(PATIENCE, serve(stream, service)).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket failed to accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    });
    Ok(door)
}

async fn serve(mut stream: UnixStream, service: Service) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new((&mut stream).take(LONGEST_REQUEST)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => answer(&service, request).await,
        Err(error) => Answer::Refused(format!("not a request: {error}")),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    stream.write_all(&text).await
}

/// Answers a request in the process that owns the storage path.
pub async fn answer(service: &Service, request: Request) -> Answer {
    let caller = |name: String| Caller::owner(crate::service::TERMINAL, &name);
    match request {
        Request::Health => Answer::Done(Value::Bool(service.engine().carries_on())),
        Request::Control { execution, act, by } => answered(control(service, &caller(by), &execution, &act).await),
        Request::Letter { id, act, by } => answered(letter(service, &caller(by), &id, act).await),
        Request::People { wish, by } => match register::change(service, &caller(by), wish).await {
            Ok(value) => Answer::Done(value),
            Err(error) => Answer::Refused(error.to_string()),
        },
        Request::Audit { identity, denied, limit, by } => {
            let filter = TraceFilter { before: None, identity, denied, limit };
            answered(service.trail(&caller(by), &filter).await)
        }
        Request::Trigger { act, by } => answered(service.act_on_trigger(&caller(by), act).await),
        Request::Bulk { act, workflow, status, yes, by } => {
            answered(service.bulk(&caller(by), act, &BulkFilter { workflow, status }, !yes).await)
        }
    }
}

fn answered(view: Result<impl Serialize, ServiceError>) -> Answer {
    match view.map(serde_json::to_value) {
        Ok(Ok(view)) => Answer::Done(view),
        Ok(Err(error)) => Answer::Refused(error.to_string()),
        Err(error) => Answer::Refused(error.to_string()),
    }
}

/// Does something to an execution of this process.
///
/// # Errors
/// No such execution, or its state does not allow it.
pub async fn control(service: &Service, caller: &Caller, execution: &str, act: &Act) -> Result<RunView, ServiceError> {
    let run = service.archive().resolve(execution).await?;
    match act {
        Act::Pause => service.pause(caller, run).await,
        Act::Resume => service.resume(caller, run).await,
        Act::Cancel => service.cancel(caller, run).await,
        Act::Retry(step) => service.retry(caller, run, step.as_deref()).await,
        Act::Answer(inputs) => service.answer(caller, run, inputs).await,
        Act::Decide { step, approves, comment } => {
            service.decide(caller, run, step.as_deref(), (*approves, comment.clone())).await
        }
        Act::Skip(step) => service.skip(caller, run, step).await,
        Act::RollBack { to } => service.roll_back(caller, run, to.as_deref()).await,
        Act::Signal { event, payload } => service.signal(caller, run, (event, payload.clone())).await,
        Act::Rerun(changed) => {
            let new = service.rerun(caller, run, changed).await?;
            service.archive().view(new.execution, false).await
        }
    }
}

/// Does something to a message of this process.
///
/// # Errors
/// No such message, or it was sent already.
pub async fn letter(service: &Service, caller: &Caller, id: &str, act: LetterAct) -> Result<LetterView, ServiceError> {
    match act {
        LetterAct::Retry => service.retry_letter(caller, id).await,
        LetterAct::Drop => service.drop_letter(caller, id).await,
    }
}

/// Asks the owner of a storage path; `None` when nobody answers there.
///
/// # Errors
/// The owner was there, but its answer did not come or cannot be read.
pub async fn ask(storage_path: &Path, request: &Request) -> anyhow::Result<Option<Answer>> {
    let Ok(mut stream) = UnixStream::connect(control_socket(storage_path)).await else { return Ok(None) };
    let asked = async {
        let mut text = serde_json::to_vec(request)?;
        text.push(b'\n');
        stream.write_all(&text).await?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await?;
        Ok(serde_json::from_str(&line)?)
    };
    tokio::time::timeout(PATIENCE, asked)
        .await
        .map_err(|_| anyhow::anyhow!("the running process does not answer"))?
        .map(Some)
}

/// The path of the socket on which the owner of a storage path takes commands.
fn control_socket(storage_path: &Path) -> PathBuf {
    storage_path.join("control.sock")
}
