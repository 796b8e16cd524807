//! What is said when something cannot be done: what is wrong, what to do instead, and a button for what was meant.

use super::super::adapter::What;
use super::super::grammar::{Kind, Trouble, inert};
use super::super::talk::{No, Reply, Talk, refusal};
use crate::domain::card::{Card, Style};
use crate::service::ServiceError;
use crate::service::verbs::action_of;

/// Characters of a refusal.
const LONGEST: usize = 1_000;

/// A line that was not understood.
pub async fn troubled(talk: &Talk<'_>, trouble: &Trouble) -> Result<Reply, No> {
    if let Kind::Unnamed(verb) = trouble.kind {
        return picker(talk, verb, trouble).await;
    }
    if let Kind::Verb { near: Some(near), .. } = &trouble.kind
        && !super::people::allowed(talk).await?.contains(near)
    {
        return Ok(Reply::Private(refusal(capital(&trouble.message), "`help` lists what there is")));
    }
    let mut card = refusal(capital(&trouble.message), trouble.fix.clone());
    if let Kind::Verb { typed, near: Some(near) } = &trouble.kind {
        // A guess is never run by itself: it takes a press.
        // What follows `link` is a code, which is shown to nobody.
        if let Some(line) = corrected(talk, typed, near).filter(|_| *near != "link") {
            card = card.button(inert(&line, 60), talk.line(line), Style::Primary);
        }
        card = card.button(format!("Help with {near}"), talk.line(format!("help {near}")), Style::Plain);
    }
    Ok(Reply::Private(card))
}

/// What was typed, with the right verb in the place of the wrong one.
fn corrected(talk: &Talk<'_>, typed: &str, near: &str) -> Option<String> {
    let What::Said { text, .. } = &talk.inbound.what else { return None };
    let (_, rest) = text.split_once(typed)?;
    Some(format!("{near}{rest}"))
}

/// A verb that wants a workflow: the first five are one press away.
async fn picker(talk: &Talk<'_>, verb: &str, trouble: &Trouble) -> Result<Reply, No> {
    let mut card = refusal(capital(&trouble.message), trouble.fix.clone());
    let templates = talk.means.service.templates(&talk.caller, action_of(verb))?;
    for template in templates.into_iter().take(5) {
        card = card.button(template.id.clone(), talk.line(format!("{verb} {}", template.id)), Style::Plain);
    }
    card = card.button("List", talk.line("list"), Style::Plain);
    Ok(Reply::Private(card))
}

/// A refusal as a card; what the platform itself refused is passed on.
pub fn refused(talk: &Talk<'_>, no: No) -> Result<Card, No> {
    match no {
        No::Card(card) => Ok(*card),
        No::Service(error) => Ok(of_service(talk, &error)),
        No::Send(error) => Err(No::Send(error)),
    }
}

fn of_service(talk: &Talk<'_>, error: &ServiceError) -> Card {
    match error {
        ServiceError::NotFound { noun, name, near } => {
            let message = format!("There is no {noun} `{}`", inert(name, 80));
            let Some(near) = near else { return refusal(message, hint(noun)) };
            let card = refusal(message, format!("did you mean `{}`?", inert(near, 80)));
            // A guess is never run by itself: it takes a press.
            match *noun {
                "workflow" => {
                    let card = card.button("Run it", talk.line(format!("run {near}")), Style::Primary);
                    card.button("List", talk.line("list"), Style::Plain)
                }
                "execution" => card.button("Show it", talk.line(format!("status {near}")), Style::Plain),
                _ => card,
            }
        }
        ServiceError::Ambiguous { short, candidates } => {
            let names: Vec<_> = candidates.iter().map(|name| format!("`{}`", inert(name, 60))).collect();
            let message = format!("`{}` could be any of {}", inert(short, 60), names.join(", "));
            let mut card = refusal(message, "write more of the name");
            for name in candidates.iter().filter(|name| !name.starts_with("exec_")).take(5) {
                card = card.button(inert(name, 60), talk.line(format!("run {name}")), Style::Plain);
            }
            card
        }
        ServiceError::Inputs(faults) => {
            let messages: Vec<_> = faults.iter().map(|fault| capital(&inert(&fault.message, 300))).collect();
            let fixes: Vec<_> = faults.iter().map(|fault| inert(fault.remedy(), 300)).collect();
            refusal(messages.join("\n"), fixes.join("\n"))
        }
        ServiceError::Denied(denial) => {
            refusal(capital(&inert(&denial.why(), 600)), capital(&inert(&denial.fix(), 600)))
        }
        ServiceError::Refused(refusal_) => refusal(capital(&refusal_.to_string()), ""),
        other => {
            let text: String = other.to_string().chars().take(LONGEST).collect();
            let lines: Vec<_> = text.lines().map(|line| inert(line, LONGEST)).collect();
            refusal(capital(&lines.join("\n")), "")
        }
    }
}

fn hint(noun: &str) -> &'static str {
    match noun {
        "workflow" => "`list` shows what can be run",
        "execution" => "`history` shows what has run",
        _ => "",
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    first + chars.as_str()
}
