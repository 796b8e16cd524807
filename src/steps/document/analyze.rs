//! `analyze`: says what a text is about: language, entities, mood, keywords.
//!
//! Everything is decided by rules and word lists of this program; no text leaves the machine. The same text gives
//! the same answer. A text without a word is no failure: the step completes with a warning.

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::analysis::keywords;
use super::analysis::language::{Language, UNKNOWN};
use super::analysis::pages::PageStarts;
use super::analysis::sentiment::Sentiment;
use super::entities::entity::EntityType;
use super::entities::find::{Findings, find};
use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};

/// A longer text is read to here, with a warning.
const LONGEST: usize = 10 * 1024 * 1024;
/// A longer text is read on a thread of its own.
const QUICK: usize = 16 * 1024;
/// Keywords given at the most.
const MOST_KEYWORDS: u8 = 100;

/// The config of an `analyze` step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AnalyzeConfig {
    /// Look for entities: dates, amounts, accounts, addresses, names.
    pub extract_entities: bool,
    /// Judge the mood of the text, in English and German.
    pub sentiment_analysis: bool,
    /// How many keywords to give, at most 100; 0 gives none.
    #[schemars(range(max = 100))]
    pub keywords: u8,
    /// Which kinds of entities to give.
    pub entity_types: Vec<EntityType>,
    /// The language of the text (`de`, `deu`, `en`, `eng`, ...), when it shall not be guessed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Default for AnalyzeConfig {
    fn default() -> Self {
        Self {
            extract_entities: true,
            sentiment_analysis: true,
            keywords: 10,
            entity_types: EntityType::ALL.to_vec(),
            language: None,
        }
    }
}

/// The `analyze` step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Analyze;

impl StepHandler for Analyze {
    fn declare(&self) -> StepType {
        StepType {
            name: "analyze",
            summary: "finds the language, entities, sentiment and keywords of a text, by rules",
            config: schemars::schema_for!(AnalyzeConfig).to_value(),
            consumes: vec![
                Port::needs("text", PortType::Text).or_inputs(&["text"]),
                Port::takes("pages", PortType::Pages),
            ],
            produces: vec![Port::gives("analysis", PortType::Analysis)],
            outputs: &["analysis", "language", "entities", "sentiment", "keywords", "fields"],
            effect: EffectClass::Pure,
            cacheable: true,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(analyze(attempt))
    }
}

async fn analyze(attempt: &Attempt) -> StepResult {
    let config: AnalyzeConfig = attempt.config()?;
    let named = named_language(&config)?;
    let text = attempt.port("text").map_or(Some(""), Value::as_str).ok_or_else(|| {
        Fault::permanent(code::WF2201, "the value on port `text` is not a text")
            .fix("bind the port to the `text` of an `ocr` step, or to an input of type string")
    })?;
    let pages = attempt.port("pages");
    if text.len() <= QUICK {
        return read(text, pages, &config, named).into();
    }
    let (text, pages) = (text.to_owned(), pages.cloned());
    let work = move || read(&text, pages.as_ref(), &config, named);
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.into(),
        Err(error) => Err(Fault::permanent(code::WF4001, "analyzing the text broke").context(error)),
    }
}

fn named_language(config: &AnalyzeConfig) -> Result<Option<Language>, Fault> {
    let Some(code) = &config.language else { return Ok(None) };
    let language = Language::named(code).ok_or_else(|| {
        Fault::permanent(code::WF2001, format!("`config.language`: `{code}` is not a language code"))
            .fix("write an ISO 639 code such as `de` or `deu`, or leave the key out")
    })?;
    Ok(Some(language))
}

/// The whole analysis of a text.
fn read(text: &str, pages: Option<&Value>, config: &AnalyzeConfig, named: Option<Language>) -> Done {
    let whole = text.len();
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let mut warnings = Vec::new();
    if text.len() < whole {
        warnings.push(format!("the text has {whole} bytes; only the first {LONGEST} were analyzed"));
    }
    if text.trim().is_empty() {
        warnings.push("the text is empty: there was nothing to analyze".to_owned());
    }
    let language = named.unwrap_or_else(|| Language::of(text));
    let findings = if config.extract_entities {
        let starts = PageStarts::of(text, pages);
        find(text, &language.code, &config.entity_types, &|byte| starts.at(byte))
    } else {
        Findings::default()
    };
    let sentiment = config.sentiment_analysis.then(|| Sentiment::of(text, &language));
    let limit = usize::from(config.keywords.min(MOST_KEYWORDS));
    let keywords = keywords::find(text, &language.code, limit);
    let confidence = if language.code == UNKNOWN { 0.0 } else { language.confidence };
    let flat = json!({
        "language": language.code,
        "entities": findings.entities,
        "sentiment": sentiment,
        "keywords": keywords,
        "fields": findings.fields,
    });
    let mut analysis = flat.clone();
    analysis["language_confidence"] = json!(confidence);
    analysis["method"] = json!("rules");
    let mut done = Done::with(flat);
    done.outputs.insert("analysis".to_owned(), analysis);
    warnings.extend(findings.warnings);
    warnings.into_iter().fold(done, Done::warn)
}
