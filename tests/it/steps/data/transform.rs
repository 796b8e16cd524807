//! `transform`, `process` and `merge` as steps; what they do to a row is tested beside the code.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use workflow::contract::step::Bound;
use workflow::domain::code;
use workflow::steps::data::{Merge, Process, Transform};

use super::{after, outputs, run};
use crate::support::attempt::attempt;

#[tokio::test]
async fn operations_run_in_written_order_and_are_counted() {
    let rows = json!({"source": "erp.acme.eu", "records": [
        {"SKU": " 007 ", "Price": "1.50"}, {"SKU": "007", "Price": "1.50"}, {"SKU": "8", "Price": ""},
    ]});
    let config = json!({ "operations": ["normalize", "deduplicate", "enrich"], "key": "sku",
        "types": { "price": "number" }, "set": { "currency": "EUR" } });
    let done = after(&Transform, &rows, config).await.expect("rows");
    let given = outputs(&done);
    let mut first = given["records"][0].clone();
    let meta = first.as_object_mut().expect("a row").remove("_meta").expect("what is known of it");
    assert_eq!(first, json!({"sku": "007", "price": 1.5, "currency": "EUR"}));
    assert_eq!((&meta["source"], &meta["row"]), (&json!("erp.acme.eu"), &json!(1)));
    assert_eq!(given["records"][1]["_meta"]["row"], 3, "rows keep the number that they came with");
    assert_eq!(given["records"][1]["price"], Value::Null);
    assert_eq!((&given["rows"], &given["dropped"]), (&json!(2), &json!(1)));
    assert_eq!(given["rejects"][0]["reason"], "the same `sku` as row 1");
    assert_eq!(
        given["counts"],
        json!([
            {"operation": "normalize", "in": 3, "cells_changed": 2, "columns_renamed": 2, "out": 3},
            {"operation": "deduplicate", "in": 3, "dropped": 1, "key": ["sku"], "out": 2},
            {"operation": "enrich", "in": 2, "out": 2},
        ])
    );
}

#[tokio::test]
async fn a_double_with_other_content_is_told() {
    let rows = json!({"records": [{"id": 1, "a": 1}, {"id": 1, "a": 2}]});
    let done = after(&Transform, &rows, json!({ "operations": ["deduplicate"] })).await.expect("rows");
    assert!(done.warnings[0].contains("other content"), "{:?}", done.warnings);
    assert_eq!(done.outputs["rejects"][0]["record"], json!({"id": 1, "a": 2}), "and nothing is lost");
}

#[tokio::test]
async fn a_rule_without_its_operation_is_refused() {
    let rows = json!({"records": []});
    for (rule, value) in [("key", json!("id")), ("set", json!({"a": 1}))] {
        let fault = after(&Transform, &rows, json!({ rule: value })).await.expect_err("refused");
        assert_eq!((fault.code, fault.place), (code::WF2001, Some(format!("step.config.{rule}"))));
    }
    for config in [
        json!({ "operations": ["shuffle"] }),
        json!({ "operations": ["enrich"], "set": { "_meta": 1 } }),
        json!({ "x": 1 }),
    ] {
        assert_eq!(after(&Transform, &rows, config).await.expect_err("refused").code, code::WF2001);
    }
}

#[tokio::test]
async fn what_are_no_rows_is_refused() {
    assert_eq!(run(&Transform, &attempt(json!({}))).await.expect_err("nothing").code, code::WF2401);
    for records in [json!("x"), json!([1]), json!([{"a": 1}, null])] {
        let fault = after(&Transform, &json!({ "records": records }), json!({})).await.expect_err("no rows");
        assert_eq!(fault.code, code::WF2402, "{fault}");
    }
}

#[tokio::test]
async fn process_does_what_transform_does() {
    let rows = json!({"records": [{"A b": " x "}]});
    let done = after(&Process, &rows, json!({ "operation": "transform" })).await.expect("rows");
    assert_eq!(done.outputs["records"], json!([{"a_b": "x"}]));
    let fault = after(&Process, &rows, json!({ "operation": "translate" })).await.expect_err("unknown");
    assert_eq!(fault.code, code::WF2001);
}

#[tokio::test]
async fn merge_joins_what_was_given_and_says_from_where() {
    let bound = |outputs: Value| {
        let Value::Object(outputs) = outputs else { panic!("an object") };
        Bound::Output(Arc::new(outputs), "response".to_owned())
    };
    let mut attempt = attempt(json!({}));
    attempt.ports = BTreeMap::from([
        ("south".to_owned(), bound(json!({"records": [{"n": 2}], "source": "s"}))),
        ("north".to_owned(), bound(json!({"records": [{"n": 1}], "response": {"status": 200}}))),
        ("words".to_owned(), bound(json!({"text": "hello"}))),
    ]);
    let given = outputs(&run(&Merge, &attempt).await.expect("merged"));
    assert_eq!(given["records"], json!([{"n": 1, "_from": "north"}, {"n": 2, "_from": "south"}]));
    assert_eq!(given["merged"]["words"], json!({"text": "hello"}));
    assert_eq!(given["merged"]["north"], json!({"response": {"status": 200}}));
    assert_eq!((&given["rows"], &given["source"]), (&json!(2), &json!("s")));
    attempt.ports.clear();
    assert_eq!(run(&Merge, &attempt).await.expect_err("nothing").code, code::WF2401);
}
