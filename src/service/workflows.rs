//! Workflows that people make, change and take out of use; and how a name that somebody gives leads to one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Caller;
use super::error::ServiceError;
use super::library::{TemplateInfo, is_path};
use super::people::Target;
use super::runs::Service;
use super::shelf::{no_workflow, revision};
use super::view::detail::WorkflowDetail;
use super::view::progress::WorkflowView;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::WorkflowId;
use crate::domain::role::{Action, Permissions};
use crate::language::{self, Severity, Source};
use crate::store::workflows::StoredWorkflow;

/// The longest name of a workflow, in characters.
const LONGEST_NAME: usize = 200;

/// A workflow as somebody wants it: by a template, by steps, or by the text of a workflow file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewWorkflow {
    /// What to call it; the template's or the file's own name when absent.
    pub name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// The template that it follows.
    pub template: Option<String>,
    /// Its steps, as a workflow file has them. An empty list counts as none.
    pub steps: Vec<Value>,
    /// The text of a workflow file.
    pub definition: Option<String>,
    /// Hold warnings, such as an unknown step type, to be errors.
    pub strict: bool,
}

/// A workflow that was saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The workflow.
    pub workflow: WorkflowView,
    /// What is worth saying about its definition.
    pub warnings: Vec<String>,
}

/// What a typed name leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkflowMatch {
    /// The name or id to start it by.
    pub id: String,
    /// Its title.
    pub name: String,
}

impl Service {
    /// Makes a workflow. An unknown step type is only a warning: the run fails there, and says so.
    ///
    /// # Errors
    /// Not exactly one definition, no such template, or a definition with errors.
    pub async fn create(&self, caller: &Caller, new: NewWorkflow) -> Result<Saved, ServiceError> {
        self.create_as(WorkflowId::from_bits(self.engine().clock().id_bits()), caller, new).await
    }

    /// Makes a workflow under an id that was promised for it. Made twice, it is the same one.
    ///
    /// # Errors
    /// As for [`Service::create`].
    pub async fn create_as(&self, id: WorkflowId, caller: &Caller, new: NewWorkflow) -> Result<Saved, ServiceError> {
        self.permit(caller, Action::Edit, Target::Thing(new.name.as_deref().unwrap_or_default())).await?;
        self.save(caller, id, None, new).await
    }

    /// Gives a workflow another definition. Runs that are under way keep theirs; what is left out stays as it is.
    ///
    /// # Errors
    /// No such workflow, more than one definition, or one with errors.
    pub async fn update(&self, caller: &Caller, id: WorkflowId, new: NewWorkflow) -> Result<Saved, ServiceError> {
        let before = self.shelf().in_use(id).await?;
        self.permit(caller, Action::Edit, Target::Saved(&before)).await?;
        self.save(caller, id, Some(before), new).await
    }

    /// Takes a workflow out of use. Its executions stay.
    ///
    /// # Errors
    /// No such workflow.
    pub async fn delete(&self, caller: &Caller, id: WorkflowId) -> Result<(), ServiceError> {
        let workflow = self.shelf().in_use(id).await?;
        self.permit(caller, Action::Edit, Target::Saved(&workflow)).await?;
        let engine = self.engine();
        engine.store().workflows().archive(id, engine.clock().now()).await?;
        self.disarm(id).await
    }

    /// A workflow or template with its definition, its inputs and its steps.
    ///
    /// # Errors
    /// No such workflow, or its definition has errors.
    pub async fn workflow(&self, caller: &Caller, name: &str) -> Result<WorkflowDetail, ServiceError> {
        let ready = self.ready_for(caller, Action::View, (name, None)).await?;
        let catalog = self.engine().registry().catalog();
        let workflow = self.shelf().in_use(ready.workflow).await?;
        Ok(WorkflowDetail::new(workflow.into(), &ready, catalog))
    }

    /// The workflow that somebody means: by its name, its title, or a beginning of either that fits only one.
    ///
    /// # Errors
    /// None fits (with the nearest), or several do.
    pub async fn match_workflow(&self, caller: &Caller, typed: &str) -> Result<WorkflowMatch, ServiceError> {
        let typed = typed.trim();
        let candidates = self.known_names(caller).await?;
        let same = |candidate: &&WorkflowMatch| candidate.id == typed;
        if let Some(found) = candidates.iter().find(same) {
            return Ok(found.clone());
        }
        let wanted = typed.to_lowercase();
        let alike = |candidate: &&WorkflowMatch| {
            candidate.id.to_lowercase() == wanted || candidate.name.to_lowercase() == wanted
        };
        let begins = |candidate: &&WorkflowMatch| {
            candidate.id.to_lowercase().starts_with(&wanted) || candidate.name.to_lowercase().starts_with(&wanted)
        };
        let mut found: Vec<_> = candidates.iter().filter(alike).collect();
        if found.is_empty() && !wanted.is_empty() {
            found = candidates.iter().filter(begins).collect();
        }
        match found.as_slice() {
            [only] => Ok((*only).clone()),
            [] => {
                let near = language::near(&wanted, candidates.iter().map(|candidate| candidate.id.as_str()));
                Err(no_workflow(typed, near.map(str::to_owned)))
            }
            several => Err(ServiceError::Ambiguous {
                short: typed.to_owned(),
                candidates: several.iter().take(5).map(|candidate| candidate.id.clone()).collect(),
            }),
        }
    }

    /// The templates to which somebody may do this, by name.
    ///
    /// # Errors
    /// A template file cannot be read.
    pub fn templates(&self, caller: &Caller, action: Action) -> Result<Vec<TemplateInfo>, ServiceError> {
        let may = |permissions: &Permissions| {
            caller.may_with(Action::View, permissions) && caller.may_with(action, permissions)
        };
        let seen = |(info, permissions): (TemplateInfo, Permissions)| may(&permissions).then_some(info);
        Ok(self.library().described()?.into_iter().filter_map(seen).collect())
    }

    /// All names under which somebody can find something to start: templates first, then saved workflows, the newest
    /// of a name.
    pub(super) async fn known_names(&self, caller: &Caller) -> Result<Vec<WorkflowMatch>, ServiceError> {
        let templates = self.templates(caller, Action::View)?.into_iter();
        let mut names: Vec<WorkflowMatch> =
            templates.map(|known| WorkflowMatch { id: known.id, name: known.name }).collect();
        let hidden = |slug: &str| self.library().find(slug).is_ok(); // its file would be meant, and is not theirs to see
        for workflow in self.seen_by(caller).workflows(None, super::archive::MOST_WORKFLOWS).await? {
            if names.iter().all(|known| known.id != workflow.slug) && !hidden(&workflow.slug) {
                names.push(WorkflowMatch { id: workflow.slug, name: workflow.name });
            }
        }
        Ok(names)
    }

    async fn save(
        &self,
        caller: &Caller,
        id: WorkflowId,
        before: Option<StoredWorkflow>,
        new: NewWorkflow,
    ) -> Result<Saved, ServiceError> {
        let now = self.engine().clock().now();
        let source = match (self.definition(&new)?, &before) {
            (Some(source), _) => source,
            (None, Some(before)) => self.shelf().pinned(before.clone()).await?.source,
            (None, None) => return Err(refused("give one of `template`, `steps` and `definition`")),
        };
        let compiled = self.library().check(&source, new.strict);
        let Some(plan) = compiled.plan else { return Err(ServiceError::Definition(compiled.report)) };
        let was = before.as_ref();
        let name = new.name.or_else(|| was.map(|was| was.name.clone())).unwrap_or_else(|| plan.name.clone());
        let slug = Some(language::slug(&name)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| "workflow".to_owned());
        self.check_lent(caller, &slug, &plan.triggers).await?;
        let workflow = StoredWorkflow {
            id,
            slug,
            name,
            description: new.description.unwrap_or_else(|| plan.description.clone()),
            template: new.template.filter(|name| !name.is_empty()).or_else(|| was.and_then(|was| was.template.clone())),
            revision_hash: plan.hash.clone(),
            created_at: was.map_or(now, |was| was.created_at),
            archived_at: None,
        };
        self.engine().store().workflows().save(&workflow, &revision(&source, &plan), now).await?;
        self.arm(&self.shelf().pinned(workflow.clone()).await?).await?;
        let warnings = compiled.report.of(Severity::Warning).map(|problem| {
            let fix = problem.fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default();
            format!("line {}: {}{fix}", problem.line, problem.message)
        });
        let warnings = warnings.collect();
        Ok(Saved { workflow: workflow.into(), warnings })
    }

    /// The text that a wish stands for, if it names one.
    fn definition(&self, new: &NewWorkflow) -> Result<Option<Source>, ServiceError> {
        if let Some(name) = &new.name {
            check_name(name)?;
        }
        let template = new.template.as_deref().filter(|template| !template.is_empty());
        let text = new.definition.as_deref().filter(|text| !text.trim().is_empty());
        match (template, new.steps.as_slice(), text) {
            (None, [], None) => Ok(None),
            (Some(template), [], None) if is_path(template) => Err(no_workflow(template, None)),
            (Some(template), [], None) => self.library().find(template).map(Some),
            (None, [], Some(text)) => Ok(Some(Source { name: "definition".to_owned(), text: text.to_owned() })),
            (None, steps, None) => Ok(Some(as_file(new, steps))),
            (Some(_), [_, ..], _) => Err(refused("give either `template` or `steps`, not both")),
            _ => Err(refused("give only one of `template`, `steps` and `definition`")),
        }
    }
}

/// Steps of a request as the workflow file that they would be.
fn as_file(new: &NewWorkflow, steps: &[Value]) -> Source {
    let name = new.name.clone().unwrap_or_else(|| "Workflow".to_owned());
    let mut file = Map::from_iter([("name".to_owned(), json!(name))]);
    if let Some(description) = &new.description {
        file.insert("description".to_owned(), json!(description));
    }
    file.insert("steps".to_owned(), json!(steps));
    Source { name: "request".to_owned(), text: format!("{:#}", Value::Object(file)) }
}

fn check_name(name: &str) -> Result<(), ServiceError> {
    let fine = !name.trim().is_empty()
        && name.chars().count() <= LONGEST_NAME
        && !name.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    let message = format!("`name` must be 1 to {LONGEST_NAME} visible characters");
    if fine { Ok(()) } else { Err(refused(&message)) }
}

fn refused(message: &str) -> ServiceError {
    ServiceError::Inputs(vec![Fault::permanent(code::WF5001, message)])
}
