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
