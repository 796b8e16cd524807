//! The plan: the graph that the machine walks, made once from a checked template and never changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lane::{Concurrency, Priority, Room};
use super::retry::RetryPolicy;
use super::role::Permissions;
use super::time::Span;
use super::trigger::TriggerSpec;

/// What repeating a step costs the world. Decides what is committed before it starts and what a crash means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectClass {
    /// A function of committed values: may run again unseen, and may share a commit with its neighbours.
    Pure,
    /// Has an effect, but a repeat with the same key is harmless.
    Idempotent,
    /// May have its effect twice if it is interrupted; the key lets the other side notice.
    AtLeastOnce,
    /// Must never be repeated: an interrupted attempt fails as uncertain.
    AtMostOnce,
}

/// What a failed step means for its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The run fails; what runs beside it finishes.
    #[default]
    Stop,
    /// The run goes on and ends with a warning.
    Continue,
    /// Somebody is asked: try again, go on without it, or end the run.
    Ask,
}

/// When a step runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Condition {
    /// What must hold for the branch that the step stands in; bare expressions, looked at before `expression`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<String>,
    /// The bare expression of `when`; `None` runs whenever everything before went well.
    pub expression: Option<String>,
    /// The expression asks about failure (`failed()`, `always()`, ...), so it is offered in a failing run too.
    pub survives_failure: bool,
}

/// In which part of a run a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Under `steps`.
    #[default]
    Main,
    /// Under the top-level `on_error`: runs once the run has failed or run out of time.
    OnError,
    /// Under `finally`: runs however the run ends, cancelled ones included.
    Finally,
}

impl Phase {
    const fn is_main(&self) -> bool {
        matches!(self, Self::Main)
    }
}

/// What a failed item means for its `foreach`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnItemError {
    /// No further items begin, and the step fails.
    #[default]
    Stop,
    /// All items run; the failed ones are listed.
    Collect,
}

/// Where the list of a `foreach` comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListSource {
    /// A list as the file has it, or a text that is one whole expression.
    Written(Value),
    /// One whole reference to an output or an input: no copy is made.
    Bound(PortSource),
}

/// A step that runs once for each item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Foreach {
    /// The list.
    pub list: ListSource,
    /// The name of the item in expressions, besides `item`.
    pub name: String,
    /// Template scalar that tells items apart; the place in the list when absent.
    pub key: Option<String>,
    /// Items at the same time.
    pub max_parallel: u32,
    /// Items of the list that go together as one.
    pub batch: Option<u32>,
    /// What a failed item means.
    pub on_item_error: OnItemError,
    /// Longer lists are refused.
    pub limit: u32,
}

/// For how long an earlier result, of a step or of a whole run, is as good as a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// How long.
    pub ttl: Span,
    /// Template scalar that says when two are the same; config and ports, or the inputs of a run, when absent.
    pub key: Option<String>,
    /// Keys of the config, or inputs of a run, that make no difference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Only results of the same workflow count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_workflow: bool,
}

/// How what a step did is taken back, where its author says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollback {
    /// Not at all.
    Keep,
    /// By these steps, as a file has them; their expressions see what the step saw, and what it gave.
    Steps(Vec<Value>),
}

/// Where the value of a port comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortSource {
    /// Output `output` of the step at this place in the plan.
    Step {
        /// Index into [`Plan::steps`].
        step: usize,
        /// The output's name.
        output: String,
    },
    /// The run's input of this name.
    Input(String),
    /// A template scalar with expressions.
    Expression(String),
}

/// One bound port of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortBinding {
    /// The port's name, as the step type declares it.
    pub port: String,
    /// Where its value comes from.
    pub source: PortSource,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    /// The id by which expressions and people name it; unique in the plan.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// The step type; not necessarily one that exists (a run fails there, the file does not).
    pub kind: String,
    /// The config as written, expressions unrendered; always an object.
    pub config: Value,
    /// Whether `config` holds any expression at all.
    pub config_has_expressions: bool,
    /// Indices of the steps that must be settled first. Always smaller or larger, never itself; no cycles.
    pub needs: Vec<usize>,
    /// Steps of one stage run side by side; for display and `plan`.
    pub stage: usize,
    /// When it runs.
    pub condition: Condition,
    /// What happens after a failed attempt.
    pub retry: RetryPolicy,
    /// How long one attempt may take.
    pub timeout: Span,
    /// How long all its attempts may take together, the waits between them included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Span>,
    /// How long it may wait for room in its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Span>,
    /// How long an attempt may go without telling how far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Span>,
    /// What its attempts share with those of other steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// What its failure means for the run.
    pub on_error: OnError,
    /// Where its ports get their values.
    pub ports: Vec<PortBinding>,
    /// Declared outputs: (name, template scalar). Empty: the handler's outputs as they are.
    pub outputs: Vec<(String, String)>,
    /// What repeating it costs the world.
    pub effect: EffectClass,
    /// Config keys that an input of the same name overrides.
    pub overridable: Vec<String>,
    /// In which part of the run it stands.
    #[serde(default, skip_serializing_if = "Phase::is_main")]
    pub phase: Phase,
    /// The step that it stands in: a group, a switch, or the step whose failure it handles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<usize>,
    /// The innermost group with `foreach` around it. Such a step runs once for each item, never as itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_loop: Option<usize>,
    /// Runs once for each item of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreach: Option<Foreach>,
    /// An earlier result on the same values is as good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// How it is taken back; `None`: as its type knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// Line of the step in its file, from 1.
    pub line: usize,
}

/// The type of a declared input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// An exact decimal number, kept as text.
    Decimal,
    /// true or false.
    Boolean,
    /// `2026-11-23`.
    Date,
    /// RFC 3339.
    Datetime,
    /// `90s`, `30m`.
    Duration,
    /// One of `options`.
    Enum,
    /// A list.
    Array,
    /// A map.
    Object,
    /// An uploaded file, by its id.
    File,
}

/// Whether an input must be there, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// May be left out.
    #[default]
    No,
    /// Must be there at start.
    Yes,
    /// Must be there when a step reads it.
    Late,
}

/// A declared input of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputSpec {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: InputType,
    /// Whether it must be there.
    pub required: Required,
    /// The value when it is left out.
    pub default: Option<Value>,
    /// Allowed values of an `enum`.
    pub options: Vec<Value>,
    /// A regular expression that a text must match as a whole.
    pub pattern: Option<String>,
    /// Smallest number, or shortest text.
    pub min: Option<f64>,
    /// Largest number, or longest text.
    pub max: Option<f64>,
    /// What to call it in front of people.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Never shown.
    pub sensitive: bool,
}

/// A workflow, ready to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The slug by which people start it, as `document_processing`.
    pub slug: String,
    /// The name people see.
    pub name: String,
    /// What it does, in the author's words.
    pub description: String,
    /// Identity of this version: SHA-256 of the canonical form, in hex.
    pub hash: String,
    /// The author's label of this version.
    pub version: Option<String>,
    /// Declared inputs, in the order of the file. `None`: nothing declared, anything goes.
    pub inputs: Option<Vec<InputSpec>>,
    /// Constants; may hold expressions over inputs, evaluated once at start.
    pub vars: Value,
    /// The steps, in the order of the file.
    pub steps: Vec<PlanStep>,
    /// Outputs of the whole run: (name, template scalar).
    pub outputs: Vec<(String, String)>,
    /// How long the whole run may take.
    pub timeout: Option<Span>,
    /// The time in which it rests and people are to decide counts towards `timeout`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub includes_waits: bool,
    /// How long it may wait for its turn before it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Span>,
    /// An earlier run on the same inputs is as good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Which runs may be under way together with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// Who comes first when there are fewer places than runs.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// Who may do what with it, where the roles are not to decide.
    #[serde(default, skip_serializing_if = "Permissions::is_empty")]
    pub permissions: Permissions,
    /// What starts it by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<TriggerSpec>,
}

impl Plan {
    /// For each step the steps that wait for it.
    #[must_use]
    pub fn dependants(&self) -> Vec<Vec<usize>> {
        let mut dependants = vec![Vec::new(); self.steps.len()];
        for (index, step) in self.steps.iter().enumerate() {
            for &need in &step.needs {
                dependants[need].push(index);
            }
        }
        dependants
    }
}
