//! The terminal as a client of a running service.

use serde_json::json;

use crate::support::binary::{Ended, Home};
use crate::support::service::Served;

struct Terminal {
    home: Home,
    url: String,
}

impl Terminal {
    fn of(service: &Served) -> Self {
        Self { home: Home::new(), url: service.url.clone() }
    }

    /// Runs a command against the service.
    fn run(&self, args: &[&str]) -> Ended {
        let line: Vec<&str> = args.iter().copied().chain(["--server", &self.url]).collect();
        self.home.run(&line)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_carried_out_over_there_and_shown_here() {
    let service = Served::start();
    let terminal = Terminal::of(&service);
    let file = std::path::absolute("tests/fixtures/documents/tables.docx").expect("a path");
    let file = file.to_str().expect("UTF-8");
    let ended = terminal.run(&["run", "document_processing", "--file", file]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("Workflow started: exec_"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Extract Text") && ended.stdout.contains("Document Processing completed"));
    assert!(!terminal.home.path().join("workflows").exists(), "nothing is kept on this side");

    let view = terminal.run(&["status", "--json"]).json();
    assert_eq!((&view["status"], &view["origin"]["door"]), (&json!("completed"), &json!("api")));
    let text = terminal.run(&["output", "--step", "extract_text", "--name", "text"]);
    assert!(text.stdout.len() > 20, "{}", text.stdout);
    assert!(terminal.run(&["history"]).stdout.contains("document_processing"));
    assert!(terminal.run(&["logs", "--tail", "1"]).stdout.ends_with("completed\n"));
    assert!(terminal.run(&["templates"]).stdout.contains("notification_flow"));
    assert!(terminal.run(&["show", "noop"]).stdout.contains("config:"));
    assert!(terminal.run(&["plan", "document_processing"]).stdout.contains("nothing was run"));
    assert_eq!(terminal.run(&["health"]).stdout, "healthy\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_over_there_is_steered_and_its_end_is_the_exit_code() {
    let service = Served::start();
    let terminal = Terminal::of(&service);
    let long = service.create("Long", &json!([{ "type": "wait", "config": { "for": "1h" } }])).await;
    let run = service.execute(&long, &json!({})).await;
    assert!(terminal.run(&["pause", &run]).stdout.contains("is paus"));
    assert_eq!(terminal.run(&["resume", &run]).code, 0);
    assert_eq!(terminal.run(&["cancel", &run]).code, 0);
    service.finished(&run).await;

    service.create("Broken", &json!([{ "type": "assert", "config": { "that": false } }])).await;
    let ended = terminal.run(&["run", "broken"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("WF2006"));
    assert_eq!(terminal.run(&["retry"]).code, 0, "it is taken up again");
    assert_eq!(terminal.run(&["rerun", "last", "a=1"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_from_over_there_read_like_those_from_here() {
    let service = Served::with(&["api_token=a-long-enough-secret-token-of-a-test"]);
    let terminal = Terminal::of(&service);
    let ended = terminal.run(&["history"]);
    assert_eq!(ended.code, 2, "without the token: {}", ended.stderr);
    let mut command = terminal.home.command(&["run", "documnt_processing", "--server", &service.url]);
    let output = command.env("WORKFLOW_API_TOKEN", "a-long-enough-secret-token-of-a-test").output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("did you mean `document_processing`?"), "{said}");

    let nobody = terminal.home.run(&["history", "--server", "http://127.0.0.1:9"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.stderr.contains("no connection to `127.0.0.1`"), "{}", nobody.stderr);
    let wrong = terminal.home.run(&["history", "--server", "localhost"]);
    assert!(wrong.stderr.contains("is no address of a service"), "{}", wrong.stderr);
}
