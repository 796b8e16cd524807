//! Whatever the text: no panic, offsets that hold, the same answer twice.

use proptest::prelude::*;
use serde_json::Value;
use workflow::steps::document::analysis::keywords;
use workflow::steps::document::analysis::language::Language;
use workflow::steps::document::analysis::sentiment::Sentiment;
use workflow::steps::document::entities::entity::EntityType;
use workflow::steps::document::entities::find::{Findings, find};

/// Pieces that make texts come near what the rules look for.
const PIECES: &[&str] = &[
    "Rechnung Nr. ",
    "Rechnungsnummer\n",
    "Datum: ",
    "05.03.2013",
    "5. März 2013",
    "March 5, 2013",
    "31/12/",
    "1.234,56",
    " €",
    "EUR ",
    "-",
    "$",
    "DE08 7009 0100 1234 5678 90",
    "DE08",
    "BIC: ",
    "GENODEF1M04",
    "a@b.de",
    "https://x.de/",
    "Tel. ",
    "+49 30 123456",
    "USt-IdNr: DE123456789",
    "Summe netto ",
    "Gesamt ",
    "Müller GmbH",
    "Herr ",
    "ß",
    "İ",
    "ﬁ",
    "😀",
    "\u{301}",
    "\u{a0}",
    "\u{0}",
    "\n",
    "   ",
    "!",
    "wunderbar nicht ",
    "and the ",
    "der und ",
];

fn near_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![proptest::sample::select(PIECES).prop_map(str::to_owned), ".{0,6}", "[0-9., /-]{1,8}"];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn all(text: &str, language: &str) -> Findings {
    find(text, language, &EntityType::ALL, &|_| None)
}

fn check(text: &str) {
    let language = Language::of(text);
    let first = all(text, &language.code);
    let mut last_end = 0;
    for entity in &first.entities {
        assert!(entity.start >= last_end && entity.end > entity.start, "{entity:?}");
        let slice: String = text.chars().skip(entity.start).take(entity.end - entity.start).collect();
        assert_eq!(slice, entity.text);
        assert!((0.0..=1.0).contains(&entity.confidence));
        last_end = entity.end;
    }
    let again = all(text, &language.code);
    assert_eq!(serde_json::to_value(&first.entities).ok(), serde_json::to_value(&again.entities).ok());
    for code in ["deu", "eng"] {
        let language = Language::named(code).expect("a known code");
        let mood = Sentiment::of(text, &language);
        assert!(mood.score.is_some_and(|score| (-1.0..=1.0).contains(&score)), "{mood:?}");
        let words = keywords::find(text, code, 10);
        assert!(words.len() <= 10 && words == keywords::find(text, code, 10));
        assert_eq!(serde_json::to_value(mood).ok().map(|mood| mood["language"].clone()), Some(Value::from(code)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_analysis(text in ".{0,300}") {
        check(&text);
    }

    #[test]
    fn no_text_near_the_rules_breaks_the_analysis(text in near_text()) {
        check(&text);
    }
}
