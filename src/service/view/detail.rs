//! A workflow for somebody who wants to start it: its definition, what it takes, what it would do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::library::Ready;
use super::preview::{PlanStepView, PlanView};
use super::progress::WorkflowView;
use crate::domain::plan::{InputSpec, InputType, Plan, Required};
use crate::language::catalog::Catalog;
use crate::language::inputs;

/// The step type that works on a file, and the input by which it is given: the specification's own words.
const UPLOAD: (&str, &str) = ("upload", "file_path");

/// An input of a workflow, as a form shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InputView {
    /// Its name.
    pub name: String,
    /// What it must be.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: InputType,
    /// Whether a run can begin without it: `late` means that a step will ask for it.
    #[schema(value_type = Object)]
    pub required: Required,
    /// The value when it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub default: Option<Value>,
    /// What to call it.
    pub label: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// The values to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub choices: Vec<Value>,
    /// Never shown.
    pub sensitive: bool,
    /// The workflow declares it; otherwise it is what its steps look at.
    pub declared: bool,
}

impl InputView {
    /// Whether its type is known, and not only guessed for want of a value.
    fn is_telling(&self) -> bool {
        self.declared || self.default.is_some() || self.required != Required::No
    }

    fn spec(&self) -> InputSpec {
        InputSpec { options: self.choices.clone(), ..looked_at(&self.name, self.kind, self.required, None) }
    }

    /// What a plan takes.
    #[must_use]
    pub fn all(plan: &Plan) -> Vec<Self> {
        takes(plan).iter().map(|spec| Self::new(spec, plan.inputs.is_some())).collect()
    }

    fn new(spec: &InputSpec, declared: bool) -> Self {
        Self {
            name: spec.name.clone(),
            kind: spec.kind,
            required: spec.required,
            default: spec.default.clone(),
            label: spec.label.clone().unwrap_or_else(|| spec.name.clone()),
            description: spec.description.clone(),
            choices: spec.options.clone(),
            sensitive: spec.sensitive,
            declared,
        }
    }
}

/// A workflow with everything that a reader wants to know of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WorkflowDetail {
    /// The workflow.
    pub workflow: WorkflowView,
    /// The text of its file.
    pub definition: String,
    /// What it takes: what it declares, or else what its steps look at.
    pub inputs: Vec<InputView>,
    /// What it does.
    pub steps: Vec<PlanStepView>,
}

impl WorkflowDetail {
    pub(in crate::service) fn new(workflow: WorkflowView, ready: &Ready, catalog: &Catalog) -> Self {
        let plan = &ready.flow.plan;
        Self {
            workflow,
            definition: ready.source.text.clone(),
            inputs: InputView::all(plan),
            steps: PlanView::new(plan, &Map::new(), catalog).steps,
        }
    }
}

/// What a workflow takes: what it declares, or else what its steps look at.
fn takes(plan: &Plan) -> Vec<InputSpec> {
    if let Some(declared) = &plan.inputs {
        return declared.clone();
    }
    let mut found: Vec<InputSpec> = Vec::new();
    for step in &plan.steps {
        let file = (step.kind == UPLOAD.0).then(|| looked_at(UPLOAD.1, InputType::File, Required::Late, None));
        let keys = step.overridable.iter().map(|key| {
            let value = step.config.get(key).filter(|value| !value.is_null());
            let kind = match value {
                Some(Value::Number(_)) => InputType::Number,
                Some(Value::Bool(_)) => InputType::Boolean,
                Some(Value::Array(_)) => InputType::Array,
                Some(Value::Object(_)) => InputType::Object,
                _ => InputType::String,
            };
            looked_at(key, kind, Required::No, value.cloned())
        });
        for input in file.into_iter().chain(keys) {
            if found.iter().all(|known| known.name != input.name) {
                found.push(input);
            }
        }
    }
    found
}

fn looked_at(name: &str, kind: InputType, required: Required, default: Option<Value>) -> InputSpec {
    InputSpec {
        name: name.to_owned(),
        kind,
        required,
        default,
        options: Vec::new(),
        pattern: None,
        min: None,
        max: None,
        label: None,
        description: None,
        sensitive: false,
    }
}

/// Inputs written as `key=value` texts, each read as what it is said to take.
#[must_use]
pub fn read_pairs(takes: &[InputView], pairs: &[(String, String)]) -> Map<String, Value> {
    let specs: Vec<InputSpec> = takes.iter().filter(|input| input.is_telling()).map(InputView::spec).collect();
    inputs::from_text(&specs, pairs)
}
