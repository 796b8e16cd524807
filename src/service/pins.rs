//! Versions are fixed when a run is started: its own, and those of the workflows that its steps begin.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::error::ServiceError;
use super::library::Ready;
use super::runs::Service;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::run::Flow;
use crate::engine::Pin;

/// The step type that begins a workflow, and the key that names it.
const NESTED: (&str, &str) = ("workflow", "id");

impl Service {
    /// The workflows that this one begins, directly or not, as they are now. A name that is computed, or that leads to
    /// nothing, is looked up when its step runs.
    ///
    /// # Errors
    /// A workflow would stand in itself.
    pub(super) async fn pins(&self, ready: &Ready) -> Result<BTreeMap<String, Pin>, ServiceError> {
        let mut pins = BTreeMap::new();
        let mut open: VecDeque<(Arc<Flow>, Vec<String>)> = VecDeque::new();
        open.push_back((Arc::clone(&ready.flow), vec![ready.slug.clone()]));
        while let Some((flow, way)) = open.pop_front() {
            for name in named(&flow) {
                let Ok(found) = self.shelf().ready(&name, false).await else { continue };
                let way: Vec<String> = way.iter().cloned().chain([found.slug.clone()]).collect();
                if way[..way.len() - 1].contains(&found.slug) {
                    let message = format!("`{}` would stand in itself: {}", found.slug, way.join(" begins "));
                    return Err(ServiceError::Inputs(vec![Fault::permanent(code::WF4013, message)]));
                }
                let pin = Pin { workflow: found.workflow, slug: found.slug, revision: found.flow.plan.hash.clone() };
                if pins.insert(name, pin).is_none() {
                    open.push_back((found.flow, way));
                }
            }
        }
        Ok(pins)
    }
}

/// The workflows that a plan names in so many words.
fn named(flow: &Flow) -> Vec<String> {
    let nested = flow.plan.steps.iter().filter(|step| step.kind == NESTED.0);
    let names = nested.filter_map(|step| step.config.get(NESTED.1)?.as_str());
    names.filter(|name| !name.contains("${{")).map(str::to_owned).collect()
}
