//! One attempt of a step with given ports, without an engine.

use serde_json::Value;
use workflow::contract::step::{Attempt, Bound, Done, StepHandler, StepOutcome};
use workflow::domain::fault::Fault;

use crate::support::attempt;

/// Runs `step` once with this config and these ports.
pub async fn run(step: &dyn StepHandler, config: Value, ports: Value) -> Result<Done, Fault> {
    run_as("key-of-step", step, config, ports).await
}

/// Runs `step` once under this step key; panics where it waits.
pub async fn run_as(step_key: &str, step: &dyn StepHandler, config: Value, ports: Value) -> Result<Done, Fault> {
    let mut attempt: Attempt = attempt::attempt(config);
    step_key.clone_into(&mut attempt.step_key);
    if let Value::Object(ports) = ports {
        attempt.ports = ports.into_iter().map(|(name, value)| (name, Bound::Value(value))).collect();
    }
    match step.run(&attempt).await? {
        StepOutcome::Done(done) => Ok(done),
        other => panic!("these steps do not wait: {other:?}"),
    }
}
