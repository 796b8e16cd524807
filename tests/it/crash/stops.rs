//! Between crashes: a second process, and a stop in good order.

use rustix::process::{Signal, kill_process};

use super::audit;
use super::lives::{Life, log};
use crate::support::binary::{Home, pid_of};

#[test]
fn a_service_takes_over_after_a_kill_alone_and_hands_back_on_sigterm() {
    let home = Home::new();
    let mut life = Life::run(&home, &["scan-de.png", "mixed.pdf", "tables.docx"]);
    life.hear_started(3);
    let started = life.kill();

    let mut service = Life::begin(&home, &["serve"]);
    service.hear();
    let second = home.run(&["serve"]);
    assert_eq!(second.code, 1);
    assert!(second.stderr.contains(&format!("process {}", service.child.id())), "{}", second.stderr);
    let reads = |line: &String| line.starts_with("Extract Text: attempt 1 started");
    while !log(&home, &started[0]).iter().any(reads) {}
    kill_process(pid_of(&service.child), Signal::TERM).expect("it is there");
    assert_eq!(service.child.wait().expect("it ends").code(), Some(0));
    let before: Vec<Vec<String>> = started.iter().map(|id| log(&home, id)).collect();
    for log in &before {
        let last = log.last().expect("it was accepted");
        assert!(["completed", "accepted", "given back; waits for a place"].contains(&last.as_str()), "{log:?}");
    }

    let end = home.run(&["resume"]);
    assert_eq!(end.code, 0, "{}", end.stderr);
    audit::check(&home, &started, 1);
    for (id, before) in started.iter().zip(&before) {
        let crashes = |log: &[String]| log.iter().filter(|line| line.contains("interrupted by a crash")).count();
        assert_eq!(crashes(&log(&home, id)), crashes(before), "a stop in good order is no crash");
    }
}
