//! What comes again and again, in any order and through deaths of the service, is done once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use crate::support::dice::Dice;
use crate::support::service::{Served, client};

/// Each delivery comes so often.
const TIMES: usize = 4;
/// Senders at the same time.
const SENDERS: usize = 8;
/// Deaths while they send.
const KILLS: usize = 4;

/// Keys: `REPEAT_KEYS=10000 cargo test --test it crash::repeats` sends as many.
fn keys() -> usize {
    option_env!("REPEAT_KEYS").and_then(|keys| keys.parse().ok()).unwrap_or(300)
}

/// Every key so often, in an order of chance.
fn deliveries() -> Vec<usize> {
    let mut all: Vec<usize> = (0..keys() * TIMES).map(|place| place % keys()).collect();
    let mut dice = Dice::new(4_711);
    for place in (1..all.len()).rev() {
        all.swap(place, usize::try_from(dice.roll(place as u64 + 1)).expect("few"));
    }
    all
}

/// Sends one delivery until it is answered; the execution that it was told.
async fn deliver(client: &reqwest::Client, url: &watch::Receiver<String>, key: usize) -> String {
    loop {
        let path = format!("{}/api/workflow/short/execute", url.borrow().clone());
        let request = client.post(path).json(&json!({ "inputs": { "key": key } }));
        let sent = request.header("idempotency-key", format!("key-{key}")).send().await;
        if let Ok(answer) = sent {
            let status = answer.status().as_u16();
            if let Ok(text) = answer.text().await {
                match status {
                    200 => {
                        let told: Value = serde_json::from_str(&text).expect("JSON");
                        return told["execution_id"].as_str().expect("an id").to_owned();
                    }
                    409 | 503 => {} // it is being answered to somebody else, or the service is going
                    _ => panic!("{status} {text}"),
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await; // dead: somebody is waking it
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_comes_four_times_through_deaths_starts_one_execution() {
    let mut served = Served::start();
    served.create("Short", &json!([{ "type": "noop" }])).await;
    let (tell, url) = watch::channel(served.url.clone());
    let queue = Arc::new(Mutex::new(deliveries()));
    let sent = Arc::new(AtomicUsize::new(0));
    let told: Arc<Mutex<HashMap<usize, String>>> = Arc::default();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (queue, sent, told, url) = (Arc::clone(&queue), Arc::clone(&sent), Arc::clone(&told), url.clone());
            tokio::spawn(async move {
                let client = client();
                loop {
                    let Some(key) = queue.lock().await.pop() else { return };
                    let execution = deliver(&client, &url, key).await;
                    let mut told = told.lock().await;
                    let known = told.entry(key).or_insert_with(|| execution.clone());
                    assert_eq!(*known, execution, "key {key}");
                    sent.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for kill in 1..=KILLS {
        while sent.load(Ordering::SeqCst) < keys() * TIMES * kill / (KILLS + 1) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        served = Served::within(served.kill(), &[]);
        tell.send(served.url.clone()).expect("somebody listens");
    }
    for sender in senders {
        sender.await.expect("no sender panics");
    }
    let home = served.kill();
    let database = rusqlite::Connection::open(home.path().join("workflows/workflow.db")).expect("it opens");
    let runs: i64 = database.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).expect("a number");
    assert_eq!(usize::try_from(runs).expect("few"), keys(), "one execution for each key");
    assert_eq!(told.lock().await.len(), keys());
    assert_eq!(home.run(&["doctor"]).code, 0);
}
