//! Executions that stand in others: what is done to the outer one reaches the inner ones, and what they did is kept.

use serde_json::{Value, json};

use crate::support::service::Served;

async fn view(served: &Served, execution: &str) -> Value {
    served.get(&format!("/api/workflow/{execution}/status")).await.json
}

async fn until(served: &Served, execution: &str, wanted: &str) -> Value {
    loop {
        let view = view(served, execution).await;
        if view["status"] == wanted {
            return view;
        }
        assert!(view["finished_at"].is_null(), "it ended: {view}");
        tokio::task::yield_now().await;
    }
}

async fn tell(served: &Served, execution: &str, verb: &str) {
    let told = served.post(&format!("/api/workflow/{execution}/{verb}"), &json!({})).await;
    assert_eq!(told.status, 200, "{verb}: {}", told.json);
}

/// The execution that the step with this id began.
fn child(view: &Value, step: &str) -> Option<String> {
    let steps = view["steps"].as_array().expect("steps");
    let found = steps.iter().find(|found| found["id"] == step).expect("the step is there");
    found["execution_id"].as_str().map(str::to_owned)
}

/// What stands in this execution, whichever step of it.
async fn children(served: &Served, execution: &str, slug: &str) -> Vec<String> {
    let rows = served.get(&format!("/api/workflow/history?workflow={slug}")).await.json;
    let rows = rows["executions"].as_array().unwrap_or_else(|| panic!("{rows}")).clone();
    let mut found = Vec::new();
    for row in rows {
        let id = row["execution_id"].as_str().expect("an id");
        if view(served, id).await["origin"]["began_by"] == execution {
            found.push(id.to_owned());
        }
    }
    found
}

fn waiting(event: &str) -> Value {
    json!([{ "type": "wait", "id": "gate", "config": { "event": event } }, { "type": "noop", "id": "after" }])
}

#[tokio::test]
async fn a_cancel_ends_every_child_of_a_loop_and_then_tidies_up() {
    let served = Served::start();
    served.create("Inner", &waiting("go")).await;
    let definition = json!({
        "name": "Outer",
        "steps": [{ "type": "workflow", "id": "inner", "foreach": [1, 2], "config": { "id": "inner" } }],
        "finally": [{ "type": "noop", "id": "clean" }]
    });
    let made = served.post("/api/workflow/create", &json!({ "definition": definition.to_string() })).await;
    assert_eq!(made.status, 200, "{}", made.json);
    let execution = served.execute(made.json["workflow_id"].as_str().expect("an id"), &json!({})).await;
    until(&served, &execution, "waiting").await;
    let begun = loop {
        let begun = children(&served, &execution, "inner").await;
        if begun.len() == 2 {
            break begun;
        }
    };
    for child in &begun {
        until(&served, child, "waiting").await;
    }
    tell(&served, &execution, "cancel").await;
    let ended = served.finished(&execution).await;
    assert_eq!(ended["status"], "cancelled", "{ended}");
    let clean =
        ended["steps"].as_array().expect("steps").iter().find(|step| step["id"] == "clean").expect("it is there");
    assert_eq!(clean["status"], "completed", "{ended}");
    for child in begun {
        assert_eq!(served.finished(&child).await["status"], "cancelled");
    }
}

#[tokio::test]
async fn a_retry_goes_on_with_the_child_that_failed() {
    let served = Served::start();
    let strict = json!([
        { "type": "test", "id": "first", "config": { "outputs": { "n": 1 } } },
        { "type": "approve", "id": "book", "config": { "allow_requester": true } }
    ]);
    served.create("Strict", &strict).await;
    let outer =
        served.create("Outer", &json!([{ "type": "workflow", "id": "inner", "config": { "id": "strict" } }])).await;
    let execution = served.execute(&outer, &json!({})).await;
    let begun = child(&until(&served, &execution, "waiting").await, "inner").expect("it began one");
    until(&served, &begun, "waiting").await;
    tell(&served, &begun, "reject").await;
    let failed = served.finished(&execution).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    tell(&served, &execution, "retry").await;
    while view(&served, &begun).await["status"] != "waiting" {
        tokio::task::yield_now().await;
    }
    tell(&served, &begun, "approve").await;
    let ended = served.finished(&execution).await;
    assert_eq!((&ended["status"], child(&ended, "inner")), (&json!("completed"), Some(begun.clone())), "{ended}");
    let inner = view(&served, &begun).await;
    assert_eq!(inner["steps"][0]["attempts"], 1, "what was done stays done: {inner}");
}

#[tokio::test]
async fn a_pause_and_a_resume_reach_the_child() {
    let served = Served::start();
    served.create("Inner", &waiting("go")).await;
    let outer =
        served.create("Outer", &json!([{ "type": "workflow", "id": "inner", "config": { "id": "inner" } }])).await;
    let execution = served.execute(&outer, &json!({})).await;
    let begun = child(&until(&served, &execution, "waiting").await, "inner").expect("it began one");
    until(&served, &begun, "waiting").await;
    tell(&served, &execution, "pause").await;
    until(&served, &execution, "paused").await;
    until(&served, &begun, "paused").await;
    tell(&served, &execution, "resume").await;
    until(&served, &begun, "waiting").await;
    let sent = served.post(&format!("/api/workflow/{begun}/signal"), &json!({ "event": "go" })).await;
    assert_eq!(sent.status, 200, "{}", sent.json);
    let ended = served.finished(&execution).await;
    assert_eq!(ended["status"], "completed", "{ended}");
}

#[tokio::test]
async fn what_tidies_up_runs_in_every_execution_that_is_ended_even_where_there_is_one_place() {
    let served = Served::with(&["max_concurrent=1"]);
    let definition = |name: &str, step: &Value| {
        let definition = json!({ "name": name, "steps": [step], "finally": [{ "type": "noop", "id": "clean" }] });
        json!({ "definition": definition.to_string() })
    };
    let inner = definition("Inner", &json!({ "type": "approve", "id": "book" }));
    assert_eq!(served.post("/api/workflow/create", &inner).await.status, 200);
    let outer = definition("Outer", &json!({ "type": "workflow", "id": "inner", "config": { "id": "inner" } }));
    let made = served.post("/api/workflow/create", &outer).await;
    let execution = served.execute(made.json["workflow_id"].as_str().expect("an id"), &json!({})).await;
    let begun = child(&until(&served, &execution, "waiting").await, "inner").expect("it began one");
    until(&served, &begun, "waiting").await;
    tell(&served, &execution, "cancel").await;
    for execution in [begun, execution] {
        let ended = served.finished(&execution).await;
        assert_eq!((&ended["status"], &ended["steps"][1]["status"]), (&json!("cancelled"), &json!("completed")));
    }
}
