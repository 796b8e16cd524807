//! The versions of a workflow: which there were, what they do differently, and going back to one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Caller;
use super::archive::Archive;
use super::error::ServiceError;
use super::people::Target;
use super::runs::Service;
use super::shelf::{no_workflow, workflow_id};
use crate::domain::command::Refusal;
use crate::domain::id::RunId;
use crate::domain::role::Action;
use crate::language::{self, Change};
use crate::store::workflows::{StoredWorkflow, Version};

/// A version of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct VersionView {
    /// Its number, from 1; the highest is in use.
    pub rev: u32,
    /// The hash of what it does.
    pub hash: String,
    /// Since when; RFC 3339.
    pub at: String,
    /// Executions that were pinned to it.
    pub executions: u32,
    /// New executions run this one.
    pub in_use: bool,
}

/// What has changed in a workflow since one of its executions began.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedSince {
    /// The version that ran.
    pub ran: u32,
    /// The one that new executions run.
    pub in_use: u32,
    /// What they do differently.
    pub changes: Vec<ChangeView>,
}

/// One difference between two versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChangeView {
    /// What differs, as `steps.ocr.config.languages`.
    pub place: String,
    /// What it was; absent: it was not there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Value>,
    /// What it is; absent: it is no longer there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<Value>,
}

impl From<Change> for ChangeView {
    fn from(Change { place, from, to }: Change) -> Self {
        Self { place, from, to }
    }
}

impl ChangeView {
    /// The difference on one line.
    #[must_use]
    pub fn told(&self) -> String {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!("~ {}: {from} -> {to}", self.place),
            (None, Some(to)) => format!("+ {}: {to}", self.place),
            (Some(from), None) => format!("- {}: {from}", self.place),
            (None, None) => self.place.clone(),
        }
    }
}

impl VersionView {
    /// The version on one line.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { rev, hash, at, executions, in_use } = self;
        let hash = hash.get(..12).unwrap_or(hash);
        format!("{rev:>4}  {at}  {hash}  {executions} executions{}", if *in_use { "  in use" } else { "" })
    }
}

impl Archive {
    /// The versions of a workflow, newest first.
    ///
    /// # Errors
    /// No such workflow, or the store fails.
    pub async fn versions(&self, name: &str) -> Result<Vec<VersionView>, ServiceError> {
        let (_, versions) = self.known_versions(name).await?;
        let newest = versions.first().map(|version| version.rev);
        let view = |version: Version| VersionView {
            rev: version.rev,
            hash: version.revision_hash,
            at: version.at.to_string(),
            executions: version.runs,
            in_use: Some(version.rev) == newest,
        };
        Ok(versions.into_iter().map(view).collect())
    }

    /// What one version of a workflow does differently from another; `to`: the one in use when absent.
    ///
    /// # Errors
    /// No such workflow or version, or one that this program no longer reads.
    pub async fn diff(&self, name: &str, (from, to): (u32, Option<u32>)) -> Result<Vec<ChangeView>, ServiceError> {
        let (_, versions) = self.known_versions(name).await?;
        let to = to.or_else(|| versions.first().map(|version| version.rev)).unwrap_or(1);
        let older = self.revision(&of(&versions, from)?.revision_hash).await?;
        let newer = self.revision(&of(&versions, to)?.revision_hash).await?;
        Ok(language::diff(&older.plan, &newer.plan).into_iter().map(ChangeView::from).collect())
    }

    /// What has changed in the workflow of an execution since it began: the version that ran, the one in use, and the
    /// differences; `None` when nothing has.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn changed_since(&self, run: RunId) -> Result<Option<ChangedSince>, ServiceError> {
        let (history, _) = self.history(run).await?;
        if !history.row.is_behind {
            return Ok(None);
        }
        let name = history.row.workflow_id.to_string();
        let (_, versions) = self.known_versions(&name).await?;
        let ran = versions.iter().find(|version| version.revision_hash == history.row.revision_hash);
        let (Some(ran), Some(in_use)) = (ran.map(|version| version.rev), versions.first()) else { return Ok(None) };
        let in_use = in_use.rev;
        let changes = self.diff(&name, (ran, Some(in_use))).await?;
        Ok(Some(ChangedSince { ran, in_use, changes }))
    }

    /// A workflow by its id, or the newest in use by its name, and the versions that it had.
    async fn known_versions(&self, name: &str) -> Result<(StoredWorkflow, Vec<Version>), ServiceError> {
        let workflows = self.store().workflows();
        let found = match workflow_id(name) {
            Some(id) => workflows.find(id).await?,
            None => workflows.of_slug(name).await?,
        };
        let found = found.filter(|found| found.archived_at.is_none()).ok_or_else(|| no_workflow(name, None))?;
        if !self.sees_workflow(found.id).await? {
            return Err(no_workflow(name, None));
        }
        let versions = workflows.versions(found.id).await?;
        Ok((found, versions))
    }
}

impl Service {
    /// Puts an earlier version of a workflow in use again, as its newest. What runs keeps the version that it has.
    ///
    /// # Errors
    /// No such workflow or version; a workflow that a file stands for goes where its file goes.
    pub async fn revert(&self, caller: &Caller, name: &str, rev: u32) -> Result<Vec<VersionView>, ServiceError> {
        let (mut workflow, versions) = self.seen_by(caller).known_versions(name).await?;
        self.permit(caller, Action::Edit, Target::Saved(&workflow)).await?;
        let wanted = of(&versions, rev)?.revision_hash.clone();
        let stands_for_file = workflow.template.as_deref() == Some(workflow.slug.as_str());
        if stands_for_file && self.library().find(&workflow.slug).is_ok() {
            let why = format!("`{}` is what its file says; put the earlier text into the file", workflow.slug);
            return Err(ServiceError::Refused(Refusal::Step(why)));
        }
        let workflows = self.engine().store().workflows();
        let revision = workflows.revision(&wanted).await?;
        let revision =
            revision.ok_or_else(|| ServiceError::Internal(format!("revision {wanted} is not in the store")))?;
        workflow.revision_hash = wanted;
        let ready = self.shelf().pinned(workflow.clone()).await?;
        self.check_lent(caller, &workflow.slug, &ready.flow.plan.triggers).await?;
        workflows.save(&workflow, &revision, self.engine().clock().now()).await?;
        self.arm(&ready).await?;
        self.archive().versions(&workflow.id.to_string()).await
    }
}

fn of(versions: &[Version], rev: u32) -> Result<&Version, ServiceError> {
    versions.iter().find(|version| version.rev == rev).ok_or_else(|| ServiceError::NotFound {
        noun: "version",
        name: rev.to_string(),
        near: versions.first().map(|newest| newest.rev.to_string()),
    })
}
