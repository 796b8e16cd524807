//! The same for many executions at once: counted first, done when somebody has seen the count.

use futures::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::archive::ListFilter;
use super::super::error::ServiceError;
use super::super::origin::Origin;
use super::super::people::Target;
use super::super::runs::Service;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::role::Action;

/// Executions that are dealt with side by side.
const SIDE_BY_SIDE: usize = 16;
/// Executions that are read at a time.
const PAGE: u32 = 500;
/// Refusals that are told one by one.
const TOLD: usize = 20;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum BulkAct {
    /// End them.
    Cancel,
    /// Run what failed again.
    Retry,
}

impl BulkAct {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
        }
    }

    /// The states in which it is possible.
    const fn states(self) -> &'static [&'static str] {
        match self {
            Self::Cancel => &["queued", "running", "waiting", "pausing", "paused"],
            Self::Retry => &["failed", "timed_out", "cancelled"],
        }
    }
}

/// Which executions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkFilter {
    /// Of this workflow, by the name under which it is started.
    pub workflow: Option<String>,
    /// In this state; `None`: for `cancel` whatever is open, for `retry` what has failed.
    pub status: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BulkView {
    /// How many executions are meant.
    pub matched: usize,
    /// How many it was done to; 0 in a preview.
    pub done: usize,
    /// Why it was not done to some: the first of them, with their ids.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refused: Vec<String>,
}

impl Service {
    /// Does the same to many executions, or only counts them. Those that another execution began are reached through it.
    ///
    /// # Errors
    /// A state in which this is never possible, or the store fails.
    pub async fn bulk(
        &self,
        caller: &Caller,
        act: BulkAct,
        filter: &BulkFilter,
        is_preview: bool,
    ) -> Result<BulkView, ServiceError> {
        self.permit(caller, Action::Bulk, Target::Instance).await?;
        let runs = self.meant(caller, act, filter).await?;
        let mut view = BulkView { matched: runs.len(), ..BulkView::default() };
        if is_preview {
            return Ok(view);
        }
        let one = |run: RunId| async move {
            let done = match act {
                BulkAct::Cancel => self.cancel(caller, run).await,
                BulkAct::Retry => self.retry(caller, run, None).await,
            };
            (run, done.map(drop))
        };
        let mut ended = stream::iter(runs).map(one).buffer_unordered(SIDE_BY_SIDE);
        while let Some((run, done)) = ended.next().await {
            match done {
                Ok(()) => view.done += 1,
                Err(error) if view.refused.len() < TOLD => view.refused.push(format!("{run}: {error}")),
                Err(_) => {}
            }
        }
        Ok(view)
    }

    async fn meant(&self, caller: &Caller, act: BulkAct, filter: &BulkFilter) -> Result<Vec<RunId>, ServiceError> {
        let usual: &[&str] = if act == BulkAct::Retry { &["failed", "timed_out"] } else { act.states() };
        let states: Vec<&str> = match &filter.status {
            None => usual.to_vec(),
            Some(status) if act.states().contains(&status.as_str()) => vec![status.as_str()],
            Some(status) => {
                let (word, states) = (act.word(), act.states().join(", "));
                let message = format!("`{word}` is for executions that are {states}, not for `{status}`");
                return Err(ServiceError::Inputs(vec![Fault::permanent(code::WF5001, message).at("status")]));
            }
        };
        let archive = self.seen_by(caller);
        let mut found = Vec::new();
        for status in states {
            let mut page = ListFilter {
                slug: filter.workflow.clone(),
                status: Some(status.to_owned()),
                limit: PAGE,
                ..ListFilter::default()
            };
            loop {
                let rows = archive.list(&page).await?;
                let Some(last) = rows.last() else { break };
                page.before = Some(last.id);
                let own = |row: &&super::super::StoredRun| {
                    let origin: Origin = serde_json::from_str(row.origin.get()).unwrap_or_default();
                    origin.began_by.is_none()
                };
                found.extend(rows.iter().filter(own).map(|row| row.id));
            }
        }
        Ok(found)
    }
}
