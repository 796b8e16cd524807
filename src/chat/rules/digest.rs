//! Many files as one message: how many wait, what can be done, and afterwards how their executions go. Pure.

use serde::{Deserialize, Serialize};

use super::super::actions::Action;
use super::super::grammar::inert;
use super::super::words;
use crate::domain::card::{Card, CardKind, Line, Style};
use crate::service::triggers::{ALL, Flood, FloodFile};

/// Files that the message names one by one.
const NAMED: usize = 8;
/// Files that can be chosen from at a time: one button each, and the rest of a row of buttons for what is left.
pub const CHOICES: usize = 15;

/// What somebody answers about many files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// All that are left.
    All,
    /// None of those that are left.
    None,
    /// They want to see them one by one.
    Choose,
    /// This one, by its number.
    One(u64),
}

/// What the message is made of.
pub struct Facts<'f> {
    pub flood: &'f Flood,
    pub files: &'f [FloodFile],
    /// The rule, as `intake/drop`.
    pub rule: &'f str,
    /// What its workflow is called.
    pub workflow: &'f str,
    /// Signs what buttons do.
    pub sign: &'f dyn Fn(Action) -> String,
}

/// Files of which nothing came yet.
pub fn left(files: &[FloodFile]) -> impl Iterator<Item = &FloodFile> {
    files.iter().filter(|file| file.run.is_none())
}

/// Whether nothing more will come of it.
pub fn is_over(flood: &Flood, files: &[FloodFile]) -> bool {
    let decided = flood.decision.is_some() || left(files).next().is_none();
    decided && files.iter().all(|file| file.run.is_none() || is_done(file))
}

/// An execution that is not there any more is over too.
const fn is_done(file: &FloodFile) -> bool {
    file.is_over || (file.run.is_some() && file.status.is_none())
}

/// The message.
pub fn card(facts: &Facts<'_>) -> Card {
    let Facts { flood, files, rule, workflow, .. } = facts;
    let count = words::count(files.len(), "file");
    let mut card = Card::new(CardKind::Offer, format!("{count} for {}", inert(workflow, 60)));
    let waiting = left(files).count();
    let how = if waiting == files.len() { String::new() } else { format!(" · {}", progress(files)) };
    card.verdict = match &flood.decision {
        None if waiting == 0 => format!("all taken{how}"),
        None => format!("rule `{rule}`: more than start by themselves; {waiting} wait for a word{how}"),
        Some((what, who)) if what == ALL => format!("all, said {}{how}", inert(who, 60)),
        Some((_, who)) => format!("{waiting} left aside by {}{how}", inert(who, 60)),
    };
    let is_open = flood.decision.is_none() && waiting > 0;
    let named: Vec<&FloodFile> = if is_open { left(files).collect() } else { notable(files).collect() };
    card.lines = named.iter().take(NAMED).map(|file| line(file)).collect();
    if named.len() > NAMED {
        card.lines.push(Line { text: format!("and {} more", named.len() - NAMED), ..Line::default() });
    }
    if is_open {
        card = card.button(format!("Process all {waiting}"), act(facts, What::All), Style::Primary);
        card = card.button("Choose", act(facts, What::Choose), Style::Plain);
        card = card.button("None", act(facts, What::None), Style::Plain);
    }
    card.sealed()
}

/// The files that are left, one button each, for whoever chooses.
pub fn choices(facts: &Facts<'_>) -> Card {
    let open: Vec<&FloodFile> = left(facts.files).collect();
    let shown = &open[..open.len().min(CHOICES)];
    let title = format!("{} left for {}", words::count(open.len(), "file"), inert(facts.workflow, 60));
    let mut card = Card::new(CardKind::Offer, title);
    if open.len() > shown.len() {
        card.verdict = format!("the first {}; the next ones follow", shown.len());
    }
    card.lines = shown.iter().map(|file| line(file)).collect();
    for file in shown {
        card = card.button(format!("Run {}", file.number), act(facts, What::One(file.number)), Style::Plain);
    }
    if !open.is_empty() {
        card = card.button(format!("Process all {}", open.len()), act(facts, What::All), Style::Primary);
        card = card.button("None of these", act(facts, What::None), Style::Plain);
    }
    card
}

fn act(facts: &Facts<'_>, what: What) -> String {
    (facts.sign)(Action::Flood { flood: facts.flood.id.clone(), what })
}

/// Those whose execution did not go well, or waits for somebody.
fn notable(files: &[FloodFile]) -> impl Iterator<Item = &FloodFile> {
    let is_notable = |status: &str| matches!(status, "failed" | "timed_out" | "cancelled" | "waiting" | "paused");
    files.iter().filter(move |file| file.status.as_deref().is_some_and(is_notable))
}

fn line(file: &FloodFile) -> Line {
    let detail = match (&file.run, &file.status) {
        (Some(run), Some(status)) => format!("{}  {run}", status.replace('_', " ")),
        (Some(run), None) => run.to_string(),
        (None, _) => words::bytes(file.size),
    };
    let (number, text) = (file.number.to_string(), inert(&file.name, 80));
    Line { number, text, detail: Some(detail), ..Line::default() }
}

/// How the executions stand, as `30 completed, 1 failed, 6 under way`.
fn progress(files: &[FloodFile]) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for file in files.iter().filter(|file| file.run.is_some()) {
        let word = match file.status.as_deref() {
            Some(status @ ("waiting" | "paused")) => status.to_owned(),
            Some(status) if file.is_over => status.replace('_', " "),
            Some(_) => "under way".to_owned(),
            None => "forgotten".to_owned(),
        };
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    counts.sort_by(|(a, _), (b, _)| a.cmp(b));
    let told: Vec<String> = counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RunId;
    use crate::domain::time::Timestamp;

    fn file(number: u64, status: Option<&str>) -> FloodFile {
        FloodFile {
            firing: format!("f{number}"),
            number,
            name: format!("{number}.pdf"),
            size: 1_000,
            run: status.map(|_| RunId::from_bits(u128::from(number))),
            status: status.map(str::to_owned),
            is_over: matches!(status, Some("completed" | "failed")),
        }
    }

    fn drawn(files: &[FloodFile], decision: Option<(&str, &str)>) -> (Card, bool) {
        let flood = Flood {
            id: "x".to_owned(),
            trigger: "w/drop".to_owned(),
            place: "web:general".to_owned(),
            opened_at: Timestamp::from_micros(0),
            last_at: Timestamp::from_micros(0),
            message: None,
            decision: decision.map(|(what, who)| (what.to_owned(), who.to_owned())),
            closed_at: None,
        };
        let facts =
            Facts { flood: &flood, files, rule: "intake/drop", workflow: "Intake", sign: &|_| "signed".to_owned() };
        (card(&facts), is_over(&flood, files))
    }

    #[test]
    fn many_files_are_one_question_with_its_first_files_and_three_answers() {
        let files: Vec<_> = (1..=20).map(|number| file(number, None)).collect();
        let (card, is_over) = drawn(&files, None);
        assert!(
            card.text.starts_with("20 files for Intake\nrule `intake/drop`: more than start by themselves; 20 wait")
        );
        assert!(card.text.contains("1.pdf") && card.text.contains("and 12 more"), "{}", card.text);
        assert!(card.text.trim_end().ends_with("[Process all 20] [Choose] [None]"), "{}", card.text);
        assert!(!is_over);
    }

    #[test]
    fn what_came_of_them_is_counted_and_what_did_not_go_well_is_named() {
        let files =
            [file(1, Some("completed")), file(2, Some("failed")), file(3, Some("running")), file(4, Some("completed"))];
        let (card, is_over) = drawn(&files, Some((ALL, "ana")));
        assert_eq!(card.verdict, "all, said ana · 2 completed, 1 failed, 1 under way");
        assert_eq!(card.lines.len(), 1, "{:?}", card.lines);
        assert!(card.buttons.is_empty() && !is_over);
        let (card, is_over) = drawn(&[file(1, None), file(2, Some("completed"))], Some(("none", "leo")));
        assert_eq!(card.verdict, "1 left aside by leo · 1 completed");
        assert!(is_over);
    }
}
