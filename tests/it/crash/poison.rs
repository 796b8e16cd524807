//! One execution that kills the process whenever it runs: the others complete, and it is named.

use std::io::Read as _;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::binary::Home;
use crate::support::server::{Reply, Server, answer};
use crate::support::service::Served;

const GOOD: usize = 99;
/// What the world does with a request: nothing at all, then kills whoever asks, then answers.
const SILENT: usize = 0;
const DEADLY: usize = 1;
const CURED: usize = 2;
/// Starts after the first death: what the design allows one execution to cost.
const RESTARTS: usize = 4;

/// Kills whoever owns the store at this moment.
fn kill_owner(storage: &Path) {
    let note = std::fs::read_to_string(storage.join("workflow.db.lock")).unwrap_or_default();
    let pid = note.strip_prefix("process ").and_then(|rest| rest.split(',').next()?.parse().ok());
    let pid = pid.and_then(Pid::from_raw).unwrap_or_else(|| panic!("no owner: {note}"));
    let _ = kill_process(pid, Signal::KILL); // it may be dead already
}

/// The service again; what it says is read and forgotten.
fn serve(home: &Home, settings: &[&str]) -> Child {
    let mut child = home.spawn(&Served::args(settings));
    let mut says = child.stderr.take().expect("piped");
    std::thread::spawn(move || says.read_to_end(&mut Vec::new()));
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_kills_the_process_is_named_and_the_others_complete() {
    let home = Home::new();
    let storage = home.path().join("workflows");
    let mood = Arc::new(AtomicUsize::new(SILENT));
    let world = {
        let (storage, mood) = (storage.clone(), Arc::clone(&mood));
        Server::start(move |_| match mood.load(Ordering::SeqCst) {
            CURED => answer("200 OK", &[], "{}"),
            mood => {
                if mood == DEADLY {
                    kill_owner(&storage);
                }
                Reply::Hang(Vec::new())
            }
        })
        .await
    };
    let allowed = format!("egress_allow=127.0.0.1/32:{}", world.address.port());
    let settings = ["max_concurrent=8", allowed.as_str()];
    let served = Served::within(home, &settings);
    let url = json!({ "url": world.url("/deadly"), "method": "POST", "json": {} });
    served.create("Poison", &json!([{ "type": "noop" }, { "type": "fetch", "id": "deadly", "config": url }])).await;
    let slow = json!({ "type": "test", "config": { "sleep": "300ms" } });
    served.create("Good", &json!([slow, { "type": "noop" }])).await;
    let poison = served.execute("poison", &json!({})).await;
    for _ in 0..GOOD {
        served.execute("good", &json!({})).await;
    }
    while world.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    mood.store(DEADLY, Ordering::SeqCst);
    let home = served.kill();

    let mut restarts = 1;
    let mut child = serve(&home, &settings);
    let open = |home: &Home| {
        let listed = home.run(&["history", "--json", "--limit", "200"]).stdout;
        let ended = |line: &&str| line.contains("\"completed\"") || line.contains("\"failed\"");
        listed.lines().filter(|line| !ended(line)).count()
    };
    while open(&home) > 0 {
        if child.try_wait().expect("ours").is_some() {
            restarts += 1;
            assert!(restarts <= RESTARTS, "{}", home.run(&["logs", &poison]).stdout);
            child = serve(&home, &settings);
        }
    }
    let view = home.run(&["status", &poison, "--json"]).json();
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("WF4002")), "{view}");
    let listed = home.run(&["history", "--json", "--limit", "200"]).stdout;
    assert_eq!(listed.matches("\"completed\"").count(), GOOD, "{listed}");
    assert_eq!(world.requests().len(), 3, "it was started once in each of three lives");

    // The cause is gone: whoever retries it means it.
    mood.store(CURED, Ordering::SeqCst);
    let retried = home.run(&["retry", &poison]);
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    while open(&home) > 0 {}
    assert_eq!(home.run(&["status", &poison, "--json"]).json()["status"], "completed");
    kill_owner(&storage);
    child.wait().expect("ours");
}
