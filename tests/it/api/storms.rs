//! Many hands on the same executions: whatever is asked at the same time, the journal explains every answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::support::dice::Dice;
use serde_json::{Value, json};
use workflow::domain::event::{Entry, Event};

use crate::support::service::Served;

const EXECUTIONS: usize = 60;
const HANDS: u64 = 8;
const CALLS: usize = 150;
const VERBS: [&str; 4] = ["pause", "resume", "cancel", "retry"];

/// How often a verb was answered with yes, by execution.
type Answers = BTreeMap<(String, &'static str), u32>;

/// One pair of hands: random verbs on random executions.
async fn hands(served: Arc<Served>, executions: Arc<Vec<String>>, seed: u64) -> Answers {
    let mut dice = Dice::new(seed);
    let mut yes = Answers::new();
    for _ in 0..CALLS {
        let execution = &executions[usize::try_from(dice.roll(executions.len() as u64)).expect("few")];
        let verb = VERBS[usize::try_from(dice.roll(VERBS.len() as u64)).expect("few")];
        let answer = served.post(&format!("/api/workflow/{execution}/{verb}"), &json!({})).await;
        match answer.status {
            200 => *yes.entry((execution.clone(), verb)).or_default() += 1,
            409 => assert!(answer.json["message"].as_str().is_some_and(|text| !text.is_empty()), "{}", answer.json),
            status => panic!("{verb} of {execution}: {status} {}", answer.json),
        }
    }
    yes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_pauses_resumes_cancels_and_retries_at_once_there_is_one_truth() {
    let served = Arc::new(Served::start());
    let steps = json!([
        { "type": "test", "config": { "sleep": "2ms" } },
        { "type": "test", "config": { "sleep": "2ms" }, "foreach": { "in": [1, 2, 3] } },
        { "type": "test", "retry": 0, "when": "${{ inputs.fails }}", "config": { "fail": "no luck" } },
    ]);
    let workflow = served.create("Storm", &steps).await;
    let mut executions = Vec::new();
    for place in 0..EXECUTIONS {
        executions.push(served.execute(&workflow, &json!({ "fails": place % 2 == 0 })).await);
    }
    let executions = Arc::new(executions);
    let all = (0..HANDS).map(|seed| tokio::spawn(hands(Arc::clone(&served), Arc::clone(&executions), seed)));
    let mut yes = Answers::new();
    for answers in futures::future::join_all(all).await {
        for (key, count) in answers.expect("no hands panic") {
            *yes.entry(key).or_default() += count;
        }
    }
    for execution in executions.iter() {
        loop {
            let view = served.get(&format!("/api/workflow/{execution}/status")).await.json;
            if !view["finished_at"].is_null() {
                break;
            }
            // Whoever was left standing goes on; one that was on its way already says so.
            served.post(&format!("/api/workflow/{execution}/resume"), &json!({})).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let served = Arc::into_inner(served).expect("nobody else has it");
    let home = served.kill();
    let database = rusqlite::Connection::open(home.path().join("workflows/workflow.db")).expect("it opens");
    for (place, execution) in executions.iter().enumerate() {
        let asked = |verb: &'static str| yes.get(&(execution.clone(), verb)).copied().unwrap_or_default();
        explained(&database, execution, place % 2 == 0, (asked("cancel"), asked("retry")));
    }
    assert_eq!(home.run(&["doctor"]).code, 0);
}

/// The journal of an execution allows what was answered: every retry opened it once, an acknowledged cancel is in it, and
/// between an end and the next opening nothing happened.
fn explained(database: &rusqlite::Connection, execution: &str, fails: bool, (cancels, retries): (u32, u32)) {
    let mut rows = database.prepare("SELECT events FROM journal WHERE run_id = ?1 ORDER BY seq").expect("a table");
    let texts = rows.query_map([execution], |row| row.get::<_, String>(0)).expect("rows");
    let events = texts.flat_map(|text| serde_json::from_str::<Vec<Entry>>(&text.expect("a row")).expect("events"));
    let (mut over, mut opened, mut cancelled, mut ends) = (false, 0, 0, Vec::new());
    for (_, event) in events {
        assert!(!over || matches!(event, Event::Reopened { .. }), "{execution}: {event:?} after its end");
        match event {
            Event::Reopened { .. } => (over, opened) = (false, opened + 1),
            Event::CancelAsked { .. } => cancelled += 1,
            Event::Finished { outcome } => {
                over = true;
                ends.push(outcome);
            }
            _ => {}
        }
    }
    assert!(over, "{execution} has no end");
    assert_eq!(opened, retries, "{execution}: every retry that was answered with yes opened it, and nothing else did");
    assert!(cancelled <= cancels, "{execution}: {cancelled} cancels of {cancels} that were acknowledged");
    assert!(cancels == 0 || cancelled > 0, "{execution}: a cancel was acknowledged and is not there");
    let last = serde_json::to_value(ends.last().expect("it ended")).expect("a word");
    let allowed = if fails { ["failed", "cancelled"] } else { ["completed", "cancelled"] };
    assert!(allowed.contains(&last.as_str().expect("a word")), "{execution}: {last}");
    let row: Value = database
        .query_row("SELECT status FROM run WHERE id = ?1", [execution], |row| row.get::<_, String>(0))
        .expect("a row")
        .into();
    assert_eq!(row, last, "{execution}: the row says what the journal says");
}
