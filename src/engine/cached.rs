//! Results that are as good as new ones: under which key, and where they come from.
//!
//! A key is the hash of what a result follows from: the step type and this program's version, the rendered config, and
//! the values of the ports. A document counts by its content, not by the id under which it was uploaded.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::carried::Carried;
use super::{Inner, values};
use crate::contract::step::{Attempt, Bound};
use crate::domain::command::Command;
use crate::domain::fault::Fault;
use crate::domain::hex;
use crate::domain::id::RunId;
use crate::domain::plan::{Cache, PlanStep};
use crate::domain::time::Timestamp;
use crate::language::{Scope, render};

/// Under which key a result is kept, and until when it is as good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub key: String,
    pub expires_at: Timestamp,
}

/// The slot of an attempt, if its step wants one.
///
/// # Errors
/// The key that the file gives cannot be evaluated.
pub fn slot(step: &PlanStep, attempt: &Attempt, scope: &Scope<'_>) -> Result<Option<Slot>, Fault> {
    let Some(Cache { ttl, key, ignore, of_workflow }) = &step.cache else { return Ok(None) };
    let mut made_of = match key {
        Some(key) => json!({ "workflow": attempt.workflow, "step": step.id, "key": render::scalar(key, scope)? }),
        None => json!({ "config": without(&attempt.config, ignore), "ports": ports(&attempt.ports) }),
    };
    if *of_workflow {
        made_of["workflow"] = json!(attempt.workflow);
    }
    let hash: [u8; 32] = Sha256::digest(text(json!([env!("CARGO_PKG_VERSION"), step.kind, made_of]))).into();
    Ok(Some(Slot { key: hex::of(&hash), expires_at: attempt.now.plus(*ttl) }))
}

/// The slot of a whole run, if its workflow wants one. A key that cannot be evaluated keeps nothing and finds nothing.
pub fn slot_of_run(carried: &Carried, now: Timestamp) -> Option<Slot> {
    let plan = &carried.flow.plan;
    let Cache { ttl, key, ignore, .. } = plan.cache.as_ref()?;
    let key = key.as_ref().map(|key| render::scalar(key, &carried.facts(None, false, None).view())).transpose();
    let key = key.inspect_err(|fault| tracing::warn!(run = %carried.run.id, %fault, "`cache` has no key")).ok()?;
    let made_of = key.map_or_else(
        || json!({ "inputs": by_content(&without(&carried.inputs, ignore)) }),
        |key| json!({ "key": key }),
    );
    let hash: [u8; 32] = Sha256::digest(text(json!([env!("CARGO_PKG_VERSION"), plan.hash, made_of]))).into();
    Some(Slot { key: hex::of(&hash), expires_at: now.plus(*ttl) })
}

/// Takes a run up, or has it take what an earlier one gave.
pub async fn claim(inner: &Inner, carried: &mut Carried) -> Command {
    if !carried.origin.fresh
        && carried.run.started_at.is_none()
        && let Some(slot) = slot_of_run(carried, inner.clock.now())
        && let Some((from, outputs)) = row(inner, &slot).await
    {
        carried.recalled = Some(outputs);
        return Command::Recall { from };
    }
    Command::Claim
}

/// An earlier result. What cannot be read is as if it were not there: the step then makes its own.
pub async fn find(inner: &Inner, slot: &Slot) -> Option<(RunId, Map<String, Value>)> {
    let (run, row) = row(inner, slot).await?;
    let outputs = values::unpack(&row, &*inner.store.blobs()).await;
    let outputs = outputs.inspect_err(|fault| tracing::warn!(%fault, "an earlier result could not be read")).ok()?;
    Some((run, outputs))
}

async fn row(inner: &Inner, slot: &Slot) -> Option<(RunId, Box<RawValue>)> {
    let found = inner.store.cache().find(&slot.key, inner.clock.now()).await;
    found.inspect_err(|error| tracing::warn!(%error, "an earlier result could not be read")).ok()?
}

/// A map without what makes no difference.
fn without(value: &Value, ignore: &[String]) -> Value {
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        map.retain(|name, _| !ignore.contains(name));
    }
    value
}

fn ports(bound: &BTreeMap<String, Bound>) -> Value {
    bound.iter().map(|(name, bound)| (name.clone(), by_content(bound.value()))).collect::<Map<_, _>>().into()
}

/// Documents by their digest alone; everything else as it is.
fn by_content(value: &Value) -> Value {
    match value {
        Value::Object(map) => match (map.get("file_id"), map.get("sha256")) {
            (Some(_), Some(digest)) => json!({ "sha256": digest }),
            _ => map.iter().map(|(key, value)| (key.clone(), by_content(value))).collect::<Map<_, _>>().into(),
        },
        Value::Array(items) => items.iter().map(by_content).collect(),
        other => other.clone(),
    }
}

/// JSON in which the order of keys does not count.
fn text(mut value: Value) -> String {
    value.sort_all_objects();
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_and_the_id_of_an_upload_do_not_count() {
        let one = json!({ "b": [{ "file_id": "file_1", "sha256": "abc", "name": "a.pdf" }], "a": 1 });
        let other = json!({ "a": 1, "b": [{ "file_id": "file_2", "sha256": "abc", "name": "b.pdf" }] });
        assert_eq!(text(by_content(&one)), text(by_content(&other)));
        let another = json!({ "a": 1, "b": [{ "file_id": "file_2", "sha256": "abd", "name": "b.pdf" }] });
        assert_ne!(text(by_content(&one)), text(by_content(&another)));
    }
}
