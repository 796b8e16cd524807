//! Who may be under way together: concurrency groups and priorities, as a team sees them.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::service::{Answer, Served};

/// A workflow that holds its place until somebody sends it `go`.
async fn made(served: &Served, name: &str, concurrency: Value) -> String {
    let gate = json!([{ "type": "wait", "id": "gate", "config": { "event": "go" } }]);
    let mut definition =
        json!({ "name": name, "steps": gate, "inputs": { "who": { "type": "string", "default": "x" } } });
    definition["concurrency"] = concurrency;
    let body = json!({ "definition": definition.to_string() });
    let made = served.post("/api/workflow/create", &body).await;
    assert_eq!(made.status, 200, "{}", made.json);
    made.json["workflow_id"].as_str().expect("an id").to_owned()
}

async fn tried(served: &Served, workflow: &str, who: &str) -> Answer {
    served.post(&format!("/api/workflow/{workflow}/execute"), &json!({ "inputs": { "who": who } })).await
}

async fn started(served: &Served, workflow: &str, who: &str) -> String {
    served.execute(workflow, &json!({ "who": who })).await
}

async fn view(served: &Served, execution: &str) -> Value {
    served.get(&format!("/api/workflow/{execution}/status")).await.json
}

async fn waiting(served: &Served, execution: &str) {
    loop {
        let view = view(served, execution).await;
        if view["status"] == "waiting" {
            return;
        }
        assert!(view["finished_at"].is_null(), "it ended: {view}");
        tokio::task::yield_now().await;
    }
}

async fn go(served: &Served, execution: &str) {
    waiting(served, execution).await;
    let sent = served.post(&format!("/api/workflow/{execution}/signal"), &json!({ "event": "go" })).await;
    assert_eq!(sent.status, 200, "{}", sent.json);
    assert_eq!(served.finished(execution).await["status"], "completed");
}

#[tokio::test]
async fn a_group_lets_one_through_at_a_time_and_says_who_is_waited_for() {
    let served = Served::start();
    let workflow = made(&served, "Queues", json!({ "group": "erp-${{ inputs.who }}", "limit": 1 })).await;
    let first = started(&served, &workflow, "a").await;
    waiting(&served, &first).await;
    let (second, third) = (started(&served, &workflow, "a").await, started(&served, &workflow, "a").await);
    let elsewhere = started(&served, &workflow, "b").await;
    waiting(&served, &elsewhere).await;
    let queue = view(&served, &third).await["queue"].clone();
    let reason = format!("the group `erp-a` lets 1 through at a time; under way: {first}");
    assert_eq!(queue, json!({ "position": 2, "group": "erp-a", "reason": reason }));
    for execution in [&first, &second, &third] {
        go(&served, execution).await;
    }
}

#[tokio::test]
async fn a_killed_service_remembers_who_holds_the_group() {
    let served = Served::start();
    let workflow = made(&served, "Queues", json!(1)).await;
    let first = started(&served, &workflow, "a").await;
    waiting(&served, &first).await;
    let second = started(&served, &workflow, "a").await;
    let served = Served::within(served.kill(), &[]);
    assert_eq!(view(&served, &second).await["queue"]["group"], "queues");
    go(&served, &first).await;
    go(&served, &second).await;
}

#[tokio::test]
async fn overflow_skips_replaces_or_rejects_and_what_is_not_done_is_recorded() {
    let served = Served::start();
    let skip = made(&served, "Skips", json!({ "overflow": "skip" })).await;
    let first = started(&served, &skip, "a").await;
    let left_out = started(&served, &skip, "a").await;
    assert_eq!(view(&served, &left_out).await["status"], "cancelled");
    let lines = served.get(&format!("/api/workflow/{left_out}/explain")).await.json["lines"].to_string();
    assert!(lines.contains("the group `skips`, in which 1 of 1 are under way"), "{lines}");
    go(&served, &first).await;
    let again = started(&served, &skip, "a").await;
    go(&served, &again).await;

    let reject = made(&served, "Rejects", json!({ "overflow": "reject" })).await;
    let first = started(&served, &reject, "a").await;
    let refused = tried(&served, &reject, "a").await;
    assert_eq!((refused.status, &refused.json["code"]), (429, &json!("WF5124")), "{}", refused.json);
    go(&served, &first).await;

    let replace = made(&served, "Replaces", json!({ "overflow": "replace" })).await;
    let first = started(&served, &replace, "a").await;
    waiting(&served, &first).await;
    let second = started(&served, &replace, "a").await;
    assert_eq!(served.finished(&first).await["status"], "cancelled");
    go(&served, &second).await;

    let few = made(&served, "Few", json!({ "queue_max": 1 })).await;
    let (first, second) = (started(&served, &few, "a").await, started(&served, &few, "a").await);
    assert_eq!(tried(&served, &few, "a").await.status, 429);
    let cancelled = served.post(&format!("/api/workflow/{second}/cancel"), &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.json);
    let third = started(&served, &few, "a").await;
    go(&served, &first).await;
    go(&served, &third).await;
}

#[tokio::test]
async fn two_hundred_at_once_go_through_one_by_one() {
    let served = Served::start();
    let steps = json!([{ "type": "test", "id": "work", "config": { "sleep": "1ms" } }]);
    let definition = json!({ "name": "One", "concurrency": 1, "steps": steps });
    let made = served.post("/api/workflow/create", &json!({ "definition": definition.to_string() })).await;
    let workflow = made.json["workflow_id"].as_str().expect("an id");
    let nothing = json!({});
    let started = futures::future::join_all((0..200).map(|_| served.execute(workflow, &nothing))).await;
    let mut times = Vec::new();
    for execution in &started {
        let view = served.finished(execution).await;
        assert_eq!(view["status"], "completed", "{view}");
        times.push((view["started_at"].to_string(), view["finished_at"].to_string()));
    }
    times.sort();
    let overlaps = times.windows(2).filter(|pair| pair[1].0 < pair[0].1).count();
    assert_eq!(overlaps, 0, "no two were under way together");
}

#[tokio::test]
async fn a_workflow_that_would_wait_for_itself_is_told_so() {
    let served = Served::start();
    made(&served, "Inner", json!({ "group": "shared" })).await;
    let steps = json!([{ "type": "workflow", "id": "inner", "retry": 0, "config": { "id": "inner" } }]);
    let definition = json!({ "name": "Outer", "concurrency": { "group": "shared" }, "steps": steps });
    let made = served.post("/api/workflow/create", &json!({ "definition": definition.to_string() })).await;
    let execution = served.execute(made.json["workflow_id"].as_str().expect("an id"), &json!({})).await;
    let view = served.finished(&execution).await;
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("WF4013")), "{view}");
}

/// Takes a call and answers it later, so that a step is in flight for as long as the test wants.
async fn answered(listener: &TcpListener, first: impl AsyncFnOnce()) {
    let (mut stream, _) = listener.accept().await.expect("somebody calls");
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.expect("it sends its request")); // what is unread would reset the connection
    }
    first().await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await.expect("it listens");
}

#[tokio::test]
async fn a_step_waits_for_room_over_executions_and_says_for_whom() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let served = Served::with(&[&format!("egress_allow={}/32:{}", address.ip(), address.port())]);
    let call = json!([{ "type": "fetch", "id": "call", "retry": 0, "concurrency": { "group": "erp", "limit": 1 },
                        "timeout": { "queue": "1h" }, "config": { "url": format!("http://{address}/") } }]);
    let workflow = served.create("Shares", &call).await;
    let first = started(&served, &workflow, "a").await;
    let mut second = String::new();
    answered(&listener, async || {
        second = started(&served, &workflow, "a").await;
        let reason = format!("the group `erp` lets 1 through at a time; under way: {first}");
        while view(&served, &second).await["queue"]["reason"] != reason {
            tokio::task::yield_now().await;
        }
        let lines = served.get(&format!("/api/workflow/{second}/explain")).await.json["lines"].to_string();
        assert!(lines.contains(&format!("It is queued at place 1: {reason}.")), "{lines}");
    })
    .await;
    answered(&listener, async || {}).await;
    for execution in [&first, &second] {
        assert_eq!(served.finished(execution).await["status"], "completed");
    }
}
