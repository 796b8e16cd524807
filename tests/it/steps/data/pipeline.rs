//! The template `data_pipeline` as it is shipped, and pipelines of one's own, in the real application.

use serde_json::{Value, json};

use crate::support::binary::Home;
use crate::support::desk::{Desk, somebody};
use crate::support::service::Served;
use crate::support::tables::{ask, count};

#[tokio::test]
async fn the_template_runs_as_it_is_written_and_ten_rows_arrive() {
    let home = Home::new();
    let run = home.run(&["run", "data_pipeline", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let database = home.path().join("workflows/data.db");
    let found =
        ask(&database, "SELECT id, product_name, maker, price, stock, country FROM processed_data ORDER BY _row").await;
    assert_eq!(found.len(), 10);
    assert_eq!(found[1], ["INTEGER 2", "TEXT Tea kettle", "TEXT Hōjū Works", "REAL 38", "INTEGER 14", "TEXT JP"]);
    assert_eq!(found[5][1], "TEXT Notebook A5");
    let side = ask(&database, "SELECT DISTINCT _step, json_extract(_meta, '$.source') FROM processed_data").await;
    assert_eq!(side, [["TEXT load_data", "TEXT test_data"]]);
}

#[tokio::test]
async fn twelve_become_ten_and_a_retry_of_the_load_leaves_ten() {
    let served = Served::start();
    let template: Value = serde_json::from_value(served.get("/api/workflow/data_pipeline").await.json).expect("a view");
    let mut steps: Vec<Value> = template["steps"].as_array().expect("steps").clone();
    steps
        .iter_mut()
        .for_each(|step| *step = json!({"type": step["type"], "name": step["name"], "config": step["config"]}));
    steps.push(json!({ "type": "assert", "config": { "that": "${{ steps.load_data.outputs.rows == 11 }}" } }));
    let id = served.create("Fails at the end", &Value::Array(steps)).await;
    let execution = served.execute(&id, &json!({ "source": "test_data" })).await;
    let database = served.home.path().join("workflows/data.db");
    for step in [3, 0, 3] {
        assert_eq!(served.finished(&execution).await["status"], "failed");
        assert_eq!(count(&database, "processed_data").await, 10);
        let retry = served.post(&format!("/api/workflow/{execution}/retry?step_index={step}"), &json!({})).await;
        assert_eq!(retry.status, 200, "{}", retry.json);
    }
    served.finished(&execution).await;
    assert_eq!(count(&database, "processed_data").await, 10);
    served.finished(&served.execute("data_pipeline", &json!({ "source": "test_data" })).await).await;
    assert_eq!(count(&database, "processed_data").await, 20, "another run is another matter");
    let counts = served.get(&format!("/api/workflow/{execution}/status")).await.json;
    assert_eq!(counts["steps"][3]["status"], "completed", "{counts}");
}

#[tokio::test]
async fn an_uploaded_table_is_named_by_its_id() {
    let served = Served::start();
    let file = served.upload("orders.csv", "id;amount\n007;1.50\n008;2\n".as_bytes()).await;
    let id = served
        .create(
            "Orders",
            &json!([
                { "type": "extract", "config": { "source": "file", "delimiter": ";" } },
                { "type": "load", "config": { "table": "orders" } },
            ]),
        )
        .await;
    let view = served.finished(&served.execute(&id, &json!({ "file_path": file.json["file_id"] })).await).await;
    assert_eq!(view["status"], "completed", "{view}");
    let found = ask(&served.home.path().join("workflows/data.db"), "SELECT id, amount FROM orders").await;
    assert_eq!(found, [["TEXT 007", "TEXT 1.50"], ["TEXT 008", "TEXT 2"]]);
    let view = served.finished(&served.execute(&id, &json!({})).await).await;
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("WF2101")), "{view}");
}

#[tokio::test]
async fn bad_rows_fail_a_strict_pipeline_before_anything_is_loaded() {
    let desk = Desk::open().await;
    let steps = json!([
        { "type": "test", "name": "Rows", "config": { "outputs": { "records": [{ "id": 1, "price": "12,50" }] } } },
        { "type": "validate", "name": "Check", "ports": { "records": "${{ steps.rows.outputs.records }}" },
          "config": { "schema": { "properties": { "price": { "type": "number" } } } } },
        { "type": "load", "config": { "table": "prices" } },
    ]);
    let id = desk.create("Prices", steps).await;
    let run = desk.start(&somebody("api"), &id, json!({})).await.expect("started");
    let view = desk.until(run, "failed").await;
    let error = view.error.as_ref().expect("an error");
    assert_eq!(error.code, "WF2421");
    assert_eq!(
        error.message,
        "1 of 1 rows does not fit the schema of the step: row 1, /price: \"12,50\" is not of type \"number\""
    );
}

#[tokio::test]
async fn parallel_sources_are_merged_without_a_word_about_data() {
    let desk = Desk::open().await;
    let steps = json!([
        { "type": "extract", "id": "one", "parallel_group": 1, "config": { "source": "test_data" } },
        { "type": "extract", "id": "two", "parallel_group": 1, "config": { "source": "test_data" } },
        { "type": "merge" },
        { "type": "transform", "config": { "operations": ["normalize", "deduplicate"] } },
        { "type": "assert", "config": { "that": "${{ steps.merge.outputs.rows == 24 and steps.transform.outputs.rows == 10 }}" } },
    ]);
    let id = desk.create("Both", steps).await;
    let run = desk.start(&somebody("api"), &id, json!({})).await.expect("started");
    desk.until(run, "completed").await;
}

#[tokio::test]
async fn large_rows_flow_and_too_large_ones_are_refused() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("workflows/inbox")).expect("made");
    let line = |n: usize| format!("{n},name {n},{n}.25\n");
    let text: String = std::iter::once("id,name,price\n".to_owned()).chain((0..100_000).map(line)).collect();
    std::fs::write(home.path().join("workflows/inbox/big.csv"), text).expect("written");
    let yaml = "name: Import\nsteps:\n  - { type: extract, config: { source: file, file: big.csv } }\n  \
        - { type: transform, config: { types: { id: integer, price: number } } }\n  - { type: load, config: { table: big } }\n";
    home.write("import.yaml", yaml);
    let run = home.run(&["run", "./import.yaml"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let found = ask(&home.path().join("workflows/data.db"), "SELECT count(*), typeof(price), sum(id) FROM big").await;
    assert_eq!(found, [["INTEGER 100000", "TEXT real", "INTEGER 4999950000"]]);

    let wide = "x".repeat(2_000);
    let text: String = std::iter::once("a\n".to_owned()).chain((0..26_000).map(|_| format!("{wide}\n"))).collect();
    std::fs::write(home.path().join("workflows/inbox/big.csv"), text).expect("written");
    let yaml =
        "name: Import\nsteps:\n  - { type: extract, config: { source: file, file: big.csv, max_size: 64 MiB } }\n";
    home.write("import.yaml", yaml);
    let run = home.run(&["run", "./import.yaml"]);
    assert!(run.code != 0 && run.stdout.contains("WF2404"), "{}{}", run.stdout, run.stderr);
}

#[tokio::test]
async fn deep_values_are_refused_and_not_half_kept() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("workflows/inbox")).expect("made");
    let deep: Value = (0..110).fold(json!(1), |inner, _| json!([inner]));
    std::fs::write(home.path().join("workflows/inbox/deep.json"), json!([{ "a": deep }]).to_string()).expect("written");
    home.write("deep.yaml", "name: Deep\nsteps:\n  - { type: extract, config: { source: file, file: deep.json } }\n");
    let run = home.run(&["run", "./deep.yaml"]);
    assert!(run.code != 0 && run.stdout.contains("WF4005"), "{}{}", run.stdout, run.stderr);
}
