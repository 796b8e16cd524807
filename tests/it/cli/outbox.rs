//! `workflow outbox`, with and without a service, and the template that tells people something.

use serde_json::json;

use crate::support::binary::Home;
use crate::support::service::Served;

const TELL: &str =
    "name: Tell\nsteps: [{ type: notify, id: tell, config: { channel: \"web:general\", text: \"Hello\" } }]\n";

fn home() -> Home {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("workflows/templates")).expect("made");
    home.write("workflows/templates/tell.yaml", TELL);
    home
}

/// A Slack that nobody answers for, and a step that does not wait long for it.
const SILENT: &[&str] = &[
    "--set",
    "slack_bot_token=xoxb-test",
    "--set",
    "slack_app_token=xapp-test",
    "--set",
    "slack_api_url=http://127.0.0.1:9",
];
const SLOW: &str =
    "name: Slow\nsteps: [{ type: slack, id: tell, timeout: 0.2, config: { channel: C0123ABCDEF, text: Hi } }]\n";

#[tokio::test]
async fn a_run_without_a_service_tells_its_people_too() {
    let home = home();
    let ran = home.run(&["run", "tell"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let listed = home.run(&["outbox", "--state", "sent"]);
    assert!(listed.stdout.contains("sent  web:general  Hello"), "{}", listed.stdout);
    assert!(home.run(&["outbox"]).stdout.is_empty());
    let served = Served::within(home, &[]);
    let said = served.get("/api/chat/general/messages").await.json;
    assert_eq!(said["messages"][0]["text"], "Hello");
    let listed = served.home.run(&["outbox", "--state", "sent", "--json"]);
    assert_eq!(listed.json()["state"], "sent");
    let none = served.home.run(&["outbox", "--server", &served.url]);
    assert_eq!((none.code, none.stderr.contains("no message waits")), (0, true));
}

#[test]
fn a_platform_that_is_silent_leaves_the_message_in_the_outbox() {
    let home = home();
    home.write("workflows/templates/slow.yaml", SLOW);
    let ran = home.run(&[&["run", "slow"], SILENT].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("on Slack waits in the outbox"), "{}", ran.stdout);
    let listed = home.run(&["outbox"]);
    assert!(listed.stdout.contains("queued  slack:C0123ABCDEF  Hi"), "{}", listed.stdout);
    let told = home.run(&["doctor"]);
    assert!(told.code == 0 && told.stdout.contains("1 messages that wait"), "{}", told.stdout);
}

#[test]
fn one_that_is_not_wanted_any_more_is_dropped() {
    let home = home();
    home.write("workflows/templates/slow.yaml", SLOW);
    home.run(&[&["run", "slow"], SILENT].concat());
    let id = home.run(&["outbox", "--json"]).json()["id"].as_str().expect("an id").to_owned();
    let tried = home.run(&["outbox", "retry", &id[..8]]);
    assert!(tried.code == 0 && tried.stdout.contains("is tried again"), "{}{}", tried.stdout, tried.stderr);
    let dropped = home.run(&["outbox", "drop", &id, "--json"]);
    assert_eq!((dropped.code, dropped.json()["id"].as_str()), (0, Some(id.as_str())));
    assert!(home.run(&["outbox"]).stdout.is_empty());
    let again = home.run(&["outbox", "drop", &id]);
    assert_eq!(again.code, 2, "{}", again.stderr);
}

#[tokio::test]
async fn the_owner_of_the_folder_deals_with_a_message_when_it_is_asked() {
    let served = Served::within(home(), &[]);
    let lost = json!([{ "type": "notify", "config": { "channel": "web:nowhere", "text": "Hello" } }]);
    let workflow = served.create("Lost", &lost).await;
    let execution = served.execute(&workflow, &json!({})).await;
    served.finished(&execution).await;
    let listed = served.home.run(&["outbox"]);
    assert!(listed.stdout.contains("WF2150 there is no channel `nowhere`"), "{}", listed.stdout);
    let told = served.home.run(&["doctor"]);
    assert!(told.code == 0 && told.stdout.contains("was given up: there is no channel"), "{}", told.stdout);
    let id = served.home.run(&["outbox", "--json"]).json()["id"].as_str().expect("an id").to_owned();
    let dropped = served.home.run(&["outbox", "drop", &id]);
    assert!(dropped.code == 0 && dropped.stdout.contains("was dropped"), "{}{}", dropped.stdout, dropped.stderr);
    let gone = served.home.run(&["outbox", "retry", &id]);
    assert_eq!(gone.code, 2, "{}", gone.stderr);
    let gone = served.home.run(&["outbox", "retry", &id, "--server", &served.url]);
    assert!(gone.code == 2 && gone.stderr.contains("there is no message"), "{}", gone.stderr);
}

#[test]
fn a_message_to_nobody_is_a_file_and_the_card_says_so() {
    let home = home();
    home.write(
        "workflows/templates/ticket.yaml",
        "name: Ticket\nsteps:\n  - { type: prepare, config: { template: notification_template, variables: dynamic } }\n  \
         - { type: slack, config: { channel: notifications } }\n",
    );
    let planned = home.run(&["plan", "ticket"]).stdout;
    assert!(planned.contains("message from prepare.message") && !planned.contains("from nothing"), "{planned}");
    let ran = home.run(&["run", "ticket", "ticket_id=T-7"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("nothing was really sent: Slack is not connected"), "{}", ran.stdout);
    let files: Vec<_> = std::fs::read_dir(home.path().join("workflows/outbox")).expect("a folder").flatten().collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let text = std::fs::read_to_string(file.path()).expect("readable");
    assert!(text.contains("\"ticket_id\"") && text.contains("\"T-7\""), "{text}");
    let strict = home.run(&["run", "ticket", "ticket_id=T-7", "--set", "require_delivery=true"]);
    assert!(strict.code == 1 && strict.stdout.contains("WF2153"), "{}{}", strict.stdout, strict.stderr);
}

#[test]
fn the_notification_template_gets_as_far_as_its_mail() {
    let home = home();
    let ran = home.run(&["run", "notification_flow", "--json"]);
    let steps = ran.json()["steps"].clone();
    assert_eq!((&steps[0]["status"], &steps[1]["status"]), (&json!("completed"), &json!("failed")), "{}", ran.stdout);
}
