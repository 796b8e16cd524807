//! What the specification promises and a hasty reader misses, one by one, at the real service.

use serde_json::{Value, json};

use super::chat::Talk;
use crate::support::service::Served;

#[tokio::test]
async fn trap_1_unknown_step_types_are_saved_with_a_warning_and_fail_when_they_run() {
    let served = Served::start();
    let steps = json!([{ "type": "step1", "name": "First Step" }, { "type": "step2", "name": "Second Step" }]);
    let body = json!({ "name": "My Workflow", "steps": steps });
    let made = served.post("/api/workflow/create", &body).await;
    assert_eq!(made.status, 200, "{}", made.json);
    assert_eq!(made.json["status"], "created");
    assert!(made.json["warnings"][0].as_str().expect("a warning").contains("step1"), "{}", made.json);
    let id = made.json["workflow_id"].as_str().expect("an id");
    let execution = served.execute(id, &json!({})).await;
    let view = served.finished(&execution).await;
    assert_eq!(view["status"], "failed");
    assert_eq!(view["error"]["code"], "WF2003");
    assert!(view["error"]["message"].as_str().expect("text").to_lowercase().contains("unknown step type"), "{view}");

    let strict = served.post("/api/workflow/create", &json!({ "name": "x", "steps": steps, "strict": true })).await;
    assert_eq!((strict.status, &strict.json["code"]), (422, &json!("WF1022")), "{}", strict.json);
}

#[tokio::test]
async fn trap_1_the_built_in_types_test_and_noop_run() {
    let served = Served::start();
    let id = served.create("Unit", &json!([{ "type": "test" }, { "type": "noop" }])).await;
    let view = served.finished(&served.execute(&id, &json!({})).await).await;
    assert_eq!(view["status"], "completed", "{view}");
}

#[tokio::test]
async fn trap_2_name_and_config_of_a_step_are_optional() {
    let served = Served::start();
    let steps = json!([{ "type": "noop", "parallel_group": 1 }, { "type": "noop", "parallel_group": 1 }]);
    let id = served.create("Groups", &steps).await;
    let view = served.finished(&served.execute(&id, &json!({})).await).await;
    assert_eq!(view["status"], "completed");
    assert!(view["steps"][0]["name"].as_str().is_some_and(|name| !name.is_empty()), "{view}");
}

#[tokio::test]
async fn trap_3_execute_without_inputs_answers_with_an_execution_that_says_what_is_missing() {
    let served = Served::start();
    let started = served.post("/api/workflow/document_processing/execute", &json!({ "inputs": {} })).await;
    assert_eq!(started.status, 200, "{}", started.json);
    assert_eq!(started.json["status"], "running");
    let view = served.finished(started.json["execution_id"].as_str().expect("an id")).await;
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("WF2101")), "{view}");
    // Also without any body at all.
    let request = served.request(reqwest::Method::POST, "/api/workflow/document_processing/execute");
    assert_eq!(crate::support::service::answer(request).await.status, 200);
}

#[tokio::test]
async fn trap_4_an_input_named_like_a_config_key_overrides_it_and_the_data_pipeline_completes() {
    let served = Served::start();
    let view = served.finished(&served.execute("data_pipeline", &json!({ "source": "test_data" })).await).await;
    assert_eq!(view["status"], "completed", "{view}");
    assert!(view["warnings"].as_array().is_some_and(Vec::is_empty), "asked for, so there is nothing to tell: {view}");
    // Without a word the same rows stand in for the service that nobody has named, and the run says so.
    let view = served.finished(&served.execute("data_pipeline", &json!({})).await).await;
    assert_eq!(view["status"], "completed", "{view}");
    assert!(view["warnings"].to_string().contains("sample set"), "{view}");
    // The table too.
    let inputs = json!({ "source": "test_data", "table": "elsewhere" });
    let view = served.finished(&served.execute("data_pipeline", &inputs).await).await;
    assert_eq!(view["status"], "completed", "{view}");
    let found = crate::support::tables::count(&served.home.path().join("workflows/data.db"), "elsewhere").await;
    assert_eq!(found, 10);
}

#[tokio::test]
async fn trap_5_progress_counts_the_step_that_runs() {
    let served = Served::start();
    let steps = json!([{ "type": "noop" }, { "type": "wait", "config": { "for": "1h" } }, { "type": "noop" }, { "type": "noop" }]);
    let id = served.create("Half", &steps).await;
    let execution = served.execute(&id, &json!({})).await;
    let mut events = super::live::Events::of(&served, &execution, 0).await;
    let at_rest = events.until(|event| event["type"] == "workflow_progress" && event["status"] == "waiting").await;
    assert_eq!(at_rest["step"], 1);
    let view = served.get(&format!("/api/workflow/{execution}/status")).await.json;
    assert_eq!((&view["current_step"], &view["total_steps"], &view["progress"]), (&json!(2), &json!(4), &json!(50)));
}

#[tokio::test]
async fn trap_6_the_wire_says_completed_and_the_handler_success() {
    let served = Served::start();
    let id = served.create("Words", &json!([{ "type": "noop" }])).await;
    let execution = served.execute(&id, &json!({})).await;
    let mut events = super::live::Events::of(&served, &execution, 0).await;
    let done = events.until(|event| event["step"] == 0 && event["status"] == "completed").await;
    assert_eq!(done["result"]["status"], "success", "{done}");
    let view = served.finished(&execution).await;
    assert_eq!(view["steps"][0]["status"], "completed");
}

#[tokio::test]
async fn trap_7_status_takes_an_execution_a_workflow_and_the_spelling_of_the_examples() {
    let served = Served::start();
    let id = served.create("Newest", &json!([{ "type": "noop" }])).await;
    let none = served.get(&format!("/api/workflow/{id}/status")).await;
    assert_eq!(none.status, 404, "it has not run");
    let first = served.execute(&id, &json!({})).await;
    let second = served.execute(&id, &json!({})).await;
    let as_written = id.replacen("wf_", "workflow_", 1);
    for (asked, meant) in [(&first, &first), (&id, &second), (&as_written, &second)] {
        let view = served.get(&format!("/api/workflow/{asked}/status")).await.json;
        assert_eq!(view["execution_id"], **meant, "{asked}");
        assert_eq!(view["workflow_id"], *id);
    }
    assert_ne!(first, second);
}

#[tokio::test]
async fn trap_8_a_retry_count_of_three_means_four_attempts() {
    let served = Served::start();
    let steps = json!([{ "type": "test", "config": { "fail": "always" } }]);
    let id = served.create("Again", &steps).await;
    let view = served.finished(&served.execute(&id, &json!({})).await).await;
    assert_eq!(view["steps"][0]["max_attempts"], 4, "{view}");
}

#[tokio::test]
async fn trap_9_a_failing_member_does_not_stop_its_group() {
    let served = Served::start();
    let steps = json!([
        { "type": "assert", "parallel_group": 1, "config": { "that": "${{ 1 > 2 }}" } },
        { "type": "wait", "parallel_group": 1, "config": { "for": "50ms" } },
        { "type": "noop" },
    ]);
    let id = served.create("Siblings", &steps).await;
    let view = served.finished(&served.execute(&id, &json!({})).await).await;
    let statuses: Vec<_> = view["steps"].as_array().expect("steps").iter().map(|step| step["status"].clone()).collect();
    assert_eq!(statuses, ["failed", "completed", "skipped"], "{view}");
}

#[tokio::test]
async fn trap_10_a_template_with_an_empty_list_of_steps_means_the_template() {
    let served = Served::start();
    let create = |body: Value| async { served.post("/api/workflow/create", &{ body }).await };
    let made = create(json!({
        "name": "My Workflow", "description": "Workflow description", "template": "document_processing", "steps": [],
    }))
    .await;
    assert_eq!(made.status, 200, "{}", made.json);
    assert!(made.json["workflow_id"].as_str().is_some_and(|id| id.starts_with("wf_")));
    let both = create(json!({ "name": "x", "template": "document_processing", "steps": [{ "type": "noop" }] })).await;
    assert_eq!(both.status, 422);
    assert!(both.json["message"].as_str().expect("text").contains("not both"), "{}", both.json);
    assert_eq!(create(json!({ "name": "x" })).await.status, 422);
    let listed = served.get("/api/workflow/list").await.json;
    assert_eq!((&listed["total"], &listed["workflows"][0]["template"]), (&json!(1), &json!("document_processing")));
    assert_eq!(listed["workflows"][0]["status"], "active", "{listed}");
}

#[tokio::test]
async fn trap_11_the_reply_begins_with_the_id_of_the_execution() {
    let served = Served::start();
    let mut talk = Talk::join(&served).await;
    talk.say("/workflow run document_processing", &[]).await;
    let card = talk.sees(|message| message["card"]["kind"] == "run").await;
    let execution = card["card"]["execution_id"].as_str().expect("an id");
    let text = card["text"].as_str().expect("text");
    assert_eq!(text.lines().next(), Some(format!("Workflow started: {execution}").as_str()), "{text}");
}

#[tokio::test]
async fn trap_12_an_upload_starts_by_itself_for_pdf_and_docx_only() {
    let served = Served::start();
    let mut talk = Talk::join(&served).await;
    let mut over = Vec::new(); // cards of these may be edited once more after their end
    for (name, starts) in [("invoice.pdf", true), ("tables.docx", true), ("scan-de.png", false)] {
        let content = std::fs::read(format!("{}/tests/fixtures/documents/{name}", env!("CARGO_MANIFEST_DIR")));
        let file = served.upload(name, &content.expect("a fixture")).await.json["file_id"].clone();
        talk.say("", &[file.as_str().expect("an id")]).await;
        let is_new = |message: &Value| {
            let card = &message["card"];
            card["kind"] == "offer" || (card["kind"] == "run" && !over.contains(&card["execution_id"]))
        };
        let card = talk.sees(is_new).await;
        assert_eq!(card["card"]["kind"], if starts { "run" } else { "offer" }, "{name}: {card}");
        if starts {
            served.finished(card["card"]["execution_id"].as_str().expect("an id")).await;
            talk.sees(|message| message["card"]["status"] == "completed").await;
            over.push(card["card"]["execution_id"].clone());
        }
    }
}

#[tokio::test]
async fn trap_13_live_events_are_called_workflow_progress_with_step_and_result() {
    let served = Served::start();
    let id = served.create("Live", &json!([{ "type": "noop" }])).await;
    let execution = served.execute(&id, &json!({})).await;
    let mut events = super::live::Events::of(&served, &execution, 0).await;
    let done = events.until(|event| event["type"] == "workflow_progress" && event["status"] == "completed").await;
    assert_eq!((&done["step"], &done["execution_id"]), (&json!(0), &json!(execution)));
    assert!(done.get("result").is_some() && done["seq"].as_u64().is_some(), "{done}");
}

#[tokio::test]
async fn trap_14_a_schedule_is_refused_by_name_and_never_forgotten_in_silence() {
    let served = Served::start();
    let definition = "name: Daily\nsteps: [{type: noop}]\ntriggers: [{schedule: '0 2 * * *'}]\n";
    let made = served.post("/api/workflow/create", &json!({ "name": "Daily", "definition": definition })).await;
    assert_eq!(made.status, 422, "{}", made.json);
    assert!(made.json["message"].as_str().expect("text").contains("triggers"), "{}", made.json);
}

#[tokio::test]
async fn trap_15_what_was_changed_is_never_answered_from_an_earlier_run() {
    let served = Served::start();
    let steps = |text: &str| json!([{ "type": "assert", "config": { "that": text } }]);
    let id = served.create("Edited", &steps("${{ 1 < 2 }}")).await;
    assert_eq!(served.finished(&served.execute(&id, &json!({})).await).await["status"], "completed");
    let changed = json!({ "name": "Edited", "steps": steps("${{ 1 > 2 }}") });
    let put = served.request(reqwest::Method::PUT, &format!("/api/workflow/{id}")).json(&changed);
    assert_eq!(crate::support::service::answer(put).await.status, 200);
    assert_eq!(served.finished(&served.execute(&id, &json!({})).await).await["status"], "failed");
}

#[tokio::test]
async fn trap_16_a_checkpoint_before_a_run_takes_back_what_the_run_then_did() {
    let served = Served::start();
    let keep = json!({ "type": "store", "ports": { "text": "a wombat in a burrow" } });
    let id = served.create("Effects", &json!([keep])).await;
    let marked = served.post(&format!("/api/workflow/{id}/checkpoint"), &json!({})).await;
    assert_eq!(marked.status, 200, "{}", marked.json);
    let back = json!({ "checkpoint": marked.json["checkpoint_id"] });
    let nothing = served.post(&format!("/api/workflow/{id}/rollback"), &back).await;
    assert_eq!(nothing.status, 409, "nothing was done yet: {}", nothing.json);
    assert_eq!(served.finished(&served.execute(&id, &json!({})).await).await["status"], "completed");
    let begun = served.post(&format!("/api/workflow/{id}/rollback"), &back).await;
    assert_eq!(begun.status, 200, "{}", begun.json);
    let ended = served.finished(begun.json["execution_id"].as_str().expect("an id")).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let found = served.get("/api/documents/search?q=wombat").await.json;
    assert_eq!(found["documents"].as_array().map(Vec::len), Some(0), "{found}");
}

#[tokio::test]
async fn trap_17_the_template_is_wired_without_a_word_about_data() {
    let served = Served::start();
    let plan = served.post("/api/workflow/document_processing/plan", &json!({ "inputs": {} })).await.json;
    let ports: Vec<_> = plan["steps"].as_array().expect("steps").iter().map(|step| step["ports"].to_string()).collect();
    assert!(ports[1].contains("document from") && ports[2].contains("text from"), "{ports:?}");
}

#[tokio::test]
async fn trap_18_channel_of_a_step_type_that_is_not_built_yet_is_kept_as_it_was_written() {
    let served = Served::start();
    let steps = json!([{ "type": "notify", "config": { "channel": "slack" } }]);
    let id = served.create("Both meanings", &steps).await;
    let detail = served.get(&format!("/api/workflow/{id}")).await.json;
    assert_eq!(detail["steps"][0]["config"]["channel"], "slack", "{detail}");
}

#[tokio::test]
async fn trap_19_workflows_and_executions_are_mirrored_as_files() {
    let mut served = Served::start();
    let id = served.create("Mirrored", &json!([{ "type": "noop" }])).await;
    let execution = served.execute(&id, &json!({})).await;
    served.finished(&execution).await;
    assert_eq!(served.stop(), 0);
    for copy in [format!("executions/{execution}.json"), format!("definitions/{id}.json")] {
        assert!(served.home.path().join("workflows").join(&copy).is_file(), "{copy}");
    }
}

#[tokio::test]
async fn trap_20_what_python_has_rest_has_too() {
    let served = Served::start();
    let id = served.create("Before", &json!([{ "type": "noop" }])).await;
    let path = format!("/api/workflow/{id}");
    let put =
        served.request(reqwest::Method::PUT, &path).json(&json!({ "name": "After", "steps": [{ "type": "test" }] }));
    let put = crate::support::service::answer(put).await;
    assert_eq!((put.status, &put.json["name"]), (200, &json!("After")), "{}", put.json);
    let execution = served.execute(&id, &json!({})).await;
    let view = served.finished(&execution).await;
    assert_eq!(view["steps"][0]["type"], "test");
    let retry = served.post(&format!("/api/workflow/{execution}/retry?step_index=0"), &json!({})).await;
    assert!([200, 409].contains(&retry.status), "{}", retry.json);
    let delete = served.request(reqwest::Method::DELETE, &path).send().await.expect("an answer");
    assert_eq!(delete.status(), 204);
    assert_eq!(served.get(&path).await.status, 404);
    assert_eq!(served.get(&format!("/api/workflow/{execution}/status")).await.status, 200, "executions stay");
}
