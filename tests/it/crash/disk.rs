//! The disk takes nothing more: nothing is acknowledged after that, and the next start carries on.

use std::process::{Command, Stdio};

use crate::support::binary::Home;

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
