//! Tree to typed template: every key known by name, every value of its kind, every mark kept.

mod fields;
mod inputs;
mod keys;
mod policy;
mod step;
mod top;

use crate::domain::plan::InputSpec;
use crate::domain::retry::Backoff;
use crate::domain::time::Span;

use super::report::Mark;
use super::source::Node;

pub(super) use top::read;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Marked<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub mark: Mark,
}

/// A workflow file, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    /// `name`.
    pub name: Option<Marked<String>>,
    /// `description`.
    pub description: Option<String>,
    /// `id`.
    pub id: Option<Marked<String>>,
    /// `version`.
    pub version: Option<String>,
    /// `inputs`; `None` when the key is absent.
    pub inputs: Option<Vec<Marked<InputSpec>>>,
    /// `vars`: a map.
    pub vars: Option<Node>,
    /// `defaults`.
    pub defaults: Policy,
    /// `timeout` of the whole run.
    pub timeout: Option<Span>,
    /// `steps`.
    pub steps: Vec<Step>,
    /// `outputs` of the run: name and template scalar.
    pub outputs: Vec<Named>,
}

/// A name and a template scalar.
pub type Named = (Marked<String>, Marked<String>);

/// What a step, or `defaults`, says about failing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// `retry`.
    pub retry: Retry,
    /// `timeout` of one attempt.
    pub timeout: Option<Span>,
    /// `on_error: continue` or `critical: false`.
    pub tolerant: Option<bool>,
}

/// The parts of `retry` that are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Retry {
    /// Retries after the first attempt.
    pub count: Option<u32>,
    /// The first delay.
    pub delay: Option<Span>,
    /// How it grows.
    pub backoff: Option<Backoff>,
    /// Its cap.
    pub max_delay: Option<Span>,
    /// Whether it is spread.
    pub jitter: Option<bool>,
    /// Codes that are retried although permanent.
    pub on: Option<Vec<String>>,
    /// Codes that are never retried.
    pub not_on: Option<Vec<String>>,
}

/// A step, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `type`.
    pub kind: Marked<String>,
    /// `name`.
    pub name: Option<Marked<String>>,
    /// `id`.
    pub id: Option<Marked<String>>,
    /// `config`: a map.
    pub config: Option<Node>,
    /// `parallel_group`.
    pub group: Option<Marked<i64>>,
    /// `needs`.
    pub needs: Option<Marked<Vec<Marked<String>>>>,
    /// `when`.
    pub when: Option<Marked<String>>,
    /// `retry`, `timeout`, `on_error`.
    pub policy: Policy,
    /// `outputs`.
    pub outputs: Vec<Named>,
    /// `ports`.
    pub ports: Vec<Named>,
    /// `disabled`.
    pub disabled: bool,
    /// Where the step stands.
    pub mark: Mark,
}
