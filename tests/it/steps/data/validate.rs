//! `validate` as a step: which schema, strict or not, and the words in which it refuses.

use serde_json::json;
use workflow::domain::code;
use workflow::steps::data::Validate;

use super::{after, outputs};

fn schema() -> serde_json::Value {
    json!({"properties": {"price": {"type": "number"}}, "required": ["id"]})
}

fn rows() -> serde_json::Value {
    json!({"source": "erp", "records": [{"id": 1, "price": 1.5}, {"id": 2}, {"id": 3, "price": "12,50"}, {"price": 2}]})
}

#[tokio::test]
async fn strict_refuses_with_the_row_and_the_cell() {
    let step = Validate::new(Vec::new());
    let fault = after(&step, &rows(), json!({ "schema": schema() })).await.expect_err("strict is usual");
    assert_eq!(fault.code, code::WF2421);
    assert_eq!(
        fault.message,
        "2 of 4 rows do not fit the schema of the step: row 3, /price: \"12,50\" is not of type \"number\"; \
         row 4, \"id\" is a required property"
    );
}

#[tokio::test]
async fn otherwise_bad_rows_are_put_aside_with_a_warning() {
    let step = Validate::new(Vec::new());
    let done = after(&step, &rows(), json!({ "schema": schema(), "strict": false })).await.expect("good rows");
    let given = outputs(&done);
    assert_eq!(given["records"], json!([{"id": 1, "price": 1.5}, {"id": 2}]), "nothing was converted to fit");
    assert_eq!((&given["report"]["valid"], &given["report"]["rejected"]), (&json!(2), &json!(2)));
    assert_eq!(given["rejects"][0]["row"], 3);
    assert_eq!(given["rejects"][0]["errors"][0]["pointer"], "/price");
    assert!(done.warnings[0].starts_with("2 of 4 rows do not fit"), "{:?}", done.warnings);
}

#[tokio::test]
async fn a_schema_file_is_found_in_its_folders_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let schemas = folder.path().join("schemas");
    std::fs::create_dir(&schemas).expect("made");
    std::fs::write(schemas.join("orders.json"), schema().to_string()).expect("written");
    std::fs::write(folder.path().join("outside.json"), "{}").expect("written");
    let step = Validate::new(vec![folder.path().join("templates"), schemas.clone()]);
    let fault = after(&step, &rows(), json!({ "schema": "orders.json" })).await.expect_err("bad rows");
    assert!(fault.message.starts_with("2 of 4 rows do not fit `orders.json`: "), "{fault}");
    for name in ["../outside.json", "/etc/passwd", "none.json"] {
        let fault = after(&step, &rows(), json!({ "schema": name })).await.expect_err("not there");
        assert_eq!((fault.code, fault.place.as_deref()), (code::WF2420, Some("step.config.schema")), "{name}");
    }
    // One's own file of the shipped name stands before the shipped one.
    std::fs::write(schemas.join("data_schema.json"), "{}").expect("written");
    after(&step, &rows(), json!({ "schema": "data_schema.json" })).await.expect("anything goes");
    std::fs::write(schemas.join("data_schema.json"), "{\"type\": 5}").expect("written");
    let fault = after(&step, &rows(), json!({ "schema": "data_schema.json" })).await.expect_err("no schema");
    assert_eq!(fault.code, code::WF2420);
}

#[tokio::test]
async fn the_sample_schema_says_that_it_is_one() {
    let step = Validate::new(Vec::new());
    let fault = after(&step, &rows(), json!({ "schema": "data_schema.json" })).await.expect_err("other rows");
    assert!(fault.remedy().contains("sample set"), "{fault:?}");
    assert!(fault.message.contains("; and "), "the first problems, and how many more: {fault}");
}

#[tokio::test]
async fn nothing_is_fetched_for_a_schema() {
    let step = Validate::new(Vec::new());
    for reference in ["http://127.0.0.1:1/s.json", "file:///etc/hostname"] {
        let fault = after(&step, &rows(), json!({ "schema": { "$ref": reference } })).await.expect_err("refused");
        assert_eq!(fault.code, code::WF2420, "{fault}");
    }
}
