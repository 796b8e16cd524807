//! Large values by reference: what is too large for a row is kept as a blob, and the row says where.
//!
//! Invariant: the blob is durable before the row that names it is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::raw;
use crate::contract::blob::{BlobError, BlobStore, Digest};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::language::Outputs;
use crate::store::journal::CONTENT;

/// Outputs up to this many bytes of JSON stand in the row.
const INLINE: usize = 64 * 1024;
/// A single output above this goes out of a row that is too large.
const LARGE: usize = 8 * 1024;
/// All outputs of a step together, in bytes of JSON.
pub const LIMIT: usize = 64 * 1024 * 1024;
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

/// The same for outputs that are text, and within bounds.
///
/// # Errors
/// The blob store fails.
pub async fn pack_text(whole: &RawValue, blobs: &dyn BlobStore) -> Result<Box<RawValue>, Fault> {
    if whole.get().len() <= INLINE {
        return Ok(whole.to_owned());
    }
    let mut packed = BTreeMap::new();
    for (name, text) in parts(whole) {
        if text.get().len() > LARGE {
            let blob = blobs.put(text.get().as_bytes()).await.map_err(|error| lost(&name, &error))?;
            packed.insert(name, raw(&json!({ CONTENT: blob.digest, "size": blob.size })));
        } else {
            packed.insert(name, text.to_owned());
        }
    }
    Ok(raw(&packed))
}

/// Outputs as they are held, from a row: text, which is not taken apart until it is read.
///
/// # Errors
/// A blob is missing or unreadable.
pub async fn take_up(row: Box<RawValue>, blobs: &dyn BlobStore) -> Result<Outputs, Fault> {
    if !row.get().contains(CONTENT) && row.get().starts_with('{') {
        return Ok(Outputs::of_text(row));
    }
    let unreadable = |name: &str, error: String| {
        Fault::permanent(code::WF4006, format!("the kept output `{name}` cannot be read")).context(error)
    };
    let kept: Map<String, Value> =
        serde_json::from_str(row.get()).map_err(|error| unreadable("*", error.to_string()))?;
    let mut parts = Vec::with_capacity(kept.len());
    for (name, value) in &kept {
        let text = if looks_like_reference(value) {
            let digest: Result<Digest, _> = value[CONTENT].as_str().unwrap_or_default().parse();
            let digest = digest.map_err(|error| unreadable(name, error.to_owned()))?;
            let bytes = blobs.get(&digest).await.map_err(|error| unreadable(name, error.to_string()))?;
            let text = String::from_utf8(bytes).map_err(|error| unreadable(name, error.to_string()))?;
            RawValue::from_string(text).map_err(|error| unreadable(name, error.to_string()))?
        } else {
            raw(value)
        };
        parts.push(format!("{}:{text}", json!(name)));
    }
    let whole = RawValue::from_string(format!("{{{}}}", parts.join(",")));
    Ok(Outputs::of_text(whole.map_err(|error| unreadable("*", error.to_string()))?))
}

/// The parts of an object that is text.
fn parts(whole: &RawValue) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(whole.get()).unwrap_or_default() // only objects come here
}

/// Outputs as they were, from a row.
///
/// # Errors
/// A blob is missing or unreadable.
pub async fn unpack(row: &RawValue, blobs: &dyn BlobStore) -> Result<Map<String, Value>, Fault> {
    Ok(Arc::unwrap_or_clone(take_up(row.to_owned(), blobs).await?.into_values()))
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

/// The same for a text of JSON.
pub fn is_text_deeper_than(text: &str, levels: usize) -> bool {
    let (mut depth, mut is_quoted, mut is_escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            b'[' | b'{' if !is_quoted => depth += 1,
            b']' | b'}' if !is_quoted => depth -= 1,
            _ => {}
        }
        if depth > levels {
            return true;
        }
    }
    false
}

/// User data with this very key is kept as a blob too, so the two cannot be confused.
fn looks_like_reference(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.contains_key(CONTENT))
}

fn lost(name: &str, error: &BlobError) -> Fault {
    Fault::transient(code::WF4006, format!("the output `{name}` could not be kept")).context(error)
}
