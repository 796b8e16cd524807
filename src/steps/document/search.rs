//! `search`: finds stored documents by words.
//!
//! What people type is words, never syntax. Documents with all words come first; where they have vectors, documents
//! with alike words are found, too. Found words stand between `**` in the snippet.

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::store::store_fault;
use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
use crate::store::Store;
use crate::store::documents::search::{Hit, Search as Question};

/// The config of a `search` step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchConfig {
    /// The words to look for, when no step or input gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// How many documents at the most.
    #[schemars(range(min = 1, max = 100))]
    pub limit: u32,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self { query: None, limit: 10 }
    }
}

/// The `search` step.
pub struct Search {
    store: Store,
}

impl Search {
    /// A `search` step over the documents of this store.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    async fn find(&self, attempt: &Attempt) -> StepResult {
        let config: SearchConfig = attempt.config()?;
        let given = attempt.port("query").and_then(Value::as_str).map(str::to_owned);
        let words = config.query.or(given).unwrap_or_default();
        if !words.contains(char::is_alphanumeric) {
            return Err(Fault::permanent(code::WF2204, format!("there is no word in the query `{}`", words.trim()))
                .fix("give words: `config.query`, or the input `query`"));
        }
        let question = Question { words: &words, limit: config.limit, marks: ("**", "**") };
        let hits = self.store.documents().search(&question).await.map_err(|error| store_fault(&error))?;
        let results: Vec<Value> = hits.iter().map(result).collect();
        Done::with(json!({ "count": results.len(), "results": results, "query": words })).into()
    }
}

impl StepHandler for Search {
    fn declare(&self) -> StepType {
        StepType {
            name: "search",
            summary: "finds stored documents by words",
            config: schemars::schema_for!(SearchConfig).to_value(),
            consumes: vec![Port::takes("query", PortType::Text).or_inputs(&["query"])],
            produces: vec![Port::gives("results", PortType::Records)],
            outputs: &["results", "count", "query"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &["query", "limit"],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(self.find(attempt))
    }
}

fn result(hit: &Hit) -> Value {
    json!({
        "document_id": hit.id,
        "name": hit.name,
        "score": hit.score,
        "snippet": hit.snippet,
        "page": hit.page,
        "language": hit.language,
        "stored_at": hit.created_at.to_string(),
    })
}
