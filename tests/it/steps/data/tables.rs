//! Files that others published, and what they say that stands in them.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use workflow::domain::code;

use super::{extract, fixtures, run};
use crate::support::attempt::attempt;

async fn rows(folder: &str, config: Value) -> Result<Vec<Value>, workflow::domain::fault::Fault> {
    let step = extract(&fixtures(folder), &[]);
    let mut config = config;
    config["source"] = "file".into();
    let done = run(&step, &attempt(config)).await?;
    Ok(done.outputs["records"].as_array().expect("rows").clone())
}

#[tokio::test]
async fn the_csv_spectrum_means_what_its_publishers_say() {
    for name in ["comma_in_quotes", "empty_crlf", "json", "newlines", "quotes_and_newlines", "simple_crlf"] {
        let read = rows("spectrum", json!({ "file": format!("{name}.csv") })).await.expect("rows");
        let wanted = std::fs::read(fixtures("spectrum").join(format!("{name}.json"))).expect("there");
        let wanted: Value = serde_json::from_slice(&wanted).expect("JSON");
        assert_eq!(Value::Array(read), wanted, "{name}");
    }
}

#[tokio::test]
async fn files_of_public_offices_are_read_cell_for_cell() {
    let expected = std::fs::read(fixtures("messy").join("expected.json")).expect("there");
    let expected: Value = serde_json::from_slice(&expected).expect("JSON");
    for file in expected.as_array().expect("a list") {
        let mut config = json!({ "file": file["file"], "delimiter": file["delimiter"], "format": "csv" });
        let marked = file["encoding"] == "utf-16"; // its byte order mark says it
        for key in ["encoding"].into_iter().filter(|_| file["encoding"].is_string() && !marked) {
            config[key] = file[key].clone();
        }
        if file["header"] == false {
            let count = file["columns"].as_u64().expect("a number");
            config["columns"] = (0..count).map(|at| format!("c{at}")).collect();
        }
        let rows = rows("messy", config).await.unwrap_or_else(|fault| panic!("{fault}: {file}"));
        let cells = |row: &Value| row.as_object().expect("a row").values().cloned().collect::<Vec<_>>();
        let cells: Vec<Vec<Value>> = rows.iter().map(cells).collect();
        assert_eq!(json!(cells.len()), file["rows"], "{file}");
        let digest = Sha256::digest(json!(cells).to_string());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(json!(digest), file["sha256"], "{file}");
    }
}

#[tokio::test]
async fn codes_with_leading_zeros_stay_what_they_are() {
    let rows = rows("messy", json!({ "file": "issue-1232.csv", "delimiter": ";" })).await.expect("rows");
    assert_eq!((&rows[0]["codice_regione"], &rows[1]["codice_regione"]), (&json!("03"), &json!("00")));
    assert_eq!(rows[0]["comune"], "030151360");
}

#[tokio::test]
async fn files_that_would_lose_a_cell_are_refused_by_name() {
    let refused = rows("broken", json!({ "file": "duplicate-column.csv" })).await.expect_err("two of one name");
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (code::WF2410, "`duplicate-column.csv`: columns 2 and 3 are both called `B`")
    );
    let refused = rows("broken", json!({ "file": "structure-errors.csv" })).await.expect_err("ragged");
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (code::WF2403, "`structure-errors.csv`: line 5 has 6 cells, and there are 3 columns")
    );
    let refused = rows("messy", json!({ "file": "spanish_chars.csv" })).await.expect_err("not UTF-8");
    assert_eq!(refused.message, "`spanish_chars.csv`: line 1 is not UTF-8");
    assert!(refused.remedy().contains("windows-1252"), "{refused:?}");
}

#[tokio::test]
async fn only_files_beneath_the_folders_are_read() {
    for path in ["../README.md", "/etc/passwd", "expected.json/../../README.md"] {
        let refused = rows("messy", json!({ "file": path, "format": "csv" })).await.expect_err("outside");
        assert_eq!(refused.code, code::WF2105, "{path}");
    }
    assert_eq!(rows("messy", json!({ "file": "none.csv" })).await.expect_err("absent").code, code::WF2102);
    assert_eq!(rows("messy", json!({})).await.expect_err("nothing named").code, code::WF2101);
    let nameless = rows("messy", json!({ "file": "simple.ssv" })).await.expect_err("which format?");
    assert_eq!(nameless.code, code::WF2403);
    let small = rows("messy", json!({ "file": "example.tsv", "max_size": 100 })).await.expect_err("too large");
    assert_eq!(small.code, code::WF2404);
}

#[tokio::test]
async fn json_files_keep_their_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"{"data": [{"big": 123456789012345678901234567890, "exact": 9007199254740993, "price": 0.1}]}"#;
    std::fs::write(folder.path().join("a.json"), text).expect("written");
    std::fs::write(folder.path().join("b.jsonl"), "{\"n\": 1}\n{\"n\": NaN}\n").expect("written");
    let step = extract(folder.path(), &[]);
    let done = run(&step, &attempt(json!({ "source": "file", "file": "a.json" }))).await.expect("rows");
    assert_eq!(
        done.outputs["records"],
        json!([{"big": "123456789012345678901234567890", "exact": 9_007_199_254_740_993_i64, "price": 0.1}])
    );
    assert!(done.warnings[0].contains("more digits"), "{:?}", done.warnings);
    let refused = run(&step, &attempt(json!({ "source": "file", "file": "b.jsonl" }))).await.expect_err("no number");
    assert!(refused.message.starts_with("`b.jsonl`: line 2: this is no JSON"), "{refused}");
}
