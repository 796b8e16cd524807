//! The words of the wire that the front desk does not already speak: what is sent, and rows of lists.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::time::Timestamp;
use crate::service::{FileRecord, RunView, Started, WorkflowView};

/// A new workflow: from a template, from steps, or from a definition.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowBody {
    /// Its title.
    #[schema(example = "My Workflow")]
    pub name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// The template from which it is made; with `steps` empty or absent.
    #[schema(example = "document_processing")]
    pub template: Option<String>,
    /// Its steps, each with at least a `type`.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub steps: Vec<Value>,
    /// Its whole definition as YAML or JSON text, instead of `template` and `steps`.
    pub definition: Option<String>,
    /// Whether warnings count as errors.
    #[serde(default)]
    pub strict: bool,
}

/// A definition to be checked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DefinitionBody {
    /// YAML or JSON text.
    #[schema(example = "name: Trial\nsteps:\n  - type: noop\n")]
    pub definition: String,
    /// Whether warnings count as errors.
    #[serde(default)]
    pub strict: bool,
}

/// Inputs of an execution.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InputsBody {
    /// The inputs, by name; a file by its `file_id`.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"file_path": "file_01j9zq5w7n8k3v2x4y6z8a0b1c"}))]
    pub inputs: Map<String, Value>,
}

/// What to start an execution with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartBody {
    /// The inputs, by name; a file by its `file_id`.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"file_path": "file_01j9zq5w7n8k3v2x4y6z8a0b1c"}))]
    pub inputs: Map<String, Value>,
    /// No step takes an earlier result, whatever its `cache` says.
    #[serde(default)]
    pub fresh: bool,
}

/// Which step to run again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryBody {
    /// A step's id, or its place from 0; without it, every step that failed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub step: Option<Value>,
    /// Inputs in place of those that the execution has.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub inputs: Map<String, Value>,
}

/// A token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// The value of `WORKFLOW_API_TOKEN`.
    pub token: String,
}

/// A workflow that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Created {
    /// Its id.
    #[schema(example = "wf_01j9zq5w7n8k3v2x4y6z8a0b1c")]
    pub workflow_id: String,
    /// Its title.
    pub name: String,
    /// `created` or `updated`.
    pub status: &'static str,
    /// When it was made; RFC 3339.
    pub created_at: String,
    /// What is worth saying about it.
    pub warnings: Vec<String>,
}

impl Created {
    pub fn new(workflow: WorkflowView, warnings: Vec<String>, status: &'static str) -> Self {
        let WorkflowView { id, name, created_at, .. } = workflow;
        Self { workflow_id: id, name, status, created_at, warnings }
    }
}

/// An execution that was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// Its id.
    #[schema(example = "exec_01j9zq5w7n8k3v2x4y6z8a0b1c")]
    pub execution_id: String,
    /// Its workflow.
    pub workflow_id: String,
    /// `running`: it is durable and will be carried, whether a place is free already or not.
    pub status: &'static str,
    /// When it was accepted; RFC 3339.
    pub started_at: String,
    /// What is worth saying about its inputs.
    pub warnings: Vec<String>,
}

impl From<Started> for Accepted {
    fn from(started: Started) -> Self {
        // An id begins with the millisecond in which it was made.
        let millis = i64::try_from(started.execution.bits() >> 80).unwrap_or_default();
        Self {
            execution_id: started.execution.to_string(),
            workflow_id: started.workflow.to_string(),
            status: "running",
            started_at: Timestamp::from_micros(millis * 1_000).to_string(),
            warnings: started.warnings,
        }
    }
}

impl Accepted {
    /// An execution that was accepted before.
    pub fn again(view: RunView) -> Self {
        let RunView { execution_id, workflow_id, created_at: started_at, .. } = view;
        Self { execution_id, workflow_id, status: "running", started_at, warnings: Vec::new() }
    }
}

/// A file that was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileView {
    /// Its id, to be given as an input.
    #[schema(example = "file_01j9zq5w7n8k3v2x4y6z8a0b1c")]
    pub file_id: String,
    /// The name it came with.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: String,
    /// Its type, by content.
    #[serde(rename = "type")]
    pub media_type: String,
}

impl From<FileRecord> for FileView {
    fn from(file: FileRecord) -> Self {
        Self {
            file_id: file.id.to_string(),
            name: file.name,
            size: file.size,
            sha256: file.digest.to_string(),
            media_type: file.media_type,
        }
    }
}

/// Why an execution failed, in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowError {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

/// An execution in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecutionRow {
    /// Its id.
    pub execution_id: String,
    /// Its workflow.
    pub workflow_id: String,
    /// The name by which the workflow is run.
    pub workflow: String,
    /// The workflow's title.
    pub name: String,
    /// Its status.
    pub status: &'static str,
    /// When it was accepted; RFC 3339.
    pub created_at: String,
    /// When it was first carried; RFC 3339.
    pub started_at: Option<String>,
    /// When it ended; RFC 3339.
    pub finished_at: Option<String>,
    /// Seconds from its start to its end.
    pub duration: Option<f64>,
    /// The last step that has begun, from 1.
    pub current_step: usize,
    /// How many steps there are.
    pub total_steps: usize,
    /// Why it failed.
    pub error: Option<RowError>,
    /// Who started it, through which door.
    #[schema(value_type = Object)]
    pub origin: Value,
}

impl ExecutionRow {
    pub fn new(view: &RunView) -> Self {
        let error = view.error.as_ref();
        Self {
            execution_id: view.execution_id.clone(),
            workflow_id: view.workflow_id.clone(),
            workflow: view.workflow.clone(),
            name: view.name.clone(),
            status: view.status,
            created_at: view.created_at.clone(),
            started_at: view.started_at.clone(),
            finished_at: view.finished_at.clone(),
            duration: seconds(view.started_at.as_deref(), view.finished_at.as_deref()),
            current_step: view.current_step,
            total_steps: view.total_steps,
            error: error.map(|error| RowError { code: error.code, message: error.message.clone() }),
            origin: serde_json::to_value(&view.origin).unwrap_or_default(),
        }
    }
}

fn seconds(from: Option<&str>, to: Option<&str>) -> Option<f64> {
    let read = |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok();
    let length = read(to?)?.signed_duration_since(read(from?)?);
    Some(length.as_seconds_f64())
}
