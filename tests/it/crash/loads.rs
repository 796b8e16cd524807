//! SIGKILL while rows are on their way into a table.

use super::lives::Life;
use crate::support::binary::Home;
use crate::support::tables::ask;

const ROWS: usize = 30_000;

#[tokio::test]
async fn killed_while_loading_every_row_is_there_once() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("workflows/inbox")).expect("made");
    let rows = (0..ROWS).map(|n| format!("{n},text of row {n}\n"));
    let text: String = std::iter::once("id,text\n".to_owned()).chain(rows).collect();
    std::fs::write(home.path().join("workflows/inbox/rows.csv"), text).expect("written");
    let yaml = "name: Import\nsteps:\n  - { type: extract, config: { source: file, file: rows.csv } }\n  \
        - { type: load, config: { table: rows } }\n";
    home.write("import.yaml", yaml);
    // It says what it loads right before it does.
    for args in [&["run", "./import.yaml"][..], &["resume"]] {
        let mut life = Life::begin(&home, args);
        loop {
            let line = life.hear_line().unwrap_or_else(|| panic!("{args:?} ended before it loaded"));
            if line.contains("rows into") {
                break;
            }
        }
        life.kill();
    }
    let end = home.run(&["resume"]);
    assert_eq!(end.code, 0, "{}", end.stderr);
    let database = home.path().join("workflows/data.db");
    let found = ask(&database, "SELECT count(*), count(DISTINCT id), count(DISTINCT _run) FROM rows").await;
    assert_eq!(found, [[format!("INTEGER {ROWS}"), format!("INTEGER {ROWS}"), "INTEGER 1".to_owned()]]);
}
