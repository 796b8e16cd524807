//! What a line that is being typed could go on with: verbs, then workflows, then the inputs of that workflow.

use serde::Serialize;

use super::grammar::VERBS;
use crate::service::{CHAT, Caller, Service, ServiceError};

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

/// The ways to go on, the likeliest first.
///
/// # Errors
/// The store or a template cannot be read.
pub async fn candidates(service: &Service, typed: &str) -> Result<Vec<Candidate>, ServiceError> {
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
        let fitting = VERBS.iter().filter(|(name, _)| name.starts_with(line));
        let candidate =
            |(name, about): &(&str, String)| Candidate { text: format!("{prefix}{name} "), hint: about.clone() };
        return Ok(fitting.map(candidate).take(MOST).collect());
    };
    if !matches!(verb, "run" | "plan" | "show" | "history") {
        return Ok(Vec::new());
    }
    match rest.split_once(' ') {
        None => workflows(service, &format!("{prefix}{verb} "), rest.trim_start()),
        Some((workflow, inputs)) if matches!(verb, "run" | "plan") => {
            let begun = inputs.rsplit(' ').next().unwrap_or_default();
            let kept = &typed[..typed.len() - begun.len()];
            input_names(service, kept, workflow, begun).await
        }
        Some(_) => Ok(Vec::new()),
    }
}

fn workflows(service: &Service, before: &str, begun: &str) -> Result<Vec<Candidate>, ServiceError> {
    let fitting = service.library().list()?.into_iter().filter(|template| template.id.starts_with(begun));
    Ok(fitting.take(MOST).map(|it| Candidate { text: format!("{before}{}", it.id), hint: it.description }).collect())
}

async fn input_names(
    service: &Service,
    before: &str,
    workflow: &str,
    begun: &str,
) -> Result<Vec<Candidate>, ServiceError> {
    let caller = Caller { door: CHAT, name: String::new(), channel: None };
    let Ok(detail) = service.workflow(&caller, workflow).await else { return Ok(Vec::new()) };
    let fitting = detail.inputs.into_iter().filter(|input| input.name.starts_with(begun));
    Ok(fitting.take(MOST).map(|it| Candidate { text: format!("{before}{}=", it.name), hint: it.label }).collect())
}
