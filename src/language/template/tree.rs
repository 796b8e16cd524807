//! A workflow file, read: what each of its parts says, with the place where it stands.

use crate::domain::lane::Priority;
use crate::domain::plan::InputSpec;
use crate::domain::retry::Backoff;
use crate::domain::role::Permissions;
use crate::domain::time::Span;

use super::super::report::Mark;
use super::super::source::Node;
use super::{Cache, Compound, Concurrency, Foreach, Room, Trigger};

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inside {
    /// The step that holds it, by its place in the list.
    pub parent: Option<usize>,
    /// In which part of that step, or of the file.
    pub branch: Branch,
}

/// A list of steps in a file or in a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Branch {
    /// `steps` of the file or of a group.
    #[default]
    Body,
    /// A case of a switch: its place among them and its label.
    Case(usize, String),
    /// `else` of a switch.
    Else,
    /// `on_error` of the file or of a step.
    OnError,
    /// `finally` of the file.
    Finally,
}

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
    pub timeout: RunTimeout,
    /// `concurrency`.
    pub concurrency: Option<Concurrency>,
    /// `priority`.
    pub priority: Priority,
    /// `cache` of the whole run.
    pub cache: Option<Cache>,
    /// `permissions`.
    pub permissions: Permissions,
    /// `triggers`.
    pub triggers: Vec<Trigger>,
    /// `steps`, `on_error` and `finally`; behind each step those that it holds.
    pub steps: Vec<Step>,
    /// `outputs` of the run: name and template scalar.
    pub outputs: Vec<Named>,
}

/// `timeout` at the top level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunTimeout {
    /// `total`: of all that it does.
    pub total: Option<Span>,
    /// `queue`: how long it may wait for its turn.
    pub queue: Option<Span>,
    /// `include_waits`.
    pub include_waits: bool,
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
    /// `timeout: { total }` of all attempts together.
    pub total: Option<Span>,
    /// `timeout: { queue }`: how long it may wait for its turn.
    pub queue: Option<Marked<Span>>,
    /// `timeout: { heartbeat }`: how long an attempt may say nothing.
    pub heartbeat: Option<Span>,
    /// `on_error: continue` or `critical: false`.
    pub tolerant: Option<bool>,
    /// `on_error: { goto: id }`.
    pub goto: Option<Marked<String>>,
    /// `on_error: ask`.
    pub asks: bool,
    /// `on_error: rollback`.
    pub rolls_back: bool,
}

/// `rollback` of a step, where it is not `auto`.
#[derive(Debug, Clone, PartialEq)]
pub enum Rollback {
    /// `none`.
    Keep,
    /// A list of steps: as it is written, and read.
    Steps(Node, Vec<Step>),
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
    /// By how much it grows, in thousandths.
    pub factor: Option<u32>,
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
    /// `foreach`.
    pub foreach: Option<Foreach>,
    /// `cache`.
    pub cache: Option<Cache>,
    /// `concurrency`.
    pub room: Option<Room>,
    /// `rollback`.
    pub rollback: Option<Rollback>,
    /// Nobody wrote it: it takes back what the run has done when one of those that say `on_error: rollback` has failed.
    pub for_some: bool,
    /// What it holds, if it holds steps.
    pub compound: Option<Compound>,
    /// The step and the list that it stands in.
    pub inside: Inside,
    /// Where the step stands.
    pub mark: Mark,
}
