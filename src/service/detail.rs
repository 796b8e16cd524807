//! A workflow for somebody who wants to start it: its definition, what it takes, what it would do.

use serde::Serialize;
use serde_json::{Map, Value};

use super::library::Ready;
use super::preview::{PlanStepView, PlanView};
use super::progress::WorkflowView;
use crate::domain::plan::{InputSpec, InputType, Plan, Required};
use crate::language::catalog::Catalog;

/// The step type that works on a file, and the input by which it is given: the specification's own words.
const UPLOAD: (&str, &str) = ("upload", "file_path");

/// An input of a workflow, as a form shows it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What to call it.
    pub label: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The values to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Value>,
    /// Never shown.
    pub sensitive: bool,
}

impl From<&InputSpec> for InputView {
    fn from(spec: &InputSpec) -> Self {
        Self {
            name: spec.name.clone(),
            kind: spec.kind,
            required: spec.required,
            default: spec.default.clone(),
            label: spec.label.clone().unwrap_or_else(|| spec.name.clone()),
            description: spec.description.clone(),
            choices: spec.options.clone(),
            sensitive: spec.sensitive,
        }
    }
}

/// A workflow with everything that a reader wants to know of it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
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
    pub(super) fn new(workflow: WorkflowView, ready: &Ready, catalog: &Catalog) -> Self {
        let plan = &ready.flow.plan;
        Self {
            workflow,
            definition: ready.source.text.clone(),
            inputs: inputs(plan),
            steps: PlanView::new(plan, &Map::new(), catalog).steps,
        }
    }
}

fn inputs(plan: &Plan) -> Vec<InputView> {
    if let Some(declared) = &plan.inputs {
        return declared.iter().map(InputView::from).collect();
    }
    let mut found: Vec<InputView> = Vec::new();
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

fn looked_at(name: &str, kind: InputType, required: Required, default: Option<Value>) -> InputView {
    InputView {
        name: name.to_owned(),
        kind,
        required,
        default,
        label: name.to_owned(),
        description: None,
        choices: Vec::new(),
        sensitive: false,
    }
}
