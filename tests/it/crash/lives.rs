//! One life of the binary after another in the same home, each ended as hard as a machine can.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::binary::{Home, fixture, pid_of};

/// Far more than the end of a killed process takes: whoever is there then was not killed.
const LINGERS: Duration = Duration::from_secs(20);

/// A running binary, heard line by line.
pub struct Life {
    pub child: Child,
    says: BufReader<ChildStderr>,
    /// Executions that it said it had started.
    pub started: Vec<String>,
}

impl Life {
    pub fn begin(home: &Home, args: &[&str]) -> Self {
        let mut child = home.spawn(args);
        let says = BufReader::new(child.stderr.take().expect("piped"));
        Self { child, says, started: Vec::new() }
    }

    /// `run document_processing` of these fixtures, one execution each.
    pub fn run(home: &Home, documents: &[&str]) -> Self {
        let files: Vec<String> = documents.iter().map(|name| fixture(&format!("documents/{name}"))).collect();
        let mut args = vec!["run", "document_processing"];
        args.extend(files.iter().flat_map(|file| ["--file", file.as_str()]));
        Self::begin(home, &args)
    }

    /// Hears one line; `false` when it has nothing more to say.
    pub fn hear(&mut self) -> bool {
        self.hear_line().is_some()
    }

    /// The next line, if it has anything more to say.
    pub fn hear_line(&mut self) -> Option<String> {
        let mut line = String::new();
        let heard = self.says.read_line(&mut line).expect("readable") > 0;
        if let Some(id) = line.strip_prefix("Workflow started: ").filter(|_| line.ends_with('\n')) {
            self.started.push(id.trim().to_owned());
        }
        heard.then_some(line)
    }

    /// Hears lines until it has accepted so many executions.
    pub fn hear_started(&mut self, count: usize) {
        while self.started.len() < count {
            assert!(self.hear(), "it ended before it had accepted {count}: {:?}", self.started);
        }
    }

    /// SIGKILL for this process alone. Its children, frozen so that none of them ends by itself, must die of it.
    /// Gives the executions that it had said it had started.
    pub fn kill(mut self) -> Vec<String> {
        kill_process(pid_of(&self.child), Signal::STOP).expect("not waited for yet");
        let family = descendants(self.child.id());
        for &member in &family {
            let _ = kill_process(member, Signal::STOP); // it may have ended just now
        }
        self.child.kill().expect("not waited for yet");
        self.child.wait().expect("it ends");
        for &member in family.iter().filter(|member| is_being_started(**member)) {
            let _ = kill_process(member, Signal::CONT); // it finds out by itself that it is alone
        }
        let deadline = Instant::now() + LINGERS;
        while let Some(left) = family.iter().find(|member| is_alive(**member)) {
            if Instant::now() > deadline {
                let named = command_line(*left);
                for &member in &family {
                    let _ = kill_process(member, Signal::KILL); // it may have gone at last
                }
                panic!("{left:?} outlived the process that had started it: {named}");
            }
            std::thread::yield_now();
        }
        while self.hear() {}
        self.started
    }
}

/// The lines of an execution's journal.
pub fn log(home: &Home, execution: &str) -> Vec<String> {
    let lines = home.run(&["logs", execution, "--json"]).stdout;
    let text = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["text"].as_str().map(str::to_owned);
    lines.lines().map(|line| text(line).expect("each line has a text")).collect()
}

/// Looks again and again until the journal of an execution is so many lines long, or the execution has ended.
pub fn until_log(home: &Home, execution: &str, lines: usize) {
    let is_over = |log: &[String]| log.last().is_some_and(|line| line == "completed");
    loop {
        let log = log(home, execution);
        if log.len() >= lines || is_over(&log) {
            return;
        }
    }
}

/// State and parent of a process, as the kernel tells them.
fn stat(pid: &str) -> Option<(char, u32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn descendants(root: u32) -> Vec<Pid> {
    let names =
        std::fs::read_dir("/proc").expect("Linux").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let all: Vec<(u32, u32)> = names.filter_map(|name| Some((name.parse().ok()?, stat(&name)?.1))).collect();
    let mut family = vec![root];
    let mut next = 0;
    while next < family.len() {
        let parent = family[next];
        family.extend(all.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    family[1..].iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)).collect()
}

/// Whether it stands before the call that binds its life to its parent's.
fn is_being_started(pid: Pid) -> bool {
    let line = command_line(pid);
    line.contains("--pdeathsig") || line.contains(env!("CARGO_BIN_EXE_workflow"))
}

fn command_line(pid: Pid) -> String {
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
    line.unwrap_or_default().replace('\0', " ")
}

fn is_alive(pid: Pid) -> bool {
    stat(&pid.as_raw_nonzero().to_string()).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}
