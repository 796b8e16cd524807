//! Child processes: the one door to other programs.
//!
//! Invariants: a child gets an argument array, an absolute program, an empty environment, and either bytes or
//! nothing on stdin; it lives in its own process group, and the whole group dies when its leader ends, when the
//! work is cancelled, takes too long or says too much, when the future is dropped, and when this process dies.
//! Never more children at once than there are slots. Entry: [`Toolbox::run`].
//!
//! Limits are set by `prlimit`, `nice` and `setpriv` (util-linux, coreutils), because setting them between
//! fork and exec would need unsafe code. Where they are missing the children run with wall time, output caps
//! and group kill only; [`Toolbox::missing_guards`] says so.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

const MIB: u64 = 1024 * 1024;
const STDERR_BYTES: usize = 64 * 1024;

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
            wall: Duration::from_secs(120),
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
    program: Program,
    args: Vec<OsString>,
    stdin: Option<Vec<u8>>,
    limits: Limits,
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

/// The programs of this machine. Cheap to clone; clones share their slots.
#[derive(Debug, Clone)]
pub struct Toolbox {
    search: Arc<[PathBuf]>,
    slots: Arc<Semaphore>,
    launcher: mpsc::Sender<Launch>,
}

impl Toolbox {
    /// The programs on this search path (written like `PATH`), at most `slots` running at once.
    ///
    /// # Errors
    /// The machine gives no thread to start them from.
    pub fn new(search: &OsStr, slots: usize) -> std::io::Result<Self> {
        let slots = slots.max(1);
        let search = std::env::split_paths(search).filter(|dir| dir.is_absolute()).collect();
        Ok(Self { search, slots: Arc::new(Semaphore::new(slots)), launcher: launcher(slots)? })
    }

    /// Where the program is.
    ///
    /// # Errors
    /// [`ProcessError::NotFound`].
    pub fn find(&self, program: Program) -> Result<PathBuf, ProcessError> {
        self.look_up(program.name).ok_or(ProcessError::NotFound(program))
    }

    /// Guards that this machine lacks: children run without what they would have enforced.
    #[must_use]
    pub fn missing_guards(&self) -> Vec<&'static str> {
        GUARDS.iter().copied().filter(|name| self.look_up(name).is_none()).collect()
    }

    /// How many children may run at once.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.launcher.max_capacity()
    }

    /// Runs the program to its end. Waits for a free slot first; the wall time counts from the start.
    ///
    /// # Errors
    /// Each variant of [`ProcessError`]; whatever it is, no process of the group is left.
    pub async fn run(&self, job: Job, cancel: &CancellationToken) -> Result<Output, ProcessError> {
        let program = job.program.name;
        let path = self.find(job.program)?;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ProcessError::Cancelled(program)),
            output = self.run_in_slot(job, &path, cancel) => output,
        }
    }

    async fn run_in_slot(
        &self,
        job: Job,
        path: &Path,
        cancel: &CancellationToken,
    ) -> Result<Output, ProcessError> {
        let program = job.program.name;
        let io = |source| ProcessError::Io { program, source };
        let _slot = self.slots.acquire().await.map_err(|closed| io(std::io::Error::other(closed)))?;
        let command = self.command(&job, path);
        let mut group = self.launch(command).await.map_err(io)?;
        let limits = job.limits;
        let ended = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ProcessError::Cancelled(program)),
            ended = tokio::time::timeout(limits.wall, group.attend(job.stdin, limits.stdout_bytes)) => match ended {
                Err(_) => Err(ProcessError::TimedOut { program, limit: limits.wall }),
                Ok(Err(Attended::TooLarge)) => {
                    Err(ProcessError::OutputTooLarge { program, limit: limits.stdout_bytes })
                }
                Ok(Err(Attended::Io(source))) => Err(io(source)),
                Ok(Ok(ended)) => Ok(ended),
            },
        };
        group.end().await;
        let (status, output) = ended?;
        if status.success() {
            Ok(output)
        } else {
            Err(ProcessError::Failed { program, how: status.into(), stderr: output.stderr })
        }
    }

    /// The command line with its guards. Each guard replaces itself by the next word of the line, so the
    /// process that we start is in the end the program itself.
    fn command(&self, job: &Job, path: &Path) -> Command {
        let Limits { cpu, memory_bytes, file_bytes, .. } = job.limits;
        let cpu = cpu.as_secs().max(1);
        let mut line: Vec<OsString> = Vec::new();
        for guard in GUARDS {
            let Some(guard_path) = self.look_up(guard) else { continue };
            line.push(guard_path.into_os_string());
            match *guard {
                "setpriv" => line.extend(["--pdeathsig", "KILL", "--"].map(OsString::from)),
                "prlimit" => {
                    let hard = cpu + 2; // the soft limit's signal says why; the hard one ends who ignores it
                    line.push(format!("--cpu={cpu}:{hard}").into());
                    line.push(format!("--as={memory_bytes}").into());
                    line.push(format!("--fsize={file_bytes}").into());
                    line.extend(["--nofile=64", "--core=0", "--"].map(OsString::from));
                }
                _ => line.extend(["-n", "10"].map(OsString::from)),
            }
        }
        line.push(path.as_os_str().to_owned());
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).args(&job.args).env_clear().current_dir("/");
        command.env("PATH", std::env::join_paths(self.search.iter()).unwrap_or_default());
        command.env("LC_ALL", "C.UTF-8").env("OMP_THREAD_LIMIT", "1");
        command.stdin(if job.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        command
    }

    fn look_up(&self, name: &str) -> Option<PathBuf> {
        self.search.iter().map(|dir| dir.join(name)).find(|path| {
            std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        })
    }

    async fn launch(&self, command: Command) -> std::io::Result<Group> {
        let (reply, started) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        let gone = || std::io::Error::other("the launcher thread has ended");
        self.launcher.send(Launch { command, runtime, reply }).await.map_err(|_| gone())?;
        started.await.map_err(|_| gone())?
    }
}

/// In the order in which they stand before the program.
const GUARDS: &[&str] = &["setpriv", "prlimit", "nice"];

#[derive(Debug)]
struct Launch {
    command: Command,
    runtime: tokio::runtime::Handle,
    reply: oneshot::Sender<std::io::Result<Group>>,
}

/// One thread starts all children: the kernel sends the parent-death signal when the *thread* that started a
/// child ends, and threads of the runtime come and go. It lives as long as the toolbox.
fn launcher(slots: usize) -> std::io::Result<mpsc::Sender<Launch>> {
    let (sender, mut receiver) = mpsc::channel::<Launch>(slots);
    std::thread::Builder::new().name("launcher".to_owned()).spawn(move || {
        while let Some(Launch { mut command, runtime, reply }) = receiver.blocking_recv() {
            let _inside = runtime.enter();
            // When nobody waits any more, the group comes back and is dropped, which kills it.
            let _ = reply.send(command.spawn().map(Group::new));
        }
    })?;
    Ok(sender)
}

enum Attended {
    TooLarge,
    Io(std::io::Error),
}

/// A running child and all that it started.
#[derive(Debug)]
struct Group {
    child: Child,
    leader: Option<Pid>,
}

impl Group {
    fn new(child: Child) -> Self {
        let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Self { child, leader }
    }

    /// Feeds it, listens to it, waits for it. When the leader has ended, whatever it left running is killed,
    /// which also closes the pipes that we read to their end.
    async fn attend(&mut self, stdin: Option<Vec<u8>>, cap: usize) -> Result<(ExitStatus, Output), Attended> {
        let (pipe, out, err) = (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take());
        let feed = async {
            if let (Some(mut pipe), Some(bytes)) = (pipe, stdin) {
                let _ = pipe.write_all(&bytes).await; // a child need not read all that it is given
            }
            Ok(())
        };
        let leader = self.leader;
        let wait = async {
            let status = self.child.wait().await;
            kill(leader);
            status.map_err(Attended::Io)
        };
        let ((), stdout, stderr, status) = tokio::try_join!(feed, read_all(out, cap), read_head(err), wait)?;
        Ok((status, Output { stdout, stderr }))
    }

    /// Kills what is left and takes the leader off the process table.
    async fn end(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            self.leader = None; // it was waited for, and its group killed then: the number may be somebody else's
            return;
        }
        kill(self.leader.take());
        let _ = self.child.wait().await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        kill(self.leader.take()); // the runtime takes the leader off the process table (kill_on_drop)
    }
}

fn kill(leader: Option<Pid>) {
    if let Some(leader) = leader {
        let _ = kill_process_group(leader, Signal::KILL); // no such group: nothing is left to kill
    }
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>, cap: usize) -> Result<Vec<u8>, Attended> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(cap as u64 + 1).read_to_end(&mut bytes).await.map_err(Attended::Io)?;
    }
    if bytes.len() > cap { Err(Attended::TooLarge) } else { Ok(bytes) }
}

/// The beginning of stderr; the rest is read and forgotten, so that the child does not block on it.
async fn read_head(pipe: Option<impl AsyncRead + Unpin>) -> Result<String, Attended> {
    let mut head = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe).take(STDERR_BYTES as u64).read_to_end(&mut head).await.map_err(Attended::Io)?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await.map_err(Attended::Io)?;
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
