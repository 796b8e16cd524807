//! What a line that is being typed could go on with: verbs, then workflows, then the inputs of that workflow.

use serde::Serialize;

use super::grammar::VERBS;
use crate::domain::role::Action;
use crate::service::verbs::action_of;
use crate::service::{Caller, Service, ServiceError};

/// Candidates of one answer at the most: what the smallest platform shows.
const MOST: usize = 25;

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The whole line as it would be.
    pub text: String,
    /// What it would mean.
    pub hint: String,
}

/// The ways to go on for somebody, the likeliest first: only to what they may do and see.
///
/// # Errors
/// The store or a template cannot be read.
pub async fn candidates(service: &Service, caller: &Caller, typed: &str) -> Result<Vec<Candidate>, ServiceError> {
    let typed: String = typed.chars().take(500).collect();
    let (prefix, line) = match ["/workflow", "/wf"]
        .iter()
        .find_map(|prefix| Some((prefix, typed.strip_prefix(prefix)?)))
    {
        Some((prefix, rest)) if rest.is_empty() || rest.starts_with(' ') => (format!("{prefix} "), rest.trim_start()),
        _ if typed.starts_with('/') => ("/workflow ".to_owned(), ""),
        _ => (String::new(), typed.as_str()),
    };
    let Some((verb, rest)) = line.split_once(' ') else {
        let possible = service.possible(caller).await?;
        let open = |name: &str| possible.contains(&action_of(name));
        let fitting = VERBS.iter().filter(|(name, _)| name.starts_with(line) && open(name));
        let candidate =
            |(name, about): &(&str, String)| Candidate { text: format!("{prefix}{name} "), hint: about.clone() };
        return Ok(fitting.map(candidate).take(MOST).collect());
    };
    if !matches!(verb, "run" | "plan" | "show" | "history") {
        return Ok(Vec::new());
    }
    match rest.split_once(' ') {
        None => workflows(service, caller, (&format!("{prefix}{verb} "), rest.trim_start())),
        Some((workflow, inputs)) if matches!(verb, "run" | "plan") => {
            let begun = inputs.rsplit(' ').next().unwrap_or_default();
            let kept = &typed[..typed.len() - begun.len()];
            input_names(service, caller, kept, (workflow, begun)).await
        }
        Some(_) => Ok(Vec::new()),
    }
}

fn workflows(
    service: &Service,
    caller: &Caller,
    (before, begun): (&str, &str),
) -> Result<Vec<Candidate>, ServiceError> {
    let action = if before.trim_end().ends_with("run") { Action::Start } else { Action::View };
    let fitting = service.templates(caller, action)?.into_iter().filter(|template| template.id.starts_with(begun));
    Ok(fitting.take(MOST).map(|it| Candidate { text: format!("{before}{}", it.id), hint: it.description }).collect())
}

async fn input_names(
    service: &Service,
    caller: &Caller,
    before: &str,
    (workflow, begun): (&str, &str),
) -> Result<Vec<Candidate>, ServiceError> {
    let Ok(detail) = service.workflow(caller, workflow).await else { return Ok(Vec::new()) };
    let fitting = detail.inputs.into_iter().filter(|input| input.name.starts_with(begun));
    Ok(fitting.take(MOST).map(|it| Candidate { text: format!("{before}{}=", it.name), hint: it.label }).collect())
}
