//! Asks the database itself, once nothing has it open, whether everything that must hold holds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use workflow::domain::event::{Entry, Event};
use workflow::domain::run::{Outcome, RunState};

use crate::support::binary::Home;

/// What is said and counted of one step.
#[derive(Default)]
struct StepCount {
    starts: u32,
    completed: u32,
    lost: u32,
    handed_back: u32,
}

/// A row of the journal.
struct Commit {
    run_id: String,
    seq: i64,
    events: String,
}

/// What the journals said together.
#[derive(Default)]
pub struct Totals {
    pub executions: usize,
    pub lost: u32,
}

/// Checks everything after so many kills; `accepted` are the ids that people were told.
pub fn check(home: &Home, accepted: &[String], kills: u32) -> Totals {
    let database = home.path().join("workflows/workflow.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (statuses, commits, steps, documents) = runtime.block_on(read(database));
    for id in accepted {
        assert!(statuses.contains_key(id), "{id} was accepted and is gone");
    }
    let mut totals = Totals { executions: statuses.len(), lost: 0 };
    for (id, status) in &statuses {
        assert_eq!(status, "completed", "{id}: {}", home.run(&["status", id]).stdout);
        let own: Vec<&Commit> = commits.iter().filter(|commit| commit.run_id == *id).collect();
        let numbers: Vec<i64> = own.iter().map(|commit| commit.seq).collect();
        assert_eq!(numbers, (1..=i64::try_from(own.len()).expect("few")).collect::<Vec<_>>(), "{id}: without a gap");
        let counts = count(id, &own);
        for (place, step) in &counts {
            assert_eq!(step.completed, 1, "{id}: step {place}");
            assert!(step.lost <= kills, "{id}: step {place} was lost {} times", step.lost);
            assert_eq!(step.starts, 1 + step.lost + step.handed_back, "{id}: step {place}");
            totals.lost += step.lost;
        }
        let kept: Vec<_> =
            steps.iter().filter(|(run, ..)| run == id).map(|(_, place, round, _)| (*place, *round)).collect();
        let places = i64::try_from(counts.len()).expect("few");
        assert_eq!(kept, (0..places).map(|place| (place, 0)).collect::<Vec<_>>(), "{id}: one row for each step");
        assert_eq!(documents.iter().filter(|run| *run == id).count(), 1, "{id}: searches find one document");
        let folded = home.run(&["status", id, "--json"]).json();
        assert_eq!(folded["status"], status.as_str(), "{id}: the fold of the journal is what the row says");
    }
    totals
}

/// Counts what the journal of an execution says, in order.
fn count(id: &str, commits: &[&Commit]) -> BTreeMap<usize, StepCount> {
    let mut counts: BTreeMap<usize, StepCount> = BTreeMap::new();
    let entries = commits.iter().flat_map(|commit| serde_json::from_str::<Vec<Entry>>(&commit.events).expect("events"));
    let mut last = None;
    for (_, event) in entries {
        match &event {
            Event::StepStarted { step, .. } => {
                let count = counts.entry(*step).or_default();
                assert_eq!(count.completed, 0, "{id}: step {step} was completed and started again");
                count.starts += 1;
            }
            Event::StepSucceeded { step, .. } => counts.entry(*step).or_default().completed += 1,
            Event::StepInterrupted { step, lost: true, .. } => counts.entry(*step).or_default().lost += 1,
            Event::StepInterrupted { step, .. } => counts.entry(*step).or_default().handed_back += 1,
            Event::StepRetrying { step, fault, .. } => panic!("{id}: step {step} failed: {fault}"),
            _ => {}
        }
        last = Some(event);
    }
    let ended = RunState::Finished(Outcome::Completed);
    assert!(
        matches!(last, Some(Event::Finished { outcome }) if RunState::Finished(outcome) == ended),
        "{id}: {last:?}"
    );
    counts
}

type Everything = (BTreeMap<String, String>, Vec<Commit>, Vec<(String, i64, i64, String)>, Vec<String>);

async fn read(database: PathBuf) -> Everything {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    let mut db: SqliteConnection = options.connect().await.expect("it opens");
    let whole: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut db).await.expect("it answers");
    assert_eq!(whole, "ok");
    let statuses = sqlx::query_as("SELECT id, status FROM run");
    let statuses: Vec<(String, String)> = statuses.fetch_all(&mut db).await.expect("runs");
    let commits = sqlx::query_as("SELECT run_id, seq, events FROM journal ORDER BY run_id, seq");
    let commits: Vec<(String, i64, String)> = commits.fetch_all(&mut db).await.expect("commits");
    let commits = commits.into_iter().map(|(run_id, seq, events)| Commit { run_id, seq, events }).collect();
    let steps = sqlx::query_as("SELECT run_id, position, generation, status FROM step ORDER BY 1, 2, 3");
    let steps = steps.fetch_all(&mut db).await.expect("steps");
    let documents = sqlx::query_scalar("SELECT run_id FROM document WHERE is_complete = 1");
    let documents = documents.fetch_all(&mut db).await.expect("documents");
    (statuses.into_iter().collect(), commits, steps, documents)
}
