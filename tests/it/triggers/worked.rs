//! The worked examples of the manual, through the service as it runs.

use reqwest::Method;
use serde_json::{Value, json};

use super::listening::{make, until};
use crate::support::service::{Served, answer};

async fn send(served: &Served, path: &str, body: Value) -> Value {
    let answer = answer(served.request(Method::POST, path).json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

async fn ended(served: &Served, run: &str) -> Value {
    until("an end", async || {
        let view = served.get(&format!("/api/workflow/{run}/status?include=inputs,outputs")).await.json;
        view["finished_at"].is_string().then_some(view)
    })
    .await
}

#[tokio::test]
async fn a_ticket_that_is_created_starts_the_notifications_of_the_template() {
    let served = Served::start();
    send(&served, "/api/workflow/create", json!({ "name": "Ticket Notification", "template": "notification_flow" }))
        .await;
    let trigger = json!({
        "id": "on_ticket_created", "type": "event", "name": "ticket.created",
        "inputs": { "ticket_id": "${{ trigger.data.id }}" },
    });
    let made = json!({ "make": { "workflow": "ticket_notification", "trigger": trigger } });
    let made = send(&served, "/api/triggers/act", made).await;
    assert_eq!(made["trigger"]["by_hand"], true, "{made}");
    let event = json!({ "name": "ticket.created", "source": "crm", "id": "evt-2", "data": { "id": "T-8" } });
    let came = send(&served, "/api/events", event.clone()).await;
    assert_eq!(came["came"][0]["verdict"], "started", "{came}");
    let run = came["came"][0]["execution_id"].as_str().expect("a run");
    let view = ended(&served, run).await;
    assert_eq!(view["origin"]["trigger"], "ticket_notification/on_ticket_created");
    let steps = view["steps"].as_array().expect("steps");
    assert_eq!((steps.len(), &steps[0]["status"]), (4, &json!("completed")), "{view}");
    // A type of the template that is not built is named as such; nothing else fails.
    let is_fine = |step: &Value| match step["status"].as_str() {
        Some("failed") => step["error"]["code"] == "WF2003",
        status => matches!(status, Some("completed" | "skipped")),
    };
    assert!(steps.iter().all(is_fine), "{view}");
    assert_eq!(view["inputs"]["ticket_id"], "T-8", "{view}");
    assert!(view["steps"][0].to_string().contains("T-8"), "the message tells the ticket: {view}");
    let again = send(&served, "/api/events", event).await;
    assert_eq!((&again["came"][0]["duplicate"], &again["came"][0]["execution_id"]), (&json!(true), &json!(run)));
    let gone = send(&served, "/api/triggers/act", json!({ "remove": "ticket_notification/on_ticket_created" })).await;
    assert!(gone["trigger"].is_null(), "{gone}");
    let event = json!({ "name": "ticket.created", "source": "crm", "id": "evt-3", "data": { "id": "T-9" } });
    assert_eq!(send(&served, "/api/events", event).await["came"], json!([]));
}

#[tokio::test]
async fn what_is_stored_and_what_ends_is_told_as_events() {
    let served = Served::start();
    make(&served, "On File", json!([{ "id": "e", "type": "event", "name": "file.stored" }])).await;
    let ends = "trigger.data.workflow == 'on_file' and trigger.data.status == 'completed'";
    make(&served, "On End", json!([{ "id": "e", "type": "event", "name": "workflow.finished", "when": ends }])).await;
    let uploaded = served.upload("a.txt", b"some words").await;
    assert_eq!(uploaded.status, 200, "{}", uploaded.json);
    let started = async |name: &str| {
        until("a start", async || {
            let told = served.get(&format!("/api/triggers/explain?name={name}")).await.json;
            told["firings"].as_array()?.iter().find(|firing| firing["verdict"] == "started").cloned()
        })
        .await
    };
    let file = started("on_file").await;
    assert_eq!(file["facts"]["data"]["name"], "a.txt");
    assert_eq!(file["facts"]["data"]["file_id"], uploaded.json["file_id"]);
    let end = started("on_end").await;
    assert_eq!(end["facts"]["data"]["execution_id"], file["execution_id"]);
}

#[tokio::test]
async fn a_schedule_that_happens_too_often_is_refused_with_the_name_of_the_setting() {
    let served = Served::start();
    let definition = |cron: &str| {
        let triggers = json!([{ "id": "s", "type": "schedule", "cron": cron, "tz": "UTC" }]);
        let text = json!({ "name": "Often", "steps": [{ "type": "noop" }], "triggers": triggers });
        json!({ "definition": text.to_string() })
    };
    let refused =
        answer(served.request(Method::POST, "/api/workflow/create").json(&definition("*/10 * * * * *"))).await;
    assert_eq!(refused.status, 422, "{}", refused.json);
    let told = refused.json.to_string();
    assert!(told.contains("schedule_min_interval") && told.contains("10.0s"), "{told}");
    send(&served, "/api/workflow/create", definition("* * * * *")).await;
    let add = json!({ "add": { "workflow": "often", "schedule": "every 5 seconds" } });
    let refused = answer(served.request(Method::POST, "/api/triggers/act").json(&add)).await;
    assert_eq!(refused.status, 422, "{}", refused.json);
    assert!(refused.json.to_string().contains("schedule_min_interval"), "{}", refused.json);
}
