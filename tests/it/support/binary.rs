//! The real binary in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a storage path, and the binary that works in it.
pub struct Home {
    folder: TempDir,
}

/// How a command ended.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Standard output as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}{}", self.stdout, self.stderr))
    }
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// The command, not started; its environment is this process's without our own settings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_workflow"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null()).env("WORKFLOW_RETRY_DELAY", "0.01");
        // Tests run beside each other: each service takes a port of its own.
        command.env("WORKFLOW_LISTEN", "127.0.0.1:0");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        ended(&self.command(args).output().expect("the binary starts"))
    }

    /// Starts a command whose output the test reads as it comes. One that a test waits for in vain is ended after
    /// a minute, so that the test fails instead of hanging.
    pub fn spawn(&self, args: &[&str]) -> Child {
        watched(self.command(args))
    }
}

/// Starts a command, watched as [`Home::spawn`] says.
pub fn watched(mut command: Command) -> Child {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let watched = rustix::process::pidfd_open(pid_of(&child), rustix::process::PidfdFlags::empty());
    let watched = watched.expect("the child is there");
    std::thread::spawn(move || {
        let (_nobody, nothing) = std::sync::mpsc::sync_channel::<()>(1);
        let _ = nothing.recv_timeout(std::time::Duration::from_secs(60)); // nothing ever comes
        // A handle, not a number: it names this very process or, once that is gone, nobody.
        let _ = rustix::process::pidfd_send_signal(&watched, rustix::process::Signal::KILL);
    });
    child
}

fn ended(output: &Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name).display().to_string()
}

/// The process id of a child.
pub fn pid_of(child: &Child) -> rustix::process::Pid {
    i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id")
}
