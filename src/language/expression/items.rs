//! The items of a loop, as expressions see them: looked into where the list lies, never copied.

use std::sync::Arc;

use minijinja::Value;
use serde_json::Value as Json;

use super::context::{Data, Root, Turn};
use super::outputs::Outputs;

/// The list of a loop.
#[derive(Debug, Clone)]
pub struct Items {
    root: Root,
    way: Vec<Turn>,
    batch: usize,
}

impl Items {
    /// The items of a list; `None` when the value is none. With `batch` above 1 so many go together as one item.
    #[must_use]
    pub fn of_value(list: Arc<Json>, batch: u32) -> Option<Self> {
        Self { root: Root::Value(list), way: Vec::new(), batch: batch.max(1) as usize }.checked()
    }

    /// The items of an output of a step.
    #[must_use]
    pub fn of_output(outputs: Outputs, name: &str, batch: u32) -> Option<Self> {
        let way = vec![Turn::Key(name.to_owned())];
        Self { root: Root::Map(outputs), way, batch: batch.max(1) as usize }.checked()
    }

    /// The items of an input.
    #[must_use]
    pub fn of_input(inputs: Arc<Json>, name: &str, batch: u32) -> Option<Self> {
        let way = vec![Turn::Key(name.to_owned())];
        Self { root: Root::Value(inputs), way, batch: batch.max(1) as usize }.checked()
    }

    fn checked(self) -> Option<Self> {
        self.list().is_some().then_some(self)
    }

    /// The list itself.
    #[must_use]
    pub fn list(&self) -> Option<&Vec<Json>> {
        self.root.node(&self.way).and_then(Json::as_array)
    }

    /// How many items there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list().map_or(0, |list| list.len().div_ceil(self.batch))
    }

    /// One item as JSON.
    #[must_use]
    pub fn json(&self, item: usize) -> Json {
        let Some(list) = self.list() else { return Json::Null };
        if self.batch == 1 {
            return list.get(item).cloned().unwrap_or_default();
        }
        Json::Array(list.iter().skip(item * self.batch).take(self.batch).cloned().collect())
    }

    pub(super) fn value(&self, item: usize) -> Value {
        if self.batch > 1 {
            return Data::whole(Root::Value(Arc::new(self.json(item))));
        }
        let data = Data { root: self.root.clone(), way: self.way.clone() };
        self.list()
            .and_then(|list| list.get(item))
            .map_or_else(Value::default, |found| data.child(Turn::Index(item), found))
    }
}

/// An item of a loop that is under way.
#[derive(Debug, Clone)]
pub struct ItemFacts<'a> {
    /// The name by which the file calls it.
    pub name: &'a str,
    /// The list.
    pub items: Arc<Items>,
    /// Which one, from 0.
    pub index: usize,
}

impl ItemFacts<'_> {
    pub(super) fn value(&self) -> Value {
        self.items.value(self.index)
    }

    /// `loop`: where it is.
    pub(super) fn place(&self) -> Value {
        Value::from_pairs([
            ("index", Value::from(self.index)),
            ("number", Value::from(self.index + 1)),
            ("count", Value::from(self.items.count())),
        ])
    }
}
