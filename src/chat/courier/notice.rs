//! What must not go unseen: where nobody is told of a changed message, a card that waits for somebody or failed after a
//! while says so once more, in a message beneath it. An approval that nobody gives is called to mind everywhere, before its
//! time is over. Pure.

use super::super::grammar::inert;
use super::super::words;
use crate::domain::card::{Card, CardKind};
use crate::domain::time::{Span, Timestamp};
use crate::service::{ApprovalView, RunView};

/// Whoever started something looks at its card for so long.
pub const LOOKED_AT: Span = Span::from_secs(30);

/// When an approval is called to mind: parts of the time for which it waits, in per cent.
const REMINDERS: [i64; 2] = [50, 90];
/// What waits no longer than this is not called to mind.
const SHORT: Span = Span::from_secs(10 * 60);

/// What is to be said, and the key under which it was said already.
pub struct Notice {
    /// The same for the same thing.
    pub key: String,
    /// It was said before, and nobody did anything.
    pub reminds: bool,
    /// The message.
    pub card: Card,
}

/// What is to be said of an execution as it stands; `requester` is whom the platform knows by this id.
#[must_use]
pub fn of(view: &RunView, requester: &str, now: Timestamp) -> Option<Notice> {
    let name = inert(&view.name, 80);
    let (mut mentions, mut reminds) = (vec![requester.to_owned()], false);
    let (key, title, verdict) = match view.status {
        "failed" | "timed_out" => {
            let cause = view.error.as_ref().map(|error| (inert(&error.message, 300), inert(&error.fix, 300)));
            let (cause, fix) = cause.unwrap_or_default();
            let title = format!("{name} {}: {cause}", view.status.replace('_', " "));
            (format!("end:{}", view.finished_at.as_deref().unwrap_or_default()), title, fix)
        }
        _ if !view.approvals.is_empty() => {
            let keys: Vec<_> = view.approvals.iter().map(|approval| key_of(approval, now)).collect();
            let titles: Vec<_> = view.approvals.iter().map(|approval| inert(&approval.title, 120)).collect();
            mentions.clear(); // who decides is seldom who asked
            reminds = view.approvals.iter().any(|approval| reminders(approval, now).0 > 0);
            let until =
                view.approvals.iter().filter_map(|approval| approval.until.as_deref()).min().filter(|_| reminds);
            (
                format!("approve:{}", keys.join(",")),
                format!("{name} {}needs approval: {}", if reminds { "still " } else { "" }, titles.join("; ")),
                until.map(|until| format!("it waits until {}", words::moment(until))).unwrap_or_default(),
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
    Some(Notice { key, reminds, card: card.sealed() })
}

/// When an execution is to be looked at again although nothing happens, because an approval is to be called to mind.
#[must_use]
pub fn next(view: &RunView, now: Timestamp) -> Option<Timestamp> {
    view.approvals.iter().filter_map(|approval| reminders(approval, now).1).min()
}

fn key_of(approval: &ApprovalView, now: Timestamp) -> String {
    match reminders(approval, now).0 {
        0 => approval.step.clone(),
        times => format!("{}:{times}", approval.step),
    }
}

/// How often an approval is to have been called to mind by now, and when the next time is.
fn reminders(approval: &ApprovalView, now: Timestamp) -> (usize, Option<Timestamp>) {
    let read = |text: &str| {
        let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
        Some(Timestamp::from_micros(time.timestamp_micros()))
    };
    let Some((since, until)) = read(&approval.since).zip(approval.until.as_deref().and_then(read)) else {
        return (0, None);
    };
    let length = until.since(since);
    if length <= SHORT {
        return (0, None);
    }
    let times = REMINDERS.map(|share| Timestamp::from_micros(since.micros() + length.micros() / 100 * share));
    let due = times.iter().filter(|time| **time <= now).count();
    (due, times.get(due).copied())
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + minute * 60_000_000)
    }

    fn approval(minutes: Option<i64>) -> ApprovalView {
        ApprovalView {
            step: "book".to_owned(),
            title: "Book it".to_owned(),
            approvers: Vec::new(),
            required: 1,
            approved_by: Vec::new(),
            show: Map::new(),
            since: at(0).to_string(),
            until: minutes.map(|minutes| at(minutes).to_string()),
        }
    }

    #[test]
    fn an_approval_is_called_to_mind_at_half_and_at_nine_tenths_of_its_time() {
        let asked = approval(Some(100));
        for (minute, due, next) in
            [(0, 0, Some(50)), (49, 0, Some(50)), (50, 1, Some(90)), (90, 2, None), (99, 2, None)]
        {
            assert_eq!(reminders(&asked, at(minute)), (due, next.map(at)), "minute {minute}");
        }
        assert_eq!((key_of(&asked, at(49)), key_of(&asked, at(91))), ("book".to_owned(), "book:2".to_owned()));
    }

    #[test]
    fn what_waits_shortly_or_for_ever_is_not_called_to_mind() {
        assert_eq!(reminders(&approval(Some(10)), at(9)), (0, None));
        assert_eq!(reminders(&approval(None), at(1_000_000)), (0, None));
    }
}
