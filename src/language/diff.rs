//! What two versions of a workflow do differently: steps and keys, whatever the lines of their files.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::plan::Plan;
use crate::domain::time::Span;

/// Keys of a step and of its `retry` that are lengths of time.
const SPANS: [&str; 6] = ["timeout", "total", "queue", "heartbeat", "delay", "max_delay"];
/// What a step that came or went is told by; the rest of it is as usual, or stands in the file.
const TELLING: [&str; 6] = ["type", "name", "needs", "foreach", "config", "ports"];

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What differs, as `steps.ocr.config.languages`.
    pub place: String,
    /// What it was; `None`: it was not there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Value>,
    /// What it is; `None`: it is no longer there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<Value>,
}

/// The differences of two plans, in the order of the newer one.
#[must_use]
pub fn diff(older: &Plan, newer: &Plan) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", &plain(older), &plain(newer), &mut changes);
    for change in &mut changes {
        if change.place.strip_prefix("steps.").is_some_and(|step| !step.contains('.')) {
            change.from.iter_mut().chain(&mut change.to).for_each(shorten);
        }
    }
    let order = |plan: &Plan| plan.steps.iter().map(|step| step.id.clone()).collect::<Vec<_>>();
    let (was, is) = (order(older), order(newer));
    let known = |ids: &[String], of: &[String]| ids.iter().filter(|id| of.contains(id)).cloned().collect::<Vec<_>>();
    let (was, is) = (known(&was, &is), known(&is, &was));
    if was != is {
        changes.push(Change { place: "order of steps".to_owned(), from: Some(was.into()), to: Some(is.into()) });
    }
    changes
}

/// A plan as its author sees it: steps by their ids, and named where they are meant; nothing that follows from the rest.
fn plain(plan: &Plan) -> Value {
    let mut value = serde_json::to_value(plan).expect("a plan is plain data with text keys");
    let id = |step: &Value| {
        let step = step.as_u64().and_then(|at| plan.steps.get(usize::try_from(at).ok()?));
        step.map_or(Value::Null, |step| Value::String(step.id.clone()))
    };
    let mut steps = Map::new();
    for step in value.get_mut("steps").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(map) = step.as_object_mut() else { continue };
        if let Some(kind) = map.remove("kind") {
            map.insert("type".to_owned(), kind);
        }
        speak(map);
        if let Some(retry) = map.get_mut("retry").and_then(Value::as_object_mut) {
            speak(retry);
        }
        for derived in ["line", "stage", "config_has_expressions", "overridable", "effect"] {
            map.remove(derived);
        }
        if let Some(needs) = map.get_mut("needs").and_then(Value::as_array_mut) {
            needs.iter_mut().for_each(|need| *need = id(need));
        }
        for key in ["parent", "in_loop"] {
            if let Some(of) = map.get_mut(key) {
                *of = id(of);
            }
        }
        let ports = map.get_mut("ports").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        let mut named = Map::new();
        for mut port in ports {
            if let Some(step) = port.pointer_mut("/source/step/step") {
                *step = id(step);
            }
            let name = port["port"].as_str().unwrap_or_default().to_owned();
            named.insert(name, port["source"].take());
        }
        map.insert("ports".to_owned(), Value::Object(named));
        let key = map.remove("id").and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
        steps.insert(key, step.take());
    }
    value["steps"] = Value::Object(steps);
    if let Some(map) = value.as_object_mut() {
        map.remove("hash");
        speak(map);
    }
    value
}

/// Lengths of time as people write them.
fn speak(map: &mut Map<String, Value>) {
    for (_, value) in map.iter_mut().filter(|(key, _)| SPANS.contains(&key.as_str())) {
        if let Some(micros) = value.as_u64() {
            *value = Value::String(Span::from_micros(micros).to_string());
        }
    }
}

/// Of a whole step, what tells it.
fn shorten(step: &mut Value) {
    let is_empty = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        value => value.is_null(),
    };
    if let Some(map) = step.as_object_mut() {
        map.retain(|key, value| TELLING.contains(&key.as_str()) && !is_empty(value));
    }
}

fn compare(place: &str, older: &Value, newer: &Value, changes: &mut Vec<Change>) {
    if older == newer {
        return;
    }
    let (Value::Object(was), Value::Object(is)) = (older, newer) else {
        let kept = |value: &Value| (!value.is_null()).then(|| value.clone());
        return changes.push(Change { place: place.to_owned(), from: kept(older), to: kept(newer) });
    };
    let mut seen = BTreeSet::new();
    for key in is.keys().chain(was.keys()).filter(|key| seen.insert(key.as_str())) {
        let inner = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
        let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
        compare(&inner, &of(was), &of(is), changes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Catalog, Options, Source, compile};
    use super::*;

    fn plan(text: &str) -> Plan {
        let source = Source { name: "a.yaml".to_owned(), text: text.to_owned() };
        compile(&source, &Catalog::default(), &Options::default()).plan.expect("it is fine")
    }

    #[test]
    fn steps_are_told_apart_by_their_ids_and_keys_by_their_names() {
        let older = plan("name: A\nsteps:\n- {type: x, id: one, config: {a: 1, b: 2}}\n- {type: x, id: two}\n");
        let newer = plan(
            "# a word\nname: A\n\nsteps:\n- {type: y, id: three}\n- {type: x, id: one, retry: 7, config: {b: 2, a: 5}}\n",
        );
        let told: Vec<String> = diff(&older, &newer)
            .into_iter()
            .map(|change| {
                let kind = match (change.from.is_some(), change.to.is_some()) {
                    (true, true) => "~",
                    (false, _) => "+",
                    (true, false) => "-",
                };
                format!("{kind}{}", change.place)
            })
            .collect();
        assert_eq!(
            told,
            ["+steps.three", "~steps.one.config.a", "~steps.one.needs", "~steps.one.retry.count", "-steps.two"]
        );
    }

    #[test]
    fn a_step_that_came_is_told_in_short_and_times_as_people_write_them() {
        let older = plan("name: A\nsteps: [{type: x, id: one, timeout: 30s}]\n");
        let newer = plan("name: A\nsteps:\n- {type: x, id: one, timeout: 2m}\n- {type: y, id: two, config: {a: 1}}\n");
        let changes = diff(&older, &newer);
        let timeout = changes.iter().find(|change| change.place == "steps.one.timeout").expect("it is told");
        assert_eq!((timeout.from.clone(), timeout.to.clone()), (Some("30.0s".into()), Some("2m 0s".into())));
        let came = changes.iter().find(|change| change.place == "steps.two").expect("it is told");
        let expected = serde_json::json!({ "type": "y", "name": "Y", "needs": ["one"], "config": { "a": 1 } });
        assert_eq!(came.to, Some(expected));
    }

    #[test]
    fn lines_and_comments_are_no_difference() {
        let older = plan("name: A\nsteps: [{type: x, id: one}]\n");
        assert_eq!(diff(&older, &plan("name: A\n\n# more\nsteps:\n  - id: one\n    type: x\n")), []);
    }
}
