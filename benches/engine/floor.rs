//! What the disk and SQLite give at best, through the same library.

use std::path::Path;
use std::time::Instant;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};

/// Per second.
pub struct Floor {
    /// Commits of one row.
    pub single: f64,
    /// Rows, a hundred to a commit.
    pub hundred: f64,
    /// Rows, a thousand to a commit.
    pub thousand: f64,
}

const PAD: &str =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// Measures on a database of its own in this folder.
pub async fn measure(folder: &Path) -> Floor {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("floor.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut connection = options.connect().await.expect("a database");
    let create = "CREATE TABLE row (id INTEGER PRIMARY KEY, pad TEXT NOT NULL)";
    connection.execute(create).await.expect("a table");
    let floor = Floor {
        single: rows_per_second(&mut connection, 2_000, 1).await,
        hundred: rows_per_second(&mut connection, 50_000, 100).await,
        thousand: rows_per_second(&mut connection, 200_000, 1_000).await,
    };
    connection.close().await.expect("closed");
    floor
}

async fn rows_per_second(connection: &mut SqliteConnection, rows: usize, batch: usize) -> f64 {
    let values = serde_json::to_string(&vec![PAD; batch]).expect("texts");
    let insert = "INSERT INTO row (pad) SELECT value FROM json_each($1)";
    let begin = Instant::now();
    for _ in 0..rows / batch {
        sqlx::query(AssertSqlSafe(insert)).bind(values.as_str()).execute(&mut *connection).await.expect("written");
    }
    rows as f64 / begin.elapsed().as_secs_f64()
}
