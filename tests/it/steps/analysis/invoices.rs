//! Real invoices: the fields that a bookkeeper would type, found by rules alone.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use workflow::steps::document::analyze::Analyze;

use super::workbench::run;

type Expected = BTreeMap<String, BTreeMap<String, String>>;

/// Fields that differ from the page, are not on it, or are account numbers with wrong check digits.
const UNFINDABLE: usize = 8;

#[tokio::test]
async fn nine_of_ten_fields_of_the_invoices_are_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/analysis/invoices");
    let expected = std::fs::read_to_string(folder.join("expected.json")).expect("the fixture is there");
    let expected: Expected = serde_json::from_str(&expected).expect("the fixture is JSON");
    let (mut right, mut all, mut table) = (0, 0, String::new());
    for (name, fields) in &expected {
        let text = std::fs::read_to_string(folder.join(format!("{name}.txt"))).expect("the fixture is there");
        let done = run(&Analyze, json!({}), json!({ "text": text })).await.expect("the step completes");
        for (field, truth) in fields {
            let found = done.outputs["fields"][field].as_str().unwrap_or("-").to_owned();
            let is_right = same(&found, truth);
            (right, all) = (right + usize::from(is_right), all + 1);
            if !is_right {
                table.push_str(&format!("{name}: {field} is `{truth}`, found `{found}`\n"));
            }
        }
    }
    assert!(right * 10 >= all * 9, "only {right} of {all}:\n{table}");
    assert!(all - right <= UNFINDABLE, "{right} of {all}:\n{table}");
}

/// Numbers are compared as numbers: `0` is `0.00`.
fn same(found: &str, truth: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|_| text.len() < 12);
    found == truth || number(found).is_some_and(|found| number(truth) == Some(found))
}
