//! Finding documents by words: the full-text index, and likeness of spelling where documents have vectors.
//!
//! Documents with all the words are found; only where there is none, those with any of them. Every word also finds
//! longer words that begin with it. What people type is never syntax.

use std::collections::HashMap;

use super::archive::Documents;
use super::embedding::{HASH, embed, from_bytes, likeness};
use super::query::Query;
use super::rank::fuse;
use crate::domain::id::{DocumentId, RunId};
use crate::domain::time::Timestamp;
use crate::store::db::{Arg, Row, StoreError};

/// Hits given at the most.
pub const MOST_HITS: u32 = 100;
/// Vectors read at a time, so that the scan needs little memory.
const BATCH: i64 = 512;
/// Less likeness than this is chance: short queries share letter groups with everything.
const LEAST_LIKENESS: f32 = 0.18;
/// Marks in a snippet that no stored text holds.
const MARKS: [&str; 3] = ["\u{2}", "\u{3}", "\u{4}"];
/// Characters of a snippet that comes from a vector.
const SNIPPET: usize = 160;

/// A question.
#[derive(Debug, Clone)]
pub struct Search<'w> {
    /// What people typed.
    pub words: &'w str,
    /// How many hits at the most; not more than [`MOST_HITS`].
    pub limit: u32,
    /// What to put before and after each found word of a snippet.
    pub marks: (&'w str, &'w str),
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub id: DocumentId,
    /// The run that stored it.
    pub run: RunId,
    /// What to call it.
    pub name: String,
    /// From 0 to 1; only comparable with the other hits of the same search.
    pub score: f64,
    /// The best place of its text, on one line, the found words marked.
    pub snippet: String,
    /// The page of that place.
    pub page: Option<u32>,
    /// The language of its text.
    pub language: Option<String>,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A hit before its place is known.
struct Raw {
    id: String,
    row: Row,
}

impl Documents<'_> {
    /// The documents for these words, best first. Nothing for words without a letter or digit.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn search(&self, search: &Search<'_>) -> Result<Vec<Hit>, StoreError> {
        let limit = search.limit.clamp(1, MOST_HITS) as usize;
        let Some(query) = Query::of(search.words) else { return Ok(Vec::new()) };
        let pool = limit * 2;
        let mut by_words = self.by_words(query.all, pool).await?;
        if by_words.is_empty() {
            by_words = self.by_words(query.any, pool).await?;
        }
        let by_likeness = self.by_likeness(search.words, pool).await?;
        let lists = [
            by_words.iter().map(|raw| raw.id.as_str()).collect(),
            by_likeness.iter().map(|raw| raw.id.as_str()).collect(),
        ];
        let order: Vec<(String, f64)> =
            fuse(&lists).into_iter().take(limit).map(|(id, score)| (id.to_owned(), score)).collect();
        let mut rows: HashMap<String, Row> = by_likeness.into_iter().map(|raw| (raw.id, raw.row)).collect();
        rows.extend(by_words.into_iter().map(|raw| (raw.id, raw.row)));
        let mut hits = Vec::with_capacity(order.len());
        for (id, score) in order {
            if let Some(row) = rows.get(&id) {
                hits.push(self.hit(row, score, search.marks).await?);
            }
        }
        Ok(hits)
    }

    async fn by_words(&self, query: String, limit: usize) -> Result<Vec<Raw>, StoreError> {
        let [open, close, left_out] = MARKS.map(Arg::from);
        let args = vec![query.into(), as_int(limit).into(), open, close, left_out];
        let rows = self.db.read("select_documents_by_words", args).await?;
        rows.into_iter().map(|row| Ok(Raw { id: row.text("id")?, row })).collect()
    }

    /// The documents with the likest chunk each, among vectors of the model that made the query's own.
    async fn by_likeness(&self, words: &str, limit: usize) -> Result<Vec<Raw>, StoreError> {
        let wanted = embed(words);
        let mut best: HashMap<String, (f32, i64, i64)> = HashMap::new();
        let mut after = 0;
        loop {
            let args =
                vec![after.into(), HASH.provider.into(), HASH.model.into(), as_int(HASH.dims).into(), BATCH.into()];
            let rows = self.db.read("select_vectors", args).await?;
            for row in &rows {
                let Some(vector) = from_bytes(&row.bytes("vector")?, HASH.dims) else { continue };
                let found = likeness(&wanted, &vector);
                if found < LEAST_LIKENESS {
                    continue;
                }
                let known = best.entry(row.text("document_id")?).or_insert((f32::MIN, 0, 0));
                if found > known.0 {
                    *known = (found, row.int("start")?, row.int("length")?);
                }
            }
            match rows.last() {
                Some(last) if as_int(rows.len()) == BATCH => after = last.int("number")?,
                _ => break,
            }
        }
        let mut best: Vec<_> = best.into_iter().collect();
        best.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
        let mut found = Vec::new();
        for (id, (_, start, length)) in best.into_iter().take(limit) {
            let args = vec![id.as_str().into(), start.into(), length.into()];
            if let Some(row) = self.db.read_one("select_chunk", args).await? {
                found.push(Raw { id, row });
            }
        }
        Ok(found)
    }

    async fn hit(&self, row: &Row, score: f64, marks: (&str, &str)) -> Result<Hit, StoreError> {
        let id: DocumentId = row.parse("id")?;
        let mut snippet = row.text("snippet")?;
        let piece: String = snippet.chars().filter(|&c| !matches!(c, '\u{2}'..='\u{4}')).collect();
        let is_marked = snippet.contains(MARKS[0]);
        let ahead = snippet.split(MARKS[0]).next().unwrap_or_default().chars().filter(|&c| c != '\u{4}').count();
        let page = self.page(id, &piece, if is_marked { ahead } else { 0 }).await?;
        if !is_marked {
            snippet = shortened(&snippet);
        }
        Ok(Hit {
            id,
            run: row.parse("run_id")?,
            name: row.text("name")?,
            score,
            snippet: on_one_line(&snippet, marks),
            page,
            language: row.text_or_null("language")?,
            created_at: Timestamp::from_micros(row.int("created_at")?),
        })
    }

    /// The page on which the character after the first `ahead` of a piece of the text stands.
    async fn page(&self, id: DocumentId, piece: &str, ahead: usize) -> Result<Option<u32>, StoreError> {
        let row = self.db.read_one("select_place", vec![id.to_string().into(), piece.into()]).await?;
        let Some(row) = row.filter(|_| !piece.is_empty()) else { return Ok(None) };
        let Some(place) = usize::try_from(row.int("place")?).ok().and_then(|place| place.checked_sub(1)) else {
            return Ok(None);
        };
        let pages: Vec<(u32, usize)> = row.json("pages")?;
        let page = pages.iter().rev().find(|(_, start)| *start <= place + ahead);
        Ok(page.map(|&(number, _)| number))
    }
}

/// The beginning of a chunk, up to a word's end.
fn shortened(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().nth(SNIPPET) else { return text.to_owned() };
    let head = &text[..cut];
    format!("{}{}", head.rsplit_once(char::is_whitespace).map_or(head, |(head, _)| head), MARKS[2])
}

fn on_one_line(snippet: &str, (open, close): (&str, &str)) -> String {
    let line = snippet.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace(MARKS[0], open).replace(MARKS[1], close).replace(MARKS[2], "…")
}

fn as_int(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
