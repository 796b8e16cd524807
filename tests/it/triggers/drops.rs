//! kill -9 while files are dropped into a conversation: each starts at most one run, none is lost, and the question about many
//! holds each of them once.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::listening::until;
use crate::support::binary::Home;
use crate::support::service::{client, form};

const INTAKE: &str = "name: Intake
triggers: [{ id: drop, type: file, limit: 2, match: { types: [txt] } }]
steps: [{ type: noop }]
";

/// One life of the service.
struct Life {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Life {
    /// A life that dies at this place, or when the test ends it; `None`: it died before it listened.
    fn begin(home: &Home, armed: Option<&str>) -> Option<Self> {
        let mut command = home.command(&["serve"]);
        armed.map(|armed| command.env("CRASH_POINT", armed));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(" on http://")?;
            Some(format!("http://{}", rest.split(": ").next()?))
        });
        std::thread::spawn(move || lines.for_each(drop)); // what it says later must not fill the pipe
        match url {
            Some(url) => Some(Self { child, url, client: client() }),
            None => {
                child.wait().expect("it ends");
                None
            }
        }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    async fn messages(&self) -> Vec<Value> {
        let page = self.get("/api/chat/general/messages?limit=200").await;
        page["messages"].as_array().expect("messages").clone()
    }

    async fn runs(&self) -> usize {
        let runs = self.get("/api/workflow/history?workflow=intake&limit=100").await;
        runs["executions"].as_array().expect("executions").len()
    }

    /// Drops a file with words of its own; whether the service lived long enough to say that it is kept.
    async fn drop_file(&self, name: &str) -> bool {
        let content = format!("content of {name}");
        let (kind, body) = form(&[("file", name, content.as_bytes())]);
        let upload = self.client.post(format!("{}/api/files", self.url)).header("content-type", kind).body(body);
        let Ok(uploaded) = upload.send().await else { return false };
        let Ok(file) = uploaded.json::<Value>().await else { return false };
        let said = json!({ "client_id": name, "files": [file["file_id"]] });
        let said = self.client.post(format!("{}/api/chat/general/messages", self.url)).json(&said).send().await;
        said.is_ok_and(|said| said.status() == 200)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have died already, as it was told
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_dropped_around_a_kill_start_one_run_each_and_are_asked_about_once() {
    const FILES: usize = 6;
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("workflows/templates")).expect("made");
    home.write("workflows/templates/intake.yaml", INTAKE);
    for armed in ["1:message: accepted", "2:run: accepted", "3:message: answered", "4:message: answered"] {
        let Some(life) = Life::begin(&home, Some(armed)) else { continue };
        for number in 0..FILES {
            if !life.drop_file(&format!("{number}.txt")).await {
                break;
            }
        }
    }
    let life = Life::begin(&home, None).expect("it lives");
    for number in 0..FILES {
        assert!(life.drop_file(&format!("{number}.txt")).await, "said again, it counts once");
    }
    let title = format!("{} files for Intake", FILES - 2);
    let question = until("the question", async || {
        life.messages().await.into_iter().find(|message| message["card"]["title"].as_str() == Some(&title))
    })
    .await;
    let lines = question["card"]["lines"].as_array().expect("lines");
    let named: BTreeSet<String> = lines.iter().map(|line| line["text"].to_string()).collect();
    assert_eq!(named.len(), FILES - 2, "{question}");
    assert_eq!(life.runs().await, 2);
    let action = question["card"]["buttons"][0]["action"].clone();
    let press = json!({ "message_id": question["id"], "action": action });
    for _ in 0..2 {
        let pressed = life.client.post(format!("{}/api/chat/general/actions", life.url)).json(&press).send().await;
        assert_eq!(pressed.expect("an answer").status(), 200);
    }
    let ending = format!("· {} completed", FILES - 2);
    until("the last word", async || {
        let ends =
            |message: &Value| message["card"]["verdict"].as_str().is_some_and(|verdict| verdict.ends_with(&ending));
        life.messages().await.iter().any(ends).then_some(())
    })
    .await;
    assert_eq!(life.runs().await, FILES, "pressed twice is pressed once");
    let floods =
        life.messages().await.iter().filter(|message| message["card"]["title"].as_str() == Some(&title)).count();
    assert_eq!(floods, 1, "one message for all of them");
}
