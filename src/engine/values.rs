//! Large values by reference: what is too large for a row is kept as a blob, and the row says where.
//!
//! Invariant: the blob is durable before the row that names it is written.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::raw;
use crate::contract::blob::{BlobError, BlobStore, Digest};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::store::journal::CONTENT;

/// Outputs up to this many bytes of JSON stand in the row.
const INLINE: usize = 64 * 1024;
/// A single output above this goes out of a row that is too large.
const LARGE: usize = 8 * 1024;
/// All outputs of a step together, in bytes of JSON.
const LIMIT: usize = 64 * 1024 * 1024;
/// Values nest at most so deep: what is written must be readable again, and readers stop at 128.
pub const DEEPEST: usize = 100;

/// Outputs as they go into a row.
///
/// # Errors
/// Too large altogether, or the blob store fails.
pub async fn pack(outputs: &Map<String, Value>, blobs: &dyn BlobStore) -> Result<Box<RawValue>, Fault> {
    if outputs.values().any(|value| deeper_than(value, DEEPEST)) {
        let message = format!("the step's outputs nest deeper than {DEEPEST} levels");
        return Err(Fault::permanent(code::WF4005, message));
    }
    let whole = raw(outputs);
    if whole.get().len() > LIMIT {
        let message = format!("the step's outputs are {} bytes; {LIMIT} are allowed", whole.get().len());
        return Err(Fault::permanent(code::WF4005, message));
    }
    let small = whole.get().len() <= INLINE;
    if small && !outputs.values().any(looks_like_reference) {
        return Ok(whole);
    }
    let mut packed = Map::new();
    for (name, value) in outputs {
        let text = raw(value);
        let text = text.get();
        if text.len() > LARGE || looks_like_reference(value) {
            let blob = blobs.put(text.as_bytes()).await.map_err(|error| lost(name, &error))?;
            packed.insert(name.clone(), json!({ CONTENT: blob.digest, "size": blob.size }));
        } else {
            packed.insert(name.clone(), value.clone());
        }
    }
    Ok(raw(&packed))
}

/// Outputs as they were, from a row.
///
/// # Errors
/// A blob is missing or unreadable.
pub async fn unpack(row: &RawValue, blobs: &dyn BlobStore) -> Result<Map<String, Value>, Fault> {
    let unreadable = |name: &str, error: String| {
        Fault::permanent(code::WF4006, format!("the kept output `{name}` cannot be read")).context(error)
    };
    let mut outputs: Map<String, Value> =
        serde_json::from_str(row.get()).map_err(|error| unreadable("*", error.to_string()))?;
    for (name, value) in &mut outputs {
        if !looks_like_reference(value) {
            continue;
        }
        let digest: Result<Digest, _> = value[CONTENT].as_str().unwrap_or_default().parse();
        let digest = digest.map_err(|error| unreadable(name, error.to_owned()))?;
        let bytes = blobs.get(&digest).await.map_err(|error| unreadable(name, error.to_string()))?;
        *value = serde_json::from_slice(&bytes).map_err(|error| unreadable(name, error.to_string()))?;
    }
    Ok(outputs)
}

/// Whether lists and maps stand in each other deeper than this.
pub fn deeper_than(value: &Value, levels: usize) -> bool {
    let inside = |value: &Value| levels == 0 || deeper_than(value, levels - 1);
    match value {
        Value::Array(items) => items.iter().any(inside),
        Value::Object(map) => map.values().any(inside),
        _ => false,
    }
}

/// User data with this very key is kept as a blob too, so the two cannot be confused.
fn looks_like_reference(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.contains_key(CONTENT))
}

fn lost(name: &str, error: &BlobError) -> Fault {
    Fault::transient(code::WF4006, format!("the output `{name}` could not be kept")).context(error)
}
