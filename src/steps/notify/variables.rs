//! What a message template may name: inputs of the run, what began it, what earlier steps gave, and the run itself. Of
//! two with one name the first in this order counts.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::contract::step::Attempt;
use crate::domain::card::Field;
use crate::language::Variables;

/// Characters of a value in a list of variables.
const LONGEST: usize = 300;
/// Variables in such a list.
const MOST: usize = 25;

/// What was given.
pub struct Given<'a> {
    attempt: &'a Attempt,
    /// Only these, and the run.
    only: Option<Map<String, Value>>,
}

impl<'a> Given<'a> {
    /// Everything that an attempt has, or only what its author wrote out.
    pub const fn new(attempt: &'a Attempt, only: Option<Map<String, Value>>) -> Self {
        Self { attempt, only }
    }

    /// All variables. Values that earlier steps gave may be large: those that are not `named` are there by name only.
    pub fn all(&self, named: &[String]) -> Variables {
        let mut all = Map::from_iter([("run".to_owned(), self.run())]);
        if let Some(only) = &self.only {
            all.extend(only.clone());
            return Arc::new(all);
        }
        for (name, bound) in &self.attempt.ports {
            let value = if named.contains(name) { bound.value().clone() } else { Value::Null };
            all.insert(name.clone(), value);
        }
        all.extend(self.trigger());
        if let Value::Object(inputs) = &*self.attempt.inputs {
            all.extend(inputs.clone());
        }
        Arc::new(all)
    }

    /// Names and values for people, without those that are `named` elsewhere or that nobody is to see.
    pub fn listed(&self, named: &[String]) -> Vec<Field> {
        let own = self.only.iter().flatten().map(|(name, value)| (name.as_str(), value));
        let inputs = self.attempt.inputs.as_object().filter(|_| self.only.is_none());
        let inputs = inputs.into_iter().flatten().map(|(name, value)| (name.as_str(), value));
        let ports = self.attempt.ports.iter().filter(|_| self.only.is_none());
        let ports = ports.map(|(name, bound)| (name.as_str(), bound.value())).filter(|(_, value)| is_short(value));
        let hidden = |name: &str| self.attempt.sensitive.iter().any(|hidden| hidden == name);
        let mut fields: Vec<Field> = Vec::new();
        for (name, value) in own.chain(inputs).chain(ports) {
            let is_listed = fields.iter().any(|field| field.name == name);
            if is_listed || value.is_null() || hidden(name) || named.iter().any(|known| known == name) {
                continue;
            }
            if fields.len() == MOST {
                break;
            }
            fields.push(Field { name: name.to_owned(), value: cut(&told(value)) });
        }
        fields
    }

    fn run(&self) -> Value {
        let Attempt { run, workflow, began, .. } = self.attempt;
        json!({
            "id": run, "workflow": workflow, "origin": began.door, "requester": began.by,
            "started_at": began.at.to_string(),
        })
    }

    /// What began the run, as far as it is known.
    fn trigger(&self) -> Map<String, Value> {
        let began = &self.attempt.began;
        let mut trigger = Map::from_iter([("user".to_owned(), json!(began.by))]);
        trigger.extend(began.channel.as_ref().map(|channel| ("channel".to_owned(), json!(channel))));
        trigger
    }
}

/// A value in front of people.
pub fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(told).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= LONGEST,
        Value::Bool(_) | Value::Number(_) => true,
        _ => false,
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
