//! A disk that takes its time: answers come late, but only for what is kept.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::skipped;
use crate::support::binary::Home;
use crate::support::service::{Served, answer};

/// How much longer every sync takes.
const DELAY: Duration = Duration::from_millis(100);
const CALLERS: usize = 16;
const STARTS: usize = 8;
/// KiB that the service may hold at the most: it is far less, and a queue without end would be far more.
const MEMORY: u64 = 400 * 1024;

/// A service whose disk is slow, where somebody may slow it down.
fn slowed(home: Home) -> Option<Served> {
    let tracer = || {
        let mut tracer = Command::new("strace");
        tracer.args(["-D", "-q", "-f", "-o", "/dev/null", "-e", "trace=fdatasync,fsync"]);
        tracer.arg("-e").arg(format!("inject=fdatasync,fsync:delay_exit={}", DELAY.as_micros()));
        tracer
    };
    if !tracer().arg("true").output().is_ok_and(|done| done.status.success()) {
        skipped("the slow disk", "strace is not installed, or this machine lets nobody trace");
        return None;
    }
    let service = home.command(&["serve"]);
    let mut command = tracer();
    command.arg(service.get_program()).args(service.get_args()).current_dir(home.path()).stdin(Stdio::null());
    command.envs(service.get_envs().filter_map(|(key, value)| Some((key, value?))));
    Some(Served::launched(home, command))
}

async fn started(served: &Served, key: &str) -> String {
    let request = served.request(Method::POST, "/api/workflow/two/execute").header("idempotency-key", key);
    let answer = answer(request.json(&json!({ "inputs": {} }))).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json["execution_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn on_a_slow_disk_answers_come_late_and_hold_through_a_kill() {
    let Some(served) = slowed(Home::new()) else { return };
    served.create("Two", &json!([{ "type": "test" }, { "type": "test" }])).await;
    let caller = |caller: usize| {
        let served = &served;
        async move {
            let mut kept = Vec::new();
            for n in 0..STARTS {
                let (key, asked) = (format!("{caller}-{n}"), Instant::now());
                let id = started(served, &key).await;
                assert!(asked.elapsed() >= DELAY, "it was answered before anything can have been synced");
                kept.push((key, id));
            }
            kept
        }
    };
    let kept: Vec<_> = join_all((0..CALLERS).map(caller)).await.concat();
    let (_, highest) = served.memory();
    assert!(highest < MEMORY, "{highest} KiB");
    let served = Served::within(served.kill(), &[]);
    for (key, id) in kept {
        assert_eq!(served.finished(&id).await["status"], "completed");
        assert_eq!(started(&served, &key).await, id, "the same key is the same execution");
    }
    let doctor = served.home.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{}{}", doctor.stdout, doctor.stderr);
}
