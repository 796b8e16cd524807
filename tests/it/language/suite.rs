//! The YAML test suite: no crash, no hang, and a count that may only grow.

use serde_json::Value;
use workflow::language::Source;
use workflow::language::source::tree;

/// Of 212 cases 186 read as the suite says; the count may only grow. 24 more are YAML that the language refuses by a
/// rule of its own: 8 keys that are lists or maps, 6 files with several documents, 6 with tags other than those of
/// the plain types, 3 empty ones, 1 duplicate key.
const AS_EXPECTED: usize = 186;
const REFUSED: usize = 24;
/// A tab at the start of a continued text in quotes, which we accept; two versions in one `%YAML`, which we refuse.
const DIFFERENT: [&str; 2] = ["DK95-01", "ZYU8-02"];

#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// As the suite says: the right value, or refused as it must be.
    Expected,
    /// Refused by a rule of the language, although it is YAML.
    Refused(&'static str),
    /// Anything else.
    Different,
}

fn ending(case: &Value) -> Ending {
    let yaml = case["yaml"].as_str().expect("each case has its text");
    let must_fail = case["fail"].as_bool().expect("each case says whether it must fail");
    let read = tree(&Source::new("case.yaml", yaml));
    let (value, report) = match read {
        Ok(value) => (Some(value), None),
        Err(report) => (None, Some(report)),
    };
    match (must_fail, value, report) {
        (true, None, _) => Ending::Expected,
        (true, Some(_), _) => Ending::Different,
        (false, Some(value), _) => match case["json_documents"].as_array().map(Vec::as_slice) {
            Some([expected]) if *expected == value => Ending::Expected,
            // Valid, but JSON cannot say what it means (or several documents, which would have been refused).
            None => Ending::Expected,
            _ => Ending::Different,
        },
        (false, None, report) => {
            let report = report.unwrap_or_default();
            match report.problems.first().map(|problem| problem.code.id()) {
                Some("WF1006") => Ending::Refused("several documents"),
                Some("WF1007") => Ending::Refused("a tag"),
                Some("WF1008") => Ending::Refused("a merge key"),
                Some("WF1005") => Ending::Refused("a duplicate key"),
                Some("WF1003") => Ending::Refused("a byte order mark or control character"),
                Some("WF1010") => Ending::Refused("an empty file"),
                Some("WF1001") if report.problems[0].message.starts_with("a key must be a word") => {
                    Ending::Refused("a key that is a list or map")
                }
                _ => Ending::Different,
            }
        }
    }
}

#[test]
fn the_yaml_suite_reads_as_expected_or_is_refused_by_a_rule() {
    let suite = include_str!("../../fixtures/language/yaml-suite/yaml-suite.json");
    let cases: Vec<Value> = serde_json::from_str(suite).expect("the suite is JSON");
    let endings: Vec<_> = cases.iter().map(|case| (case["id"].as_str().unwrap_or_default(), ending(case))).collect();
    let count = |wanted: fn(&Ending) -> bool| endings.iter().filter(|(_, ending)| wanted(ending)).count();
    let expected = count(|ending| *ending == Ending::Expected);
    let refused = count(|ending| matches!(ending, Ending::Refused(_)));
    let different: Vec<_> =
        endings.iter().filter(|(_, ending)| *ending == Ending::Different).map(|(id, _)| *id).collect();
    let summary = format!("{expected} as expected, {refused} refused by a rule, different: {different:?}");
    assert_eq!(cases.len(), 212);
    assert!(different.iter().all(|id| DIFFERENT.contains(id)), "{summary}");
    assert!(expected >= AS_EXPECTED && expected + refused >= AS_EXPECTED + REFUSED, "{summary}");
}
