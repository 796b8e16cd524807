use serde_json::json;
use workflow::contract::step::StepHandler;
use workflow::domain::code;
use workflow::domain::fault::Again;
use workflow::steps::flow::Test;

use crate::support::attempt::{attempt, done};

#[tokio::test]
async fn a_test_step_gives_what_it_is_told_to() {
    assert!(done(Test.run(&attempt(json!({}))).await).outputs.is_empty());
    let result = done(Test.run(&attempt(json!({"outputs": {"answer": 42, "rows": [1, 2]}}))).await);
    assert_eq!(json!(result.outputs), json!({"answer": 42, "rows": [1, 2]}));
}

#[tokio::test]
async fn a_test_step_fails_as_often_as_it_is_told_to() {
    let nth = |number| {
        let mut attempt = attempt(json!({"fail": "the line is down", "times": 2, "outputs": {"ok": true}}));
        attempt.number = number;
        attempt
    };
    for number in [1, 2] {
        let fault = Test.run(&nth(number)).await.expect_err("told to fail");
        assert_eq!((fault.code, fault.again), (code::WF3002, Again::Transient { after: None }));
        assert_eq!(fault.message, "the line is down");
    }
    assert_eq!(done(Test.run(&nth(3)).await).outputs["ok"], true);
    let mut always = attempt(json!({"fail": "for ever"}));
    always.number = 1_000;
    assert!(Test.run(&always).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_test_step_takes_its_time() {
    let began = tokio::time::Instant::now();
    done(Test.run(&attempt(json!({"sleep": "10m"}))).await);
    assert_eq!(began.elapsed().as_secs(), 600);
}

#[tokio::test]
async fn a_sleeping_test_step_wakes_when_it_is_no_longer_wanted() {
    let attempt = attempt(json!({"sleep": "1d"}));
    let (result, ()) = tokio::join!(Test.run(&attempt), async { attempt.cancel.cancel() });
    assert_eq!(result.expect_err("cancelled").code, code::WF4007);
}
