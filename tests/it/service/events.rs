//! The numbered stream of an execution, and what is expected of the next one.

use std::time::Duration;

use serde_json::json;

use crate::support::desk::{Desk, somebody};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_numbered_and_a_reader_goes_on_where_it_was() {
    let desk = Desk::open().await;
    let steps =
        json!([{ "type": "noop", "name": "One" }, { "type": "assert", "name": "Two", "config": { "that": false } }]);
    let id = desk.create("Two Steps", steps).await;
    let run = desk.start(&somebody("api"), &id, json!({})).await.expect("started");
    let view = desk.until(run, "failed").await;
    let all = desk.service().archive().events(run, 0).await.expect("known");
    assert!(all.windows(2).all(|pair| pair[0].seq <= pair[1].seq), "in order");
    assert_eq!(all.last().map(|event| event.seq), Some(view.seq));
    let one = all.iter().find(|event| event.step == Some(0) && event.status == "completed").expect("the first step");
    let wire = serde_json::to_value(one).expect("JSON");
    assert_eq!((&wire["type"], &wire["step"], &wire["name"]), (&json!("workflow_progress"), &json!(0), &json!("One")));
    assert_eq!(wire["result"]["status"], "success");
    let two = all.iter().find(|event| event.step == Some(1) && event.status == "failed").expect("the second step");
    assert_eq!(two.result.as_ref().map(|result| &result["error"]["code"]), Some(&json!("WF2006")));
    let rest = desk.service().archive().events(run, one.seq).await.expect("known");
    assert_eq!(rest, all.iter().filter(|event| event.seq > one.seq).cloned().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_with_the_run_or_with_the_time() {
    let desk = Desk::open().await;
    let id = desk.create("Long", json!([{ "type": "wait", "config": { "for": "1h" } }])).await;
    let run = desk.start(&somebody("api"), &id, json!({})).await.expect("started");
    desk.until(run, "waiting").await;
    let view = desk.service().wait(run, Duration::from_millis(1)).await.expect("a view");
    assert_eq!(view.status, "waiting");
    desk.service().cancel(&somebody("api"), run).await.expect("open");
    let view = desk.service().wait(run, Duration::from_secs(60)).await.expect("a view");
    assert_eq!(view.status, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_is_what_is_expected_and_the_same_content_is_recognised() {
    let desk = Desk::open().await;
    let ana = somebody("api");
    let file = desk.service().take_in("tests/fixtures/documents/tables.docx".as_ref()).await.expect("taken in");
    let archive = desk.service().archive();
    assert_eq!(archive.processed(file.digest.as_str()).await.expect("a list"), []);
    let run = desk.start(&ana, "document_processing", json!({ "file_path": file.id })).await.expect("started");
    let view = desk.until(run, "completed").await;
    let known = archive.processed(file.digest.as_str()).await.expect("a list");
    assert_eq!((known[0].execution_id.as_str(), known[0].name.as_str()), (view.execution_id.as_str(), "tables.docx"));
    let revision = archive.flow(run).await.expect("known").plan.hash.clone();
    let expected = archive.expectation("document_processing", &revision).await.expect("readable").expect("one run");
    assert_eq!((expected.runs, expected.steps.len()), (1, 4));
    assert!(expected.p50_seconds > 0.0 && expected.p50_seconds <= expected.p90_seconds);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_in_small_pages_sees_what_one_sees_who_reads_all_and_an_older_one_is_no_hindrance() {
    let desk = Desk::open().await;
    let steps = json!([
        { "type": "test", "name": "Each", "foreach": { "in": (0..200).collect::<Vec<_>>(), "max_parallel": 4 },
          "config": { "outputs": { "n": "${{ item }}" } } },
        { "type": "noop", "name": "Last" },
    ]);
    let id = desk.create("Many", steps).await;
    let run = desk.start(&somebody("api"), &id, json!({})).await.expect("started");
    desk.until(run, "completed").await;
    let archive = desk.service().archive();
    let all = archive.events(run, 0).await.expect("known");
    let given = |item: u32| json!({ "status": "success", "result": { "n": item }, "warnings": [] });
    for item in [0, 57, 199] {
        let told =
            all.iter().find(|event| event.item == Some(item) && event.status == "completed").expect("it is told");
        assert_eq!(told.result, Some(given(item)));
    }
    let (mut read, mut pages) = (Vec::new(), 0);
    loop {
        let after = read.last().map_or(0, |event: &workflow::service::EventView| event.seq);
        let page = archive.some_events(run, after, 50).await.expect("known");
        // Somebody else begins anew meanwhile.
        let other = archive.some_events(run, 0, 1).await.expect("known");
        assert_eq!(other[..], all[..other.len()]);
        if page.is_empty() {
            break;
        }
        pages += 1;
        read.extend(page);
    }
    assert_eq!(read, all);
    assert!(pages > 2, "{pages} pages of {} events", all.len());
}
