//! Files that are dropped: taken in, and given to what waits for one, or started on, or offered.
//!
//! Their type is what their content says. What was seen before is said to have been seen, and nothing runs by itself.

use super::actions::Action;
use super::adapter::{Drops, What};
use super::forms;
use super::grammar::inert;
use super::means::FileMode;
use super::talk::{No, Reply, Talk};
use super::{rules, verbs, words};
use crate::domain::card::{Card, CardKind, Line, Style};
use crate::domain::id::FileId;
use crate::domain::role;
use crate::service::{FileRecord, RunView};

/// The workflow for documents.
const DOCUMENTS: &str = "document_processing";
/// Files of one message that are looked at; more are a mistake or a flood.
pub const MOST: usize = 100;
/// Files that are named one by one.
pub const SHOWN: usize = 15;
/// What starts its workflow by itself.
const BY_ITSELF: [&str; 2] =
    ["application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"];
/// What can be offered to the workflow for documents.
const READABLE: [&str; 3] = ["image/jpeg", "image/png", "image/tiff"];

/// Takes the files of a message in.
pub async fn fetch(talk: &Talk<'_>) -> Result<Vec<FileRecord>, No> {
    let What::Said { files, .. } = &talk.inbound.what else { return Ok(Vec::new()) };
    // Nothing is taken in from those for whom nothing would be done with it.
    if files.is_empty() || !talk.means.service.possible(&talk.caller).await?.contains(&role::Action::View) {
        return Ok(Vec::new());
    }
    if files.len() > MOST {
        let message = format!("{} files at once are too many", files.len());
        return Err(No::because(message, format!("bring at most {MOST} with one message")));
    }
    let mut records = Vec::new();
    for file in files {
        records.push(talk.adapter.fetch_file(file).await?);
    }
    Ok(records)
}

/// Files without a verb.
pub async fn dropped(talk: &Talk<'_>, files: Vec<FileRecord>) -> Result<Reply, No> {
    let waiting: Vec<RunView> =
        talk.asking().await?.into_iter().filter(|view| forms::file_question(view).is_some()).collect();
    if let ([view, ..], [_]) = (waiting.as_slice(), files.as_slice()) {
        return verbs::give(talk, view, &[], &files).await;
    }
    let files = rules::dropped(talk, files).await?;
    if files.is_empty() {
        return Ok(Reply::Quiet);
    }
    let mode = match talk.means.settings.file_mode {
        FileMode::ByPlace if talk.inbound.is_direct => FileMode::Auto,
        FileMode::ByPlace => match talk.adapter.traits().drops {
            Drops::Start => FileMode::Auto,
            Drops::Ask | Drops::AskDocuments => FileMode::Ask,
        },
        set => set,
    };
    let startable = talk.means.service.templates(&talk.caller, role::Action::Start)?;
    if mode == FileMode::Off || startable.iter().all(|template| template.id != DOCUMENTS) {
        return Ok(Reply::Quiet);
    }
    let by_itself = |file: &FileRecord| BY_ITSELF.contains(&file.media_type.as_str());
    let left_alone = talk.adapter.traits().drops == Drops::AskDocuments && !talk.inbound.is_direct;
    if left_alone && !files.iter().any(by_itself) {
        return Ok(Reply::Quiet);
    }
    if let [file] = files.as_slice()
        && let Some(card) = seen_before(talk, file).await?
    {
        return Ok(Reply::Private(card));
    }
    if mode == FileMode::Auto && files.len() == 1 && files.iter().all(by_itself) {
        return verbs::start_on_files(talk, DOCUMENTS, &files).await;
    }
    Ok(Reply::Private(offer(talk, &files)))
}

/// What is said of a content that was worked on before; `None`: it was not.
async fn seen_before(talk: &Talk<'_>, file: &FileRecord) -> Result<Option<Card>, No> {
    let archive = &talk.archive;
    let before = archive.processed(file.digest.as_str()).await?;
    let Some(newest) = before.first() else { return Ok(None) };
    let message = format!("{} was already processed in {}", inert(&file.name, 80), newest.execution_id);
    let card = Card::new(CardKind::Offer, message).verdict(format!(
        "as {}, on {}",
        inert(&newest.name, 80),
        words::moment(&newest.at)
    ));
    let open = talk.line(format!("status {}", newest.execution_id));
    let again = take(talk, vec![file.id]);
    Ok(Some(card.button("Open", open, Style::Plain).button("Run again", again, Style::Plain)))
}

fn take(talk: &Talk<'_>, files: Vec<FileId>) -> String {
    talk.sign(&Action::Take { workflow: DOCUMENTS.to_owned(), files })
}

/// One question for everything that came along.
fn offer(talk: &Talk<'_>, files: &[FileRecord]) -> Card {
    let known = |file: &&FileRecord| {
        BY_ITSELF.contains(&file.media_type.as_str()) || READABLE.contains(&file.media_type.as_str())
    };
    let readable: Vec<FileId> = files.iter().filter(known).map(|file| file.id).collect();
    let mut card = listed(files, &|file| if known(&file) { "" } else { ", no workflow here reads this type" });
    if !readable.is_empty() {
        if readable.len() > 1 {
            card = card.verdict("one execution for each");
        }
        card = card.button("Run Document Processing", take(talk, readable), Style::Primary);
    }
    card.button("Ignore", talk.sign(&Action::Ignore), Style::Plain)
}

/// A card with the files on it, each with its type, its size and a note.
pub fn listed(files: &[FileRecord], note: &dyn Fn(&FileRecord) -> &'static str) -> Card {
    let title = match files {
        [file] => inert(&file.name, 80),
        files => words::count(files.len(), "file"),
    };
    let mut card = Card::new(CardKind::Offer, title);
    for (place, file) in files.iter().enumerate().take(SHOWN) {
        let detail = format!("{}, {}{}", file.media_type, words::bytes(file.size), note(file));
        let (number, text) = ((place + 1).to_string(), inert(&file.name, 80));
        card.lines.push(Line { number, text, detail: Some(detail), ..Line::default() });
    }
    and_more(card, files.len())
}

/// Says how many there are beside those that are shown.
pub fn and_more(mut card: Card, count: usize) -> Card {
    if count > SHOWN {
        card.lines.push(Line { text: format!("and {} more", count - SHOWN), ..Line::default() });
    }
    card
}
