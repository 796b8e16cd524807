//! `load` into a real database file: once, whatever happens, and nothing changed on the way.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use workflow::contract::step::{Attempt, Done};
use workflow::domain::code;
use workflow::domain::fault::Fault;
use workflow::domain::id::RunId;
use workflow::steps::data::Load;
use workflow::store::warehouse::Warehouse;

use super::{fed, run};
use crate::support::tables::{ask, count};

/// A warehouse in a folder of its own.
struct Bench {
    load: Load,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let load = Load::new(Warehouse::new(folder.path().join("data.db")));
        Self { load, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("data.db")
    }

    async fn put(&self, records: Value, config: Value) -> Result<Done, Fault> {
        run(&self.load, &loading(&records, config)).await
    }

    async fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        ask(&self.file(), sql).await
    }
}

fn loading(records: &Value, mut config: Value) -> Attempt {
    if config.get("table").is_none() {
        config["table"] = "t".into();
    }
    fed(&json!({ "records": records }), config)
}

fn of_run(run: u128, attempt: Attempt) -> Attempt {
    Attempt { run: RunId::from_bits(run), ..attempt }
}

#[tokio::test]
async fn a_repeat_of_a_step_replaces_what_it_brought_and_another_run_adds() {
    let bench = Bench::new();
    assert!(!bench.file().exists(), "an installation that never loads has no warehouse");
    let rows = json!([{"a": 1}, {"a": 2}]);
    bench.put(rows.clone(), json!({})).await.expect("loaded");
    let again = bench.put(rows.clone(), json!({})).await.expect("loaded");
    assert_eq!(again.outputs["loaded"]["replaced_from_earlier_attempt"], 2);
    assert_eq!(count(&bench.file(), "t").await, 2);
    let fewer = bench.put(json!([{"a": 3}]), json!({})).await.expect("loaded");
    assert_eq!(fewer.outputs["loaded"]["rows_in_table"], 1);
    run(&bench.load, &of_run(8, loading(&rows, json!({})))).await.expect("loaded");
    assert_eq!(
        bench.ask("SELECT a, _step, _row FROM t WHERE _run LIKE '%8' ORDER BY _row").await[1],
        ["INTEGER 2", "TEXT step", "INTEGER 2"]
    );
    assert_eq!(count(&bench.file(), "t").await, 3);
    assert_eq!(count(&bench.file(), "_loads").await, 2);
}

#[tokio::test]
async fn loads_at_the_same_time_take_turns() {
    let bench = Bench::new();
    let rows: Value = (0..500).map(|n| json!({ "n": n })).collect();
    let attempts: Vec<_> = (0..8).map(|n| of_run(n, loading(&rows, json!({})))).collect();
    let loads = attempts.iter().map(|attempt| run(&bench.load, attempt));
    assert!(futures::future::join_all(loads).await.iter().all(Result::is_ok));
    assert_eq!(count(&bench.file(), "t").await, 4_000);
}

#[tokio::test]
async fn a_load_that_is_stopped_leaves_nothing_behind() {
    let bench = Bench::new();
    bench.put(json!([{"n": 0}]), json!({})).await.expect("loaded");
    let rows: Value = (0..50_000).map(|n| json!({ "n": n, "text": "x".repeat(50) })).collect();
    let attempt = of_run(9, loading(&rows, json!({})));
    // The progress is told right before the rows go in.
    let cancel = attempt.cancel.clone();
    let attempt = Attempt { progress: std::sync::Arc::new(move |_| cancel.cancel()), ..attempt };
    let fault = run(&bench.load, &attempt).await.expect_err("stopped");
    assert_eq!(fault.code, code::WF4007);
    bench.put(json!([{"n": 1}]), json!({})).await.expect("the next load opens the file anew");
    assert_eq!(bench.ask("SELECT n FROM t").await, [["INTEGER 1"]]);
}

#[tokio::test]
async fn values_stay_what_they_are() {
    let bench = Bench::new();
    let row = json!({"zeros": "007", "huge": 18_446_744_073_709_551_615_u64, "least": i64::MIN, "real": 0.1, "whole": 7.0,
        "truth": true, "nothing": null, "list": [1, "a"], "text": "O'Brien \"; DROP TABLE t; -- \u{0} 漢字", "digits": "1e400"});
    bench.put(json!([row]), json!({})).await.expect("loaded");
    let found =
        bench.ask("SELECT zeros, huge, least, real, whole, truth, \"nothing\", list, text, digits FROM t").await;
    assert_eq!(
        found[0],
        [
            "TEXT 007",
            "TEXT 18446744073709551615",
            "INTEGER -9223372036854775808",
            "REAL 0.1",
            "REAL 7",
            "INTEGER 1",
            "NULL",
            "TEXT [1,\"a\"]",
            "TEXT O'Brien \"; DROP TABLE t; -- \u{0} 漢字",
            "TEXT 1e400",
        ]
    );
}

#[tokio::test]
async fn names_are_never_sql() {
    let bench = Bench::new();
    bench.put(json!([{"a": 1}]), json!({ "table": "precious" })).await.expect("loaded");
    let evil = "x\" TEXT); DROP TABLE precious; --";
    bench.put(json!([{ evil: 1, "select": 2, "a b": 3, "Größe": 4 }]), json!({})).await.expect("only odd names");
    assert_eq!(count(&bench.file(), "precious").await, 1);
    let names = bench.ask("SELECT name FROM pragma_table_info('t') LIMIT 4").await;
    assert_eq!(names[0], [format!("TEXT {evil}")]);
    for table in ["t; DROP TABLE precious", "precious\"", "_loads", "sqlite_schema", "", "main.t"] {
        let fault = bench.put(json!([{"a": 1}]), json!({ "table": table })).await.expect_err("no name");
        assert_eq!((fault.code, fault.place.as_deref()), (code::WF2430, Some("step.config.table")), "{table}");
    }
    for row in [json!({"_RUN": 1}), json!({"a": 1, "A": 2}), json!({"": 1}), json!({"a\nb": 1})] {
        let fault = bench.put(json!([row]), json!({})).await.expect_err("no name");
        assert_eq!(fault.code, code::WF2430, "{row}");
    }
}

#[tokio::test]
async fn a_typed_column_refuses_what_would_change_in_it_and_keeps_the_table_as_it_was() {
    let bench = Bench::new();
    let schema = json!({"properties": {"id": {"type": "integer"}, "price": {"type": "number"}}});
    let with = |records: Value| fed(&json!({"records": records, "schema": schema}), json!({ "table": "t" }));
    run(&bench.load, &with(json!([{"id": 1.0, "price": 38}]))).await.expect("loaded");
    assert_eq!(bench.ask("SELECT id, price FROM t").await, [["INTEGER 1", "REAL 38"]]);
    let fault = bench.put(json!([{"id": 2}, {"id": "007"}]), json!({})).await.expect_err("it would become 7");
    assert_eq!(fault.code, code::WF2431);
    assert_eq!(fault.message, "row 2: the text `007` cannot stand in the column `id` of `t`, which holds INTEGER");
    assert_eq!(count(&bench.file(), "t").await, 1);
    let wider = bench.put(json!([{"id": 3, "note": "new"}]), json!({})).await.expect("a column more");
    assert!(wider.warnings[0].contains("`note`"), "{:?}", wider.warnings);
}

#[tokio::test]
async fn replace_and_upsert_do_what_they_say() {
    let bench = Bench::new();
    bench.put(json!([{"k": "a", "v": 1}, {"k": "b", "v": 2}]), json!({})).await.expect("loaded");
    let upsert = json!({ "mode": "upsert", "key": "k" });
    let next = of_run(8, loading(&json!([{"k": "b", "v": 3}, {"k": "c", "v": 4}]), upsert.clone()));
    for _ in 0..2 {
        run(&bench.load, &next).await.expect("loaded");
        assert_eq!(
            bench.ask("SELECT k, v FROM t ORDER BY k").await,
            [["TEXT a", "INTEGER 1"], ["TEXT b", "INTEGER 3"], ["TEXT c", "INTEGER 4"]]
        );
    }
    for (rows, why) in [
        (json!([{"k": "x"}, {"k": null}]), "row 2: the key column `k` is empty"),
        (json!([{"k": "x"}, {"k": "x"}]), "rows 1 and 2 have the same key: the text `x`"),
        (json!([{"v": 1}]), "no row has the key column `k`"),
    ] {
        let fault = bench.put(rows, upsert.clone()).await.expect_err("no key");
        assert_eq!((fault.code, fault.message.as_str()), (code::WF2432, why));
    }
    let other = bench
        .put(json!([{"a": 1, "b": 2, "a_b": 3}]), json!({ "table": "u", "mode": "upsert", "key": ["a", "b"] }))
        .await;
    other.expect("loaded");
    let other =
        bench.put(json!([{"a": 4, "b": 5, "a_b": 3}]), json!({ "table": "u", "mode": "upsert", "key": "a_b" })).await;
    assert_eq!(other.expect("keys of alike names are not mixed up").outputs["loaded"]["rows_in_table"], 1);
    let twice = run(&bench.load, &of_run(11, loading(&json!([{"k": "c", "v": 9}]), json!({})))).await;
    assert_eq!(twice.expect_err("the table has this key").code, code::WF2432);
    for _ in 0..2 {
        bench.put(json!([{"other": 1}]), json!({ "mode": "replace" })).await.expect("loaded");
        assert_eq!(bench.ask("SELECT * FROM t").await[0][0], "INTEGER 1");
    }
    bench.put(json!([]), json!({ "mode": "replace" })).await.expect("emptied");
    assert_eq!(count(&bench.file(), "t").await, 0);
    for config in [
        json!({ "mode": "upsert" }),
        json!({ "key": "k" }),
        json!({ "destination": "postgres" }),
        json!({ "mode": "merge" }),
    ] {
        assert_eq!(bench.put(json!([]), config).await.expect_err("refused").code, code::WF2001);
    }
}

#[tokio::test]
async fn a_table_that_is_not_ours_is_left_alone() {
    use sqlx::{ConnectOptions as _, Connection as _};
    let bench = Bench::new();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(bench.file()).create_if_missing(true);
    let mut theirs = options.connect().await.expect("a database");
    sqlx::query("CREATE TABLE t (a)").execute(&mut theirs).await.expect("made");
    theirs.close().await.expect("closed");
    for mode in ["append", "replace"] {
        let fault = bench.put(json!([{"a": 1}]), json!({ "mode": mode })).await.expect_err("refused");
        assert_eq!(fault.code, code::WF2431);
    }
}

#[tokio::test]
async fn a_broken_file_is_told_and_mended_by_the_next_attempt() {
    let bench = Bench::new();
    std::fs::write(bench.file(), "this is no database, and long enough to be looked at as one".repeat(40))
        .expect("written");
    let fault = bench.put(json!([{"a": 1}]), json!({})).await.expect_err("broken");
    assert_eq!(fault.code, code::WF2433);
    std::fs::remove_file(bench.file()).expect("removed");
    bench.put(json!([{"a": 1}]), json!({})).await.expect("loaded");
}

#[tokio::test]
async fn a_hundred_thousand_rows_are_one_load() {
    let bench = Bench::new();
    let rows: Value =
        (0..100_000).map(|n| json!({"id": n, "name": format!("row {n}"), "price": f64::from(n) / 4.0})).collect();
    let done = bench.put(rows, json!({})).await.expect("loaded");
    assert_eq!(done.outputs["rows"], 100_000);
    let last = bench.ask("SELECT id, name, price, _row FROM t WHERE id = 99999").await;
    assert_eq!(last, [["INTEGER 99999", "TEXT row 99999", "REAL 24999.75", "INTEGER 100000"]]);
}
