//! Child processes: what they get, what they may, and that nothing of them is left.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use workflow::connect::process::{Ending, Job, Limits, Output, ProcessError, Program, Toolbox};
use workflow::domain::code;

const SH: Program = Program { name: "sh", package: "dash" };
const SEARCH: &str = "/usr/local/bin:/usr/bin:/bin";
/// Far more than anything here takes: a test that waits so long hangs.
const HANGS: Duration = Duration::from_secs(60);

fn tools() -> Toolbox {
    Toolbox::new(OsStr::new(SEARCH), 2).expect("a thread can be started")
}

async fn shell(script: &str, limits: Limits) -> Result<Output, ProcessError> {
    let job = Job::new(SH).args(["-c", script]).limits(limits);
    let never = CancellationToken::new();
    tokio::time::timeout(HANGS, tools().run(job, &never)).await.expect("a child must not hang")
}

/// A named pipe. Its reader sees the end when every process that holds it open for writing is gone.
struct Line {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Line {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("line");
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo is there").success());
        Self { _folder: folder, path }
    }

    /// Reads the first line, and gives the rest when the last writer has gone.
    async fn first(&self) -> (String, tokio::task::JoinHandle<String>) {
        let path = self.path.clone();
        let (said, first) = tokio::sync::oneshot::channel();
        let rest = tokio::task::spawn_blocking(move || {
            use std::io::{BufRead, Read};
            let mut pipe = std::io::BufReader::new(std::fs::File::open(path).expect("the pipe is there"));
            let mut line = String::new();
            pipe.read_line(&mut line).expect("readable");
            let _ = said.send(line);
            let mut rest = String::new();
            pipe.read_to_string(&mut rest).expect("readable");
            rest
        });
        (tokio::time::timeout(HANGS, first).await.expect("somebody writes").expect("a line"), rest)
    }
}

/// A script whose child outlives it if nobody kills the group; both hold the line open.
fn family(line: &Path) -> String {
    format!("exec 3>{}; sleep 1000 & echo started >&3; wait", line.display())
}

async fn all_gone(rest: tokio::task::JoinHandle<String>) {
    tokio::time::timeout(HANGS, rest).await.expect("every process of the group is dead").expect("joined");
}

#[tokio::test]
async fn a_child_gets_its_input_and_an_environment_of_ours_only() {
    let job = Job::new(SH).args(["-c", "cat; env | cut -d= -f1 | sort | tr '\\n' ' '"]).stdin(b"hello ".to_vec());
    let output = tools().run(job, &CancellationToken::new()).await.expect("runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello LC_ALL OMP_THREAD_LIMIT PATH PWD WORKFLOW_JOB ");
}

#[tokio::test]
async fn without_input_a_child_reads_nothing() {
    let output = shell("cat; pwd", Limits::default()).await.expect("does not wait for input");
    assert_eq!(output.stdout, b"/\n");
}

#[tokio::test]
async fn a_program_that_is_not_there_comes_with_its_install_line() {
    let missing = Program { name: "no-such-program", package: "no-such-package" };
    let error = tools().run(Job::new(missing), &CancellationToken::new()).await.expect_err("is not there");
    let fault = error.fault();
    assert_eq!(fault.code, code::WF2310);
    assert!(fault.remedy().contains("apt-get install no-such-package"), "{}", fault.remedy());
}

#[tokio::test]
async fn a_failure_tells_code_and_complaint() {
    let error = shell("echo 'no way' >&2; exit 3", Limits::default()).await.expect_err("fails");
    let ProcessError::Failed { how, stderr, .. } = error else { panic!("{error}") };
    assert_eq!((how, stderr.trim()), (Ending::Code(3), "no way"));
    let error = shell("kill -SEGV $$", Limits::default()).await.expect_err("crashes");
    assert!(matches!(error, ProcessError::Failed { how: Ending::Signal(11), .. }), "{error}");
}

#[tokio::test]
async fn saying_too_much_ends_a_child() {
    let limits = Limits { stdout_bytes: 1000, ..Limits::default() };
    let error = shell("yes", limits).await.expect_err("says too much");
    assert!(matches!(error, ProcessError::OutputTooLarge { limit: 1000, .. }), "{error}");
    let output = shell("yes | head -c 5000000 >&2; echo done", Limits::default()).await.expect("stderr is only cut");
    assert_eq!((output.stdout.as_slice(), output.stderr.len()), (&b"done\n"[..], 64 * 1024));
}

#[tokio::test]
async fn memory_files_and_processor_time_are_limited() {
    assert_eq!(tools().missing_guards(), Vec::<&str>::new(), "util-linux is part of every Debian");
    let limits = Limits { cpu: Duration::from_secs(1), file_bytes: 4096, memory_bytes: 512 << 20, ..Limits::default() };
    let output = shell("ulimit -v; ulimit -f; ulimit -t; ulimit -n; ulimit -c", limits).await.expect("runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "524288\n8\n1\n64\n0\n");
    let error = shell("while :; do :; done", limits).await.expect_err("spins");
    assert!(matches!(error, ProcessError::Failed { how: Ending::CpuTime, .. }), "{error}");
}

#[tokio::test]
async fn too_long_ends_a_child_and_its_children() {
    let line = Line::new();
    let limits = Limits { wall: Duration::from_millis(500), ..Limits::default() };
    let script = family(&line.path);
    let (ended, (_, rest)) = tokio::join!(shell(&script, limits), line.first());
    assert!(matches!(ended.expect_err("never ends"), ProcessError::TimedOut { .. }));
    all_gone(rest).await;
}

#[tokio::test]
async fn who_left_the_group_ends_with_it() {
    let line = Line::new();
    let left = "while [ \"$(cut -d ' ' -f 5 /proc/$!/stat)\" = $$ ]; do :; done";
    let script = format!("exec 3>{}; setsid sleep 1000 & {left}; echo started >&3; exit 3", line.path.display());
    let (ended, (_, rest)) = tokio::join!(shell(&script, Limits::default()), line.first());
    assert!(matches!(ended.expect_err("says so"), ProcessError::Failed { how: Ending::Code(3), .. }));
    all_gone(rest).await;
}

#[tokio::test]
async fn cancelling_ends_a_child_and_its_children() {
    let line = Line::new();
    let cancel = CancellationToken::new();
    let job = Job::new(SH).args(["-c", &family(&line.path)]);
    let tools = tools();
    let stop = async {
        let (_, rest) = line.first().await;
        cancel.cancel();
        (rest,)
    };
    let (ended, (rest,)) = tokio::join!(tools.run(job, &cancel), stop);
    assert!(matches!(ended.expect_err("never ends"), ProcessError::Cancelled("sh")));
    all_gone(rest).await;
}

#[tokio::test]
async fn dropping_the_work_ends_a_child_and_its_children() {
    let line = Line::new();
    let job = Job::new(SH).args(["-c", &family(&line.path)]);
    let (tools, never) = (tools(), CancellationToken::new());
    let rest = tokio::select! {
        _ = tools.run(job, &never) => panic!("never ends"),
        (_, rest) = line.first() => rest,
    };
    all_gone(rest).await;
}

#[tokio::test]
async fn what_a_child_leaves_running_ends_with_it() {
    let line = Line::new();
    let script = format!("exec 3>{}; sleep 1000 & echo started >&3; echo bye", line.path.display());
    let (ended, (_, rest)) = tokio::join!(shell(&script, Limits::default()), line.first());
    assert_eq!(ended.expect("ends well").stdout, b"bye\n");
    all_gone(rest).await;
}

#[tokio::test]
async fn no_zombie_is_left() {
    for script in ["echo $$ >&2", "echo $$ >&2; exit 1"] {
        let pid = match shell(script, Limits::default()).await {
            Ok(output) => output.stderr,
            Err(ProcessError::Failed { stderr, .. }) => stderr,
            Err(error) => panic!("{error}"),
        };
        let pid = pid.trim();
        assert!(!pid.is_empty() && !Path::new("/proc").join(pid).exists(), "process {pid} is still on the table");
    }
}

#[tokio::test]
async fn no_more_run_at_once_than_there_are_slots() {
    let folder = tempfile::tempdir().expect("a folder");
    // Each child takes the only seat with mkdir, which fails when somebody sits there.
    let script = format!("mkdir {0} || exit 9; read -t 0 x; rmdir {0}", folder.path().join("seat").display());
    let tools = Toolbox::new(OsStr::new(SEARCH), 1).expect("a thread can be started");
    let never = CancellationToken::new();
    let bash = Program { name: "bash", package: "bash" };
    let jobs = (0..8).map(|_| tools.run(Job::new(bash).args(["-c", &script]), &never));
    for ended in futures::future::join_all(jobs).await {
        ended.expect("the seat is free");
    }
}
