use serde_json::json;
use workflow::contract::step::StepHandler;
use workflow::domain::code;
use workflow::domain::fault::Again;
use workflow::steps::flow::Assert;

use crate::support::attempt::{attempt, done};

#[tokio::test]
async fn what_holds_lets_the_run_go_on() {
    assert!(done(Assert.run(&attempt(json!({"that": true}))).await).outputs.is_empty());
}

#[tokio::test]
async fn what_does_not_hold_stops_the_run_with_the_authors_words() {
    let fault = Assert.run(&attempt(json!({"that": false, "message": "the source was empty"}))).await;
    let fault = fault.expect_err("it does not hold");
    assert_eq!(
        (fault.code, fault.again, fault.message.as_str()),
        (code::WF2006, Again::Permanent, "the source was empty")
    );
    let fault = Assert.run(&attempt(json!({"that": false}))).await.expect_err("it does not hold");
    assert!(fault.message.contains("`step`"), "{fault}");
}

#[tokio::test]
async fn nothing_but_true_and_false_is_taken_for_an_answer() {
    for that in [json!("true"), json!(1), json!([1]), json!("yes"), json!(null)] {
        let fault = Assert.run(&attempt(json!({"that": that}))).await.expect_err("no boolean");
        assert!(fault.code == code::WF2001 && fault.message.contains("that"), "{that}: {fault}");
    }
}
