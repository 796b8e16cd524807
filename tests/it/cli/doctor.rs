//! `workflow doctor`: says that all is well when it is, and where it is not when it is not.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::support::binary::{Home, fixture};

/// What somebody did to the database, and the promise that is broken by it.
const WOUNDS: &[(&str, &str)] = &[
    ("DELETE FROM journal WHERE seq = 2", "histories have no gaps"),
    ("DELETE FROM journal", "every accepted execution has a history"),
    ("UPDATE run SET parent_id = 'exec_gone'", "every begun execution has the one that began it"),
    (
        "UPDATE journal SET events = '[]' WHERE seq = (SELECT max(seq) FROM journal)",
        "an execution that is over says so in its history",
    ),
];

#[tokio::test]
async fn the_doctor_finds_what_was_broken_and_nothing_else() {
    let home = Home::new();
    let letter = fixture("documents/invoice.pdf");
    assert_eq!(home.run(&["run", "document_processing", "--file", &letter]).code, 0);
    let sound = home.run(&["doctor"]);
    assert_eq!(sound.code, 0, "{}{}", sound.stdout, sound.stderr);
    assert!(sound.stdout.contains("1 executions (0 open)"), "{}", sound.stdout);
    let database = home.path().join("workflows/workflow.db");
    let copy = std::fs::read(&database).expect("a database");
    for (wound, promise) in WOUNDS {
        std::fs::write(&database, &copy).expect("writable");
        strike(&database, wound).await;
        let ended = home.run(&["doctor", "--json"]);
        assert_eq!(ended.code, 1, "{wound}");
        let broken = ended.json()["checks"].as_array().expect("checks").clone();
        let named = broken.iter().any(|check| check["promise"] == *promise && check["holds"] == false);
        assert!(named, "{wound}: {}", ended.stdout);
    }
    std::fs::write(&database, &copy).expect("writable");
    let files = home.path().join("workflows/files");
    let content = first_file(&files).expect("the letter was kept");
    std::fs::write(content, "something else").expect("writable");
    let ended = home.run(&["doctor"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("✘ every file that is named is there, whole"), "{}", ended.stdout);
}

async fn strike(database: &std::path::Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(database).foreign_keys(false);
    let mut connection = options.connect().await.expect("a database");
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("it can be broken");
    sqlx::Connection::close(connection).await.expect("closed");
}

fn first_file(folder: &std::path::Path) -> Option<std::path::PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries.into_iter().find_map(|path| if path.is_dir() { first_file(&path) } else { Some(path) })
}
