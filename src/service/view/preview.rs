//! What a run would do, without doing it: steps in order, where their values come from, what they touch.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::plan::{EffectClass, Foreach, ListSource, OnItemError, Phase, Plan, PlanStep, PortSource};
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
    /// The list that it runs once for each item of, and how, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub foreach: Option<String>,
    /// The step that it stands in, by its id, and in which branch of it, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inside: Option<String>,
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
        attempts: match step.retry.max_attempts() {
            1 => format!("one attempt of {} at the most", step.timeout),
            several => format!("{several} attempts of {} at the most", step.timeout),
        },
        when: step.condition.expression.clone(),
        foreach: step.foreach.as_ref().map(|foreach| each(plan, foreach)),
        inside: inside(plan, step),
    }
}

fn each(plan: &Plan, foreach: &Foreach) -> String {
    let list = match &foreach.list {
        ListSource::Written(Value::String(text)) => text.clone(),
        ListSource::Written(Value::Array(items)) => format!("{} items", items.len()),
        ListSource::Written(value) => value.to_string(),
        ListSource::Bound(PortSource::Step { step, output }) => format!("{}.{output}", plan.steps[*step].id),
        ListSource::Bound(PortSource::Input(name)) => format!("input {name}"),
        ListSource::Bound(PortSource::Expression(text)) => text.clone(),
    };
    let batch = foreach.batch.map(|batch| format!(", {batch} together")).unwrap_or_default();
    let failing = match foreach.on_item_error {
        OnItemError::Stop => "stops at the first that fails",
        OnItemError::Collect => "goes on when one fails",
    };
    format!("{} of {list}{batch}, {} at a time, {failing}", foreach.name, foreach.max_parallel)
}

fn inside(plan: &Plan, step: &PlanStep) -> Option<String> {
    let phase = match step.phase {
        Phase::Main => None,
        Phase::OnError => Some("on_error".to_owned()),
        Phase::Finally => Some("finally".to_owned()),
    };
    let Some(parent) = step.parent.map(|parent| &plan.steps[parent]) else { return phase };
    let gate = step.condition.gates.first().map(String::as_str).unwrap_or_default();
    let branch = match gate.split_once(" == ") {
        Some((_, "\"failed\"")) => " when it fails".to_owned(),
        Some((_, label)) if parent.kind == "switch" && label != "\"completed\"" => format!(" case {label}"),
        _ if gate.ends_with("is none") => " else".to_owned(),
        _ => String::new(),
    };
    Some(format!("{}{branch}", parent.id))
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
    // What gathers takes whatever there is, and nothing is as good.
    let named = declared.iter().filter(|port| !port.gathers && !port.collects);
    let unbound = named.filter(|port| step.ports.iter().all(|binding| binding.port != port.name));
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
