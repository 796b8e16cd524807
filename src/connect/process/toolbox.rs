//! The programs of this machine: found on a search path, started with their guards, at most so many at once.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Command;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::group::{Attended, Group};
use super::job::{Job, Limits, Output, ProcessError, Program};
use super::strays;

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

    async fn run_in_slot(&self, job: Job, path: &Path, cancel: &CancellationToken) -> Result<Output, ProcessError> {
        let program = job.program.name;
        let io = |source| ProcessError::Io { program, source };
        let _slot = self.slots.acquire().await.map_err(|closed| io(std::io::Error::other(closed)))?;
        let mark = strays::mark();
        let mut command = self.command(&job, path);
        command.env(strays::MARK, &mark);
        let mut group = self.launch(command, mark).await.map_err(io)?;
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
                "sh" => line.extend(["-c", STILL_OURS, &std::process::id().to_string()].map(OsString::from)),
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

    async fn launch(&self, command: Command, mark: String) -> std::io::Result<Group> {
        let (reply, started) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        let gone = || std::io::Error::other("the launcher thread has ended");
        self.launcher.send(Launch { command, mark, runtime, reply }).await.map_err(|_| gone())?;
        started.await.map_err(|_| gone())?
    }
}

/// In the order in which they stand before the program.
const GUARDS: &[&str] = &["setpriv", "sh", "prlimit", "nice"];

/// Goes on only as a child of the process `$0`. A child whose parent died before it had asked for the signal of its
/// death would never get it.
const STILL_OURS: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

#[derive(Debug)]
struct Launch {
    command: Command,
    mark: String,
    runtime: tokio::runtime::Handle,
    reply: oneshot::Sender<std::io::Result<Group>>,
}

/// One thread starts all children: the kernel sends the parent-death signal when the *thread* that started a
/// child ends, and threads of the runtime come and go. It lives as long as the toolbox.
fn launcher(slots: usize) -> std::io::Result<mpsc::Sender<Launch>> {
    let (sender, mut receiver) = mpsc::channel::<Launch>(slots);
    std::thread::Builder::new().name("launcher".to_owned()).spawn(move || {
        while let Some(Launch { mut command, mark, runtime, reply }) = receiver.blocking_recv() {
            let _inside = runtime.enter();
            // When nobody waits any more, the group comes back and is dropped, which kills it.
            let _ = reply.send(command.spawn().map(|child| Group::new(child, mark)));
        }
    })?;
    Ok(sender)
}
