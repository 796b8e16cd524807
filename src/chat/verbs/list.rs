//! `list`, `templates`, `history`, `inbox`: several things, one a line; `#3` means the third line afterwards.

use super::super::grammar::inert;
use super::super::talk::{No, Reply, Talk};
use super::super::words;
use crate::domain::card::{Card, CardKind, Line, Style};
use crate::domain::role::Action;
use crate::service::verbs::History;
use crate::service::{ListFilter, Origin, RunView, StoredRun};

/// Lines of a list at the most; who wants more narrows it down.
const MOST: usize = 25;
/// Workflows that are looked at.
const WORKFLOWS: u32 = 200;

/// The workflows that can be run, with how the last execution of each ended.
pub async fn list(talk: &Talk<'_>) -> Result<Reply, No> {
    let service = &talk.means.service;
    let (mut items, mut lines) = (Vec::new(), Vec::new());
    for template in service.templates(&talk.caller, Action::View)? {
        let last = last_of(talk, &template.id).await?;
        let broken = if template.errors > 0 { "  has errors; `validate` tells them" } else { "" };
        let detail = format!("{}{broken}{last}", inert(&template.description, 100));
        lines.push((template.id, template.name, detail));
    }
    for workflow in talk.archive.workflows(None, WORKFLOWS).await? {
        if workflow.status == "active" && lines.iter().all(|(id, ..)| *id != workflow.slug) {
            let last = last_of(talk, &workflow.slug).await?;
            lines.push((workflow.slug, workflow.name, format!("{}{last}", inert(&workflow.description, 100))));
        }
    }
    let mut card = Card::new(CardKind::List, "Workflows").verdict("run one by its name or number: `run #1`");
    for (place, (id, name, detail)) in lines.iter().enumerate().take(MOST) {
        card.lines.push(Line {
            number: (place + 1).to_string(),
            text: inert(id, 60),
            detail: Some(format!("{}  {detail}", inert(name, 60)).trim_end().to_owned()),
            ..Line::default()
        });
        items.push(id.clone());
    }
    and_more(&mut card, lines.len());
    talk.remember(&items).await?;
    Ok(Reply::Private(card))
}

async fn last_of(talk: &Talk<'_>, slug: &str) -> Result<String, No> {
    let filter = ListFilter { slug: Some(slug.to_owned()), limit: 1, ..ListFilter::default() };
    let last = talk.archive.list(&filter).await?;
    let say =
        |run: &StoredRun| format!("  last: {}, {}", word(&run.status), words::moment(&run.created_at.to_string()));
    Ok(last.first().map(say).unwrap_or_default())
}

/// The templates, or the step types.
pub async fn templates(talk: &Talk<'_>, types: bool) -> Result<Reply, No> {
    let mut card = Card::new(CardKind::List, if types { "Step types" } else { "Templates" });
    let mut items = Vec::new();
    if types {
        for step_type in talk.means.service.step_types().iter() {
            items.push(step_type.name.to_owned());
            card.lines.push(numbered(items.len(), step_type.name, step_type.summary));
        }
    } else {
        for template in talk.means.service.templates(&talk.caller, Action::View)? {
            items.push(template.id.clone());
            let steps = words::count(template.steps, "step");
            let detail = format!("{}  {steps}  {}", template.name, template.description);
            card.lines.push(numbered(items.len(), &template.id, &detail));
        }
    }
    talk.remember(&items).await?;
    Ok(Reply::Private(card))
}

fn numbered(number: usize, text: &str, detail: &str) -> Line {
    Line { number: number.to_string(), text: inert(text, 60), detail: Some(inert(detail, 200)), ..Line::default() }
}

/// Executions, newest first.
pub async fn history(talk: &Talk<'_>, args: History) -> Result<Reply, No> {
    let service = &talk.means.service;
    let slug = match &args.workflow {
        Some(typed) => Some(service.match_workflow(&talk.caller, &talk.listed(typed).await?).await?.id),
        None => None,
    };
    let filter = ListFilter { slug, status: args.status, limit: args.limit, ..ListFilter::default() };
    let runs = talk.archive.list(&filter).await?;
    let mut card = Card::new(CardKind::List, "Executions, newest first");
    let mut items = Vec::new();
    for run in runs.iter().take(MOST) {
        items.push(run.id.to_string());
        card.lines.push(row(items.len(), run));
    }
    if runs.is_empty() {
        card = card.verdict("none");
    }
    and_more(&mut card, runs.len());
    talk.remember(&items).await?;
    Ok(Reply::Private(card))
}

fn row(number: usize, run: &StoredRun) -> Line {
    let took = run.started_at.zip(run.finished_at).map(|(from, to)| words::seconds(to.since(from).as_secs_f64()));
    let fault = run.fault.as_ref().map(|fault| fault.code.id().to_owned());
    let origin: Origin = serde_json::from_str(run.origin.get()).unwrap_or_default();
    let by = (!origin.name.is_empty()).then(|| format!("by {}", inert(&origin.name, 40)));
    let parts = [Some(run.slug.clone()), took, fault, by, Some(words::moment(&run.created_at.to_string()))];
    let detail: Vec<_> = parts.into_iter().flatten().collect();
    Line {
        number: number.to_string(),
        sign: String::new(),
        status: word(&run.status),
        text: run.id.to_string(),
        detail: Some(detail.join("  ")),
    }
}

fn word(status: &str) -> String {
    status.replace('_', " ")
}

fn and_more(card: &mut Card, found: usize) {
    if found > MOST {
        card.lines.push(Line { text: format!("and {} more", found - MOST), ..Line::default() });
    }
}

/// What of mine is under way.
pub async fn mine(talk: &Talk<'_>) -> Result<Reply, No> {
    let archive = &talk.archive;
    let mut card = Card::new(CardKind::List, "Your executions under way");
    let mut items = Vec::new();
    for id in archive.open().await?.into_iter().rev() {
        let view = archive.view(id, false).await?;
        if view.origin.is_of(&talk.caller) && items.len() < MOST {
            items.push(view.execution_id.clone());
            card.lines.push(standing(items.len(), &view));
        }
    }
    if items.is_empty() {
        card = card.verdict("none; `history` shows what is over");
    }
    talk.remember(&items).await?;
    Ok(Reply::Private(card))
}

/// What waits for somebody.
pub async fn inbox(talk: &Talk<'_>) -> Result<Reply, No> {
    let waiting = talk.archive.inbox().await?;
    let mut card = Card::new(CardKind::List, "What waits for somebody");
    let mut items = Vec::new();
    for view in waiting.iter().take(MOST) {
        items.push(view.execution_id.clone());
        card.lines.push(standing(items.len(), view));
    }
    if waiting.is_empty() {
        card = card.verdict("nothing");
    }
    and_more(&mut card, waiting.len());
    if let Some(first) = waiting.first() {
        let line = talk.line(format!("status {}", first.execution_id));
        card = card.button("Open the first", line, Style::Plain);
    }
    talk.remember(&items).await?;
    Ok(Reply::Private(card))
}

fn standing(number: usize, view: &RunView) -> Line {
    let asks: Vec<_> = view.questions.iter().map(|question| inert(&question.label, 60)).collect();
    let why = match &view.error {
        Some(error) => format!("  {} {}", error.code, inert(&error.message, 120)),
        None if !asks.is_empty() => format!("  needs {}", asks.join(", ")),
        None => format!("  step {} of {}", view.current_step, view.total_steps),
    };
    Line {
        number: number.to_string(),
        sign: String::new(),
        status: word(view.status),
        text: view.execution_id.clone(),
        detail: Some(format!("{}{why}", inert(&view.name, 60))),
    }
}
