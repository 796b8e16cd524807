//! The disk takes nothing more: nothing is acknowledged after that, and the next start carries on.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::binary::Home;
use crate::support::service::{Served, form};

const STEPS: usize = 80;

/// The binary in a process that may not write any file beyond this size.
fn cramped(home: &Home, blocks: u64, args: &[&str]) -> (Option<i32>, String) {
    let ready = home.command(args);
    let mut shell = Command::new("sh");
    // Without the trap the kernel would end the process instead of refusing the write.
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()]);
    shell.arg(ready.get_program()).args(ready.get_args()).current_dir(home.path()).stdin(Stdio::null());
    let output = shell.output().expect("sh is there");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn when_the_disk_fails_every_command_ends_with_74_and_the_next_start_carries_on() {
    let home = Home::new();
    home.write("short.yaml", "name: Short\nsteps:\n  - { type: noop }\n");
    assert_eq!(home.run(&["run", "short.yaml"]).code, 0);
    let steps: String = (0..STEPS).map(|step| format!("  - {{ type: test, name: Step {step} }}\n")).collect();
    home.write("long.yaml", &format!("name: Long\nsteps:\n{steps}"));

    // The log of the database, which begins empty, has room for some commits, never for all of them.
    let size = std::fs::metadata(home.path().join("workflows/workflow.db")).expect("it is there").len();
    let blocks = size / 512 + 8;
    let (code, said) = cramped(&home, blocks, &["run", "long.yaml"]);
    assert_eq!(code, Some(74), "{said}");
    let id = said.lines().find_map(|line| line.strip_prefix("Workflow started: ")).expect(&said).to_owned();
    let completed = |said: &str| said.lines().filter(|line| line.starts_with('✔')).count();
    let kept = home.run(&["logs", &id]).stdout.matches(": completed").count();
    assert!(completed(&said) <= kept && kept < STEPS, "{kept} are kept: {said}");

    let (code, said) = cramped(&home, blocks, &["resume", &id]);
    assert_eq!(code, Some(74), "{said}");
    let (code, said) = cramped(&home, blocks, &["resume"]);
    assert_eq!(code, Some(74), "{said}");
    let (code, said) = cramped(&home, 1, &["run", "short.yaml"]);
    assert_eq!(code, Some(74), "{said}");

    let end = home.run(&["resume"]);
    assert_eq!(end.code, 0, "{}", end.stderr);
    let log = home.run(&["logs", &id]).stdout;
    assert_eq!(log.matches(": completed").count(), STEPS, "{log}");
}

/// No disk has so much room.
const NEVER_ENOUGH: &str = "min_free_disk=1000000GB";

#[tokio::test]
async fn on_a_disk_that_is_nearly_full_nothing_new_is_taken_in_and_what_is_under_way_ends() {
    let served = Served::start();
    let steps = json!([{ "type": "wait", "id": "gate", "config": { "event": "go" } }, { "type": "test" }]);
    let workflow = served.create("Waits", &steps).await;
    let ends = served.execute(&workflow, &json!({})).await;
    let cancelled = served.execute(&workflow, &json!({})).await;
    let full = Served::within(served.kill(), &[NEVER_ENOUGH]);

    let refused = full.post(&format!("/api/workflow/{workflow}/execute"), &json!({ "inputs": {} })).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (507, Some("WF5133")), "{}", refused.json);
    let (kind, body) = form(&[("file", "a.txt", b"words")]);
    let upload = full.request(reqwest::Method::POST, "/api/files").header("content-type", kind).body(body);
    assert_eq!(crate::support::service::answer(upload).await.status, 507);
    let said = json!({ "client_id": "1", "text": "/workflow run Waits" });
    assert_eq!(full.post("/api/chat/general/messages", &said).await.status, 200, "people are told in the chat");

    assert_eq!(full.get("/healthz").await.status, 200);
    let cancel = full.post(&format!("/api/workflow/{cancelled}/cancel"), &json!({})).await;
    assert_eq!(cancel.status, 200, "{}", cancel.json);
    loop {
        let sent = full.post(&format!("/api/workflow/{ends}/signal"), &json!({ "event": "go" })).await;
        if sent.status == 200 {
            break;
        }
    }
    assert_eq!(full.finished(&ends).await["status"], "completed");
    assert_eq!(full.finished(&cancelled).await["status"], "cancelled");

    let home = full.kill();
    let terminal = home.run(&["run", "waits", "--set", NEVER_ENOUGH]);
    assert_eq!(terminal.code, 75, "{}", terminal.stderr);
    assert!(terminal.stderr.contains("min_free_disk"), "{}", terminal.stderr);
    let again = Served::within(home, &[]);
    again.execute(&workflow, &json!({})).await;
}
