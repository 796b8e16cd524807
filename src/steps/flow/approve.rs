//! `approve`: people decide whether the run goes on. Nothing is held meanwhile, and a restart changes nothing.
//!
//! ```yaml
//! - type: approve
//!   config:
//!     title: Book invoice ${{ steps.fields.outputs.number }}
//!     approvers: ["@bob", "@cleo"]
//!     required: 2
//!     expires: 24h
//!     show: { total: "${{ steps.fields.outputs.total }}" }
//! ```

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::contract::step::{Attempt, StepHandler, StepOutcome, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::domain::time::{Span, Timestamp};
use crate::domain::wait::{ApprovalSpec, OnExpire};
use crate::language::catalog::{StepType, Undo};
use crate::steps::duration::Seconds;

/// Who decides about what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What is to be approved, for people.
    title: Option<String>,
    /// Who may decide, by name; without it whoever may steer the execution.
    #[serde(default)]
    approvers: Vec<String>,
    /// How many must agree.
    #[serde(default = "one")]
    required: u32,
    /// Whether who started the execution may decide too.
    #[serde(default)]
    allow_requester: bool,
    /// How long it waits; without it for ever.
    expires: Option<Seconds>,
    /// What becomes of it when nobody decides in time: `reject`, `approve` or `fail`.
    #[serde(default)]
    on_expire: Expire,
    /// What a rejection means: `fail` the step, or `continue` with `approved: false`.
    #[serde(default)]
    on_reject: Reject,
    /// What to look at before deciding, by name.
    #[serde(default)]
    show: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Expire {
    #[default]
    Reject,
    Approve,
    Fail,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reject {
    #[default]
    Fail,
    Continue,
}

const fn one() -> u32 {
    1
}

/// The step type `approve`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Approve;

impl StepHandler for Approve {
    fn declare(&self) -> StepType {
        StepType {
            name: "approve",
            summary: "waits until people have decided whether the run goes on",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &["approved", "approved_by", "rejected_by", "comments", "expired"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let config: Config = attempt.config()?;
            let named = config.approvers.len();
            if config.required == 0 || (named > 0 && config.required as usize > named) {
                let message = format!("`required` is {}, and {named} are named as approvers", config.required);
                return Err(Fault::permanent(code::WF2001, message).at(format!("{}.config.required", attempt.step)));
            }
            let until = config.expires.map_or(Timestamp::NEVER, |Seconds(span)| until(attempt.now, span));
            let spec = ApprovalSpec {
                title: config.title.unwrap_or_else(|| attempt.workflow.clone()),
                approvers: config.approvers,
                required: config.required,
                requester: String::new(),
                allow_requester: config.allow_requester,
                on_expire: match config.on_expire {
                    Expire::Reject => OnExpire::Reject,
                    Expire::Approve => OnExpire::Approve,
                    Expire::Fail => OnExpire::Fail,
                },
                rejection_continues: config.on_reject == Reject::Continue,
                show: config.show,
            };
            Ok(StepOutcome::Approve { spec, until })
        })
    }
}

fn until(now: Timestamp, span: Span) -> Timestamp {
    now.plus(span).min(Timestamp::NEVER)
}
