//! What stands in a warehouse, read by somebody who is not us.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};

/// The answer to a question, each value written with its type: `INTEGER 7`, `TEXT 007`, `NULL`.
pub async fn ask(database: &Path, sql: &str) -> Vec<Vec<String>> {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    let mut connection = options.connect().await.expect("a database");
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.expect("an answer");
    let _ = connection.close().await;
    rows.iter().map(|row| (0..row.len()).map(|at| shown(row, at)).collect()).collect()
}

/// How many rows a table has.
pub async fn count(database: &Path, table: &str) -> u64 {
    let answer = ask(database, &format!("SELECT count(*) FROM {table}")).await;
    answer[0][0].strip_prefix("INTEGER ").expect("a number").parse().expect("a number")
}

fn shown(row: &SqliteRow, at: usize) -> String {
    let raw = row.try_get_raw(at).expect("a column");
    if raw.is_null() {
        return "NULL".to_owned();
    }
    let kind = raw.type_info().name().to_owned();
    let text = match kind.as_str() {
        "INTEGER" => row.get_unchecked::<i64, _>(at).to_string(),
        "REAL" => row.get_unchecked::<f64, _>(at).to_string(),
        _ => row.get_unchecked::<String, _>(at),
    };
    format!("{kind} {text}")
}
