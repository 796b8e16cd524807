//! A service that is stopped in good order again and again while it works: nothing counts as lost, nothing is done twice.

use serde_json::json;
use workflow::domain::event::{Entry, Event};

use crate::support::service::Served;

const CYCLES: usize = 5;
const STARTS: usize = 12;

#[tokio::test]
async fn stopped_five_times_under_load_it_loses_no_attempt_and_repeats_no_step() {
    let mut served = Served::with(&["max_concurrent=8"]);
    let step = |sleep: &str| json!({ "type": "test", "config": { "sleep": sleep } });
    let nap = json!({ "type": "wait", "config": { "for": "100ms" } });
    let each =
        json!({ "type": "test", "foreach": { "in": [1, 2, 3], "max_parallel": 2 }, "config": { "sleep": "60ms" } });
    served.create("Rolls", &json!([step("40ms"), each, nap, step("90ms")])).await;
    let mut started = Vec::new();
    for _ in 0..CYCLES {
        for _ in 0..STARTS {
            started.push(served.execute("rolls", &json!({})).await);
        }
        assert_eq!(served.stop(), 0, "an orderly stop is no failure");
        let home = served.kill();
        served = Served::within(home, &["max_concurrent=8"]);
    }
    for execution in &started {
        assert_eq!(served.finished(execution).await["status"], "completed");
    }
    assert_eq!(served.stop(), 0);
    let home = served.kill();
    let database = rusqlite::Connection::open(home.path().join("workflows/workflow.db")).expect("it opens");
    let mut journal = database.prepare("SELECT run_id, events FROM journal ORDER BY run_id, seq").expect("a table");
    let commits = journal.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let mut done = std::collections::BTreeSet::new();
    for commit in commits {
        let (run, events): (String, String) = commit.expect("a row");
        for (_, event) in serde_json::from_str::<Vec<Entry>>(&events).expect("events") {
            match event {
                Event::StepInterrupted { step, lost, .. } => assert!(!lost, "{run}: step {step} counts as lost"),
                Event::StepStarted { step, .. } => {
                    assert!(!done.contains(&(run.clone(), step)), "{run} did step {step} again");
                }
                Event::StepSucceeded { step, .. } => {
                    assert!(done.insert((run.clone(), step)), "{run}: step {step} twice");
                }
                _ => {}
            }
        }
    }
    assert_eq!(home.run(&["doctor"]).code, 0);
}
