//! A disk that fills up: nothing new is taken in, what runs goes on or waits, and when there is room everything does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::{pause, skipped};
use crate::support::binary::Home;
use crate::support::service::{Answer, Served};

const MIB: u64 = 1 << 20;
/// Far longer than any step of these workflows takes, on a busy machine too.
const STILL: Duration = Duration::from_secs(3);

fn waiting() -> Value {
    json!([{ "type": "wait", "id": "gate", "config": { "event": "go" } }, { "type": "noop" }])
}

async fn start(served: &Served, workflow: &str) -> Answer {
    served.post(&format!("/api/workflow/{workflow}/execute"), &json!({ "inputs": {} })).await
}

async fn until(served: &Served, execution: &str, status: &str) {
    while served.get(&format!("/api/workflow/{execution}/status")).await.json["status"] != status {
        pause().await;
    }
}

fn is_refused(answer: &Answer) {
    assert_eq!((answer.status, &answer.json["code"]), (507, &json!("WF5133")), "{}", answer.json);
}

/// What gives a process a small disk of its own: root may, and others where the kernel lets them have a namespace.
fn namespace() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["-m"], &["-U", "-r", "-m"]];
    ways.into_iter().find(|way| {
        let mut trial = Command::new("unshare");
        trial.args(*way).args(["sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp"]);
        trial.output().is_ok_and(|done| done.status.success())
    })
}

/// A service whose storage folder is a disk of 64 MiB; the folder as it is seen from here.
fn cramped(settings: &[&str]) -> Option<(Served, PathBuf)> {
    let Some(way) = namespace() else {
        skipped("the full disk", "this machine lets nobody mount one (unshare -m)");
        return None;
    };
    let home = Home::new();
    let storage = home.path().join("workflows");
    std::fs::create_dir(&storage).expect("made");
    let service = home.command(&Served::args(settings));
    let mut outer = Command::new("unshare");
    outer.args(way).args(["sh", "-c", "mount -t tmpfs -o size=64m tmpfs \"$0\" && exec \"$@\""]).arg(&storage);
    outer.arg(service.get_program()).args(service.get_args()).current_dir(home.path());
    outer.envs(service.get_envs().filter_map(|(key, value)| Some((key, value?))));
    outer.stdin(std::process::Stdio::null());
    let served = Served::launched(home, outer);
    let seen = Path::new("/proc").join(served.pid().to_string()).join("root").join(storage.strip_prefix("/").ok()?);
    Some((served, seen))
}

/// Takes all of the disk but this much.
fn fill(storage: &Path, leave: u64) -> PathBuf {
    let path = storage.join("ballast");
    let ballast = std::fs::File::create(&path).expect("made");
    let mut size = 0;
    loop {
        let disk = rustix::fs::statvfs(storage).expect("it is there");
        let free = disk.f_bavail * disk.f_frsize;
        if free <= leave {
            return path;
        }
        let more = (free - leave).min(MIB);
        // The last page may go to somebody else between the question and the answer.
        if rustix::fs::fallocate(&ballast, rustix::fs::FallocateFlags::empty(), size, more).is_err() && free < MIB {
            return path;
        }
        size += more;
    }
}

#[tokio::test]
async fn when_there_is_room_again_executions_are_taken_in_again_without_a_restart() {
    let Some((served, storage)) = cramped(&["min_free_disk=16MB"]) else { return };
    served.create("Waits", &waiting()).await;
    assert_eq!(start(&served, "waits").await.status, 200);
    let ballast = fill(&storage, 8 * MIB);
    while start(&served, "waits").await.status == 200 {
        pause().await;
    }
    is_refused(&start(&served, "waits").await);
    std::fs::remove_file(ballast).expect("there");
    while start(&served, "waits").await.status != 200 {
        pause().await;
    }
}

#[tokio::test]
async fn on_a_full_disk_everything_waits_and_goes_on_when_there_is_room() {
    let Some((served, storage)) = cramped(&["min_free_disk=0"]) else { return };
    served.create("Waits", &waiting()).await;
    let slow = json!([{ "type": "test", "foreach": { "in": (0..150).collect::<Vec<_>>(), "max_parallel": 1 }, "config": { "sleep": "20ms", "outputs": { "text": "x".repeat(2_000) } } }]);
    served.create("Long", &slow).await;
    let waits = served.execute("waits", &json!({})).await;
    until(&served, &waits, "waiting").await;
    let long = served.execute("long", &json!({})).await;
    let ballast = fill(&storage, 0);
    // The database notices when it writes: from then on nothing moves, and nothing is answered that is not kept.
    let mut last = Value::Null;
    loop {
        let view = served.get(&format!("/api/workflow/{long}/status")).await;
        assert_eq!((view.status, &view.json["status"]), (200, &json!("running")), "{}", view.json);
        if view.json["seq"] == last {
            break;
        }
        last = view.json["seq"].clone();
        tokio::time::sleep(STILL).await;
    }
    let path = format!("/api/workflow/{waits}/pause");
    let nothing = json!({});
    let paused = served.post(&path, &nothing);
    tokio::pin!(paused);
    assert!(tokio::time::timeout(STILL, &mut paused).await.is_err(), "answered before it can have been kept");

    std::fs::remove_file(ballast).expect("there");
    assert_eq!(paused.await.status, 200);
    assert_eq!(served.finished(&long).await["status"], "completed");
    while start(&served, "waits").await.status != 200 {
        pause().await;
    }
    // The disk goes with the process, so it is looked into while the process stands still.
    let pid = rustix::process::Pid::from_raw(i32::try_from(served.pid()).expect("a number")).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).expect("it is there");
    let copy = Home::new();
    let copied = Command::new("cp").arg("-a").arg(&storage).arg(copy.path()).status().expect("cp is there");
    assert!(copied.success());
    let doctor = copy.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{}{}", doctor.stdout, doctor.stderr);
}
