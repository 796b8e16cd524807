//! Group commit: one writer takes all writes that wait and commits them together.
//!
//! Invariants: a caller hears of success only after the commit; a refused write rolls back nothing but itself;
//! after a failed commit nothing more is acknowledged. A whole transaction travels to the database thread as one
//! multi-statement text, because each hop there and back costs as much as a row.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::failure::StoreError;
use super::statement::Statements;

/// Writes waiting at the most before callers wait for room.
const QUEUE: usize = 4_096;
/// Writes that share one commit at the most.
const BATCH: usize = 256;

/// Rows for named statements that commit together. Each statement gets all its rows as one JSON array in `$1`.
#[derive(Debug, Default)]
pub struct Write {
    sets: Vec<(&'static str, Vec<u8>)>,
}

impl Write {
    /// Nothing to write yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { sets: Vec::new() }
    }

    /// Adds a row, usually a tuple, for this statement.
    ///
    /// # Panics
    /// Never for tuples of texts, numbers, options and JSON values: these always serialise.
    pub fn row(&mut self, statement: &'static str, row: &impl Serialize) {
        let place = self.sets.iter().position(|(name, _)| *name == statement).unwrap_or_else(|| {
            self.sets.push((statement, Vec::with_capacity(512)));
            self.sets.len() - 1
        });
        let rows = &mut self.sets[place].1;
        if !rows.is_empty() {
            rows.push(b',');
        }
        serde_json::to_writer(rows, row).expect("rows are tuples of plain values, and a Vec takes all bytes");
    }
}

struct Request {
    write: Write,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

/// The way to the writer. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    requests: mpsc::Sender<Request>,
}

impl Writer {
    /// Starts the writer on its own connection. It ends when all handles are gone, or after a failed commit.
    pub fn start(connection: SqliteConnection, statements: Arc<Statements>, path: PathBuf) -> (Self, WriterEnd) {
        let (requests, waiting) = mpsc::channel(QUEUE);
        let worker = Worker { connection, statements, path, texts: HashMap::new() };
        let end = tokio::spawn(worker.run(waiting));
        (Self { requests }, end)
    }

    /// Commits `write`, together with whatever else waits.
    pub async fn write(&self, write: Write) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { write, reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// Resolves when the writer has ended and folded its log back.
pub type WriterEnd = tokio::task::JoinHandle<()>;

struct Worker {
    connection: SqliteConnection,
    statements: Arc<Statements>,
    path: PathBuf,
    /// One transaction text for each combination of statements ever seen; there are a dozen or two.
    texts: HashMap<Vec<usize>, Arc<str>>,
}

impl Worker {
    async fn run(mut self, mut waiting: mpsc::Receiver<Request>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            if let Err(error) = self.commit_all(&mut batch).await {
                tracing::error!(%error, "a commit failed; nothing more is accepted");
                break;
            }
        }
        // A crash here loses nothing: the log is folded back at the next start.
        let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection).await;
        let _ = self.connection.close().await;
    }

    /// Commits a batch; when a guard refuses, each write of it alone. `Err` is a broken disk or database.
    async fn commit_all(&mut self, batch: &mut Vec<Request>) -> Result<(), StoreError> {
        batch.retain(|request| !request.reply.is_closed());
        match self.commit(batch.iter().map(|request| &request.write)).await {
            Err(StoreError::Conflict(_)) if batch.len() > 1 => {
                for request in batch.drain(..) {
                    let answer = self.commit([&request.write].into_iter()).await;
                    answer_one(request, answer)?;
                }
                Ok(())
            }
            answer => batch.drain(..).try_for_each(|request| answer_one(request, answer.clone())),
        }
    }

    async fn commit<'w>(&mut self, writes: impl Iterator<Item = &'w Write>) -> Result<(), StoreError> {
        let mut merged: BTreeMap<usize, (&'static str, String)> = BTreeMap::new();
        for (name, rows) in writes.flat_map(|write| &write.sets) {
            let Some(statement) = self.statements.get(name) else {
                return Err(StoreError::Statement(name, "does not exist".to_owned()));
            };
            let (_, array) = merged.entry(statement.rank).or_insert_with(|| (statement.text, "[".to_owned()));
            if array.len() > 1 {
                array.push(',');
            }
            array.push_str(std::str::from_utf8(rows).expect("serde_json writes UTF-8"));
        }
        if merged.is_empty() {
            return Ok(());
        }
        let text = self.transaction_text(&merged);
        let mut query = sqlx::query(AssertSqlSafe(text));
        for (_, mut array) in merged.into_values() {
            array.push(']');
            query = query.bind(array);
        }
        match query.execute(&mut self.connection).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.roll_back(error).await),
        }
    }

    /// `BEGIN; <each statement>; COMMIT`, the parameters renumbered.
    fn transaction_text(&mut self, merged: &BTreeMap<usize, (&'static str, String)>) -> Arc<str> {
        let key: Vec<usize> = merged.keys().copied().collect();
        let text = self.texts.entry(key).or_insert_with(|| {
            let mut text = "BEGIN IMMEDIATE; ".to_owned();
            for (place, (statement, _)) in merged.values().enumerate() {
                let _ = write!(text, "{}; ", statement.replace("$1", &format!("${}", place + 1)));
            }
            text.push_str("COMMIT");
            text.into()
        });
        Arc::clone(text)
    }

    async fn roll_back(&mut self, error: sqlx::Error) -> StoreError {
        let broken = error.as_database_error().is_none_or(|error| is_broken(error.code().as_deref()));
        // SQLite has rolled back by itself after some errors; then this has nothing to do and says so.
        let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        let message = error.to_string();
        if broken {
            StoreError::Failed { action: "write to", path: self.path.clone(), message }
        } else {
            StoreError::Conflict(message)
        }
    }
}

/// Whether a result code of SQLite says that the disk or the file is at fault, rather than this write: after that
/// nobody knows what was kept.
fn is_broken(code: Option<&str>) -> bool {
    const READONLY: u32 = 8;
    const IOERR: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const CANTOPEN: u32 = 14;
    const NOTADB: u32 = 26;
    let code = code.and_then(|code| code.parse::<u32>().ok());
    // The lower byte is the kind; what stands above it only says more.
    code.is_none_or(|code| [READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB].contains(&(code & 0xff)))
}

/// Tells the caller; passes on what must stop the writer.
fn answer_one(request: Request, answer: Result<(), StoreError>) -> Result<(), StoreError> {
    let broken = match &answer {
        Err(error @ StoreError::Failed { .. }) => Err(error.clone()),
        _ => Ok(()),
    };
    let _ = request.reply.send(answer); // a caller that is gone needs no answer
    broken
}

/// Connection options of every connection log no statements: our own spans say more.
pub fn quiet(options: sqlx::sqlite::SqliteConnectOptions) -> sqlx::sqlite::SqliteConnectOptions {
    options.disable_statement_logging()
}
