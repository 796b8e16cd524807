//! What a run asks people for, and what their answers do.

use serde_json::json;
use workflow::service::ServiceError;

use crate::support::desk::{Desk, object, somebody};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_started_in_chat_without_its_file_waits_and_goes_on_with_it() {
    let desk = Desk::open().await;
    let ana = somebody("chat");
    let run = desk.start(&ana, "document_processing", json!({})).await.expect("started");
    let view = desk.until(run, "waiting").await;
    assert_eq!(view.questions[0].key, "file_path");
    assert_eq!((view.steps[0].status, view.steps[0].attempts), ("waiting", 0));
    assert!(view.asks_until.is_some() && view.error.is_none());

    let desk = desk.reopen().await; // a question outlives the process that asked it
    let mut content = std::fs::read("tests/fixtures/documents/tables.docx").expect("a fixture");
    let file = desk.service().take_in_stream("../tables.docx", &mut content.as_slice()).await.expect("taken in");
    assert_eq!((file.name.as_str(), file.size), ("tables.docx", content.len() as u64));
    let answer = object(json!({ "file_path": file.id }));
    desk.service().answer(&ana, run, &answer).await.expect("asked for");
    let view = desk.until(run, "completed").await;
    assert_eq!(view.steps[0].attempts, 1);
    assert_eq!(desk.service().archive().inputs(run).await.expect("known"), answer);

    let again = desk.service().answer(&ana, run, &answer).await;
    assert!(matches!(again, Err(ServiceError::Refused(_))), "nobody asks any more: {again:?}");
    content.clear();
    let empty = desk.service().take_in_stream("empty.pdf", &mut content.as_slice()).await;
    assert!(empty.expect_err("refused").to_string().contains("is empty"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_sits_a_missing_file_fails_at_once() {
    let desk = Desk::open().await;
    let run = desk.start(&somebody("api"), "document_processing", json!({})).await.expect("an id, whatever follows");
    let view = desk.until(run, "failed").await;
    assert_eq!(view.error.map(|error| error.code), Some("WF2101"));
}

const ORDER: &str = "
name: Order
inputs:
  amount: { type: integer, required: true, label: How many }
  colour: { type: enum, options: [red, blue], required: true }
steps:
  - type: assert
    config: { that: \"${{ inputs.amount > 1 }}\" }
";

#[tokio::test(flavor = "multi_thread")]
async fn missing_inputs_are_asked_for_before_the_run_begins() {
    let desk = Desk::open().await;
    desk.template("order.yaml", ORDER);
    let ana = somebody("chat");
    let refused = desk.start(&somebody("api"), "order", json!({})).await.expect_err("a program must give everything");
    assert!(refused.to_string().contains("input `amount` is missing") && refused.to_string().contains("`colour`"));

    let run = desk.start(&ana, "order", json!({ "colour": "red" })).await.expect("it asks");
    let view = desk.until(run, "waiting").await;
    assert_eq!(view.questions.iter().map(|question| question.label.as_str()).collect::<Vec<_>>(), ["How many"]);
    assert_eq!(view.current_step, 0);
    let wrong = desk.service().answer(&ana, run, &object(json!({ "amount": "many" }))).await;
    assert!(wrong.expect_err("not a number").to_string().contains("must be a whole number"));
    let other = desk.service().answer(&ana, run, &object(json!({ "colour": "blue" }))).await;
    assert!(other.expect_err("not asked for").to_string().contains("what is asked for: amount"));
    desk.service().answer(&ana, run, &object(json!({ "amount": 3 }))).await.expect("asked for");
    desk.until(run, "completed").await;

    let wrong = desk.start(&ana, "order", json!({ "colour": "green" })).await;
    assert!(wrong.expect_err("a wrong value is no missing one").to_string().contains("one of"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_is_put_right_by_a_retry_with_another() {
    let desk = Desk::open().await;
    let ana = somebody("chat");
    let run = desk.start(&ana, "document_processing", json!({ "file_path": "nothing.pdf" })).await.expect("started");
    assert_eq!(desk.until(run, "failed").await.error.map(|error| error.code), Some("WF2102"));
    let file = desk.service().take_in("tests/fixtures/documents/tables.docx".as_ref()).await.expect("taken in");
    let changed = object(json!({ "file_path": file.id }));
    desk.service().retry_with(&ana, run, None, changed.clone()).await.expect("failed");
    desk.until(run, "completed").await;
    assert_eq!(desk.service().archive().inputs(run).await.expect("known"), changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_asks_can_be_cancelled_and_repeated_with_other_inputs() {
    let desk = Desk::open().await;
    desk.template("order.yaml", ORDER);
    let ana = somebody("chat");
    let run = desk.start(&ana, "order", json!({ "colour": "red" })).await.expect("it asks");
    desk.until(run, "waiting").await;
    desk.service().cancel(&ana, run).await.expect("it can be");
    let view = desk.until(run, "cancelled").await;
    assert!(view.questions.is_empty());
    let again = desk.service().rerun(&ana, run, &object(json!({ "amount": 2 }))).await.expect("nothing is missing");
    let view = desk.until(again.execution, "completed").await;
    assert_eq!(view.origin.rerun_of, Some(run));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_held_to_what_the_question_asks_for() {
    let desk = Desk::open().await;
    let fields = "{ amount: { type: integer, label: Amount }, place: { type: string, label: Place } }";
    desk.template("asks.yaml", &format!("name: Asks\nsteps:\n  - {{ type: ask, config: {{ form: {fields} }} }}\n"));
    let ana = somebody("chat");
    let run = desk.start(&ana, "asks", json!({})).await.expect("started");
    desk.until(run, "waiting").await;
    let wrong = desk.service().answer(&ana, run, &object(json!({ "amount": "many" }))).await;
    let wrong = wrong.expect_err("no number").to_string();
    assert!(wrong.contains("the answer `amount` must be a whole number, not the text `many`"), "{wrong}");
    let answer = object(json!({ "amount": "12", "place": 4711 }));
    desk.service().answer(&ana, run, &answer).await.expect("asked for");
    desk.until(run, "completed").await;
    let inputs = desk.service().archive().inputs(run).await.expect("known");
    assert_eq!(inputs, object(json!({ "amount": 12, "place": "4711" })), "each as it was asked for");
}
