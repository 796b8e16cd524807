//! `workflow chat` as a script: lines in, blocks out.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::binary::Home;

/// What a conversation of these lines shows.
fn conversation(home: &Home, lines: &[&str]) -> String {
    let mut command = home.command(&["chat"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(lines.join("\n").as_bytes()).expect("it listens");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_run_asks_for_its_file_takes_it_and_ends_before_the_conversation_does() {
    let home = Home::new();
    let file = std::path::absolute("tests/fixtures/documents/tables.docx").expect("a path");
    let bring = format!("/file {}", file.display());
    let said = conversation(&home, &["/workflow run document_processing", &bring]);
    let first = said.lines().next().unwrap_or_default();
    assert!(first.starts_with("Workflow started: exec_"), "{said}");
    assert!(said.contains("waiting · needs the file to work on"), "{said}");
    assert_eq!(said.matches("? the file to work on").count(), 1, "asked once: {said}");
    let last = said.trim_end().rsplit("\n\n").next().unwrap_or_default();
    assert!(last.starts_with(first) && last.contains("completed in"), "the last block is the end: {said}");
    assert!(last.contains("✓ done Store Results"), "{said}");
}

#[test]
fn a_failure_says_what_to_do_and_its_button_is_pressed_by_its_label() {
    let home = Home::new();
    home.write("broken.yaml", "name: Broken\nsteps:\n  - type: assert\n    config: { that: false }\n");
    std::fs::create_dir_all(home.path().join("workflows/templates")).expect("made");
    std::fs::rename(home.path().join("broken.yaml"), home.path().join("workflows/templates/broken.yaml"))
        .expect("moved");
    let said = conversation(&home, &["run broken"]);
    assert!(said.contains("WF2006") && said.contains("fix:") && said.contains("[Retry]"), "{said}");
    let said = conversation(&home, &["retry last", "[Nonsense]", "brun broken"]);
    assert!(said.contains("failed") && said.contains("did you mean"), "{said}");
}
