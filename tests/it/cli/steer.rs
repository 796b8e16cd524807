//! Steering an execution from another terminal, stopping the process, and starting again.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr};

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::support::binary::{Home, pid_of};

const HOLDS: &str = "name: Holds\nsteps:\n  - { type: test, name: First }\n  - { type: test, name: Long, id: long, config: { sleep: 600 } }\n  - { type: noop, name: Last }\n";

/// A run that stands in its second step, its id, and what it goes on to say.
fn holding(home: &Home) -> (Child, String, BufReader<ChildStderr>) {
    home.write("holds.yaml", HOLDS);
    let mut child = home.spawn(&["run", "holds.yaml", "--set", "retry_count=0"]);
    let mut says = BufReader::new(child.stderr.take().expect("piped"));
    let id = until(&mut says, "Workflow started: ").trim_start_matches("Workflow started: ").trim().to_owned();
    until(&mut says, "▸ Long");
    (child, id, says)
}

/// Reads lines until one begins like this.
fn until(says: &mut impl BufRead, start: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(says.read_line(&mut line).expect("readable") > 0, "it ended before it said `{start}`");
        if line.starts_with(start) {
            return line;
        }
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(pid_of(child), signal).expect("it is there");
}

#[test]
fn another_terminal_cancels_a_run() {
    let home = Home::new();
    let (mut child, id, _says) = holding(&home);
    let answer = home.run(&["cancel", &id]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    let view = home.run(&["status", &id, "--json"]).json();
    assert_eq!((view["status"].as_str(), view["steps"][1]["status"].as_str()), (Some("cancelled"), Some("cancelled")));
}

#[test]
fn ctrl_c_cancels_cleanly() {
    let home = Home::new();
    let (mut child, id, _says) = holding(&home);
    signal(&child, Signal::INT);
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    assert_eq!(home.run(&["status", &id, "--json"]).json()["status"], "cancelled");
}

#[test]
fn a_second_process_on_the_same_store_is_refused_with_the_owner() {
    let home = Home::new();
    let (mut child, id, _says) = holding(&home);
    let second = home.run(&["run", "holds.yaml"]);
    assert_eq!(second.code, 1);
    assert!(second.stderr.contains(&format!("process {}", child.id())), "{}", second.stderr);
    assert_eq!(home.run(&["health"]).code, 0);
    assert_eq!(home.run(&["status", &id, "--json"]).json()["status"], "running", "questions are answered beside it");
    home.run(&["cancel", &id]);
    child.wait().expect("it ends");
    assert_eq!(home.run(&["health"]).code, 1);
}

#[test]
fn a_killed_run_is_carried_on_and_no_completed_step_runs_again() {
    let home = Home::new();
    let (mut child, id, _says) = holding(&home);
    child.kill().expect("killed");
    child.wait().expect("it ends");
    let stale = home.run(&["status", &id, "--json"]).json();
    assert_eq!(stale["status"], "running", "what the store knows until somebody takes it up");
    let mut next = home.spawn(&["resume", &id]);
    let mut says = BufReader::new(next.stderr.take().expect("piped"));
    until(&mut says, "▸ Long");
    home.run(&["cancel", &id]);
    next.wait().expect("it ends");
    let log: Vec<String> = home
        .run(&["logs", &id, "--json"])
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    let count = |text: &str| log.iter().filter(|line| line.starts_with(text)).count();
    assert_eq!(count("First: attempt 1 started"), 1, "{log:?}");
    assert_eq!(count("Long: attempt 1 started"), 2, "a lost attempt is not counted: {log:?}");
    assert_eq!(count("Long: interrupted by a crash"), 1, "{log:?}");
}

#[test]
fn a_service_drains_on_sigterm_and_ends_with_zero() {
    let home = Home::new();
    let mut service = home.spawn(&["serve"]);
    let mut says = BufReader::new(service.stderr.take().expect("piped"));
    until(&mut says, "workflow ");
    assert_eq!(home.run(&["health"]).code, 0);
    signal(&service, Signal::TERM);
    assert_eq!(service.wait().expect("it ends").code(), Some(0));
    assert_eq!(home.run(&["health"]).code, 1);
}

#[test]
fn a_pause_from_another_terminal_holds_until_it_is_resumed() {
    let home = Home::new();
    home.write(
        "paused.yaml",
        "name: P\nsteps:\n  - { type: test, name: Short, config: { sleep: 0.3 } }\n  - { type: noop, name: Last }\n",
    );
    let mut child = home.spawn(&["run", "paused.yaml"]);
    let mut says = BufReader::new(child.stderr.take().expect("piped"));
    let id = until(&mut says, "Workflow started: ").trim_start_matches("Workflow started: ").trim().to_owned();
    until(&mut says, "▸ Short");
    assert_eq!(home.run(&["pause", &id]).code, 0);
    until(&mut says, "  paused");
    assert_eq!(home.run(&["status", &id, "--json"]).json()["steps"][1]["status"], "pending");
    assert_eq!(home.run(&["resume", &id]).code, 0);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn what_waits_for_people_says_with_which_words_it_goes_on() {
    let home = Home::new();
    let held = "{ type: test, id: t, retry: 0, on_error: ask, config: { fail: always } }";
    let asks = "{ type: approve, id: ok, config: { title: Pay?, allow_requester: true } }";
    home.write("held.yaml", &format!("name: Held\nsteps:\n  - {held}\n  - {asks}\n"));
    let mut child = home.spawn(&["run", "held.yaml"]);
    let mut says = BufReader::new(child.stderr.take().expect("piped"));
    until(&mut says, "  go on with: workflow retry ");
    let inbox = home.run(&["inbox"]).stdout;
    assert!(inbox.contains("? Test failed: WF3002") && inbox.contains("workflow skip exec_"), "{inbox}");
    assert_eq!(home.run(&["skip", "last", "--step", "t"]).code, 0);
    until(&mut says, "  decide with: workflow approve ");
    let inbox = home.run(&["inbox"]).stdout;
    assert!(inbox.contains("? Pay? (0 of 1 have approved)"), "{inbox}");
    assert_eq!(home.run(&["approve", "last", "--step", "ok"]).code, 0);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_failed_run_is_retried_from_the_terminal() {
    let home = Home::new();
    home.write("retry.yaml", "name: R\nsteps:\n  - { type: test, name: A }\n  - { type: assert, name: B, config: { that: false }, retry: 0 }\n");
    let view = home.run(&["run", "retry.yaml", "--json"]).json();
    let id = view["execution_id"].as_str().expect("an id");
    let again = home.run(&["retry", id, "--json"]);
    assert_eq!(again.code, 1, "it fails again: {}", again.stderr);
    let log = home.run(&["logs", id]).stdout;
    assert_eq!(log.matches("A: attempt 1 started").count(), 1, "{log}");
    assert_eq!(log.matches("B: attempt 1 started").count(), 2, "{log}");
    let wrong = home.run(&["retry", id, "--step", "9"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
}

#[test]
fn a_refused_command_does_not_set_an_interrupted_run_going() {
    let home = Home::new();
    let (mut child, id, _says) = holding(&home);
    child.kill().expect("killed");
    child.wait().expect("it ends");
    let refused = home.run(&["retry", &id]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let log = home.run(&["logs", &id]).stdout;
    assert_eq!(log.matches("Long: attempt 1 started").count(), 1, "{log}");
}
