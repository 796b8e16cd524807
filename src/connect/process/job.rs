//! What to call, under which limits, and how a call can end.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;

use crate::domain::code;
use crate::domain::fault::Fault;

const MIB: u64 = 1024 * 1024;

/// A program that we may call, and the Debian package that brings it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Its name on the search path.
    pub name: &'static str,
    /// The package to install.
    pub package: &'static str,
}

impl Program {
    /// The shell line that installs it.
    #[must_use]
    pub fn install_line(self) -> String {
        format!("apt-get install {}", self.package)
    }
}

/// What one child may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time on the clock, from its start.
    pub wall: Duration,
    /// Time on a processor.
    pub cpu: Duration,
    /// Address space in bytes.
    pub memory_bytes: u64,
    /// Largest file it may write, in bytes.
    pub file_bytes: u64,
    /// Most it may say on stdout, in bytes.
    pub stdout_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(300),
            cpu: Duration::from_secs(60),
            memory_bytes: 1536 * MIB,
            file_bytes: 100 * MIB,
            stdout_bytes: 10 * MIB as usize,
        }
    }
}

/// One call of a program.
#[derive(Debug, Clone)]
pub struct Job {
    pub(super) program: Program,
    pub(super) args: Vec<OsString>,
    pub(super) stdin: Option<Vec<u8>>,
    pub(super) limits: Limits,
}

impl Job {
    /// A call without arguments, with nothing on stdin and the usual limits.
    #[must_use]
    pub fn new(program: Program) -> Self {
        Self { program, args: Vec::new(), stdin: None, limits: Limits::default() }
    }

    /// The same call with one more argument. File names must be absolute, so that none reads as an option.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// The same call with more arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// The same call with these bytes on stdin.
    #[must_use]
    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Some(bytes);
        self
    }

    /// The same call under these limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// What a child said before it ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// All of stdout.
    pub stdout: Vec<u8>,
    /// The beginning of stderr.
    pub stderr: String,
}

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program is not on the search path.
    #[error("the program `{}` is not installed", .0.name)]
    NotFound(Program),
    /// It was still running after its wall time.
    #[error("`{program}` was stopped after {} s", .limit.as_secs_f64())]
    TimedOut {
        /// Which program.
        program: &'static str,
        /// The wall time it had.
        limit: Duration,
    },
    /// It said more than it may.
    #[error("`{program}` was stopped because it wrote more than {limit} bytes")]
    OutputTooLarge {
        /// Which program.
        program: &'static str,
        /// The bytes it might say.
        limit: usize,
    },
    /// It ended with a code or a signal.
    #[error("`{program}` ended with {how}")]
    Failed {
        /// Which program.
        program: &'static str,
        /// Its code or signal.
        how: Ending,
        /// The beginning of what it said on stderr.
        stderr: String,
    },
    /// The work is no longer wanted.
    #[error("`{0}` was cancelled")]
    Cancelled(&'static str),
    /// The machine would not start or watch it.
    #[error("`{program}` could not be run: {source}")]
    Io {
        /// Which program.
        program: &'static str,
        /// What the machine said.
        source: std::io::Error,
    },
}

impl ProcessError {
    /// The same as a fault of a step. Which code of the program means what is for the caller to know: this is
    /// for the failures that it cannot explain better.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NotFound(program) => Fault::permanent(code::WF2310, self.to_string())
                .fix(format!("install it: `{}`", program.install_line())),
            Self::TimedOut { .. } => Fault::permanent(code::WF2302, self.to_string()),
            Self::OutputTooLarge { .. } => Fault::permanent(code::WF2303, self.to_string()),
            Self::Failed { stderr, .. } => Fault::permanent(code::WF2301, self.to_string()).context(stderr.trim()),
            Self::Cancelled(_) => Fault::transient(code::WF2304, self.to_string()),
            Self::Io { .. } => Fault::transient(code::WF2305, self.to_string()),
        }
    }
}

/// How a child ended that did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// By the signal that says its processor time is used up.
    CpuTime,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::CpuTime => f.write_str("its processor time used up"),
        }
    }
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (_, Some(signal)) if signal == Signal::XCPU.as_raw() => Self::CpuTime,
            (_, Some(signal)) => Self::Signal(signal),
            (code, None) => Self::Code(code.unwrap_or(-1)),
        }
    }
}
