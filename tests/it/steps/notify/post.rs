use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use workflow::contract::step::{Attempt, Bound, Done, StepHandler};
use workflow::domain::code;
use workflow::domain::fault::{Again, Fault};
use workflow::domain::message::{LetterState, Receipt};
use workflow::domain::time::Span;
use workflow::steps::notify::{Kind, Post, Settings};
use workflow::store::Store;
use workflow::store::db::{Durability, Settings as StoreSettings};

use crate::support::attempt::{NOW, attempt, done};

struct Desk {
    store: Store,
    folder: TempDir,
    settings: Settings,
}

impl Desk {
    async fn new(connected: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = StoreSettings {
            database: folder.path().join("workflow.db"),
            files: folder.path().join("files"),
            durability: Durability::Relaxed,
        };
        let store = Store::open(&settings).await.expect("the store opens");
        let outbox = folder.path().join("outbox");
        let settings = Settings { connected: connected.to_vec(), outbox, ..Settings::default() };
        Self { store, folder, settings }
    }

    fn step(&self, kind: Kind) -> Post {
        Post::new(kind, self.store.clone(), Arc::new(self.settings.clone()))
    }

    async fn done(&self, kind: Kind, attempt: &Attempt) -> Done {
        done(self.step(kind).run(attempt).await)
    }

    async fn fault(&self, kind: Kind, attempt: &Attempt) -> Fault {
        self.step(kind).run(attempt).await.expect_err("it cannot be told")
    }

    fn files(&self) -> Vec<Value> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("outbox")) else { return Vec::new() };
        let read = |path| serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
        entries.map(|entry| read(entry.expect("an entry").path())).collect()
    }
}

fn prepared(config: Value) -> Attempt {
    let mut attempt = attempt(config);
    let message = json!({ "title": "New ticket", "text": "T-7", "fields": [{ "name": "who", "value": "ana" }] });
    attempt.ports.insert("message".to_owned(), Bound::Value(message));
    attempt
}

#[tokio::test]
async fn without_a_token_the_message_is_a_file_and_the_step_says_so() {
    let desk = Desk::new(&[]).await;
    let attempt = prepared(json!({ "channel": "#notifications", "mention": "bob" }));
    let told = desk.done(Kind::Slack, &attempt).await;
    assert_eq!(told.warnings, ["nothing was really sent: Slack is not connected"]);
    let name = format!("outbox/{}.step.slack.key-of-s.json", attempt.run);
    let expected = json!({
        "platform": "slack", "channel": "notifications", "message": null, "link": null, "status": "simulated",
        "simulated": true, "file": name,
    });
    assert_eq!(told.outputs["delivery"], expected);
    assert_eq!(told.outputs["simulated"], true);
    let again = desk.done(Kind::Slack, &attempt).await;
    assert_eq!(again, told, "a repeat is the same");
    let files = desk.files();
    let [file] = files.as_slice() else { panic!("one file: {files:?}") };
    assert_eq!((&file["channel"], &file["message"]["title"]), (&json!("notifications"), &json!("New ticket")));
    assert_eq!(file["message"]["mentions"], json!(["bob"]));
    assert_eq!(desk.store.outbox().fill().await.expect("readable").queued, 0);
}

#[tokio::test]
async fn who_must_deliver_does_not_pretend() {
    let mut desk = Desk::new(&["slack"]).await;
    desk.settings.require_delivery = true;
    let fault = desk.fault(Kind::Discord, &prepared(json!({ "channel": "ops" }))).await;
    assert_eq!((fault.code, fault.message.as_str()), (code::WF2153, "Discord is not connected"));
    let fault = desk.fault(Kind::Notify, &prepared(json!({}))).await;
    assert_eq!((fault.code, fault.again), (code::WF2153, Again::Permanent), "{fault}");
    assert!(desk.files().is_empty());
    let fault = desk.fault(Kind::Slack, &prepared(json!({ "channel": "ops" }))).await;
    assert_eq!((fault.code, fault.again), (code::WF2152, Again::Transient { after: None }), "{fault}");
    assert!(fault.message.contains("`workflow serve`"), "{fault}");
}

#[tokio::test]
async fn where_nobody_carries_letters_they_wait_and_a_repeat_adds_none() {
    let desk = Desk::new(&["slack"]).await;
    let attempt = prepared(json!({ "channel": "ops" }));
    for _ in 0..2 {
        let told = desk.done(Kind::Slack, &attempt).await;
        assert_eq!((&told.outputs["status"], &told.outputs["simulated"]), (&json!("queued"), &json!(false)));
        assert!(told.warnings[0].contains("goes out when `workflow serve` runs, connected"), "{:?}", told.warnings);
    }
    let letters = desk.store.outbox().list(None, 10).await.expect("readable");
    let [letter] = letters.as_slice() else { panic!("one letter: {letters:?}") };
    assert_eq!(
        (letter.key.as_str(), letter.state, letter.message.text.as_str()),
        ("key-of-step", LetterState::Queued, "T-7")
    );
    let receipt = Receipt { channel: "C1".to_owned(), message: "17.5".to_owned(), link: None };
    desk.store.outbox().sent("key-of-step", &receipt, NOW).await.expect("written");
    let told = desk.done(Kind::Slack, &attempt).await;
    assert_eq!(
        (&told.outputs["status"], &told.outputs["message"], &told.outputs["channel"]),
        (&json!("sent"), &json!("17.5"), &json!("C1"))
    );
    assert!(told.warnings.is_empty());
}

#[tokio::test]
async fn a_step_that_waits_hears_what_becomes_of_its_letter() {
    let desk = Desk::new(&["slack"]).await;
    let carrying = desk.store.outbox().carry(vec!["slack".to_owned()]);
    let written = async |key: &str| {
        let mut changes = desk.store.outbox().changes();
        while desk.store.outbox().find(key).await.expect("readable").is_none() {
            changes.changed().await.expect("the store is there");
        }
    };
    let keyed = |key: &str| Attempt { step_key: key.to_owned(), ..prepared(json!({ "channel": "ops" })) };
    let step = desk.step(Kind::Slack);
    let outbox = desk.store.outbox();

    let (attempt, receipt) = (keyed("a"), Receipt { channel: "C1".to_owned(), message: "1".to_owned(), link: None });
    let (told, ()) = tokio::join!(step.run(&attempt), async {
        written("a").await;
        outbox.sent("a", &receipt, NOW).await.expect("written");
    });
    assert_eq!(done(told).outputs["status"], "sent");

    let (attempt, why) = (keyed("b"), Fault::permanent(code::WF2150, "no such channel"));
    let (told, ()) = tokio::join!(step.run(&attempt), async {
        written("b").await;
        outbox.give_up("b", (1, NOW), &why).await.expect("written");
    });
    assert_eq!(told, Err(why.at("step")));

    let attempt = keyed("c");
    let (told, ()) = tokio::join!(step.run(&attempt), async {
        written("c").await;
        outbox.drop("c").await.expect("written");
    });
    assert!(told.expect_err("nothing is sent").message.contains("was dropped"));

    let attempt = keyed("d");
    let (told, ()) = tokio::join!(step.run(&attempt), async {
        written("d").await;
        attempt.cancel.cancel();
    });
    assert_eq!(told.expect_err("it was stopped").code, code::WF4007);
    assert!(outbox.find("d").await.expect("readable").is_some(), "the message stays");

    let short = Attempt { timeout: Span::from_millis(50), ..keyed("e") };
    assert_eq!(done(step.run(&short).await).outputs["status"], "queued", "the run goes on without it");

    let attempt = keyed("f");
    let (told, ()) = tokio::join!(step.run(&attempt), async {
        written("f").await;
        drop(carrying);
    });
    assert_eq!(done(told).outputs["status"], "queued", "who carried it has gone");
}

#[tokio::test]
async fn what_is_said_comes_from_the_text_or_from_the_port() {
    let desk = Desk::new(&[]).await;
    for (attempt, title, text) in [
        (prepared(json!({ "channel": "a", "text": "only this" })), "", "only this"),
        (prepared(json!({ "channel": "a", "text": "dynamic" })), "New ticket", "T-7"),
        (prepared(json!({ "channel": "a" })), "New ticket", "T-7"),
    ] {
        desk.done(Kind::Discord, &attempt).await;
        let file = desk.files().remove(0);
        assert_eq!((&file["message"]["title"], &file["message"]["text"]), (&json!(title), &json!(text)));
    }
    let mut plain = attempt(json!({ "channel": "a" }));
    assert_eq!(desk.fault(Kind::Discord, &plain).await.code, code::WF2154, "there is nothing to say");
    plain.ports.insert("message".to_owned(), Bound::Value(json!("a text of another step")));
    desk.done(Kind::Discord, &plain).await;
    assert_eq!(desk.files().remove(0)["message"]["text"], "a text of another step");
    plain.ports.insert("message".to_owned(), Bound::Value(json!({ "title": 7 })));
    assert_eq!(desk.fault(Kind::Discord, &plain).await.code, code::WF2154);
    assert_eq!(desk.fault(Kind::Slack, &prepared(json!({ "channel": " # " }))).await.code, code::WF2150);
    assert_eq!(desk.fault(Kind::Slack, &prepared(json!({}))).await.code, code::WF2001);
}

#[tokio::test]
async fn origin_is_where_the_run_began_and_otherwise_nobody() {
    let desk = Desk::new(&[]).await;
    let told = desk.done(Kind::Notify, &prepared(json!({}))).await;
    assert_eq!(told.warnings, ["nothing was really sent: the execution did not begin in a conversation"]);
    let mut attempt = prepared(json!({ "channel": "origin" }));
    attempt.began.channel = Some("web:general/msg_1".to_owned());
    assert_eq!(desk.done(Kind::Notify, &attempt).await.outputs["status"], "queued", "the web chat is always connected");
    let letter = desk.store.outbox().find("key-of-step").await.expect("readable").expect("written");
    assert_eq!(
        (letter.platform.as_str(), letter.channel.as_str(), letter.thread.as_str()),
        ("web", "general", "msg_1")
    );
}

#[tokio::test]
async fn after_an_outage_everything_is_due_and_in_the_order_in_which_it_was_written() {
    let desk = Desk::new(&["slack", "discord"]).await;
    let outbox = desk.store.outbox();
    for (key, kind, channel) in
        [("a", Kind::Slack, "ops"), ("b", Kind::Slack, "ops"), ("c", Kind::Slack, "hr"), ("d", Kind::Discord, "ops")]
    {
        let attempt = Attempt { step_key: key.to_owned(), ..prepared(json!({ "channel": channel })) };
        desk.done(kind, &attempt).await;
    }
    let heads = async |platform: &str| -> Vec<(String, bool)> {
        let heads = outbox.heads(platform, 10).await.expect("readable");
        heads.into_iter().map(|letter| (letter.key, letter.next_at > NOW)).collect()
    };
    let why = Fault::transient(code::WF2151, "503");
    for (key, wait) in [("a", 900), ("c", 60), ("d", 900)] {
        outbox.later(key, (9, NOW.plus(Span::from_secs(wait))), &why).await.expect("written");
    }
    assert_eq!(heads("slack").await, [("c".to_owned(), true), ("a".to_owned(), true)], "`b` stands behind `a`");
    outbox.hurry("slack", NOW).await.expect("written");
    assert_eq!(heads("slack").await, [("a".to_owned(), false), ("c".to_owned(), false)]);
    assert_eq!(heads("discord").await, [("d".to_owned(), true)], "another platform is another matter");
    outbox.give_up("a", (9, NOW), &why).await.expect("written");
    assert_eq!(heads("slack").await.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    let fill = outbox.fill().await.expect("readable");
    assert_eq!((fill.queued, fill.oldest, fill.dead), (3, Some(NOW), 1));
    let day = NOW.plus(Span::from_secs(24 * 3_600));
    outbox.forget(day, NOW).await.expect("written");
    assert_eq!(outbox.fill().await.expect("readable").dead, 1, "what was given up is kept for longer");
    outbox.forget(day, day).await.expect("written");
    assert_eq!(outbox.fill().await.expect("readable").dead, 0);
}
