//! What a run would do, without doing it: steps in order, where their values come from, what they touch.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::plan::{EffectClass, Plan, PlanStep, PortSource};
use crate::language::catalog::Catalog;
use crate::language::inputs;

/// A step of a preview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlanStepView {
    /// Its place, from 0.
    pub index: usize,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What must be settled before it begins, in words.
    pub after: String,
    /// Where each of its ports gets its value, in words.
    pub ports: Vec<String>,
    /// Its config, expressions as written, overriding inputs put in.
    pub config: Value,
    /// What it does to the world, in words.
    pub effect: Cow<'static, str>,
    /// Attempts and time of each, in words.
    pub attempts: String,
    /// Its condition.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub when: Option<String>,
}

/// A preview of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlanView {
    /// The name by which it is run.
    pub workflow: String,
    /// Its title.
    pub name: String,
    /// The hash of this version.
    pub hash: String,
    /// What is wrong with the inputs so far.
    pub inputs: Vec<String>,
    /// Its steps.
    pub steps: Vec<PlanStepView>,
}

impl PlanView {
    /// The preview of a plan with these inputs.
    #[must_use]
    pub fn new(plan: &Plan, given: &Map<String, Value>, catalog: &Catalog) -> Self {
        let (inputs, problems) = match inputs::check(plan, given) {
            Ok((inputs, warnings)) => (inputs, warnings),
            Err(faults) => (given.clone(), faults.iter().map(ToString::to_string).collect()),
        };
        let steps =
            plan.steps.iter().enumerate().map(|(index, step)| view(plan, index, step, &inputs, catalog)).collect();
        Self { workflow: plan.slug.clone(), name: plan.name.clone(), hash: plan.hash.clone(), inputs: problems, steps }
    }
}

fn view(plan: &Plan, index: usize, step: &PlanStep, inputs: &Map<String, Value>, catalog: &Catalog) -> PlanStepView {
    let after: Vec<_> = step.needs.iter().map(|&need| plan.steps[need].id.as_str()).collect();
    let mut config = step.config.clone();
    for key in &step.overridable {
        if let (Some(input), Some(config)) = (inputs.get(key), config.as_object_mut()) {
            config.insert(key.clone(), input.clone());
        }
    }
    PlanStepView {
        index,
        id: step.id.clone(),
        name: step.name.clone(),
        kind: step.kind.clone(),
        after: if after.is_empty() { "the start".to_owned() } else { after.join(", ") },
        ports: ports(plan, step, catalog),
        config,
        effect: Cow::Borrowed(if catalog.get(&step.kind).is_some() {
            effect(step.effect)
        } else {
            "unknown step type: the run fails here"
        }),
        attempts: format!("{} attempts of {} at the most", step.retry.max_attempts(), step.timeout),
        when: step.condition.expression.clone(),
    }
}

fn ports(plan: &Plan, step: &PlanStep, catalog: &Catalog) -> Vec<String> {
    let mut said: Vec<String> = step
        .ports
        .iter()
        .map(|binding| match &binding.source {
            PortSource::Step { step, output } => format!("{} from {}.{output}", binding.port, plan.steps[*step].id),
            PortSource::Input(name) => format!("{} from input {name}", binding.port),
            PortSource::Expression(text) => format!("{} from {text}", binding.port),
        })
        .collect();
    let declared = catalog.get(&step.kind).map(|step_type| step_type.consumes.as_slice()).unwrap_or_default();
    let unbound = declared.iter().filter(|port| step.ports.iter().all(|binding| binding.port != port.name));
    said.extend(unbound.map(|port| {
        let need = if port.required { "needed, and nothing gives it" } else { "nothing" };
        format!("{} from {need}", port.name)
    }));
    said
}

const fn effect(class: EffectClass) -> &'static str {
    match class {
        EffectClass::Pure => "touches nothing",
        EffectClass::Idempotent => "may be repeated without harm",
        EffectClass::AtLeastOnce => "reaches outside; may repeat after a crash, with the same key",
        EffectClass::AtMostOnce => "reaches outside; never repeated after a crash",
    }
}
