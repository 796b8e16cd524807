//! What must not go unseen: where nobody is told of a changed message, a card that waits for somebody or failed after a
//! while says so once more, in a message beneath it. Pure.

use super::super::grammar::inert;
use crate::domain::card::{Card, CardKind};
use crate::domain::time::Span;
use crate::service::RunView;

/// Whoever started something looks at its card for so long.
pub const LOOKED_AT: Span = Span::from_secs(30);

/// What is to be said, and the key under which it was said already.
pub struct Notice {
    /// The same for the same thing.
    pub key: String,
    /// The message.
    pub card: Card,
}

/// What is to be said of an execution as it stands; `requester` is whom the platform knows by this id.
#[must_use]
pub fn of(view: &RunView, requester: &str) -> Option<Notice> {
    let name = inert(&view.name, 80);
    let mut mentions = vec![requester.to_owned()];
    let (key, title, verdict) = match view.status {
        "failed" | "timed_out" => {
            let cause = view.error.as_ref().map(|error| (inert(&error.message, 300), inert(&error.fix, 300)));
            let (cause, fix) = cause.unwrap_or_default();
            let title = format!("{name} {}: {cause}", view.status.replace('_', " "));
            (format!("end:{}", view.finished_at.as_deref().unwrap_or_default()), title, fix)
        }
        _ if !view.approvals.is_empty() => {
            let keys: Vec<_> = view.approvals.iter().map(|approval| approval.step.clone()).collect();
            let titles: Vec<_> = view.approvals.iter().map(|approval| inert(&approval.title, 120)).collect();
            mentions.clear(); // who decides is seldom who asked
            (
                format!("approve:{}", keys.join(",")),
                format!("{name} needs approval: {}", titles.join("; ")),
                String::new(),
            )
        }
        _ if !view.questions.is_empty() => {
            let keys: Vec<_> = view.questions.iter().map(|question| question.key.as_str()).collect();
            let labels: Vec<_> = view.questions.iter().map(|question| inert(&question.label, 60)).collect();
            (format!("ask:{}", keys.join(",")), format!("{name} needs {}", labels.join(", ")), String::new())
        }
        _ => return None,
    };
    let mut card = Card::new(CardKind::Answer, title).verdict(verdict);
    card.mentions = mentions;
    Some(Notice { key, card: card.sealed() })
}
