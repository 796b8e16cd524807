//! What hands can do to triggers, as one value: the terminal sends it to the process that owns the store, the chat and REST
//! call it here.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::service::Caller;
use crate::service::error::ServiceError;
use crate::service::runs::Service;

use super::manage::{Backfill, NewTrigger};
use super::view::{FiringView, TriggerView};

/// Something to be done to a trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerAct {
    /// Switch it on or off, or pause it until a time.
    Switch {
        /// Which.
        name: String,
        /// On or off.
        on: bool,
        /// Paused until then.
        until: Option<String>,
    },
    /// Make a schedule.
    Add(NewTrigger),
    /// Make a trigger of any type.
    Make {
        /// The workflow.
        workflow: String,
        /// The trigger, as a workflow file has it under `triggers`.
        trigger: Value,
    },
    /// Ask about each file again, wherever somebody said "always".
    AskAgain(String),
    /// Take it away.
    Remove(String),
    /// Give it another secret.
    Rotate(String),
    /// Fire it.
    Fire {
        /// Which.
        name: String,
        /// What its expressions read as `trigger.data`.
        data: Value,
    },
    /// Make up for instants.
    Backfill {
        /// Which.
        name: String,
        /// From when on.
        from: String,
        /// Until before.
        until: String,
        /// Do it, instead of telling what it would be.
        yes: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Acted {
    /// The trigger afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<TriggerView>,
    /// What came of firing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firing: Option<FiringView>,
    /// The instants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfill: Option<Backfill>,
    /// The new secret, told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl Acted {
    /// What came of it, on lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(trigger) = &self.trigger {
            lines.push(trigger.line());
            lines.extend(trigger.next_local.iter().map(|next| format!("  next {next}")));
            lines.extend(trigger.always.iter().map(|place| format!("  starts by itself in {place}")));
        }
        lines.extend(self.firing.iter().map(FiringView::told));
        lines.extend(self.secret.iter().map(|secret| format!("secret {secret}")));
        if let Some(backfill) = &self.backfill {
            lines.extend(backfill.instants.iter().filter(|_| backfill.came.is_empty()).cloned());
            lines.extend(backfill.came.iter().map(FiringView::told));
            lines.push(format!("{} instants, {} dealt with", backfill.instants.len(), backfill.came.len()));
        }
        lines
    }
}

impl Service {
    /// Does something to a trigger.
    ///
    /// # Errors
    /// No such trigger, it cannot be done to it, or the store fails.
    pub async fn act_on_trigger(&self, caller: &Caller, act: TriggerAct) -> Result<Acted, ServiceError> {
        let trigger = |trigger| Acted { trigger: Some(trigger), ..Acted::default() };
        Ok(match act {
            TriggerAct::Switch { name, on, until } => {
                trigger(self.switch_trigger(caller, &name, (on, until.as_deref())).await?)
            }
            TriggerAct::Add(new) => trigger(self.add_trigger(caller, &new).await?),
            TriggerAct::Make { workflow, trigger: said } => {
                trigger(self.make_trigger(caller, (&workflow, &said)).await?)
            }
            TriggerAct::AskAgain(name) => trigger(self.ask_again(caller, &name).await?),
            TriggerAct::Remove(name) => {
                self.remove_trigger(caller, &name).await?;
                Acted::default()
            }
            TriggerAct::Rotate(name) => {
                Acted { secret: Some(self.rotate_secret(caller, &name).await?), ..Acted::default() }
            }
            TriggerAct::Fire { name, data } => {
                let came = self.fire_trigger(caller, &name, data, None).await?;
                Acted { firing: came.map(|came| came.firing), ..Acted::default() }
            }
            TriggerAct::Backfill { name, from, until, yes } => {
                let backfill = self.backfill(caller, &name, (&from, &until), !yes).await?;
                Acted { backfill: Some(backfill), ..Acted::default() }
            }
        })
    }
}
