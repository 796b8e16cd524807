//! Values that may be one of several things: which one was meant, and what is wrong with it.

use serde_json::{Map, Value};

use super::super::expression;
use super::super::source::{Kind, Node};
use super::walk::{MAX_DEPTH, Misfit, Path, Walk, noun, schemas, types};

impl Walk<'_> {
    /// Fits one of several schemas, or tells why it does not fit the likeliest.
    pub(super) fn alternatives(&self, alternatives: &[&Value], node: &Node, path: &Path) -> Vec<Misfit> {
        let mut leaves = Vec::new();
        alternatives.iter().for_each(|alternative| self.leaves(alternative, &mut leaves, 0));
        if let Some(misfits) = self.tagged(&leaves, node, path) {
            return misfits;
        }
        let mut best: Option<Vec<Misfit>> = None;
        for alternative in alternatives {
            let misfits = self.value(alternative, node, &path.same());
            if misfits.is_empty() {
                return Vec::new();
            }
            let reach = |misfits: &[Misfit]| misfits.iter().map(|misfit| misfit.depth).max().unwrap_or(0);
            if best.as_ref().is_none_or(|best| reach(&misfits) > reach(best)) {
                best = Some(misfits);
            }
        }
        let mut words = Vec::new();
        alternatives.iter().for_each(|alternative| self.words(alternative, &mut words, 0));
        let kinds: Vec<_> = alternatives.iter().filter_map(|alternative| self.noun(alternative, 0)).collect();
        if let Kind::Text(text) = &node.kind
            && !words.is_empty()
        {
            return vec![self.not_a_word(&words, text, node, path)];
        }
        let best = best.unwrap_or_default();
        // Where no alternative was entered at all, what they are says more than what the first one wants.
        if best.iter().all(|misfit| misfit.depth <= path.depth + 1) && !kinds.is_empty() {
            let mut kinds = kinds;
            kinds.dedup();
            return vec![self.misfit(node, path, &format!("must be {}, not {}", kinds.join(" or "), node.describe()))];
        }
        best
    }

    /// Maps that a key tells apart, as `kind: basic`: the one that the key names is the one that is meant.
    fn tagged(&self, leaves: &[&Map<String, Value>], node: &Node, path: &Path) -> Option<Vec<Misfit>> {
        let maps: Vec<_> = leaves.iter().filter_map(|leaf| leaf.get("properties").and_then(Value::as_object)).collect();
        let constant = |map: &Map<String, Value>, key: &str| map.get(key).and_then(|value| value.get("const")).cloned();
        let key = maps.first()?.keys().find(|key| maps.iter().all(|map| constant(map, key).is_some()))?;
        let entry = node.entry(key).filter(|_| maps.len() > 1)?;
        let given = entry.value.json();
        let meant = leaves.iter().find(|leaf| {
            let properties = leaf.get("properties").and_then(Value::as_object);
            properties.and_then(|map| constant(map, key)).is_some_and(|value| value == given)
        });
        if let Some(leaf) = meant {
            return Some(self.value(&Value::Object((*leaf).clone()), node, &path.same()));
        }
        let words: Vec<Value> = maps.iter().filter_map(|map| constant(map, key)).collect();
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        let text = entry.value.text().filter(|text| !expression::has_marker(text))?;
        Some(vec![self.not_a_word(&words, text, &entry.value, &path.down(key, Some(entry.mark)))])
    }

    /// The schemas at the ends of alternatives in alternatives.
    fn leaves<'s>(&'s self, schema: &'s Value, leaves: &mut Vec<&'s Map<String, Value>>, depth: usize) {
        let Some(map) = schema.as_object().filter(|_| depth < MAX_DEPTH) else { return };
        let target = map.get("$ref").and_then(Value::as_str).and_then(|name| self.resolve(name));
        let before = leaves.len();
        for part in target.into_iter().chain(["oneOf", "anyOf"].into_iter().flat_map(|key| schemas(map, key))) {
            self.leaves(part, leaves, depth + 1);
        }
        if leaves.len() == before {
            leaves.push(map);
        }
    }

    /// All words that a schema allows, followed through its alternatives.
    fn words<'s>(&'s self, schema: &'s Value, words: &mut Vec<&'s str>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        words.extend(schema.get("const").and_then(Value::as_str));
        let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        words.extend(listed.filter_map(Value::as_str));
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|name| self.resolve(name));
        let parts = schema
            .as_object()
            .into_iter()
            .flat_map(|map| ["oneOf", "anyOf", "allOf"].into_iter().flat_map(|key| schemas(map, key)));
        for part in target.into_iter().chain(parts) {
            self.words(part, words, depth + 1);
        }
    }

    /// What a schema wants, in a word.
    fn noun(&self, schema: &Value, depth: usize) -> Option<&'static str> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|name| self.resolve(name)) {
            return self.noun(target, depth + 1);
        }
        types(schema.as_object()?).into_iter().find(|kind| *kind != "null").map(noun)
    }
}
