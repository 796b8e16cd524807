//! One attempt of a step with given ports, without an engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use workflow::contract::step::{Attempt, Bound, Done, StepHandler, StepOutcome, StepResult};
use workflow::domain::id::RunId;
use workflow::domain::time::{Span, Timestamp};

/// Runs `step` once with these ports; panics where it waits.
pub async fn run(step: &dyn StepHandler, config: Value, ports: Value) -> Result<Done, workflow::domain::fault::Fault> {
    outcome(step.run(&attempt("key", config, ports)).await)
}

/// An attempt with this step key.
pub fn attempt(step_key: &str, config: Value, ports: Value) -> Attempt {
    let ports: BTreeMap<String, Bound> = match ports {
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, Bound::Value(value))).collect(),
        _ => BTreeMap::new(),
    };
    Attempt {
        run: RunId::from_bits(1),
        workflow: "test".to_owned(),
        step: "step".to_owned(),
        number: 1,
        config,
        ports,
        inputs: Arc::new(json!({})),
        step_key: step_key.to_owned(),
        now: Timestamp::from_micros(1_700_000_000_000_000),
        timeout: Span::from_secs(60),
        cancel: CancellationToken::new(),
        progress: Arc::new(|_: &str| {}),
    }
}

/// What a finished step gave.
pub fn outcome(result: StepResult) -> Result<Done, workflow::domain::fault::Fault> {
    match result? {
        StepOutcome::Done(done) => Ok(done),
        StepOutcome::WaitUntil(_) => panic!("these steps do not wait"),
    }
}
