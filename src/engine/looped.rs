//! Loops in the hands of a carrier: their lists, the items around a step, and what they give in the end.

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::carried::Carried;
use super::values;
use crate::domain::code;
use crate::domain::command::Command;
use crate::domain::fault::Fault;
use crate::domain::hex;
use crate::domain::items::Loop;
use crate::domain::plan::{Foreach, ListSource, PortSource};
use crate::language::{ItemFacts, Items, Outputs, render};

/// Looks up the list of a loop that is to begin.
///
/// # Errors
/// There is no list, or it is too long.
pub fn list(carried: &mut Carried, step: usize) -> Result<Command, Fault> {
    let items = find(carried, step)?;
    let count = items.count();
    let limit = terms(carried, step).map_or(0, |foreach| foreach.limit);
    let count = u32::try_from(count).ok().filter(|count| *count <= limit).ok_or_else(|| {
        let message = format!("`foreach` has {count} items; {limit} are allowed");
        Fault::permanent(code::WF4010, message)
    })?;
    let digest = digest(&items);
    carried.lists.insert(step, Arc::new(items));
    Ok(Command::List { step, count, digest })
}

/// Has the lists of all loops around a step at hand: after a restart they are looked up again.
pub fn know_items(carried: &mut Carried, step: usize) {
    let around: Vec<usize> = carried.run.items_around(step).map(|(at, _)| at).collect();
    for at in around.into_iter().rev() {
        if carried.lists.contains_key(&at) {
            continue;
        }
        // A list that is not what it was cannot give this item: the step then fails for want of it.
        let same = |items: &Items| carried.run.loop_at(at).is_some_and(|known| known.digest == digest(items));
        if let Some(items) = find(carried, at).ok().filter(same) {
            carried.lists.insert(at, Arc::new(items));
        }
    }
}

/// Has the list of a loop at hand, and those of the loops around it.
pub fn know_items_of(carried: &mut Carried, step: usize) {
    let first = carried.run.loop_at(step).filter(|known| known.count > 0).map(|known| known.first);
    if let Some(first) = first {
        know_items(carried, first);
    }
}

/// The items of the loops around a step, from the inside out.
pub fn items_around(carried: &Carried, step: usize) -> Vec<ItemFacts<'_>> {
    let mut found = Vec::new();
    for (at, item) in carried.run.items_around(step) {
        let (Some(items), Some(foreach)) = (carried.lists.get(&at), terms(carried, at)) else { continue };
        found.push(ItemFacts { name: &foreach.name, items: Arc::clone(items), index: item as usize });
    }
    found
}

/// What a loop gives: what each item gave, in order, and which failed. All of it is text, as the items are.
pub fn outputs(carried: &Carried, step: usize) -> Outputs {
    let mut text = String::from("{");
    if let Some(known) = carried.run.loop_at(step) {
        let failed: Vec<Value> = known.failed().map(|item| key(carried, step, item)).collect();
        let (count, many, keys) = (known.count, failed.len(), Value::Array(failed));
        text.push_str(&format!("\"count\":{count},\"failed\":{many},\"failed_keys\":{keys}"));
        // Each item's own outputs are kept; only all of them together may be too much for one value.
        if let Some(items) = items(carried, known) {
            text.push_str(",\"items\":");
            text.push_str(&items);
        }
    }
    text.push('}');
    Outputs::of_text(RawValue::from_string(text).expect("it is put together of JSON"))
}

/// What the items gave, as a list; `None` where that is too much for one value.
fn items(carried: &Carried, known: &Loop) -> Option<String> {
    let body = carried.flow.body(known.plan);
    let itself = body == [known.plan];
    let mut text = String::from("[");
    for item in 0..known.count {
        if item > 0 {
            text.push(',');
        }
        if itself {
            let own = carried.outputs[known.step(item, 0)].as_ref().map(Outputs::text);
            text.push_str(own.as_deref().map_or("null", RawValue::get));
        } else {
            let member = |(plan, outputs): (usize, &Outputs)| {
                format!("{}:{}", json!(carried.flow.plan.steps[plan].id), outputs.text().get())
            };
            let given = body.iter().zip(known.steps(item));
            let given = given.filter_map(|(plan, step)| Some((*plan, carried.outputs[step].as_ref()?)));
            let members: Vec<String> = given.map(member).collect();
            text.push_str(&format!("{{{}}}", members.join(",")));
        }
        if text.len() > values::LIMIT {
            return None;
        }
    }
    text.push(']');
    (!values::is_text_deeper_than(&text, values::DEEPEST)).then_some(text)
}

/// What an item gave and cannot be read is missing in what the loop gives.
pub fn note_lost(carried: &mut Carried, step: usize) {
    let Some(known) = carried.run.loop_at(step) else { return };
    let lost = carried.lost.range(known.steps(0).start..known.step(known.count, 0)).next();
    if let Some(fault) = lost.map(|(_, fault)| fault.clone()) {
        carried.lost.insert(step, fault);
    }
}

/// An item that is over is held as text: nobody reads it before the loop gives it on.
pub fn fold_up(carried: &mut Carried, step: usize) {
    let Some(instance) = carried.run.instance(step) else { return };
    let over = carried.run.loop_at(instance.at as usize).filter(|known| known.is_over_with(instance.item));
    for of in over.map(|known| known.steps(instance.item)).into_iter().flatten() {
        if let Some(outputs @ Outputs::Values(_)) = &carried.outputs[of] {
            carried.outputs[of] = Some(Outputs::of_text(outputs.text().into_owned()));
        }
    }
}

/// What tells an item apart: its key, or its place where it has none.
fn key(carried: &Carried, step: usize, item: u32) -> Value {
    let place = || json!(item);
    let Some(known) = carried.run.loop_at(step) else { return place() };
    let Some(key) = terms(carried, step).and_then(|foreach| foreach.key.as_ref()) else { return place() };
    render::scalar(key, &carried.scope(known.step(item, 0)).view()).unwrap_or_else(|_| place())
}

fn find(carried: &Carried, step: usize) -> Result<Items, Fault> {
    let foreach = terms(carried, step).ok_or_else(|| Fault::permanent(code::WF4010, "this step has no `foreach`"))?;
    let batch = foreach.batch.unwrap_or(1);
    let found = match &foreach.list {
        ListSource::Bound(PortSource::Step { step: from, output }) => {
            let seen = carried.run.seen_from(&carried.flow, Some(step), *from);
            let outputs = seen.and_then(|seen| carried.outputs[seen].clone());
            let id = &carried.flow.plan.steps[*from].id;
            let outputs = outputs.ok_or_else(|| nothing(&format!("step `{id}` has no outputs")))?;
            Items::of_output(outputs, output, batch)
        }
        ListSource::Bound(PortSource::Input(name)) => Items::of_input(Arc::clone(&carried.inputs), name, batch),
        ListSource::Bound(PortSource::Expression(text)) => {
            Items::of_value(Arc::new(render::scalar(text, &carried.scope(step).view())?), batch)
        }
        ListSource::Written(written) => {
            Items::of_value(Arc::new(render::list(written, &carried.scope(step).view())?), batch)
        }
    };
    found.ok_or_else(|| nothing("what `foreach` names is no list"))
}

fn nothing(message: &str) -> Fault {
    Fault::permanent(code::WF4010, message.to_owned())
}

fn terms(carried: &Carried, step: usize) -> Option<&Foreach> {
    carried.flow.step(&carried.run, step).foreach.as_ref()
}

fn digest(items: &Items) -> String {
    let mut hash = Hash(Sha256::new());
    if let Some(list) = items.list() {
        // Writing into a hash cannot fail, and JSON values can always be written.
        let _ = serde_json::to_writer(&mut hash, list);
    }
    let hash: [u8; 32] = hash.0.finalize().into();
    hex::of(&hash[..8])
}

struct Hash(Sha256);

impl std::io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
