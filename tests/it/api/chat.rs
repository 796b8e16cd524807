//! The web chat as programs use it: REST to say something, the WebSocket to see what comes of it.

use serde_json::{Value, json};

use super::live::Page;
use crate::support::service::Served;

/// Somebody in a channel, who sees everything that comes there.
pub struct Talk<'s> {
    served: &'s Served,
    page: Page,
    said: usize,
}

impl<'s> Talk<'s> {
    /// In the channel that is always there.
    pub async fn join(served: &'s Served) -> Self {
        let mut page = Page::open(served).await;
        page.say(&json!({ "subscribe": "chat", "channel": "general", "after": 0 })).await;
        assert_eq!(page.next().await.expect("an answer")["type"], "subscribed");
        Self { served, page, said: 0 }
    }

    /// Says something, with files that were uploaded.
    pub async fn say(&mut self, text: &str, files: &[&str]) {
        self.said += 1;
        let body = json!({ "client_id": self.said.to_string(), "text": text, "files": files });
        let taken = self.served.post("/api/chat/general/messages", &body).await;
        assert_eq!((taken.status, &taken.json), (200, &json!({ "accepted": true, "duplicate": false })));
    }

    /// The first message of the workflows that is as wanted, new or changed.
    pub async fn sees(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let is_wanted = |frame: &Value| frame["message"]["author"]["kind"] == "workflow" && wanted(&frame["message"]);
        let frames = self.page.until(is_wanted).await;
        frames.into_iter().next_back().expect("the last one is it")["message"].clone()
    }
}

#[tokio::test]
async fn one_message_goes_from_the_command_to_the_end() {
    let served = Served::start();
    let mut talk = Talk::join(&served).await;
    served.create("Quick", &json!([{ "type": "wait", "config": { "for": "300ms" } }])).await;
    talk.say("/workflow run quick", &[]).await;
    let first = talk.sees(|message| message["card"]["kind"] == "run").await;
    let last = talk.sees(|message| message["card"]["status"] == "completed").await;
    assert_eq!(first["id"], last["id"], "it is the same message");
    let listed = served.get("/api/chat/general/messages").await.json;
    let cards = listed["messages"].as_array().expect("messages").iter().filter(|message| !message["card"].is_null());
    assert_eq!(cards.count(), 1, "{listed}");
}

#[tokio::test]
async fn what_is_said_twice_with_one_id_is_one_message() {
    let served = Served::start();
    let body = json!({ "client_id": "a", "text": "/workflow help" });
    let first = served.post("/api/chat/general/messages", &body).await;
    let second = served.post("/api/chat/general/messages", &body).await;
    assert_eq!((&first.json["duplicate"], &second.json["duplicate"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_kill_in_the_middle_leaves_one_message_and_it_goes_on_to_the_end() {
    let served = Served::start();
    let steps: Vec<Value> =
        (1..=6).map(|n| json!({ "type": "wait", "name": format!("Part {n}"), "config": { "for": "200ms" } })).collect();
    served.create("Parts", &json!(steps)).await;
    let mut talk = Talk::join(&served).await;
    talk.say("/workflow run parts", &[]).await;
    let is_done = |message: &Value, part: usize| message["card"]["lines"][part - 1]["status"] == "done";
    let before = talk.sees(|message| is_done(message, 2)).await;
    let execution = before["card"]["execution_id"].as_str().expect("an id").to_owned();
    drop(talk);

    let served = Served::within(served.kill(), &[]);
    let mut talk = Talk::join(&served).await;
    let after = talk.sees(|message| message["card"]["status"] == "completed").await;
    assert_eq!((&after["id"], &after["card"]["execution_id"]), (&before["id"], &json!(execution)));
    let listed = served.get("/api/chat/general/messages").await.json;
    let messages = listed["messages"].as_array().expect("messages");
    let cards: Vec<_> = messages.iter().filter(|message| message["card"]["kind"] == "run").collect();
    assert_eq!(cards.len(), 1, "{listed}");

    let view = served.get(&format!("/api/workflow/{execution}/status?include=log")).await.json;
    let log: Vec<_> = view["log"].as_array().expect("lines").iter().map(|line| line["text"].to_string()).collect();
    let count = |text: &str| log.iter().filter(|line| line.contains(text)).count();
    for part in 1..=6 {
        assert_eq!(count(&format!("Part {part}: completed")), 1, "{log:?}");
    }
    assert_eq!(count("Part 1: attempt 1 started"), 1, "what was completed is not done again: {log:?}");
}
