//! One attempt of a step, as the engine would hand it out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use workflow::contract::step::{Attempt, Began, Done, StepOutcome, StepResult};
use workflow::domain::id::RunId;
use workflow::domain::time::{Span, Timestamp};

/// The moment at which attempts begin: 2025-12-05T10:05:00Z.
pub const NOW: Timestamp = Timestamp::from_micros(1_764_929_100_000_000);

/// The first attempt of step `step` with this config.
pub fn attempt(config: Value) -> Attempt {
    Attempt {
        run: RunId::from_bits(7),
        workflow: "trial".to_owned(),
        step: "step".to_owned(),
        number: 1,
        config,
        ports: BTreeMap::new(),
        inputs: Arc::new(json!({})),
        step_key: "key-of-step".to_owned(),
        attended: false,
        sensitive: Vec::new(),
        began: Began { door: "terminal".to_owned(), by: "ana".to_owned(), channel: None, at: NOW },
        now: NOW,
        timeout: Span::from_secs(60),
        cancel: CancellationToken::new(),
        progress: Arc::new(|_| {}),
    }
}

/// The result of a step that must have finished.
pub fn done(result: StepResult) -> Done {
    match result {
        Ok(StepOutcome::Done(done)) => done,
        other => panic!("the step should be done: {other:?}"),
    }
}
