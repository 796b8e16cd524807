use serde_json::json;
use workflow::contract::step::StepHandler;
use workflow::domain::code;
use workflow::steps::flow::Noop;

use crate::support::attempt::{attempt, done};

#[tokio::test]
async fn a_noop_succeeds_with_nothing() {
    let result = done(Noop.run(&attempt(json!({}))).await);
    assert!(result.outputs.is_empty() && result.warnings.is_empty());
}

#[tokio::test]
async fn a_key_that_a_noop_does_not_know_is_refused() {
    let fault = Noop.run(&attempt(json!({"say": "hello"}))).await.expect_err("an unknown key");
    assert!(fault.code == code::WF2001 && fault.message.contains("say"), "{fault}");
}
