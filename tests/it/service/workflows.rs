//! Workflows that people make, change, find and take out of use.

use serde_json::{Value, json};
use workflow::service::{NewWorkflow, ServiceError};

use crate::support::desk::{Desk, list, object, somebody};

fn by_template(name: &str, template: &str) -> NewWorkflow {
    NewWorkflow { name: Some(name.to_owned()), template: Some(template.to_owned()), ..NewWorkflow::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_follows_a_template_or_its_own_steps_and_not_both() {
    let desk = Desk::open().await;
    let (service, ana) = (desk.service(), somebody("api"));
    let saved = service.create(&ana, by_template("Process Invoice", "document_processing")).await.expect("saved");
    assert_eq!((saved.workflow.slug.as_str(), saved.workflow.status), ("process_invoice", "active"));
    assert_eq!(saved.workflow.template.as_deref(), Some("document_processing"));

    let steps = json!([{ "type": "step1", "name": "First" }, { "type": "merge", "parallel_group": 2 }]);
    let new = NewWorkflow { name: Some("Custom".to_owned()), steps: list(steps), ..NewWorkflow::default() };
    let saved = service.create(&ana, new.clone()).await.expect("an unknown type is no error");
    assert!(saved.warnings.iter().any(|warning| warning.contains("step1")), "{:?}", saved.warnings);
    let strict = service.create(&ana, NewWorkflow { strict: true, ..new.clone() }).await;
    assert!(matches!(strict, Err(ServiceError::Definition(_))));

    let both = service.create(&ana, NewWorkflow { template: Some("data_pipeline".to_owned()), ..new }).await;
    assert!(both.expect_err("contradiction").to_string().contains("either `template` or `steps`"));
    let neither = service.create(&ana, NewWorkflow { name: Some("x".to_owned()), ..NewWorkflow::default() }).await;
    assert!(neither.expect_err("nothing").to_string().contains("give one of"));
    for name in ["", " ", "a\nb", "\u{202e}x"] {
        let refused = service.create(&ana, by_template(name, "document_processing")).await;
        assert!(refused.expect_err("no name").to_string().contains("visible characters"), "{name:?}");
    }
    let near = service.create(&ana, by_template("x", "documnt_processing")).await.expect_err("unknown");
    assert!(near.to_string().contains("did you mean `document_processing`?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_workflow_runs_by_id_and_by_name_until_it_is_taken_out_of_use() {
    let desk = Desk::open().await;
    let (service, ana) = (desk.service(), somebody("api"));
    let id = desk.create("Small Thing", json!([{ "type": "noop" }])).await;
    for name in [id.as_str(), "small_thing", &id.replace("wf_", "workflow_")] {
        let run = desk.start(&ana, name, json!({})).await.expect("started");
        let view = desk.until(run, "completed").await;
        assert_eq!(
            (view.workflow_id.as_str(), view.name.as_str(), view.workflow.as_str()),
            (&*id, "Small Thing", "small_thing")
        );
    }
    let parsed = id.parse().expect("an id");
    let steps = list(json!([{ "type": "noop" }, { "type": "noop", "id": "second" }]));
    let saved = service.update(&ana, parsed, NewWorkflow { steps, ..NewWorkflow::default() }).await.expect("changed");
    assert_eq!(saved.workflow.name, "Small Thing", "what is left out stays");
    let detail = service.workflow(&ana, &id).await.expect("known");
    assert_eq!(detail.steps.len(), 2);

    service.delete(&ana, parsed).await.expect("in use");
    for name in [id.as_str(), "small_thing"] {
        let gone = desk.start(&ana, name, json!({})).await;
        assert!(matches!(gone, Err(ServiceError::NotFound { noun: "workflow", .. })), "{gone:?}");
    }
    assert!(matches!(service.delete(&ana, parsed).await, Err(ServiceError::NotFound { .. })));
    assert_eq!(service.archive().workflows(None, 10).await.expect("a list").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_found_by_what_people_type() {
    let desk = Desk::open().await;
    desk.create("Daily Report", json!([{ "type": "noop" }])).await;
    let found =
        async |typed: &str| desk.service().match_workflow(&somebody("terminal"), typed).await.map(|found| found.id);
    for typed in ["document_processing", "Document Processing", "DOC", "doc", "document p"] {
        assert_eq!(found(typed).await.expect(typed), "document_processing");
    }
    assert_eq!(found("daily r").await.expect("a title's beginning"), "daily_report");
    assert!(matches!(found("da").await, Err(ServiceError::Ambiguous { .. })), "data_pipeline and daily_report");
    let missed = found("documnt_procesing").await.expect_err("a slip is not run");
    assert!(missed.to_string().contains("did you mean `document_processing`?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_terminal_may_name_files_of_the_machine() {
    let desk = Desk::open().await;
    let file = "tests/fixtures/language/../../../templates/document_processing.yaml";
    for door in ["api", "chat", "page"] {
        let refused = desk.start(&somebody(door), file, json!({})).await;
        assert!(matches!(refused, Err(ServiceError::NotFound { .. })), "{door}: {refused:?}");
    }
    let plan =
        desk.service().plan(&somebody("terminal"), file, &object(json!({}))).await.expect("a file of the machine");
    assert_eq!(plan.steps.len(), 4);
    let stolen = NewWorkflow { template: Some("./Cargo.toml".to_owned()), ..NewWorkflow::default() };
    assert!(matches!(desk.service().create(&somebody("api"), stolen).await, Err(ServiceError::NotFound { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detail_says_what_a_workflow_takes_even_when_it_declares_nothing() {
    let desk = Desk::open().await;
    let detail = desk.service().workflow(&somebody("page"), "document_processing").await.expect("a template");
    let inputs: Vec<Value> = detail.inputs.iter().map(|input| json!(input)).collect();
    assert_eq!(inputs[0]["name"], "file_path");
    assert_eq!((&inputs[0]["type"], &inputs[0]["required"]), (&json!("file"), &json!("late")));
    let languages = inputs.iter().find(|input| input["name"] == "languages").expect("an override of the ocr step");
    assert_eq!((&languages["type"], &languages["default"]), (&json!("array"), &json!(["eng", "deu"])));
    assert_eq!(detail.definition, include_str!("../../../templates/document_processing.yaml"));
}
