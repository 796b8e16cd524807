//! The service as a process, and a client that speaks to it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command};
use std::sync::Once;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::binary::{Home, pid_of, watched};

/// `workflow serve` on a free port; killed with its last mention.
pub struct Served {
    pub home: Home,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    pub client: Client,
    child: Child,
}

/// An answer: its status and its JSON.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Served {
    /// A service in a new folder.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A service in a new folder, with these settings.
    pub fn with(settings: &[&str]) -> Self {
        Self::within(Home::new(), settings)
    }

    /// A service in this folder, with these settings.
    pub fn within(home: Home, settings: &[&str]) -> Self {
        let command = home.command(&Self::args(settings));
        Self::launched(home, command)
    }

    /// The words that start a service with these settings.
    pub fn args<'a>(settings: &[&'a str]) -> Vec<&'a str> {
        std::iter::once("serve").chain(settings.iter().flat_map(|setting| ["--set", *setting])).collect()
    }

    /// A service in this folder, started by this command.
    pub fn launched(home: Home, command: Command) -> Self {
        let mut child = watched(command);
        let mut lines = BufReader::new(child.stderr.take().expect("piped"));
        let mut told = String::new();
        let url = loop {
            let mut line = String::new();
            let read = lines.read_line(&mut line).expect("its messages are UTF-8");
            assert!(read > 0, "the service does not listen: {told}");
            told.push_str(&line);
            if let Some((_, rest)) = line.split_once(" on http://") {
                break format!("http://{}", rest.split(": ").next().expect("a first part"));
            }
        };
        // What it says later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Self { home, url, client: client(), child }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path).json(body)).await
    }

    /// An answer to a body as it stands, sent as JSON.
    pub async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        answer(self.request(Method::POST, path).header("content-type", "application/json").body(body)).await
    }

    /// Starts a workflow; the id of its execution.
    pub async fn execute(&self, workflow: &str, inputs: &Value) -> String {
        let started =
            self.post(&format!("/api/workflow/{workflow}/execute"), &serde_json::json!({ "inputs": inputs })).await;
        assert_eq!(started.status, 200, "{}", started.json);
        started.json["execution_id"].as_str().expect("an id").to_owned()
    }

    /// Makes a workflow of these steps; its id.
    pub async fn create(&self, name: &str, steps: &Value) -> String {
        let made = self.post("/api/workflow/create", &serde_json::json!({ "name": name, "steps": steps })).await;
        assert_eq!(made.status, 200, "{}", made.json);
        made.json["workflow_id"].as_str().expect("an id").to_owned()
    }

    /// The execution when it is over.
    pub async fn finished(&self, execution: &str) -> Value {
        let answer = self.get(&format!("/api/workflow/{execution}/wait?timeout=50")).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }

    /// Uploads a file of this content; what the service says of it.
    pub async fn upload(&self, name: &str, content: &[u8]) -> Answer {
        let (kind, body) = form(&[("file", name, content)]);
        answer(self.request(Method::POST, "/api/files").header("content-type", kind).body(body)).await
    }

    /// Asks the service to stop, as an operator does; resolves with its exit code.
    pub fn stop(&mut self) -> i32 {
        self.ask_to_stop();
        self.ended()
    }

    /// The exit code of a service that was asked to stop.
    pub fn ended(&mut self) -> i32 {
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// Asks the service to stop and does not wait.
    pub fn ask_to_stop(&self) {
        rustix::process::kill_process(pid_of(&self.child), rustix::process::Signal::TERM).expect("it is there");
    }

    /// Kills the service; its folder.
    pub fn kill(mut self) -> Home {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends");
        std::mem::replace(&mut self.home, Home::new())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The memory that the service holds now and held at the most, in KiB.
    pub fn memory(&self) -> (u64, u64) {
        let mut text = String::new();
        let mut file = std::fs::File::open(format!("/proc/{}/status", self.child.id())).expect("it is there");
        file.read_to_string(&mut text).expect("text");
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
            line.split_whitespace().next().expect("a number").parse().expect("a number")
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a client of ours would be guarded; a test is the outside world")]
pub fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Client::builder().no_proxy().build().expect("a client")
}

/// Sends a request; an answer without JSON has `null`.
pub async fn answer(request: RequestBuilder) -> Answer {
    read(request.send().await.expect("an answer")).await
}

pub async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("a body");
    let json = serde_json::from_str(&text).unwrap_or(Value::String(text));
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if status.is_client_error() || status.is_server_error() {
        assert_eq!(kind, "application/problem+json", "{status} {json}");
        check_problem(status, &json);
    }
    Answer { status: status.as_u16(), json, headers }
}

/// Every refusal has one shape.
fn check_problem(status: StatusCode, problem: &Value) {
    assert_eq!(problem["status"], status.as_u16(), "{problem}");
    for member in ["code", "message", "fix", "title", "type", "request_id"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "`{member}` of {problem}");
    }
    for member in ["where", "cause"] {
        assert!(problem.get(member).is_some(), "`{member}` of {problem}");
    }
    let code = problem["code"].as_str().unwrap_or_default();
    assert!(workflow::domain::code::Code::find(code).is_some(), "{problem}");
}

/// A form with these files: field, name, content. Its content type and its text.
pub fn form(files: &[(&str, &str, &[u8])]) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "a-line-between-two-parts";
    let mut body = Vec::new();
    for (field, name, content) in files {
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}
