//! What step types declare about themselves. A declaration feeds validation, wiring, `plan`, docs and forms.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::domain::plan::EffectClass;

/// What flows through a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PortType {
    /// A file with its content type: `{file_id, name, size, sha256, type}`.
    Document,
    /// Text.
    Text,
    /// The pages of a document, each with its text.
    Pages,
    /// What was found in a text.
    Analysis,
    /// A list of rows.
    Records,
    /// A prepared message.
    Message,
    /// What was stored, loaded or sent, and where.
    Receipt,
    /// Anything.
    Any,
}

/// A port: a named, typed place where a step takes or gives a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Its name; for a produced port also the name of the output that carries it.
    pub name: &'static str,
    /// What flows through it.
    #[serde(rename = "type")]
    pub kind: PortType,
    /// A step cannot do without it.
    pub required: bool,
    /// Names of run inputs that feed it when no earlier step does, in order of preference.
    pub inputs: &'static [&'static str],
    /// Not one port but one for each step that this step waits for directly, called by that step's id; `ports` may
    /// then name any.
    #[serde(skip_serializing_if = "is_false")]
    pub gathers: bool,
    /// Not one port but one for each name under which an earlier step gives something; `ports` may then name any.
    #[serde(skip_serializing_if = "is_false")]
    pub collects: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Port {
    /// A port that a step gives.
    #[must_use]
    pub const fn gives(name: &'static str, kind: PortType) -> Self {
        Self { name, kind, required: false, inputs: &[], gathers: false, collects: false }
    }

    /// A port that a step must get.
    #[must_use]
    pub const fn needs(name: &'static str, kind: PortType) -> Self {
        Self { name, kind, required: true, inputs: &[], gathers: false, collects: false }
    }

    /// A port that a step takes if there is something.
    #[must_use]
    pub const fn takes(name: &'static str, kind: PortType) -> Self {
        Self { name, kind, required: false, inputs: &[], gathers: false, collects: false }
    }

    /// Ports for whatever the steps give that this step waits for directly.
    #[must_use]
    pub const fn gathers(kind: PortType) -> Self {
        Self { name: "*", kind, required: false, inputs: &[], gathers: true, collects: false }
    }

    /// Ports for whatever earlier steps give, each under its own name; of several with one name the nearest.
    #[must_use]
    pub const fn collects(kind: PortType) -> Self {
        Self { name: "*", kind, required: false, inputs: &[], gathers: false, collects: true }
    }

    /// The same port, fed by these run inputs when no earlier step feeds it.
    #[must_use]
    pub const fn or_inputs(mut self, inputs: &'static [&'static str]) -> Self {
        self.inputs = inputs;
        self
    }
}

/// The declaration of a step type.
#[derive(Debug, Clone, Serialize)]
pub struct StepType {
    /// The word written under `type:`.
    pub name: &'static str,
    /// One sentence for people: what it does.
    pub summary: &'static str,
    /// JSON Schema of its config, made from the config struct.
    pub config: Value,
    /// What it takes.
    pub consumes: Vec<Port>,
    /// What it gives.
    pub produces: Vec<Port>,
    /// Names of all outputs it may give, ports included; reading any other is an error at save.
    /// The name `*` stands for any: only the author's config tells.
    pub outputs: &'static [&'static str],
    /// What repeating it costs the world.
    pub effect: EffectClass,
    /// What it gives follows from its config and its ports alone, and it changes nothing: an earlier result is as good.
    pub cacheable: bool,
    /// Whether what it did can be taken back.
    pub undo: Undo,
    /// Config keys that a run input of the same name overrides.
    pub overridable: &'static [&'static str],
}

/// Whether what a step did can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// It leaves nothing behind.
    Nothing,
    /// The type knows how.
    ByItself,
    /// What is done is done, unless the author says how.
    Never,
}

impl StepType {
    /// Stands among the outputs of a type that gives whatever its config says.
    pub const ANY_OUTPUT: &str = "*";
}

/// All step types this process knows, by name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    types: BTreeMap<&'static str, StepType>,
}

impl Catalog {
    /// A catalog of these declarations; `Err` names a type that is declared twice.
    ///
    /// # Errors
    /// The name of the first duplicate.
    pub fn new(types: impl IntoIterator<Item = StepType>) -> Result<Self, &'static str> {
        let mut catalog = Self::default();
        for step_type in types {
            let name = step_type.name;
            if catalog.types.insert(name, step_type).is_some() {
                return Err(name);
            }
        }
        Ok(catalog)
    }

    /// The declaration of this type.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&StepType> {
        self.types.get(name)
    }

    /// All declarations, by name.
    pub fn iter(&self) -> impl Iterator<Item = &StepType> {
        self.types.values()
    }
}
