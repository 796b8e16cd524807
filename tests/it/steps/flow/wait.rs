use serde_json::json;
use workflow::contract::step::{StepHandler, StepOutcome};
use workflow::domain::code;
use workflow::domain::time::{Span, Timestamp};
use workflow::steps::flow::Wait;

use crate::support::attempt::{NOW, attempt};

#[tokio::test]
async fn a_wait_ends_when_its_time_has_come() {
    let nine_in_berlin = Timestamp::from_micros(1_806_217_200_000_000);
    for (config, until) in [
        (json!({"for": "30m"}), NOW.plus(Span::from_secs(1_800))),
        (json!({"for": 2.5}), NOW.plus(Span::from_millis(2_500))),
        (json!({"for": 0}), NOW),
        (json!({"until": "2027-03-28T09:00:00+02:00"}), nine_in_berlin),
        (json!({"until": "2027-03-28T07:00:00Z"}), nine_in_berlin),
        (json!({"until": "1970-01-01T00:00:00Z"}), Timestamp::from_micros(0)),
    ] {
        let outcome = Wait.run(&attempt(config.clone())).await;
        assert_eq!(outcome, Ok(StepOutcome::WaitUntil(until)), "{config}");
    }
}

#[tokio::test]
async fn a_wait_that_cannot_be_meant_says_what_is_wrong() {
    for (config, words) in [
        (json!({}), "missing"),
        (json!({"for": "1h", "until": "2027-03-28T09:00:00Z"}), "stand together"),
        (json!({"until": "tomorrow"}), "no point in time"),
        (json!({"until": "2027-03-28T09:00:00"}), "no point in time"),
        (json!({"for": "a while"}), "not a duration"),
        (json!({"for": -1}), "a duration"),
        (json!({"event": "paid", "for": "1h"}), "only one can hold"),
        (json!({"for": "1h", "expires": "2h"}), "`expires` belongs to `event`"),
    ] {
        let fault = Wait.run(&attempt(config.clone())).await.expect_err("not to be waited for");
        assert!(fault.code == code::WF2001 && fault.message.contains(words), "{config}: {fault}");
    }
}

#[test]
fn the_schema_offers_only_what_is_built() {
    let keys: Vec<_> = Wait.declare().config["properties"].as_object().expect("keys").keys().cloned().collect();
    assert_eq!(keys, ["for", "until", "event", "expires"]);
}
