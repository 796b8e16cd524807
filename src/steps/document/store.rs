//! `store`: keeps a document, its text and what was found in it, and makes them findable.
//!
//! A repeat of the same step replaces what it stored before: it cannot double. The same content stored by another
//! step is a second document, which says which one it repeats.

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::analysis::pages::PageStarts;
use super::value::Document;
use crate::contract::step::{Attempt, Done, Effect, StepHandler, StepResult, Undone};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::{DocumentId, RunId};
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
use crate::store::documents::archive::NewDocument;
use crate::store::documents::embedding::HASH;
use crate::store::{Store, StoreError};

/// A longer text is refused: it would hold up everybody who writes.
const LONGEST: usize = 16 * 1024 * 1024;
/// A document without a name is called by its first line, cut here.
const LONGEST_NAME: usize = 80;

/// Where documents are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// The database of this installation.
    #[default]
    Database,
}

/// The config of a `store` step.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Where to keep the document.
    pub destination: Destination,
    /// Also make vectors, so that documents with alike words are found, misread ones too.
    pub vector_store: bool,
}

/// The `store` step.
pub struct StoreDocument {
    store: Store,
}

impl StoreDocument {
    /// A `store` step that keeps documents in this store.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    async fn keep(&self, attempt: &Attempt) -> StepResult {
        let config: StoreConfig = attempt.config()?;
        let document = document(attempt, config.vector_store)?;
        let (id, name, characters) = (document.id, document.name.clone(), document.text.chars().count());
        let pages = document.pages.len();
        let kept = self.store.documents().keep(document).await.map_err(|error| store_fault(&error))?;
        let mut stored = json!({
            "document_id": id,
            "name": name,
            "destination": config.destination,
            "characters": characters,
            "pages": pages,
            "chunks": kept.vectors,
            "vectors": kept.vectors,
            "duplicate_of": kept.duplicate_of,
        });
        if config.vector_store {
            stored["model"] = json!(format!("{}/{}", HASH.provider, HASH.model));
        }
        let mut done = Done::with(json!({ "stored": stored, "document_id": id }));
        if let Some(first) = kept.duplicate_of {
            done = done.warn(format!("the same content is stored already, as `{first}`"));
        }
        if characters == 0 {
            done = done.warn("the document has no text: it can be found by its name only");
        }
        done.into()
    }
}

impl StepHandler for StoreDocument {
    fn declare(&self) -> StepType {
        StepType {
            name: "store",
            summary: "keeps a document with its text and analysis, and makes it findable",
            config: schemars::schema_for!(StoreConfig).to_value(),
            consumes: vec![
                Port::takes("document", PortType::Document),
                Port::takes("text", PortType::Text),
                Port::takes("pages", PortType::Pages),
                Port::takes("analysis", PortType::Analysis),
            ],
            produces: vec![Port::gives("stored", PortType::Receipt)],
            outputs: &["stored", "document_id"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::ByItself,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(self.keep(attempt))
    }

    fn undo<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Result<Undone, Fault>> {
        Box::pin(async move {
            let found = self.store.documents().forget(&effect.step_key).await.map_err(|error| store_fault(&error))?;
            let what = if found { "the document was taken out of the store" } else { "the document was gone already" };
            Ok(Undone::Gone(what.to_owned()))
        })
    }
}

/// What the ports hold, as one document.
fn document(attempt: &Attempt, has_vectors: bool) -> Result<NewDocument, Fault> {
    let [file, analysis, pages] = ["document", "analysis", "pages"].map(|port| attempt.port(port));
    if file.is_none() && analysis.is_none() && pages.is_none() && attempt.port("text").is_none() {
        return Err(Fault::permanent(
            code::WF2202,
            "none of the ports `document`, `text`, `pages`, `analysis` is bound",
        ));
    }
    let file = file.map(|value| Document::from_port(Some(value))).transpose()?;
    let text = text(attempt.port("text"), pages)?;
    if text.len() > LONGEST {
        let message = format!("the text has {} bytes; at most {LONGEST} are stored", text.len());
        return Err(Fault::permanent(code::WF2205, message));
    }
    let language = analysis.and_then(|analysis| analysis["language"].as_str()).map(str::to_owned);
    Ok(NewDocument {
        id: id(attempt.run, &attempt.step_key),
        step_key: attempt.step_key.clone(),
        run: attempt.run,
        name: file.as_ref().map_or_else(|| first_line(&text, &attempt.workflow), |file| file.name.clone()),
        sha256: file.as_ref().map(|file| file.sha256.to_string()),
        media_type: file.as_ref().map(|file| file.kind.media_type().to_owned()),
        size: file.as_ref().map(|file| file.size),
        file_id: file.and_then(|file| file.file_id),
        pages: PageStarts::of(&text, pages).in_characters(&text),
        language,
        analysis: analysis.cloned(),
        has_vectors,
        at: attempt.now,
        text,
    })
}

fn text(text: Option<&Value>, pages: Option<&Value>) -> Result<String, Fault> {
    if let Some(text) = text {
        let text =
            text.as_str().ok_or_else(|| Fault::permanent(code::WF2201, "the value on port `text` is not a text"))?;
        return Ok(text.to_owned());
    }
    let pages = pages.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts = pages.iter().filter_map(|page| page["text"].as_str()).map(str::trim).filter(|text| !text.is_empty());
    Ok(texts.collect::<Vec<_>>().join("\n\n"))
}

/// The id of what this step stores: the time of its run, and a digest of its key. The same for every repeat.
fn id(run: RunId, step_key: &str) -> DocumentId {
    let digest = Sha256::digest(step_key.as_bytes());
    let chance = digest.iter().take(10).fold(0u128, |bits, &byte| bits << 8 | u128::from(byte));
    DocumentId::from_bits(run.bits() >> 80 << 80 | chance)
}

fn first_line(text: &str, workflow: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(workflow);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_NAME) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// The trouble with the store as a fault of the step that met it.
pub(super) fn store_fault(error: &StoreError) -> Fault {
    let message = "the document store failed";
    let fault = match error {
        StoreError::Failed { .. } | StoreError::Closed | StoreError::Conflict(_) => {
            Fault::transient(code::WF2206, message)
        }
        _ => Fault::permanent(code::WF2206, message),
    };
    fault.context(error)
}
