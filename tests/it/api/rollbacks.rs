//! Taking back what executions did: by their types, by the workflow's own steps, up to a step, since a checkpoint.

use serde_json::{Value, json};

use crate::support::service::Served;

const ROWS: &str = "[{\"sku\": \"a\", \"price\": 1}, {\"sku\": \"b\", \"price\": 2}]";

fn loading(id: &str) -> [Value; 2] {
    let rows: Value = serde_json::from_str(ROWS).expect("JSON");
    let from = json!({ "type": "test", "id": format!("rows_{id}"), "config": { "outputs": { "records": rows } } });
    let ports = json!({ "records": format!("${{{{ steps.rows_{id}.outputs.records }}}}") });
    [from, json!({ "type": "load", "id": id, "config": { "table": "prices" }, "ports": ports })]
}

async fn made(served: &Served, definition: &Value) -> String {
    let made = served.post("/api/workflow/create", &json!({ "definition": definition.to_string() })).await;
    assert_eq!(made.status, 200, "{}", made.json);
    made.json["workflow_id"].as_str().expect("an id").to_owned()
}

/// What an execution has done, as `step: undo`.
async fn effects(served: &Served, execution: &str, to: &str) -> Vec<String> {
    let told = served.get(&format!("/api/workflow/{execution}/effects{to}")).await.json;
    let line = |effect: &Value| {
        let done = if effect["undone_by"].is_null() { "" } else { ", undone" };
        format!(
            "{}: {}{done}",
            effect["step"].as_str().unwrap_or_default(),
            effect["undo"].as_str().unwrap_or_default()
        )
    };
    told["effects"].as_array().unwrap_or_else(|| panic!("{told}")).iter().map(line).collect()
}

/// Takes it back; what became of each step, in order.
async fn taken_back(served: &Served, execution: &str, body: Value) -> (Value, Vec<String>) {
    let begun = served.post(&format!("/api/workflow/{execution}/rollback"), &body).await;
    assert_eq!(begun.status, 200, "{}", begun.json);
    let id = begun.json["execution_id"].as_str().expect("an id").to_owned();
    let ended = served.finished(&id).await;
    let full = served.get(&format!("/api/workflow/{id}/status?include=outputs")).await.json;
    let items = full["steps"][0]["outputs"]["items"].as_array().unwrap_or_else(|| panic!("{full}")).clone();
    let line =
        |item: &Value| format!("{}: {}", item["step"].as_str().unwrap_or("-"), item["what"].as_str().unwrap_or("-"));
    (ended, items.iter().map(line).collect())
}

async fn ran(served: &Served, workflow: &str) -> String {
    let execution = served.execute(workflow, &json!({})).await;
    let ended = served.finished(&execution).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    execution
}

async fn rows_after_a_load(served: &Served, workflow: &str) -> Value {
    let execution = ran(served, workflow).await;
    let full = served.get(&format!("/api/workflow/{execution}/status?include=outputs")).await.json;
    full["steps"][1]["outputs"]["loaded"]["rows_in_table"].clone()
}

#[tokio::test]
async fn what_steps_did_is_taken_back_newest_first_and_only_once() {
    let served = Served::start();
    let [rows, load] = loading("first");
    let [more, second] = loading("second");
    let store = json!({ "type": "store", "id": "keep", "ports": { "text": "a quokka on an island" } });
    let sends = json!({ "type": "test", "id": "sends", "rollback": [
        { "type": "test", "config": { "outputs": { "refunded": "${{ outputs.amount + vars.fee }}" } } }
    ], "config": { "outputs": { "amount": 12 } } });
    let mark = json!({ "type": "checkpoint", "id": "mark" });
    let definition =
        json!({ "name": "Does", "vars": { "fee": 1 }, "steps": [rows, load, mark, store, sends, more, second] });
    let execution = ran(&served, &made(&served, &definition).await).await;
    let all = ["second: by_itself", "sends: by_steps", "keep: by_itself", "first: by_itself"];
    assert_eq!(effects(&served, &execution, "").await, all);
    assert_eq!(effects(&served, &execution, "?to=mark").await, all[..3]);
    let found = served.get("/api/documents/search?q=quokka").await.json;
    assert_eq!(found["documents"].as_array().map(Vec::len), Some(1), "{found}");

    let (ended, told) = taken_back(&served, &execution, json!({ "to": "mark" })).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(ended["origin"]["rolls_back"], json!(execution));
    assert_eq!(told[0], "second: 2 rows taken out of `prices`");
    assert_eq!(told[2], "keep: the document was taken out of the store");
    let found = served.get("/api/documents/search?q=quokka").await.json;
    assert_eq!(found["documents"].as_array().map(Vec::len), Some(0), "{found}");
    let undone = served.get("/api/workflow/history?workflow=undo_of_sends").await.json;
    let undo = undone["executions"][0]["execution_id"].as_str().unwrap_or_else(|| panic!("{undone}"));
    let full = served.get(&format!("/api/workflow/{undo}/status?include=outputs")).await.json;
    assert_eq!(full["steps"][0]["outputs"]["refunded"], 13, "it sees what the step saw and gave: {full}");

    let (_, told) = taken_back(&served, &execution, json!({})).await;
    assert_eq!(told, ["first: 2 rows taken out of `prices`"], "the rest was taken back before");
    let again = served.post(&format!("/api/workflow/{execution}/rollback"), &json!({})).await;
    assert_eq!(again.status, 409, "{}", again.json);
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_told_and_what_is_under_way_is_refused() {
    let served = Served::start();
    let [rows, mut load] = loading("load");
    load["config"] = json!({ "table": "prices", "mode": "replace" });
    let kept = json!({ "type": "store", "id": "keep", "rollback": "none", "ports": { "text": "stays" } });
    let execution =
        ran(&served, &made(&served, &json!({ "name": "Replaces", "steps": [rows, load, kept] })).await).await;
    let (ended, told) = taken_back(&served, &execution, json!({})).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let expected =
        ["keep: its author wants it kept", "load: its rows in `prices` took the place of others, which are gone"];
    assert_eq!(told, expected);
    let waits =
        made(&served, &json!({ "name": "Waits", "steps": [{ "type": "wait", "config": { "event": "go" } }] })).await;
    let open = served.execute(&waits, &json!({})).await;
    let refused = served.post(&format!("/api/workflow/{open}/rollback"), &json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.json);
    let unknown = served.post(&format!("/api/workflow/{execution}/rollback"), &json!({ "to": "nowhere" })).await;
    assert_eq!(unknown.status, 409, "{}", unknown.json);
}

#[tokio::test]
async fn a_checkpoint_takes_back_whatever_the_workflow_did_since() {
    let served = Served::start();
    let workflow = made(&served, &json!({ "name": "Loads", "steps": loading("load") })).await;
    assert_eq!(rows_after_a_load(&served, &workflow).await, 2);
    let marked = served.post(&format!("/api/workflow/{workflow}/checkpoint"), &json!({})).await;
    let checkpoint = marked.json["checkpoint_id"].as_str().unwrap_or_else(|| panic!("{}", marked.json)).to_owned();
    assert_eq!(rows_after_a_load(&served, &workflow).await, 4);
    assert_eq!(rows_after_a_load(&served, &workflow).await, 6);
    let (ended, told) = taken_back(&served, &workflow, json!({ "checkpoint": checkpoint })).await;
    assert_eq!((&ended["status"], told.len()), (&json!("completed"), 2), "{ended}");
    assert_eq!(rows_after_a_load(&served, &workflow).await, 4);
}

#[tokio::test]
async fn a_failed_step_that_says_rollback_takes_back_what_went_before() {
    let served = Served::start();
    let [rows, load] = loading("load");
    let breaks =
        json!({ "type": "test", "id": "breaks", "retry": 0, "on_error": "rollback", "config": { "fail": "no" } });
    let definition = json!({ "name": "Breaks", "steps": [rows, load, breaks] });
    let execution = served.execute(&made(&served, &definition).await, &json!({})).await;
    let ended = served.finished(&execution).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    let rollback = ended["steps"].as_array().expect("steps").iter().find(|step| step["type"] == "rollback");
    assert_eq!(rollback.expect("it is a step like any other")["status"], "completed", "{ended}");
    assert_eq!(effects(&served, &execution, "").await, ["load: by_itself, undone"]);
}
