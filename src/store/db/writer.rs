//! Group commit: one writer takes all writes that wait and commits them together.
//!
//! Invariants: a caller hears of success only after the commit; a refused write rolls back nothing but itself;
//! after a failed commit nothing more is acknowledged. On a full disk it keeps what it was given and tries again: SQLite
//! has taken everything back then, and whoever waits has heard nothing. The writer is a thread of its own with its own connection: a
//! row is one call into the database, and between two rows nobody is waited for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::cell::Cell;
use super::failure::StoreError;
use super::statement::{Statement, Statements};
use super::value::Arg;
use crate::contract::crash::crash_point;

/// Writes waiting at the most before callers wait for room.
const QUEUE: usize = 4_096;
/// Writes that share one commit at the most.
const BATCH: usize = 256;

/// How long a full disk is left alone before the first try and before the later ones.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Pages that the file gives back after a write that deletes much.
const PAGES_BACK: u32 = 500;

/// The rows of one write for a statement.
type Rows = Vec<Vec<Arg>>;

/// Rows for named statements that commit together.
#[derive(Debug, Default)]
pub struct Write {
    sets: Vec<(&'static str, Rows)>,
    gives_space_back: bool,
}

impl Write {
    /// Nothing to write yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { sets: Vec::new(), gives_space_back: false }
    }

    /// Much is deleted: afterwards the file gives some of its free pages back to the disk.
    pub const fn gives_space_back(&mut self) {
        self.gives_space_back = true;
    }

    /// Has this statement executed with these arguments. Statements run in the order of their files, each for all its
    /// rows.
    pub fn row(&mut self, statement: &'static str, cells: &[&dyn Cell]) {
        let row = cells.iter().map(Cell::arg).collect();
        match self.sets.iter_mut().find(|(name, _)| *name == statement) {
            Some((_, rows)) => rows.push(row),
            None => self.sets.push((statement, vec![row])),
        }
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
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(
        connection: Connection,
        statements: Arc<Statements>,
        path: &Path,
    ) -> Result<(Self, WriterEnd), StoreError> {
        let (requests, waiting) = mpsc::channel(QUEUE);
        let (ended, end) = oneshot::channel();
        let worker = Worker { connection, statements, path: path.to_owned() };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            if worker.run(waiting).is_ok() {
                let _ = ended.send(()); // nobody may wait for the end
            }
        });
        let failed = |error: std::io::Error| StoreError::Failed {
            action: "start the writer of",
            path: path.to_owned(),
            message: error.to_string(),
        };
        thread.map(|_| (Self { requests }, end)).map_err(failed)
    }

    /// Commits `write`, together with whatever else waits.
    pub async fn write(&self, write: Write) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { write, reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// Resolves when the writer has ended and folded its log back; to an error when a commit had failed.
pub type WriterEnd = oneshot::Receiver<()>;

/// All rows of a commit for one statement.
struct Merged<'m> {
    statement: &'m Statement,
    sets: Vec<&'m [Vec<Arg>]>,
}

struct Worker {
    connection: Connection,
    statements: Arc<Statements>,
    path: PathBuf,
}

impl Worker {
    fn run(self, mut waiting: mpsc::Receiver<Request>) -> Result<(), StoreError> {
        let mut batch = Vec::with_capacity(BATCH);
        let mut went_well = Ok(());
        while went_well.is_ok() && waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
            went_well = self.commit_all(&mut batch, &waiting);
            if let Err(error) = &went_well {
                tracing::error!(%error, "a commit failed; nothing more is accepted");
            }
        }
        // A crash here loses nothing: the log is folded back at the next start.
        let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        went_well
    }

    /// Commits a batch; when a guard refuses, each write of it alone. `Err` is a broken disk or database.
    fn commit_all(&self, batch: &mut Vec<Request>, waiting: &mpsc::Receiver<Request>) -> Result<(), StoreError> {
        batch.retain(|request| !request.reply.is_closed());
        match self.commit(batch.iter().map(|request| &request.write), waiting) {
            Err(StoreError::Conflict(_)) if batch.len() > 1 => {
                for request in batch.drain(..) {
                    let answer = self.commit([&request.write].into_iter(), waiting);
                    answer_one(request, answer)?;
                }
                Ok(())
            }
            answer => {
                let gives_back = batch.iter().any(|request| request.write.gives_space_back);
                batch.drain(..).try_for_each(|request| answer_one(request, answer.clone()))?;
                if gives_back {
                    self.give_space_back();
                }
                Ok(())
            }
        }
    }

    /// In slices: each page that is moved is a page that is written.
    fn give_space_back(&self) {
        // What fails here fails again with the next commit, and is told there.
        let _ = self.connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_BACK})"));
    }

    fn commit<'w>(
        &self,
        writes: impl Iterator<Item = &'w Write>,
        waiting: &mpsc::Receiver<Request>,
    ) -> Result<(), StoreError> {
        let mut merged: BTreeMap<usize, Merged<'_>> = BTreeMap::new();
        for (name, rows) in writes.flat_map(|write| &write.sets) {
            let statement = self.statements.get(name);
            let statement = statement.ok_or_else(|| StoreError::Statement(name, "does not exist".to_owned()))?;
            if let Some(row) = rows.iter().find(|row| row.len() != statement.params) {
                let problem = format!("takes {} arguments, got {}", statement.params, row.len());
                return Err(StoreError::Statement(name, problem));
            }
            let merged = merged.entry(statement.rank).or_insert_with(|| Merged { statement, sets: Vec::new() });
            merged.sets.push(rows);
        }
        if merged.is_empty() {
            return Ok(());
        }
        let mut wait = FIRST_WAIT;
        loop {
            let Err(error) = self.transact(merged.values()) else { return Ok(()) };
            let refusal = self.roll_back(&error);
            if error.sqlite_error_code() != Some(ErrorCode::DiskFull) || waiting.is_closed() {
                return Err(refusal);
            }
            if wait == FIRST_WAIT {
                tracing::error!(error = %refusal, "the disk is full; everything waits until there is room");
            }
            std::thread::park_timeout(wait); // a thread of its own: nobody else is kept from working
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn transact<'m>(&self, merged: impl Iterator<Item = &'m Merged<'m>>) -> Result<(), rusqlite::Error> {
        crash_point("writer: before a transaction");
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        for Merged { statement, sets } in merged {
            let mut prepared = self.connection.prepare_cached(&statement.numbered)?;
            for row in sets.iter().copied().flatten() {
                for (place, arg) in row.iter().enumerate() {
                    prepared.raw_bind_parameter(place + 1, arg)?;
                }
                prepared.raw_execute()?;
            }
        }
        crash_point("writer: before its end");
        self.connection.prepare_cached("COMMIT")?.raw_execute()?;
        crash_point("writer: after its end");
        Ok(())
    }

    fn roll_back(&self, error: &rusqlite::Error) -> StoreError {
        // SQLite has rolled back by itself after some errors; then this has nothing to do and says so.
        let _ = self.connection.execute_batch("ROLLBACK");
        let message = error.to_string();
        if is_broken(error) {
            StoreError::Failed { action: "write to", path: self.path.clone(), message }
        } else {
            StoreError::Conflict(message)
        }
    }
}

/// Whether an error says that the disk or the file is at fault, rather than this write: after that nobody knows what
/// was kept.
fn is_broken(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, DatabaseCorrupt, DiskFull, NotADatabase, ReadOnly, SystemIoFailure};
    let code = error.sqlite_error_code();
    code.is_none_or(|code| {
        matches!(code, ReadOnly | SystemIoFailure | DatabaseCorrupt | DiskFull | CannotOpen | NotADatabase)
    })
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
