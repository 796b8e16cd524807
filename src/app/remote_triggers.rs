//! Triggers of a running service elsewhere.

use serde_json::Value;

use super::remote::Remote;
use crate::service::triggers::{Acted, TriggerAct, TriggerView};

impl Remote {
    /// What starts workflows by itself.
    ///
    /// # Errors
    /// No answer.
    pub async fn triggers(&self, workflow: Option<&str>) -> anyhow::Result<Vec<TriggerView>> {
        let query: Vec<_> = workflow.map(|workflow| ("workflow", workflow.to_owned())).into_iter().collect();
        let mut answer: Value = self.get("api/triggers", &query).await?;
        Ok(serde_json::from_value(answer["triggers"].take())?)
    }

    /// One trigger.
    ///
    /// # Errors
    /// No such trigger, or no answer.
    pub async fn trigger(&self, name: &str) -> anyhow::Result<TriggerView> {
        self.get("api/triggers/show", &[("name", name.to_owned())]).await
    }

    /// Why a trigger started something, or did not, one sentence a line.
    ///
    /// # Errors
    /// No such trigger, or no answer.
    pub async fn explain_trigger(&self, name: &str, at: Option<&str>) -> anyhow::Result<Vec<String>> {
        let at = at.map(|at| ("at", at.to_owned()));
        let query: Vec<_> = std::iter::once(("name", name.to_owned())).chain(at).collect();
        let mut answer: Value = self.get("api/triggers/explain", &query).await?;
        Ok(serde_json::from_value(answer["lines"].take())?)
    }

    /// Does something to a trigger.
    ///
    /// # Errors
    /// The service refuses, or does not answer.
    pub async fn act_on_trigger(&self, act: &TriggerAct) -> anyhow::Result<Acted> {
        self.post("api/triggers/act", &serde_json::to_value(act)?).await
    }
}
