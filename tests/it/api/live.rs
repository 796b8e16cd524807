//! Live events: resumable without a gap, for who reads and who does not.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::Request;

use crate::support::service::Served;

/// Server-sent events of an execution.
pub struct Events {
    chunks: futures::stream::BoxStream<'static, reqwest::Result<Vec<u8>>>,
    text: String,
}

impl Events {
    pub async fn of(served: &Served, execution: &str, after: u64) -> Self {
        let path = format!("/api/workflow/{execution}/events?after={after}");
        let response = served.request(reqwest::Method::GET, &path).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        Self { chunks: response.bytes_stream().map(|chunk| chunk.map(Vec::from)).boxed(), text: String::new() }
    }

    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) else { continue };
                let value: Value = serde_json::from_str(data).expect("JSON");
                let id = event.lines().find_map(|line| line.strip_prefix("id: "));
                assert_eq!(id.map(str::to_owned), value["seq"].as_u64().map(|seq| seq.to_string()));
                return Some(value);
            }
            let chunk = self.chunks.next().await?.ok()?;
            self.text.push_str(&String::from_utf8(chunk).expect("UTF-8"));
        }
    }

    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if wanted(&event) {
                return event;
            }
        }
    }
}

/// A page's WebSocket.
pub struct Page {
    pub socket: WebSocketStream<TcpStream>,
}

impl Page {
    pub async fn open(served: &Served) -> Self {
        Self::ask(served, |_| ()).await.expect("the connection is open")
    }

    /// Opens it with a changed request.
    pub async fn ask(
        served: &Served,
        change: impl FnOnce(&mut Request<()>),
    ) -> Result<Self, tokio_tungstenite::tungstenite::Error> {
        let address = served.url.strip_prefix("http://").expect("an address").to_owned();
        let mut request = format!("ws://{address}/api/events").into_client_request().expect("a request");
        change(&mut request);
        let stream = TcpStream::connect(&address).await.expect("it listens");
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Self { socket })
    }

    pub async fn say(&mut self, request: &Value) {
        self.socket.send(Message::text(request.to_string())).await.expect("sent");
    }

    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Text(text) => return Some(serde_json::from_str(&text).expect("JSON")),
                Message::Close(frame) => {
                    return Some(json!({ "closed": frame.map(|frame| u16::from(frame.code)) }));
                }
                _ => {}
            }
        }
    }

    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let frame = self.next().await.expect("the connection stays open");
            let enough = wanted(&frame);
            seen.push(frame);
            if enough {
                return seen;
            }
        }
    }
}

fn is_over(frame: &Value) -> bool {
    frame["type"] == "execution" && frame["status"] == "completed"
}

async fn slow_run(served: &Served) -> String {
    let steps = json!([{ "type": "noop" }, { "type": "wait", "config": { "for": "200ms" } }, { "type": "noop" }]);
    let id = served.create("Slow", &steps).await;
    served.execute(&id, &json!({})).await
}

#[tokio::test]
async fn a_page_sees_every_event_once_and_in_order() {
    let served = Served::start();
    let execution = slow_run(&served).await;
    let mut page = Page::open(&served).await;
    page.say(&json!({ "subscribe": "execution", "id": execution, "after": 0 })).await;
    let subscribed = page.next().await.expect("an answer");
    assert_eq!(subscribed["type"], "subscribed");
    let frames = page.until(is_over).await;
    let numbers: Vec<u64> = frames.iter().filter_map(|frame| frame["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{frames:?}");
}

#[tokio::test]
async fn whoever_comes_back_goes_on_without_a_gap() {
    let served = Served::start();
    let execution = slow_run(&served).await;
    served.finished(&execution).await;
    let mut whole = Events::of(&served, &execution, 0).await;
    let mut all = Vec::new();
    while all.last().is_none_or(|last| !is_over(last)) {
        all.push(whole.next().await.expect("an event"));
    }
    for cut in 1..all.len() {
        let after = all[cut - 1]["seq"].as_u64().expect("a number");
        let mut page = Page::open(&served).await;
        page.say(&json!({ "subscribe": "execution", "id": execution, "after": after })).await;
        assert_eq!(page.next().await.expect("an answer")["after"], after);
        assert_eq!(page.until(is_over).await, all[cut..], "after {after}");
        let mut events = Events::of(&served, &execution, after).await;
        assert_eq!(events.next().await.as_ref(), all.get(cut), "after {after}");
    }
}

#[tokio::test]
async fn the_list_of_executions_tells_what_has_changed() {
    let served = Served::start();
    let mut page = Page::open(&served).await;
    page.say(&json!({ "subscribe": "executions" })).await;
    assert_eq!(page.next().await.expect("an answer")["type"], "subscribed");
    let execution = slow_run(&served).await;
    let done = |frame: &Value| {
        frame["changed"].as_array().is_some_and(|rows| {
            rows.iter().any(|row| row["execution_id"] == *execution && row["status"] == "completed")
        })
    };
    let frames = page.until(done).await;
    let row = &frames.last().expect("a frame")["changed"][0];
    assert_eq!((&row["total_steps"], &row["origin"]["door"]), (&json!(3), &json!("api")), "{row}");
    assert!(row["duration"].as_f64().is_some_and(|seconds| seconds >= 0.2), "{row}");
}

#[tokio::test]
async fn what_cannot_be_listened_to_is_told_and_the_connection_stays() {
    let served = Served::start();
    let mut page = Page::open(&served).await;
    for (request, says) in [
        (json!({ "subscribe": "exection", "id": "x" }), "no topic"),
        (json!({ "subscribe": "execution", "id": "exec_nothing" }), "no execution"),
        (json!({ "subscribe": "execution" }), "`id` is missing"),
        (json!({ "please": 1 }), "did not match"),
    ] {
        page.say(&request).await;
        let answer = page.next().await.expect("an answer");
        assert_eq!(answer["type"], "error");
        assert!(answer["message"].as_str().expect("text").contains(says), "{answer}");
    }
    page.say(&json!({ "ping": 1 })).await;
    assert_eq!(page.next().await.expect("an answer"), json!({ "type": "pong", "ping": 1 }));
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_connection() {
    let served = Served::start();
    let foreign = Page::ask(&served, |request| {
        request.headers_mut().insert("origin", "https://evil.example".parse().expect("a value"));
    });
    assert!(foreign.await.is_err());
    let own = served.url.clone();
    let same = Page::ask(&served, |request| {
        request.headers_mut().insert("origin", own.parse().expect("a value"));
    });
    assert!(same.await.is_ok());
}

#[tokio::test]
async fn a_stop_says_goodbye_to_every_page() {
    let mut served = Served::start();
    let mut page = Page::open(&served).await;
    page.say(&json!({ "ping": 1 })).await;
    page.next().await.expect("an answer");
    served.ask_to_stop();
    assert_eq!(page.next().await, Some(json!({ "closed": 1001 })));
    assert_eq!(served.ended(), 0);
}

#[tokio::test]
async fn pages_that_never_read_hold_nobody_up() {
    let served = Served::start();
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut page = Page::open(&served).await;
        page.say(&json!({ "subscribe": "executions" })).await;
        silent.push(page);
    }
    let id = served.create("Many", &json!([{ "type": "noop" }])).await;
    let mut last = String::new();
    for _ in 0..50 {
        last = served.execute(&id, &json!({})).await;
    }
    assert_eq!(served.finished(&last).await["status"], "completed");
}
