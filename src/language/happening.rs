//! What a trigger says about something that happened: its condition, its inputs, its key. All of it reads `trigger` alone,
//! for there is no run yet.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::expression::{self, ItemFacts, Items, RunFacts, Scope};
use super::render;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;

/// The name under which expressions read what happened.
const NAME: &str = "trigger";

/// What happened, as expressions see it.
#[derive(Debug, Clone)]
pub struct Happening {
    items: Arc<Items>,
}

impl Happening {
    /// What happened, with these facts.
    #[must_use]
    pub fn new(facts: Value) -> Self {
        let items = Items::of_value(Arc::new(Value::Array(vec![facts])), 1);
        Self { items: Arc::new(items.expect("a list was given just now")) }
    }

    /// A value with its expressions rendered.
    ///
    /// # Errors
    /// `WF2002` when one cannot be evaluated.
    pub fn render(&self, value: &Value) -> Result<Value, Fault> {
        self.with(|scope| render::list(value, scope))
    }

    /// A text with its expressions rendered.
    ///
    /// # Errors
    /// `WF2002` when one cannot be evaluated.
    pub fn text(&self, text: &str) -> Result<String, Fault> {
        let value = self.with(|scope| render::scalar(text, scope))?;
        Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// The first part of a condition that does not hold; `None` when all of it does.
    ///
    /// # Errors
    /// `WF2002` when it cannot be evaluated or is neither true nor false.
    pub fn first_false(&self, condition: &str) -> Result<Option<String>, Fault> {
        for part in parts(condition) {
            if !self.with(|scope| render::condition(part, scope))? {
                return Ok(Some(part.to_owned()));
            }
        }
        Ok(None)
    }

    fn with<T>(&self, work: impl FnOnce(&Scope) -> T) -> T {
        let none = Arc::new(Value::Object(Map::new()));
        let items = [ItemFacts { name: NAME, items: Arc::clone(&self.items), index: 0 }];
        let run = RunFacts {
            id: RunId::from_bits(0),
            workflow: "",
            version: None,
            origin: "",
            requester: None,
            started_at: Timestamp::from_micros(0),
            attempt: 1,
            failing: false,
            cancelling: false,
        };
        work(&Scope { inputs: &none, vars: &none, run, steps: &[], current: None, items: &items })
    }
}

/// The parts that `and` joins, so that the one that does not hold can be named; the whole where it is not that simple.
fn parts(condition: &str) -> Vec<&str> {
    let simple =
        !condition.contains(['"', '\'', '(', '[', '{']) && !condition.contains(" or ") && !condition.contains(" if ");
    if simple {
        return condition.split(" and ").collect();
    }
    let (mut parts, mut depth, mut quote, mut from) = (Vec::new(), 0_i32, None, 0);
    for (at, c) in condition.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ' ') if depth == 0 => {
                let rest = &condition[at..];
                if rest.starts_with(" or ") || rest.starts_with(" if ") {
                    return vec![condition];
                }
                if rest.starts_with(" and ") {
                    parts.push(&condition[from..at]);
                    from = at + " and ".len();
                }
            }
            _ => {}
        }
    }
    parts.push(&condition[from..]);
    let readable = parts.iter().all(|part| expression::compile(part.trim()).is_ok());
    if readable { parts } else { vec![condition] }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_part_that_does_not_hold_is_named() {
        let happening = Happening::new(json!({ "data": { "priority": "low", "tags": ["and", "b"] } }));
        for (condition, expected) in [
            ("trigger.data.priority == 'low'", None),
            ("trigger.data.priority == 'low' and 'x' in trigger.data.tags", Some("'x' in trigger.data.tags")),
            ("'and' in trigger.data.tags and (true or false)", None),
            ("trigger.data.priority == 'high' or trigger.data.priority == 'low' and true", None),
        ] {
            assert_eq!(happening.first_false(condition).expect(condition).as_deref(), expected, "{condition}");
        }
        assert!(happening.first_false("trigger.data.absent == 1").is_err());
    }

    #[test]
    fn a_whole_expression_keeps_its_type_and_text_of_outside_is_not_looked_into() {
        let happening = Happening::new(json!({ "data": { "n": 7, "text": "${{ 1 + 1 }}" } }));
        let value = json!({ "n": "${{ trigger.data.n }}", "text": "${{ trigger.data.text }}", "both": "a ${{ trigger.data.n }}" });
        let expected = json!({ "n": 7, "text": "${{ 1 + 1 }}", "both": "a 7" });
        assert_eq!(happening.render(&value).expect("it renders"), expected);
    }
}
