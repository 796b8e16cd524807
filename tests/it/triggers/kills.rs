//! kill -9 around the instants of a schedule: at most one run an instant, and every instant is accounted for.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::binary::Home;

const EVERY_SECOND: &str = "name: Often
steps: [{ type: noop }]
triggers:
  - { id: s, type: schedule, cron: \"* * * * * *\", tz: UTC, overlap: allow, misfire: { policy: all, window: 1h, max: 100 } }
";

/// One life, which ends at this place or when its time is up.
fn live(home: &Home, armed: Option<&str>, at_most: Duration) {
    let mut command = home.command(&["serve", "--set", "listen=127.0.0.1:0", "--set", "schedule_min_interval=1"]);
    if let Some(armed) = armed {
        command.env("CRASH_POINT", armed);
    }
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let until = Instant::now() + at_most;
    while Instant::now() < until && child.try_wait().expect("it can be asked").is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill(); // it may have died already, as it was told
    child.wait().expect("it ends");
}

#[test]
fn lives_that_end_around_fire_instants_start_no_instant_twice_and_lose_none() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("workflows/templates")).expect("made");
    home.write("workflows/templates/often.yaml", EVERY_SECOND);
    let places = [
        "6:writer: before a transaction",
        "7:writer: before its end",
        "8:writer: after its end",
        "2:run: accepted",
        "2:run: after an outcome",
        "11:writer: before its end",
        "12:writer: after its end",
    ];
    for place in places {
        live(&home, Some(place), Duration::from_secs(8));
    }
    live(&home, None, Duration::from_secs(6));
    let database = rusqlite::Connection::open(home.path().join("workflows/workflow.db")).expect("it opens");
    let mut rows = database
        .prepare("SELECT nominal, until, count, run_id, trigger_key FROM firing ORDER BY nominal")
        .expect("a table");
    let rows: Vec<(i64, i64, i64, Option<String>)> = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    assert!(rows.len() > 10, "{} firings", rows.len());
    let mut after = rows[0].0;
    let mut runs: BTreeMap<&String, i64> = BTreeMap::new();
    for (nominal, until, count, run) in &rows {
        assert_eq!(*nominal, after, "an instant is missing or comes twice");
        assert_eq!((until - nominal) / 1_000_000 + 1, *count);
        after = until + 1_000_000;
        if let Some(run) = run {
            assert!(runs.insert(run, *nominal).is_none(), "{run} stands for two instants");
        }
    }
    let kept: i64 = database.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).expect("a number");
    assert_eq!(usize::try_from(kept).expect("few"), runs.len(), "every run has its firing, and every firing its run");
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{}", doctor.stdout);
}
