//! Keeping a document. What a step stores twice is there once; what is half written is not found.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::chunks;
use super::embedding::{self, HASH};
use crate::contract::crash::crash_point;
use crate::domain::hex;
use crate::domain::id::{DocumentId, FileId, RunId};
use crate::domain::time::Timestamp;
use crate::store::db::{Cell, Db, Json, Row, StoreError, Write};

/// Vectors written in one commit: it is shared with the engine, and must not hold it up.
const BATCH: usize = 64;

/// A document to keep.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Its id; the same each time the same step stores it.
    pub id: DocumentId,
    /// The step that stores it. A step has one document: the last one it stored.
    pub step_key: String,
    /// The run of that step.
    pub run: RunId,
    /// What to call it in front of people.
    pub name: String,
    /// The digest of its bytes; that of its text where there are none.
    pub sha256: Option<String>,
    /// The type of its bytes.
    pub media_type: Option<String>,
    /// How many bytes.
    pub size: Option<u64>,
    /// The uploaded file.
    pub file_id: Option<FileId>,
    /// Its text; may be empty.
    pub text: String,
    /// Number and first character of each page that has text.
    pub pages: Vec<(u32, usize)>,
    /// The language of the text.
    pub language: Option<String>,
    /// What was found in it.
    pub analysis: Option<Value>,
    /// Whether to make vectors of its text.
    pub has_vectors: bool,
    /// When it is stored.
    pub at: Timestamp,
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The first document with the same content, if there was one.
    pub duplicate_of: Option<DocumentId>,
    /// Chunks with a vector.
    pub vectors: usize,
}

/// A kept document.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDocument {
    /// Its id.
    pub id: DocumentId,
    /// What to call it.
    pub name: String,
    /// The digest of its content.
    pub sha256: String,
    /// The type of its bytes.
    pub media_type: Option<String>,
    /// The language of its text.
    pub language: Option<String>,
    /// What was found in it.
    pub analysis: Option<Value>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Its text.
    pub text: String,
}

/// A document, as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentLine {
    /// Its id.
    pub id: DocumentId,
    /// The run that stored it.
    pub run: RunId,
    /// What to call it.
    pub name: String,
    /// The type of its bytes.
    pub media_type: Option<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// The language of its text.
    pub language: Option<String>,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// The documents' place in the store.
pub struct Documents<'s> {
    pub(super) db: &'s Db,
}

impl<'s> Documents<'s> {
    pub(in crate::store) const fn new(db: &'s Db) -> Self {
        Self { db }
    }

    /// Keeps a document in place of whatever the same step kept before. It is found once all of it is there; an
    /// interrupted call leaves nothing that is found, and the next one of the same step begins anew.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep(&self, document: NewDocument) -> Result<Kept, StoreError> {
        let document = cleaned(document);
        let sha256 = document.sha256.clone().unwrap_or_else(|| fingerprint(&document.text));
        let like = vec![sha256.as_str().into(), document.step_key.as_str().into()];
        let duplicate = self.db.read_one("select_document_like", like).await?;
        let duplicate_of = duplicate.map(|row| row.parse("id")).transpose()?;
        let rows = vectors(&document).await?;
        let mut write = Write::new();
        write.row("delete_documents_of_step", &[&document.step_key]);
        write_document(&mut write, &document, &sha256);
        let mut batches = rows.chunks(BATCH).peekable();
        while let Some(batch) = batches.next() {
            for (id, position, start, length, vector) in batch {
                let of = (&HASH.provider, &HASH.model, &HASH.dims);
                write.row("insert_document_chunk", &[id, position, start, length, of.0, of.1, of.2, vector]);
            }
            if batches.peek().is_some() {
                self.db.write(std::mem::take(&mut write)).await?;
            }
        }
        crash_point("document: before it is found");
        write.row("complete_document", &[&document.id]);
        self.db.write(write).await?;
        Ok(Kept { duplicate_of, vectors: rows.len() })
    }

    /// Forgets what a step stored; `false` when there is nothing of it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget(&self, step_key: &str) -> Result<bool, StoreError> {
        let found = self.db.read_one("select_document_of_step", vec![step_key.into()]).await?.is_some();
        let mut write = Write::new();
        write.row("delete_documents_of_step", &[&step_key]);
        self.db.write(write).await?;
        Ok(found)
    }

    /// One document.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn find(&self, id: DocumentId) -> Result<Option<StoredDocument>, StoreError> {
        let Some(row) = self.db.read_one("select_document", vec![id.to_string().into()]).await? else {
            return Ok(None);
        };
        Ok(Some(StoredDocument {
            id: row.parse("id")?,
            name: row.text("name")?,
            sha256: row.text("sha256")?,
            media_type: row.text_or_null("media_type")?,
            language: row.text_or_null("language")?,
            analysis: row.text_or_null("analysis")?.map(|_| row.json("analysis")).transpose()?,
            created_at: Timestamp::from_micros(row.int("created_at")?),
            text: row.text("text")?,
        }))
    }

    /// Runs that stored a document with this content, newest first, each with what the document was called.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn runs_of(&self, sha256: &str) -> Result<Vec<(RunId, String, Timestamp)>, StoreError> {
        let rows = self.db.read("select_runs_of_content", vec![sha256.into()]).await?;
        let read =
            |row: &Row| Ok((row.parse("run_id")?, row.text("name")?, Timestamp::from_micros(row.int("created_at")?)));
        rows.iter().map(read).collect()
    }

    /// Documents, newest first, from before a given one on.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn list(&self, before: Option<DocumentId>, limit: u32) -> Result<Vec<DocumentLine>, StoreError> {
        let before = before.map_or_else(|| "doc_~".to_owned(), |id| id.to_string());
        let rows = self.db.read("select_documents", vec![before.into(), i64::from(limit).into()]).await?;
        rows.iter().map(read_line).collect()
    }

    /// What an execution stored, oldest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn of_run(&self, run: RunId, limit: u32) -> Result<Vec<DocumentLine>, StoreError> {
        let rows =
            self.db.read("select_documents_of_run", vec![run.to_string().into(), i64::from(limit).into()]).await?;
        rows.iter().map(read_line).collect()
    }
}

fn read_line(row: &Row) -> Result<DocumentLine, StoreError> {
    Ok(DocumentLine {
        id: row.parse("id")?,
        run: row.parse("run_id")?,
        name: row.text("name")?,
        media_type: row.text_or_null("media_type")?,
        size: row.int_or_null("size")?.and_then(|size| u64::try_from(size).ok()),
        language: row.text_or_null("language")?,
        created_at: Timestamp::from_micros(row.int("created_at")?),
    })
}

/// A chunk of a document: its place among the others, where it starts and how long it is, and its vector.
type ChunkRow = (DocumentId, usize, usize, usize, Vec<u8>);

/// The chunks of a text with their vectors. Much arithmetic for a long text: on a thread of its own.
async fn vectors(document: &NewDocument) -> Result<Vec<ChunkRow>, StoreError> {
    if !document.has_vectors {
        return Ok(Vec::new());
    }
    let (id, text) = (document.id, document.text.clone());
    let work = move || {
        let (mut byte, mut character) = (0, 0);
        let rows = chunks::split(&text).enumerate().map(|(position, chunk)| {
            character += text[byte..chunk.start].chars().count();
            byte = chunk.start;
            let vector = embedding::to_bytes(&embedding::embed(chunk.text));
            let length = chunk.text.chars().count();
            (id, position, character, length, vector)
        });
        rows.collect()
    };
    // It can only fail by a panic, or because the process ends.
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)
}

fn write_document(write: &mut Write, document: &NewDocument, sha256: &str) {
    let NewDocument { id, step_key, run, name, media_type, size, file_id, language, at, .. } = document;
    let (analysis, pages) = (document.analysis.as_ref().map(Json), Json(&document.pages));
    let row: [&dyn Cell; 12] =
        [id, step_key, run, name, &sha256, media_type, size, file_id, language, &analysis, &pages, at];
    write.row("insert_document", &row);
    write.row("insert_document_text", &[id, name, &document.text]);
}

/// The text without the few control characters that would end it in SQLite or stand for marks in a snippet; one
/// space for each, so that every place stays where it was.
fn cleaned(mut document: NewDocument) -> NewDocument {
    let is_mark = |c: char| matches!(c, '\0' | '\u{2}'..='\u{4}');
    for text in [&mut document.text, &mut document.name] {
        if text.contains(is_mark) {
            *text = text.replace(is_mark, " ");
        }
    }
    document
}

fn fingerprint(text: &str) -> String {
    hex::of(&Sha256::digest(text.as_bytes()))
}
