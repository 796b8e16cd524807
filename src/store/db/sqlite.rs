//! SQLite: one file, one writer, readers apart. Write-ahead log, synchronous FULL unless relaxed on purpose.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqlitePool};

use super::failure::StoreError;
use super::lock::OwnerLock;
use super::migrate;
use super::statement::Statements;
use super::value::{self, Arg, Row};
use super::writer::{Write, Writer, WriterEnd};
use super::{Durability, Settings};
use crate::contract::crash::crash_point;

/// Below this version a write-ahead log could be reset under a reader's feet and corrupt the file.
const OLDEST_VERSION: &str = "3.51.3";
const READERS: u32 = 4;
/// How long a connection waits for another one that is in its way.
const BUSY: Duration = Duration::from_secs(5);
/// Pages in the log before they are folded back: 32 MiB. Pages of the newest runs change with every commit; the longer they
/// stay in the log, the fewer times they are written to their place.
const LOG_PAGES: u32 = 8_192;
/// Larger files are not looked through after a crash: that would take longer than a second or two.
const LONGEST_LOOK: u64 = 512 * 1024 * 1024;
/// Statements that the writer keeps prepared: all there are.
const STATEMENTS: usize = 160;

/// An open SQLite database. Cheap to clone.
#[derive(Clone)]
pub struct Sqlite {
    path: PathBuf,
    readers: SqlitePool,
    statements: Arc<Statements>,
    owner: Option<Arc<Owner>>,
}

/// What only the owning process has.
struct Owner {
    writer: Mutex<Option<Writer>>,
    end: tokio::sync::Mutex<Option<WriterEnd>>,
    lock: Mutex<Option<OwnerLock>>,
}

impl Sqlite {
    pub async fn open(settings: &Settings) -> Result<Self, StoreError> {
        let path = settings.database.clone();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed("create the folder of", &path, &error))?;
        }
        let mut lock = OwnerLock::take(&path)?;
        let size = std::fs::metadata(&path).map_or(0, |file| file.len());
        if lock.before().made && size == 0 {
            return Err(StoreError::Gone { path });
        }
        let options = options(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        // A file that is there keeps what it has; saying it again would write to it before it was looked at.
        let options = if size == 0 { options.auto_vacuum(SqliteAutoVacuum::Incremental) } else { options };
        let mut connection = options.connect().await.map_err(|error| unopened(&path, &error))?;
        refuse_old_library(&mut connection, &path).await?;
        if !lock.before().closed && (1..LONGEST_LOOK).contains(&size) {
            refuse_damage(&mut connection, &path).await?;
        }
        migrate::migrate(&mut connection, "sqlite", &path).await?;
        crash_point("start: the schema is up to date");
        fold_back(&mut connection, &path).await?;
        crash_point("start: the log is folded back");
        lock.note_made();
        let statements = Arc::new(Statements::load("sqlite"));
        connection.close().await.map_err(|error| failed("open", &path, &error))?;
        let connection = writing(&path, settings.durability).map_err(|error| failed("open", &path, &error))?;
        let (writer, end) = Writer::start(connection, Arc::clone(&statements), &path)?;
        let owner = Owner {
            writer: Mutex::new(Some(writer)),
            end: tokio::sync::Mutex::new(Some(end)),
            lock: Mutex::new(Some(lock)),
        };
        let readers = readers(&path);
        Ok(Self { path, readers, statements, owner: Some(Arc::new(owner)) })
    }

    pub async fn open_for_reading(settings: &Settings) -> Result<Self, StoreError> {
        let path = settings.database.clone();
        if !path.exists() {
            return Err(StoreError::Absent(path));
        }
        let this = Self::nowhere(settings);
        this.readers.acquire().await.map_err(|error| failed("open", &path, &error))?;
        Ok(this)
    }

    pub fn nowhere(settings: &Settings) -> Self {
        let path = settings.database.clone();
        let readers = readers(&path);
        Self { path, readers, statements: Arc::new(Statements::load("sqlite")), owner: None }
    }

    pub async fn read(&self, statement: &'static str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        let found = self.statements.get(statement);
        let found = found.ok_or_else(|| StoreError::Statement(statement, "does not exist".to_owned()))?;
        if found.params != args.len() {
            let problem = format!("takes {} arguments, got {}", found.params, args.len());
            return Err(StoreError::Statement(statement, problem));
        }
        let query = args.into_iter().fold(sqlx::query(found.text), value::bind);
        let rows = query.fetch_all(&self.readers).await.map_err(|error| failed("read", &self.path, &error))?;
        Ok(rows.into_iter().map(|row| Row::new(row, statement)).collect())
    }

    pub async fn write(&self, write: Write) -> Result<(), StoreError> {
        let writer = self.owner.as_ref().and_then(|owner| lock(&owner.writer).clone());
        writer.ok_or(StoreError::Closed)?.write(write).await
    }

    pub async fn close(&self) {
        self.readers.close().await;
        let Some(owner) = &self.owner else { return };
        lock(&owner.writer).take();
        let end = owner.end.lock().await.take();
        let ended = match end {
            Some(end) => end.await.is_ok(), // a writer that broke has logged why
            None => false,
        };
        crash_point("stop: the log is folded back");
        if let Some(mut held) = lock(&owner.lock).take()
            && ended
        {
            held.note_closed();
        }
    }
}

/// The connection of the one writer. It speaks to SQLite without a thread and a channel in between: a step costs two
/// rows, and each row one call.
fn writing(path: &Path, durability: Durability) -> Result<Connection, rusqlite::Error> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Relaxed => "NORMAL",
    };
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA mmap_size = 0; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = {LOG_PAGES};"
    ))?;
    Ok(connection)
}

/// A lock whose holder panicked still guards a whole value here: only whole values are put in or taken.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What every connection of ours is.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .pragma("trusted_schema", "OFF")
        .pragma("mmap_size", "0");
    options.disable_statement_logging() // our own spans say more
}

fn readers(path: &Path) -> SqlitePool {
    let options = options(path).read_only(true).pragma("query_only", "ON");
    SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options)
}

/// Puts what a process that died has left in the log into the database, synced. It may have died of a sync that failed:
/// then what we read of the log was never on the disk, and nothing new may rest on it.
async fn fold_back(connection: &mut sqlx::SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await;
    folded.map(drop).map_err(|error| failed("fold the log into", path, &error))
}

/// Why the file could not be opened: what is in it, or what stands in the way.
fn unopened(path: &Path, error: &sqlx::Error) -> StoreError {
    const CORRUPT: &str = "11";
    const NOTADB: &str = "26";
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some(CORRUPT | NOTADB) => StoreError::Damaged { path: path.to_owned(), found: error.to_string() },
        _ => failed("open", path, error),
    }
}

/// After a crash the file is looked through: its pages, indexes and types. Whoever writes into a damaged one makes it worse.
async fn refuse_damage(connection: &mut sqlx::SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let found: Result<Vec<String>, _> = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_all(connection).await;
    let found = found.unwrap_or_else(|error| vec![error.to_string()]);
    match found.into_iter().find(|line| line != "ok") {
        None => Ok(()),
        Some(found) => Err(StoreError::Damaged { path: path.to_owned(), found }),
    }
}

async fn refuse_old_library(connection: &mut sqlx::SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(|error| failed("open", path, &error))?;
    let number = |text: &str| text.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    if number(&version) < number(OLDEST_VERSION) {
        let message = format!("the SQLite library is {version}; {OLDEST_VERSION} or newer is needed");
        return Err(StoreError::Failed { action: "open", path: path.to_owned(), message });
    }
    Ok(())
}

fn failed(action: &'static str, path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed { action, path: path.to_owned(), message: error.to_string() }
}
