//! Names of their own for the texts of a message template: any name, with a value of JSON.

use std::sync::Arc;

use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::context::{Data, Root, Turn};
use super::engine::Trouble;
use super::outputs::Outputs;
use super::words::{Reference, Words};
use crate::language::near;

/// What a text may name, and what it stands for.
pub type Variables = Arc<Map<String, Json>>;

/// The values for the names that an expression reads.
pub(super) fn build(words: &Words, variables: &Variables) -> Value {
    let whole = Data { root: Root::Map(Outputs::Values(Arc::clone(variables))), way: Vec::new() };
    let mut names: Vec<&str> = words.references.iter().map(|found| found.path[0].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    Value::from_pairs(names.into_iter().filter_map(|name| {
        let value = variables.get(name)?;
        Some((name, whole.child(Turn::Key(name.to_owned()), value)))
    }))
}

/// Tells what a reference does not find, if it finds nothing.
pub(super) fn missing(reference: &Reference, variables: &Variables) -> Option<Trouble> {
    let mut there: Option<&Map<String, Json>> = Some(variables);
    for (depth, key) in reference.path.iter().enumerate() {
        if let Some(value) = there.and_then(|map| map.get(key)) {
            there = value.as_object();
            continue;
        }
        let mut message = format!("there is no variable `{}`", reference.path[..=depth].join("."));
        let names = || there.iter().flat_map(|map| map.keys()).map(String::as_str);
        match near::near(key, names()) {
            Some(meant) => message.push_str(&format!("; did you mean `{meant}`?")),
            None if names().next().is_some() => message.push_str(&format!("; there is {}", near::list(names(), 8))),
            None => {}
        }
        return Some(Trouble { message, place: reference.places.get(depth).cloned() });
    }
    None
}
