//! The step as a workflow meets it: ports, config, outputs, warnings.

use serde_json::{Value, json};
use workflow::contract::step::StepHandler;
use workflow::steps::document::analyze::Analyze;

use super::workbench::run;

const LETTER: &str = "Sehr geehrte Damen und Herren,\n\nder Service war wunderbar, vielen Dank! Bitte überweisen Sie \
                      235,62 € bis zum 05.03.2013 auf DE08 7009 0100 1234 5678 90.\n";

#[tokio::test]
async fn a_letter_gives_language_entities_sentiment_and_keywords() {
    let done = run(&Analyze, json!({}), json!({ "text": LETTER })).await.expect("the step completes");
    let outputs = Value::Object(done.outputs);
    assert_eq!(outputs["language"], "deu");
    assert_eq!(outputs["sentiment"]["label"], "positive");
    assert_eq!(outputs["sentiment"]["language"], "deu");
    let seen: Vec<_> = outputs["entities"]
        .as_array()
        .expect("entities are a list")
        .iter()
        .map(|one| (one["type"].as_str().unwrap_or_default(), one["value"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(seen, [("amount", "235.62"), ("date", "2013-03-05"), ("iban", "DE08700901001234567890")]);
    for name in ["language", "entities", "sentiment", "keywords", "fields"] {
        assert_eq!(outputs["analysis"][name], outputs[name], "{name}");
    }
    assert_eq!(outputs["fields"]["due_date"], "2013-03-05");
    assert_eq!(done.warnings, Vec::<String>::new());
}

#[tokio::test]
async fn a_seed_config_is_understood_and_a_misspelt_key_is_named() {
    let seed = json!({ "extract_entities": true, "sentiment_analysis": true });
    assert!(run(&Analyze, seed, json!({ "text": LETTER })).await.is_ok());
    let fault = run(&Analyze, json!({ "sentiments": true }), json!({ "text": LETTER })).await.expect_err("refused");
    assert_eq!(fault.code.id(), "WF2001");
    assert!(fault.message.contains("sentiments"), "{fault}");
}

#[tokio::test]
async fn what_is_turned_off_is_not_done() {
    let config = json!({ "extract_entities": false, "sentiment_analysis": false, "keywords": 0 });
    let done = run(&Analyze, config, json!({ "text": LETTER })).await.expect("the step completes");
    assert_eq!(done.outputs["entities"], json!([]));
    assert_eq!(done.outputs["sentiment"], Value::Null);
    assert_eq!(done.outputs["keywords"], json!([]));
    let config = json!({ "entity_types": ["iban"] });
    let done = run(&Analyze, config, json!({ "text": LETTER })).await.expect("the step completes");
    assert_eq!(done.outputs["entities"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_empty_text_completes_with_a_warning() {
    for ports in [json!({ "text": " \n" }), json!({ "text": null }), json!({})] {
        let done = run(&Analyze, json!({}), ports).await.expect("the step completes");
        assert_eq!(done.outputs["language"], "unknown");
        assert_eq!(done.outputs["sentiment"]["score"], Value::Null);
        assert_eq!(done.warnings.len(), 1);
    }
}

#[tokio::test]
async fn a_value_that_is_no_text_is_refused() {
    let fault = run(&Analyze, json!({}), json!({ "text": 5 })).await.expect_err("refused");
    assert_eq!(fault.code.id(), "WF2201");
}

#[tokio::test]
async fn an_entity_knows_its_page_in_a_long_document() {
    let filler = "Dies ist eine Zeile, die nichts sagt.\n".repeat(800);
    let pages = [filler.trim_end(), "Bitte zahlen Sie 17,00 EUR."];
    let ports = json!({
        "text": pages.join("\n\n"),
        "pages": [{ "number": 1, "text": pages[0] }, { "number": 2, "text": pages[1] }],
    });
    let done = run(&Analyze, json!({}), ports).await.expect("the step completes");
    assert_eq!(done.outputs["entities"][0]["page"], 2);
}

#[tokio::test]
async fn a_named_language_is_not_guessed() {
    let done = run(&Analyze, json!({ "language": "en" }), json!({ "text": LETTER })).await.expect("the step completes");
    assert_eq!(done.outputs["language"], "eng");
    let fault = run(&Analyze, json!({ "language": "Klingon" }), json!({ "text": LETTER })).await.expect_err("refused");
    assert_eq!(fault.code.id(), "WF2001");
}

#[test]
fn the_declaration_lists_every_output_and_a_schema_for_every_key() {
    let declared = Analyze.declare();
    for key in ["extract_entities", "sentiment_analysis", "keywords", "entity_types", "language"] {
        assert!(declared.config["properties"].get(key).is_some(), "{key}");
    }
    assert!(declared.produces.iter().all(|port| declared.outputs.contains(&port.name)));
}

#[tokio::test]
async fn a_text_beyond_the_limit_is_read_to_there_with_a_warning() {
    let text = "ü ".repeat(4 * 1024 * 1024); // 12 MiB; the limit falls into a character
    let config = json!({ "extract_entities": false, "sentiment_analysis": false, "keywords": 0 });
    let done = run(&Analyze, config, json!({ "text": text })).await.expect("the step completes");
    assert!(done.warnings[0].contains("10485760"), "{:?}", done.warnings);
}
