//! Events and files: once, and only where they fit.

use serde_json::{Value, json};
use workflow::domain::time::Span;
use workflow::service::ListFilter;
use workflow::service::triggers::{FileCame, Occurrence};

use super::stage::{Stage, caller};
use crate::support::dice::Dice;

async fn verdicts(stage: &Stage, event: &Occurrence) -> Vec<(String, bool)> {
    let came = stage.service.occur(event).await.expect("it is heard");
    came.into_iter().map(|came| (came.firing.verdict, came.is_new)).collect()
}

fn pair(verdict: &str, is_new: bool) -> Vec<(String, bool)> {
    vec![(verdict.to_owned(), is_new)]
}

#[tokio::test]
async fn an_event_starts_what_waits_for_it_with_its_data_and_the_same_one_only_once() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    let text = "  - id: tickets
    type: event
    name: ticket.*
    when: trigger.data.priority == 'high' and trigger.data.open
    inputs: { ticket_id: \"${{ trigger.data.id }}\", note: \"ticket ${{ trigger.data.id }}\" }
";
    stage.save("Notify", "go", text).await;
    let event = |key: &str, data: Value| Occurrence::event("ticket.created", key, data);
    let high = event("1", json!({ "id": 7, "priority": "high", "open": true }));
    assert_eq!(verdicts(&stage, &high).await, pair("started", true));
    assert_eq!(verdicts(&stage, &high).await, pair("started", false), "the same again");
    let run = stage.firings("notify").await[0].execution_id.clone().expect("a run").parse().expect("an id");
    let inputs = stage.service.archive().inputs(run).await.expect("known");
    assert_eq!(Value::Object(inputs), json!({ "ticket_id": 7, "note": "ticket 7" }));
    let shut = event("2", json!({ "id": 8, "priority": "high", "open": false }));
    assert_eq!(verdicts(&stage, &shut).await, pair("filtered", true));
    let bare = event("3", json!({ "id": 9 }));
    assert_eq!(verdicts(&stage, &bare).await, pair("filtered", true));
    assert!(stage.service.occur(&Occurrence::event("order.created", "4", json!({}))).await.expect("heard").is_empty());
    let reasons: Vec<String> = stage.firings("notify").await.into_iter().map(|firing| firing.reason).collect();
    assert!(reasons.iter().any(|reason| reason == "`trigger.data.open` does not hold"), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("priority")), "{reasons:?}");
}

#[tokio::test]
async fn keys_that_come_four_times_in_any_order_with_restarts_between_start_one_run_each() {
    const KEYS: usize = 300;
    let mut stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Once", "go", "  - { id: e, type: event, name: thing }\n").await;
    let mut deliveries: Vec<usize> = (0..KEYS).flat_map(|key| [key; 4]).collect();
    let mut dice = Dice::new(7);
    for place in (1..deliveries.len()).rev() {
        let other = usize::try_from(dice.roll(place as u64 + 1)).expect("small");
        deliveries.swap(place, other);
    }
    for slice in deliveries.chunks(KEYS) {
        let service = stage.service.clone();
        let heard = slice.iter().map(|key| {
            let (service, key) = (service.clone(), *key);
            async move { service.occur(&Occurrence::event("thing", &format!("k{key}"), json!({ "key": key }))).await }
        });
        for came in futures::future::join_all(heard).await {
            assert_eq!(came.expect("heard").len(), 1);
        }
        drop(service);
        stage = stage.restart().await;
    }
    let mut runs = std::collections::BTreeSet::new();
    for key in 0..KEYS {
        let event = Occurrence::event("thing", &format!("k{key}"), json!({}));
        let came = stage.service.occur(&event).await.expect("heard").remove(0);
        assert!(!came.is_new);
        assert_eq!(came.firing.repeats, 3, "the first of four started it");
        runs.insert(came.firing.execution_id.expect("a run"));
    }
    assert_eq!(runs.len(), KEYS);
    let firings = stage.firings("once").await;
    assert_eq!(firings.len(), KEYS);
}

#[tokio::test]
async fn keys_of_ones_own_cooldown_limit_and_debounce_hold_back() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage
        .save(
            "Keyed",
            "go",
            "  - { id: e, type: event, name: a, dedupe: { key: \"${{ trigger.data.order }}\", window: 1h } }\n",
        )
        .await;
    stage.save("Cool", "go", "  - { id: e, type: event, name: b, cooldown: 10m }\n").await;
    stage.save("Limited", "go", "  - { id: e, type: event, name: c, limit: { count: 2, per: 1m } }\n").await;
    stage.save("Quiet", "go", "  - { id: e, type: event, name: d, debounce: 30s }\n").await;
    let event = |name: &str, key: &str| Occurrence::event(name, key, json!({ "order": "o1", "key": key }));
    assert_eq!(verdicts(&stage, &event("a", "1")).await, pair("started", true));
    assert_eq!(verdicts(&stage, &event("a", "2")).await, pair("started", false), "another delivery of the same order");
    stage.after(Span::from_secs(3_700)).await;
    assert_eq!(verdicts(&stage, &event("a", "3")).await, pair("started", true), "the window is over");

    assert_eq!(verdicts(&stage, &event("b", "1")).await, pair("started", true));
    assert_eq!(verdicts(&stage, &event("b", "2")).await, pair("cooldown", true));
    stage.after(Span::from_secs(601)).await;
    assert_eq!(verdicts(&stage, &event("b", "3")).await, pair("started", true));

    for (key, verdict) in [("1", "started"), ("2", "started"), ("3", "throttled"), ("4", "throttled")] {
        assert_eq!(verdicts(&stage, &event("c", key)).await, pair(verdict, true), "{key}");
    }

    assert_eq!(verdicts(&stage, &event("d", "1")).await, pair("held", true));
    assert_eq!(verdicts(&stage, &event("d", "2")).await, pair("held", true));
    stage.after(Span::from_secs(31)).await;
    let told: Vec<_> =
        stage.firings("quiet").await.iter().map(|f| (f.facts["data"]["key"].clone(), f.verdict.clone())).collect();
    assert_eq!(told, [(json!("1"), "debounced".to_owned()), (json!("2"), "started".to_owned())]);
}

#[tokio::test]
async fn executions_that_start_each_other_come_to_an_end() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Ping", "go", "  - { id: w, type: workflow, of: pong }\n  - { id: m, type: manual }\n").await;
    stage.save("Pong", "go", "  - { id: w, type: workflow, of: ping, states: [completed, failed] }\n").await;
    stage.service.fire_trigger(&caller(), "ping/m", json!({}), None).await.expect("fired");
    for _ in 0..20 {
        stage.quiet().await;
        let runs =
            stage.service.archive().list(&ListFilter { limit: 100, ..ListFilter::default() }).await.expect("listed");
        for run in runs {
            stage.service.run_ended(run.id).await.expect("told");
        }
    }
    stage.quiet().await;
    let runs = stage.service.archive().list(&ListFilter { limit: 100, ..ListFilter::default() }).await.expect("listed");
    assert_eq!(runs.len(), 6, "one by hand, and five behind it");
    let ends = stage.firings("ping/w").await.into_iter().chain(stage.firings("pong/w").await);
    assert_eq!(ends.filter(|firing| firing.verdict == "loop").count(), 1);
}

#[tokio::test]
async fn ends_that_nobody_heard_are_told_from_the_mark_on_and_never_to_younger_triggers() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Made", "go", "  - { id: m, type: manual }\n").await;
    stage.service.fire_trigger(&caller(), "made/m", json!({}), None).await.expect("fired");
    stage.quiet().await;
    stage.set("2027-01-05T01:00:00Z");
    stage.save("Report", "go", "  - { id: w, type: workflow, of: made }\n").await;
    stage.service.ends_since_mark().await.expect("told");
    assert!(stage.firings("report").await.is_empty(), "it ended before anybody waited for it");
    stage.set("2027-01-05T02:00:00Z");
    for _ in 0..3 {
        stage.service.fire_trigger(&caller(), "made/m", json!({}), None).await.expect("fired");
    }
    stage.quiet().await;
    let stage = stage.restart().await;
    for _ in 0..2 {
        stage.service.ends_since_mark().await.expect("told");
    }
    assert_eq!(stage.firings("report").await.len(), 3, "each once");
    stage.set("2027-01-05T03:00:00Z");
    let outer = "name: Outer\nsteps:\n  - { type: workflow, config: { id: made } }\n  - { type: hold }\ntriggers: [{ id: m, type: manual }]\n";
    stage.save_text(outer).await;
    stage.service.fire_trigger(&caller(), "outer/m", json!({}), None).await.expect("fired");
    while stage.firings("report").await.len() < 4 {
        // The inner one ends, the outer one goes on.
        stage.service.ends_since_mark().await.expect("told");
    }
    stage.go.notify_one();
    stage.quiet().await;
    stage.service.ends_since_mark().await.expect("told");
    assert_eq!(stage.firings("report").await.len(), 4);
}

#[tokio::test]
async fn a_file_starts_what_it_fits_and_the_same_content_is_known_again() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    let text = "  - { id: drop, type: file, channels: [\"#invoices\"], match: { types: [txt], name: invoice, text_any: [Rechnung, invoice] } }\n";
    stage.save("Intake", "go", text).await;
    let bring = async |name: &str, content: &str, channel: &str, said: &str| {
        let mut source = content.as_bytes();
        let file = stage.service.take_in_stream(name, &mut source).await.expect("taken in");
        let came = FileCame {
            channel: Some(channel.to_owned()),
            text: said.to_owned(),
            by: "ana".to_owned(),
            ..FileCame::default()
        };
        let came = stage.service.file_came(&file, &came).await.expect("heard").remove(0);
        (came.firing.verdict.clone(), came.is_new, came.firing)
    };
    let (verdict, is_new, first) = bring("invoice 7.txt", "one hundred", "invoices", "die Rechnung").await;
    assert_eq!((verdict.as_str(), is_new), ("started", true), "{}", first.reason);
    let (verdict, is_new, again) = bring("invoice copy.txt", "one hundred", "invoices", "die Rechnung").await;
    assert_eq!(
        (verdict.as_str(), is_new, again.execution_id),
        ("started", false, first.execution_id),
        "the same content"
    );
    stage.set("2027-01-05T00:00:10Z");
    for (name, content, channel, said, part) in [
        ("invoice.txt", "a", "general", "invoice", "not in #invoices"),
        ("letter.txt", "b", "invoices", "invoice", "does not hold `invoice`"),
        ("invoice.bin", "\u{1}\u{2}\u{3}", "invoices", "invoice", "none of txt"),
        ("invoice.txt", "d", "invoices", "hello", "nothing that was said"),
    ] {
        let (verdict, _, firing) = bring(name, content, channel, said).await;
        assert_eq!(verdict, "filtered", "{name}");
        assert!(firing.reason.contains(part), "{name}: {}", firing.reason);
    }
    let last = stage.service.archive().explain_trigger("last", Some("file"), stage.service.engine_now()).await;
    assert!(last.expect("known").join("").contains("filtered"));
}
