use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use workflow::contract::step::{Attempt, Bound, StepHandler};
use workflow::domain::code;
use workflow::domain::fault::Fault;
use workflow::steps::notify::Prepare;

use crate::support::attempt::{attempt, done};

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn template(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("written");
    }

    async fn message(&self, attempt: &Attempt) -> Value {
        let prepare = Prepare::new(vec![self.0.path().to_owned()]);
        done(prepare.run(attempt).await).outputs["message"].clone()
    }

    async fn fault(&self, attempt: &Attempt) -> Fault {
        Prepare::new(vec![self.0.path().to_owned()]).run(attempt).await.expect_err("no message can be made of it")
    }
}

fn with_inputs(config: Value, inputs: Value) -> Attempt {
    Attempt { inputs: Arc::new(inputs), ..attempt(config) }
}

#[tokio::test]
async fn the_shipped_template_says_what_is_known() {
    let inputs = json!({ "ticket_id": "T-7", "title": "New ticket", "tags": ["a", "b"], "pin": "1234", "none": null });
    let mut attempt = with_inputs(json!({ "template": "notification_template", "variables": "dynamic" }), inputs);
    attempt.sensitive = vec!["pin".to_owned()];
    let message = Desk::new().message(&attempt).await;
    let expected = json!({
        "subject": "New ticket",
        "title": "New ticket",
        "text": format!("Started by ana\n{}, 2025-12-05T10:05:00.000Z", attempt.run),
        "fields": [{ "name": "ticket_id", "value": "T-7" }, { "name": "tags", "value": "a, b" }],
        "links": [],
    });
    assert_eq!(message, expected);
    let without = Desk::new().message(&with_inputs(json!({}), json!({}))).await;
    assert_eq!((&without["title"], &without["fields"]), (&json!("trial"), &json!([])));
}

#[tokio::test]
async fn a_template_of_ones_own_goes_before_the_shipped_one_and_reads_inputs_triggers_and_ports() {
    let desk = Desk::new();
    desk.template(
        "notification_template.yaml",
        "title: ${{ customer.name | upper }} (${{ user }})\ntext: |\n  ${{ rows }} rows\n  in ${{ run.workflow }}\n\
         fields: { Total: \"${{ total }} EUR\", Fixed: 3 }\nlinks: [{ text: Look, url: \"https://x.eu/${{ rows }}\" }]\n",
    );
    let mut attempt = with_inputs(
        json!({ "template": "notification_template" }),
        json!({ "customer": { "name": "Acme" }, "total": 9.5 }),
    );
    attempt.ports.insert("rows".to_owned(), Bound::Value(json!(12)));
    attempt.ports.insert("total".to_owned(), Bound::Value(json!("inputs go before ports")));
    let expected = json!({
        "subject": "ACME (ana)",
        "title": "ACME (ana)",
        "text": "12 rows\nin trial",
        "fields": [{ "name": "Total", "value": "9.5 EUR" }, { "name": "Fixed", "value": "3" }],
        "links": [{ "text": "Look", "url": "https://x.eu/12" }],
    });
    assert_eq!(desk.message(&attempt).await, expected);
}

#[tokio::test]
async fn a_variable_that_is_not_there_fails_and_the_near_name_is_told() {
    let desk = Desk::new();
    desk.template("ticket.md", "# Ticket ${{ tiket_id }}\n\nPlease look.\n");
    let fault = desk.fault(&with_inputs(json!({ "template": "ticket" }), json!({ "ticket_id": 7 }))).await;
    assert_eq!(fault.code, code::WF2002);
    assert_eq!(fault.message, "`${{ tiket_id }}`: there is no variable `tiket_id`; did you mean `ticket_id`?");
    assert_eq!(fault.place.as_deref(), Some("messages/ticket.md"));
    let only = json!({ "template": "ticket", "variables": { "tiket_id": 8 } });
    let message = desk.message(&with_inputs(only, json!({ "ticket_id": 7 }))).await;
    assert_eq!((&message["title"], &message["text"]), (&json!("Ticket 8"), &json!("Please look.")));
    let blind = with_inputs(json!({ "template": "ticket", "variables": {} }), json!({ "tiket_id": 7 }));
    assert_eq!(desk.fault(&blind).await.code, code::WF2002, "only what is written out is there");
}

#[tokio::test]
async fn what_fills_a_template_is_never_filled_itself() {
    let desk = Desk::new();
    desk.template("plain.yaml", "title: t\ntext: ${{ said }}\n");
    let said = "${{ run.id }} and $${{ x }}";
    let attempt = with_inputs(json!({ "template": "plain" }), json!({ "said": said }));
    assert_eq!(desk.message(&attempt).await["text"], said);
    let inline = json!({ "template": { "title": "Rows", "text": said, "fields": [{ "name": "n", "value": said }] } });
    let message = desk.message(&with_inputs(inline, json!({}))).await;
    assert_eq!((&message["text"], &message["fields"][0]["value"]), (&json!(said), &json!(said)));
}

#[tokio::test]
async fn what_is_no_template_says_so() {
    let desk = Desk::new();
    desk.template("odd.yaml", "titel: x\n");
    desk.template("empty.yaml", "text: \"\"\n");
    desk.template("null.yaml", "text: a ${{ gone }}\n");
    desk.template("large.yaml", &format!("text: {}\n", "x".repeat(70_000)));
    for (template, code, words) in [
        (json!("notificaton_template"), code::WF2155, "did you mean `notification_template`?"),
        (json!("../../etc/passwd"), code::WF2155, "a name has letters"),
        (json!("odd"), code::WF2155, "titel"),
        (json!("large"), code::WF2155, "larger than 64 KiB"),
        (json!("empty"), code::WF2154, "without a word"),
        (json!("null"), code::WF2002, "the value is null"),
        (json!({ "texts": "x" }), code::WF2155, "texts"),
        (json!({ "text": "x", "fields": "all" }), code::WF2155, "`fields` is `all`"),
        (json!({}), code::WF2154, "without a word"),
    ] {
        let fault = desk.fault(&with_inputs(json!({ "template": template }), json!({ "gone": null }))).await;
        assert!(fault.code == code && fault.message.contains(words), "{template}: {fault}");
    }
    let fault = desk.fault(&attempt(json!({ "variables": "dynamc" }))).await;
    assert!(fault.code == code::WF2001 && fault.message.contains("`dynamic`"), "{fault}");
}
