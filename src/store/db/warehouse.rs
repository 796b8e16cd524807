//! The warehouse in SQLite: strict tables, one transaction for each load, one load at a time.
//!
//! The file is made by the first load. Names are quoted, values are bound; no text of a user is ever SQL.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use tokio::sync::Mutex;

use super::sqlite::options;
use crate::contract::crash::crash_point;
use crate::store::warehouse::{
    Batch, Cell, Column, Forgotten, Holds, Loaded, Mode, OWN, WarehouseError, check_columns,
};
use crate::store::warehouse::{check_table, quoted};

/// Parameters that one statement may have.
const PARAMETERS: usize = 32_766;
/// Rows that one statement brings at the most.
const CHUNK: usize = 250;
/// Which step of which run brought how many rows to which table.
const LEDGER: &str = "CREATE TABLE IF NOT EXISTS _loads (run TEXT NOT NULL, step TEXT NOT NULL, tbl TEXT NOT NULL, \
     mode TEXT NOT NULL, rows INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (run, step, tbl)) STRICT";

/// The tables of the user's own data. Cheap to clone; opened by its first load.
#[derive(Clone)]
pub struct Warehouse {
    path: PathBuf,
    connection: Arc<Mutex<Option<SqliteConnection>>>,
}

impl Warehouse {
    /// The warehouse in this file. Nothing is opened or made yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, connection: Arc::default() }
    }

    /// Brings these rows into their table: all of them, or none and the table stays as it was.
    ///
    /// # Errors
    /// See [`WarehouseError`].
    pub async fn load(&self, batch: Batch) -> Result<Loaded, WarehouseError> {
        check_table(&batch.table)?;
        check_columns(&batch.columns)?;
        let mut place = self.connection.lock().await;
        // Taken out, so that a connection that failed, or whose load was dropped halfway, is never used again.
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => self.open().await?,
        };
        let loaded = self.load_by(&mut connection, batch).await;
        if !matches!(loaded, Err(WarehouseError::Failed { .. })) {
            *place = Some(connection);
        }
        loaded
    }

    /// Takes away what a step of a run brought. `None`: it brought nothing that can be told from the rest.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget(&self, run: &str, step: &str) -> Result<Vec<Forgotten>, WarehouseError> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let mut place = self.connection.lock().await;
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => self.open().await?,
        };
        let forgotten = forget(&mut connection, run, step).await.map_err(|error| self.sort(&error))?;
        *place = Some(connection);
        Ok(forgotten)
    }

    async fn open(&self) -> Result<SqliteConnection, WarehouseError> {
        // Always in full: that a load is done stands in another file, and may be on the disk before its rows otherwise.
        let options = options(&self.path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", "67108864");
        options.connect().await.map_err(|error| failed("open", &self.path, &error))
    }

    async fn load_by(&self, connection: &mut SqliteConnection, batch: Batch) -> Result<Loaded, WarehouseError> {
        let trouble = |error: sqlx::Error| self.sort(&error);
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(trouble)?;
        let mut load = Load { connection: &mut transaction, path: &self.path, batch };
        let loaded = match load.run().await {
            Ok(loaded) => loaded,
            Err(Trouble::Ours(error)) => return Err(error), // dropping the transaction rolls it back
            Err(Trouble::Database(error)) => return Err(self.sort(&error)),
        };
        crash_point("load: before its end");
        transaction.commit().await.map_err(trouble)?;
        crash_point("load: after its end");
        Ok(loaded)
    }

    /// What the database says, by who can mend it.
    fn sort(&self, error: &sqlx::Error) -> WarehouseError {
        match error.as_database_error() {
            Some(found) if found.is_unique_violation() => {
                WarehouseError::Key("the table holds several rows with the same key".to_owned())
            }
            _ => failed("write to", &self.path, error),
        }
    }
}

async fn forget(connection: &mut SqliteConnection, run: &str, step: &str) -> Result<Vec<Forgotten>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(AssertSqlSafe(LEDGER)).execute(&mut *transaction).await?;
    let loads = sqlx::query("SELECT tbl, mode FROM _loads WHERE run = $1 AND step = $2").bind(run).bind(step);
    let mut forgotten = Vec::new();
    for load in loads.fetch_all(&mut *transaction).await? {
        let (table, mode) = (load.try_get::<String, _>("tbl")?, load.try_get::<String, _>("mode")?);
        let rows = if mode == Mode::Append.word() {
            let sql = format!("DELETE FROM {} WHERE _run = $1 AND _step = $2", quoted(&table));
            let rows = sqlx::query(AssertSqlSafe(sql)).bind(run).bind(step).execute(&mut *transaction).await?;
            let note = sqlx::query("DELETE FROM _loads WHERE run = $1 AND step = $2 AND tbl = $3");
            note.bind(run).bind(step).bind(&table).execute(&mut *transaction).await?;
            Some(rows.rows_affected())
        } else {
            None
        };
        forgotten.push(Forgotten { table, rows });
    }
    transaction.commit().await?;
    Ok(forgotten)
}

fn failed(action: &'static str, path: &Path, error: &sqlx::Error) -> WarehouseError {
    WarehouseError::Failed { action, path: path.to_owned(), message: error.to_string() }
}

/// Why a load stops.
enum Trouble {
    Ours(WarehouseError),
    Database(sqlx::Error),
}

impl From<WarehouseError> for Trouble {
    fn from(error: WarehouseError) -> Self {
        Self::Ours(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// One load, inside its transaction.
struct Load<'a> {
    connection: &'a mut SqliteConnection,
    path: &'a Path,
    batch: Batch,
}

impl Load<'_> {
    async fn run(&mut self) -> Result<Loaded, Trouble> {
        self.execute(LEDGER.to_owned()).await?;
        let mut columns = self.columns().await?;
        if self.batch.mode == Mode::Replace && !columns.is_empty() {
            columns = self.empty(columns).await?;
        }
        let created = columns.is_empty();
        let added = if created { self.create().await? } else { self.widen(&columns).await? };
        for column in &self.batch.columns {
            let holds = columns.get(&column.name.to_ascii_lowercase()).copied().unwrap_or(column.holds);
            check_cells(&self.batch, column, holds)?;
        }
        let repeated = self.forget().await?;
        let rows = self.batch.rows.len() as u64;
        self.index().await?;
        self.insert().await?;
        self.note(rows).await?;
        let total: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {}", self.table())))
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(Loaded { rows, repeated, total: total.unsigned_abs(), created, added })
    }

    fn table(&self) -> String {
        quoted(&self.batch.table)
    }

    async fn execute(&mut self, sql: String) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(&mut *self.connection).await?.rows_affected())
    }

    /// The columns that the table has, by name in small letters; none when there is no table.
    async fn columns(&mut self) -> Result<HashMap<String, Holds>, Trouble> {
        let rows = sqlx::query("SELECT lower(name) AS name, type FROM pragma_table_info($1)")
            .bind(self.batch.table.clone())
            .fetch_all(&mut *self.connection)
            .await?;
        let mut columns = HashMap::with_capacity(rows.len());
        for row in rows {
            columns.insert(row.try_get::<String, _>("name")?, Holds::of(&row.try_get::<String, _>("type")?));
        }
        if columns.is_empty() || OWN.iter().all(|own| columns.contains_key(*own)) {
            return Ok(columns);
        }
        let message = format!(
            "the table `{}` in `{}` was not made by a load: it has no columns `_run`, `_step` and `_row`",
            self.batch.table,
            self.path.display()
        );
        Err(WarehouseError::Unfit(message).into())
    }

    /// Makes room for a replacement: with columns to come the table is made anew, else only its rows go.
    async fn empty(&mut self, columns: HashMap<String, Holds>) -> Result<HashMap<String, Holds>, Trouble> {
        if self.batch.rows.is_empty() && !self.batch.declared {
            self.execute(format!("DELETE FROM {}", self.table())).await?;
            return Ok(columns);
        }
        self.execute(format!("DROP TABLE {}", self.table())).await?;
        Ok(HashMap::new())
    }

    async fn create(&mut self) -> Result<Vec<String>, Trouble> {
        let mut sql = format!("CREATE TABLE {} (", self.table());
        for Column { name, holds } in &self.batch.columns {
            let _ = write!(sql, "{} {}, ", quoted(name), holds.word()); // writing to a String cannot fail
        }
        sql.push_str("_run TEXT NOT NULL, _step TEXT NOT NULL, _row INTEGER NOT NULL) STRICT");
        self.execute(sql).await?;
        let index = quoted(&format!("_by_run_{}", self.batch.table));
        self.execute(format!("CREATE INDEX {index} ON {} (_run, _step)", self.table())).await?;
        Ok(Vec::new())
    }

    /// Adds the columns that the table does not have yet.
    async fn widen(&mut self, columns: &HashMap<String, Holds>) -> Result<Vec<String>, Trouble> {
        let new = |column: &&Column| !columns.contains_key(&column.name.to_ascii_lowercase());
        let added: Vec<Column> = self.batch.columns.iter().filter(new).cloned().collect();
        for Column { name, holds } in &added {
            self.execute(format!("ALTER TABLE {} ADD COLUMN {} {}", self.table(), quoted(name), holds.word())).await?;
        }
        Ok(added.into_iter().map(|column| column.name).collect())
    }

    /// Takes away what an earlier attempt of this step brought.
    async fn forget(&mut self) -> Result<u64, Trouble> {
        if self.batch.mode != Mode::Append {
            return Ok(0); // replaced already, or to be replaced by key
        }
        let sql = format!("DELETE FROM {} WHERE _run = $1 AND _step = $2", self.table());
        let query = sqlx::query(AssertSqlSafe(sql)).bind(self.batch.run.clone()).bind(self.batch.step.clone());
        Ok(query.execute(&mut *self.connection).await?.rows_affected())
    }

    /// The index without which the database does not notice that a key is there.
    async fn index(&mut self) -> Result<(), Trouble> {
        let Mode::Upsert(key) = &self.batch.mode else { return Ok(()) };
        let known = |name: &String| self.batch.columns.iter().any(|column| &column.name == name);
        if let Some(missing) = key.iter().find(|name| !known(name)).filter(|_| !self.batch.rows.is_empty()) {
            return Err(WarehouseError::Key(format!("no row has the key column `{missing}`")).into());
        }
        if self.batch.rows.is_empty() {
            return Ok(());
        }
        check_keys(&self.batch, key)?;
        let columns: Vec<_> = key.iter().map(|name| quoted(name)).collect();
        let index = quoted(&format!("_key_{}({})", self.batch.table, columns.join(", ")));
        let sql = format!("CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {} ({})", self.table(), columns.join(", "));
        self.execute(sql).await?;
        Ok(())
    }

    async fn insert(&mut self) -> Result<(), Trouble> {
        let width = self.batch.columns.len() + OWN.len();
        let chunk = CHUNK.min(PARAMETERS / width).max(1);
        let rows = std::mem::take(&mut self.batch.rows);
        let mut rows = rows.into_iter().enumerate();
        loop {
            let next: Vec<_> = rows.by_ref().take(chunk).collect();
            if next.is_empty() {
                return Ok(());
            }
            let mut query = sqlx::query(AssertSqlSafe(self.insertion(next.len(), width)));
            for (number, cells) in next {
                for cell in cells {
                    query = match cell {
                        Cell::Null => query.bind(None::<i64>),
                        Cell::Int(number) => query.bind(number),
                        Cell::Real(number) => query.bind(number),
                        Cell::Text(text) => query.bind(text),
                    };
                }
                let row = i64::try_from(number + 1).unwrap_or(i64::MAX);
                query = query.bind(self.batch.run.clone()).bind(self.batch.step.clone()).bind(row);
            }
            query.execute(&mut *self.connection).await?;
        }
    }

    fn insertion(&self, rows: usize, width: usize) -> String {
        let data: Vec<_> = self.batch.columns.iter().map(|column| quoted(&column.name)).collect();
        let names: Vec<&str> = data.iter().map(String::as_str).chain(OWN).collect();
        let values = format!("({})", vec!["?"; width].join(", "));
        let mut sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            self.table(),
            names.join(", "),
            vec![values.as_str(); rows].join(", ")
        );
        if let Mode::Upsert(key) = &self.batch.mode {
            let key: Vec<_> = key.iter().map(|name| quoted(name)).collect();
            let set: Vec<_> = names.iter().map(|name| format!("{name} = excluded.{name}")).collect();
            let _ = write!(sql, " ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", "));
        }
        sql
    }

    async fn note(&mut self, rows: u64) -> Result<(), Trouble> {
        sqlx::query("INSERT OR REPLACE INTO _loads (run, step, tbl, mode, rows, at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(self.batch.run.clone())
            .bind(self.batch.step.clone())
            .bind(self.batch.table.clone())
            .bind(self.batch.mode.word())
            .bind(i64::try_from(rows).unwrap_or(i64::MAX))
            .bind(self.batch.at.clone())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

/// Refuses a value that would not stay the same in its column.
fn check_cells(batch: &Batch, column: &Column, holds: Holds) -> Result<(), WarehouseError> {
    let at = batch.columns.iter().position(|other| other.name == column.name).unwrap_or_default();
    let unfit = batch.rows.iter().enumerate().find(|(_, cells)| !holds.takes(&cells[at]));
    let Some((row, cells)) = unfit else { return Ok(()) };
    Err(WarehouseError::Unfit(format!(
        "row {}: {} cannot stand in the column `{}` of `{}`, which holds {}",
        row + 1,
        cells[at],
        column.name,
        batch.table,
        holds.word()
    )))
}

/// Refuses rows without a key, and two rows with the same.
fn check_keys(batch: &Batch, key: &[String]) -> Result<(), WarehouseError> {
    let places: Vec<usize> =
        key.iter().filter_map(|name| batch.columns.iter().position(|column| &column.name == name)).collect();
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(batch.rows.len());
    for (row, cells) in batch.rows.iter().enumerate() {
        let values: Vec<&Cell> = places.iter().map(|at| &cells[*at]).collect();
        if let Some(at) = values.iter().position(|cell| **cell == Cell::Null) {
            return Err(WarehouseError::Key(format!("row {}: the key column `{}` is empty", row + 1, key[at])));
        }
        if let Some(first) = seen.insert(format!("{values:?}"), row) {
            let message = format!("rows {} and {} have the same key: {}", first + 1, row + 1, values[0]);
            return Err(WarehouseError::Key(message));
        }
    }
    Ok(())
}
