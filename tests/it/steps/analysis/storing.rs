//! `store` and `search`: what is kept is found, once, whatever people type.

use serde_json::{Value, json};
use tempfile::TempDir;
use workflow::contract::step::StepHandler;
use workflow::domain::id::DocumentId;
use workflow::steps::document::search::Search;
use workflow::steps::document::store::StoreDocument;
use workflow::store::Store;
use workflow::store::db::{Durability, Settings};

use super::workbench::{run, run_as};

struct Bench {
    store: Store,
    keep: StoreDocument,
    search: Search,
    _folder: TempDir,
}

async fn bench() -> Bench {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = Settings {
        database: folder.path().join("workflow.db"),
        files: folder.path().join("files"),
        durability: Durability::Relaxed,
    };
    let store = Store::open(&settings).await.expect("the store opens");
    Bench { keep: StoreDocument::new(store.clone()), search: Search::new(store.clone()), store, _folder: folder }
}

impl Bench {
    async fn keep(&self, key: &str, config: Value, ports: Value) -> Value {
        let done = run_as(key, &self.keep, config, ports).await.expect("the step completes");
        done.outputs["stored"].clone()
    }

    async fn text(&self, key: &str, text: &str) -> Value {
        self.keep(key, json!({ "vector_store": true }), json!({ "text": text })).await
    }

    async fn find(&self, words: &str) -> Vec<Value> {
        let done = run(&self.search, json!({ "query": words }), json!({})).await.expect("the step completes");
        done.outputs["results"].as_array().cloned().expect("results are a list")
    }

    async fn names(&self, words: &str) -> Vec<String> {
        let results = self.find(words).await;
        results.iter().map(|hit| hit["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

const LETTER: &str = "Rechnung Nummer 471102\n\nFür die Straßenreinigung berechnen wir 235,62 EUR. Größe und Maß nach \
                      Müllers Angebot.";

#[tokio::test]
async fn a_stored_document_is_found_by_its_words_with_a_snippet_and_page() {
    let bench = bench().await;
    let document = json!({
        "file_id": "file_00000000000000000000000001", "name": "brief.pdf", "size": 5,
        "sha256": "ab".repeat(32), "type": "pdf",
    });
    let pages = json!([{ "number": 1, "text": "Anschreiben ohne Belang" }, { "number": 2, "text": LETTER }]);
    let text = format!("Anschreiben ohne Belang\n\n{LETTER}");
    let ports = json!({ "document": document, "text": text, "pages": pages, "analysis": { "language": "deu" } });
    let stored = bench.keep("one", json!({ "destination": "database", "vector_store": true }), ports).await;
    assert_eq!(stored["duplicate_of"], Value::Null);
    assert_eq!(stored["pages"], 2);
    assert!(stored["vectors"].as_u64() > Some(0), "{stored}");
    let results = bench.find("straßenreinigung").await;
    assert_eq!(results.len(), 1, "{results:?}");
    assert_eq!(results[0]["document_id"], stored["document_id"]);
    assert_eq!(
        (&results[0]["name"], &results[0]["page"], &results[0]["language"]),
        (&json!("brief.pdf"), &json!(2), &json!("deu"))
    );
    let snippet = results[0]["snippet"].as_str().unwrap_or_default();
    assert!(snippet.contains("**Straßenreinigung**") && !snippet.contains('\n'), "{snippet}");
    let id: DocumentId = stored["document_id"].as_str().and_then(|id| id.parse().ok()).expect("a document id");
    let found = bench.store.documents().find(id).await.expect("the store reads").expect("the document is there");
    assert_eq!((found.text.as_str(), found.language.as_deref()), (text.as_str(), Some("deu")));
    assert_eq!(found.analysis, Some(json!({ "language": "deu" })));
}

#[tokio::test]
async fn a_repeat_of_a_step_replaces_what_it_stored() {
    let bench = bench().await;
    let first = bench.text("one", "Apfel Birne").await;
    let again = bench.text("one", "Kirsche Pflaume").await;
    assert_eq!(first["document_id"], again["document_id"]);
    assert_eq!(again["duplicate_of"], Value::Null);
    assert_eq!(bench.names("Apfel").await, [""; 0]);
    assert_eq!(bench.names("Kirsche").await, ["Kirsche Pflaume"]);
    let same = bench.text("one", "Kirsche Pflaume").await;
    assert_eq!(same["duplicate_of"], Value::Null);
    assert_eq!(bench.find("Kirsche").await.len(), 1);
}

#[tokio::test]
async fn the_same_content_of_another_step_names_the_first() {
    let bench = bench().await;
    let first = bench.text("one", LETTER).await;
    let second = bench.text("two", LETTER).await;
    assert_eq!(second["duplicate_of"], first["document_id"]);
    assert_ne!(second["document_id"], first["document_id"]);
    assert_eq!(bench.find("471102").await.len(), 2);
}

#[tokio::test]
async fn what_people_type_is_words_and_never_syntax() {
    let bench = bench().await;
    bench.text("one", LETTER).await;
    for words in [
        "\"471102",
        "-471102",
        "471102*",
        "name:471102",
        "(471102",
        "NEAR(471102",
        "471102 AND",
        "^471102",
        "471102'--",
    ] {
        assert_eq!(bench.find(words).await.len(), 1, "{words}");
    }
    for words in ["", " ", "\"-*()", "💥"] {
        let fault = run(&bench.search, json!({ "query": words }), json!({})).await.expect_err("refused");
        assert_eq!(fault.code.id(), "WF2204", "{words}");
    }
}

#[tokio::test]
async fn words_are_found_in_other_spellings_and_inside_longer_words() {
    let bench = bench().await;
    bench.text("one", LETTER).await;
    for words in
        ["RECHNUNG", "strassenreinigung", "Strasse", "groesse", "grosse", "Muller", "Mueller", "müllers", "Straßen"]
    {
        assert_eq!(bench.find(words).await.len(), 1, "{words}");
    }
    for words in ["Reinigung", "4711"] {
        let is_prefix = words == "4711";
        assert_eq!(bench.find(words).await.len(), usize::from(is_prefix), "{words}");
    }
}

#[tokio::test]
async fn all_words_come_before_any_word_and_exact_words_before_longer_ones() {
    let bench = bench().await;
    bench.keep("one", json!({}), json!({ "text": "Apfel\nBirne und mehr" })).await;
    bench.keep("two", json!({}), json!({ "text": "Apfelkuchen\nund Sahne" })).await;
    bench.keep("three", json!({}), json!({ "text": "Birnen\nallein" })).await;
    assert_eq!(bench.names("apfel birne").await, ["Apfel"]);
    assert_eq!(bench.names("apfel").await, ["Apfel", "Apfelkuchen"]);
    let mut any = bench.names("sahne birnen").await;
    any.sort();
    assert_eq!(any, ["Apfelkuchen", "Birnen"]);
    assert_eq!(bench.names("zwetschge").await, [""; 0]);
}

#[tokio::test]
async fn a_misread_document_is_found_by_likeness_when_it_has_vectors() {
    let bench = bench().await;
    let misread = "Beltragsrechnurg Haftpflichtversicheruug Versicherungsscheln";
    bench.text("one", misread).await;
    bench.keep("two", json!({}), json!({ "text": format!("Kopie: {misread}") })).await;
    bench.text("three", "Ein Brief über das Wetter im Gebirge und den Schnee im Tal").await;
    let found = bench.names("Beitragsrechnung Haftpflichtversicherung").await;
    assert_eq!(found, [misread], "only the one with vectors");
}

#[tokio::test]
async fn a_long_document_is_kept_in_many_commits_and_found_as_one() {
    let bench = bench().await;
    let text: String = (0..4_000).map(|n| format!("Zeile {n} über dies und das und noch etwas mehr.\n")).collect();
    let stored = bench.text("one", &text).await;
    assert!(stored["vectors"].as_u64() > Some(200), "{stored}");
    assert_eq!(bench.find("3999").await.len(), 1);
    let again = bench.text("one", &text).await;
    assert_eq!(again["vectors"], stored["vectors"]);
    assert_eq!(bench.find("3999").await.len(), 1);
}

#[tokio::test]
async fn control_characters_in_a_text_neither_cut_it_nor_mark_it() {
    let bench = bench().await;
    bench.text("one", "vorher\u{0} \u{2}mitte\u{3} nachher").await;
    let results = bench.find("nachher").await;
    assert_eq!(results[0]["snippet"], "vorher mitte **nachher**");
}

#[tokio::test]
async fn nothing_bound_is_refused_and_no_text_is_a_warning() {
    let bench = bench().await;
    let fault = run(&bench.keep, json!({}), json!({})).await.expect_err("refused");
    assert_eq!(fault.code.id(), "WF2202");
    let fault = run(&bench.keep, json!({ "destination": "moon" }), json!({ "text": "x" })).await.expect_err("refused");
    assert_eq!(fault.code.id(), "WF2001");
    let fault = run(&bench.keep, json!({}), json!({ "text": 5 })).await.expect_err("refused");
    assert_eq!(fault.code.id(), "WF2201");
    let done = run(&bench.keep, json!({}), json!({ "text": "" })).await.expect("the step completes");
    assert_eq!(done.warnings.len(), 1);
    let pages = json!([{ "number": 3, "text": "nur Seiten" }]);
    let done = run_as("two", &bench.keep, json!({}), json!({ "pages": pages })).await.expect("the step completes");
    assert_eq!(done.outputs["stored"]["characters"], 10);
    assert_eq!(bench.find("seiten").await[0]["page"], 3);
}

#[tokio::test]
async fn the_declarations_list_every_key_port_and_output() {
    let bench = bench().await;
    let (keep, search) = (bench.keep.declare(), bench.search.declare());
    for (declared, keys) in [(&keep, ["destination", "vector_store"]), (&search, ["query", "limit"])] {
        for key in keys {
            assert!(declared.config["properties"].get(key).is_some(), "{key}");
        }
        assert!(declared.produces.iter().all(|port| declared.outputs.contains(&port.name)));
    }
    assert!(keep.consumes.iter().all(|port| !port.required), "each port of `store` may be left open");
}
