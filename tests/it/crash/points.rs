//! The process dies at every place where it could leave something half done. Each time: what was acknowledged is there, all
//! of it comes to its end, and what was done is not done again.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use workflow::contract::crash::POINTS;
use workflow::domain::event::{Entry, Event};

use crate::support::binary::{Home, pid_of};

const MIXED: &str = "name: Mixed
steps:
  - { type: test, id: first, config: { outputs: { text: \"${{ 'a word ' * 20000 }}\" } } }
  - { type: test, id: items, foreach: { in: [1, 2, 3], max_parallel: 2 }, config: { outputs: { n: \"${{ item }}\" } } }
  - { type: test, id: flaky, retry: { count: 2, delay: 20ms }, config: { fail: not yet, times: 1 } }
  - { type: workflow, id: inner, config: { id: inner } }
  - { type: wait, id: nap, config: { for: 60ms } }
  - { type: wait, id: gate, config: { event: go } }
  - { type: store, id: keep, config: { destination: database }, ports: { text: \"${{ steps.first.outputs.text }}\" } }
  - { type: extract, id: rows, config: { source: test_data } }
  - { type: load, id: load, config: { table: things } }
  - { type: notify, id: tell, config: { channel: \"web:general\", text: \"told by ${{ run.id }}\" } }
";
const INNER: &str = "name: Inner\nsteps:\n  - { type: test, config: { outputs: { n: 1 } } }\n";
/// Rows that one run loads.
const ROWS: i64 = 12;
/// Lives that go on at the same time.
const AT_ONCE: usize = 3;

/// A service that may die at any moment, and is started again when it does.
struct World {
    home: Home,
    child: Option<Child>,
    url: String,
    client: reqwest::Client,
    settings: &'static [&'static str],
    deaths: u32,
}

impl World {
    fn new(settings: &'static [&'static str]) -> Self {
        let home = Home::new();
        std::fs::create_dir_all(home.path().join("workflows/templates")).expect("made");
        home.write("workflows/templates/mixed.yaml", MIXED);
        home.write("workflows/templates/inner.yaml", INNER);
        let client = crate::support::service::client();
        Self { home, child: None, url: String::new(), client, settings, deaths: 0 }
    }

    /// Starts the service; `false` when it died before it listened.
    fn start(&mut self, armed: Option<&str>) -> bool {
        let mut args = vec!["serve"];
        self.settings.iter().for_each(|setting| args.extend(["--set", setting]));
        let mut command = self.home.command(&args);
        armed.map(|armed| command.env("CRASH_POINT", armed));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let listens = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(" on http://")?;
            Some(format!("http://{}", rest.split(": ").next()?))
        });
        std::thread::spawn(move || lines.for_each(drop)); // what it says later must not fill the pipe
        let Some(url) = listens else {
            child.wait().expect("it ends");
            self.deaths += 1;
            return false;
        };
        (self.child, self.url) = (Some(child), url);
        true
    }

    /// Its end was noticed: it must have been a death, and a new life begins.
    fn revive(&mut self) {
        let mut child = self.child.take().expect("it was there");
        let ended = child.wait().expect("it ends");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(9), "it was not killed: {ended}");
        self.deaths += 1;
        assert!(self.start(None), "it does not start after a death");
    }

    /// Sends a request until it is answered; dead services are revived.
    async fn send(&mut self, make: impl Fn(&reqwest::Client, &str) -> reqwest::RequestBuilder) -> (u16, Value) {
        loop {
            let sent = make(&self.client, &self.url).send().await;
            match sent {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    if let Ok(text) = answer.text().await
                        && status != 503
                    {
                        return (status, serde_json::from_str(&text).unwrap_or(Value::String(text)));
                    }
                }
                Err(_) if self.is_dead() => self.revive(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn is_dead(&mut self) -> bool {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        let child = self.child.as_mut().expect("it was there");
        while std::time::Instant::now() < deadline {
            if child.try_wait().expect("it can be asked").is_some() {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }

    async fn post(&mut self, path: &str, body: Value, key: Option<&str>) -> (u16, Value) {
        let make = |client: &reqwest::Client, url: &str| {
            let request = client.post(format!("{url}{path}")).json(&body);
            key.iter().fold(request, |request, key| request.header("idempotency-key", *key))
        };
        self.send(make).await
    }

    async fn get(&mut self, path: &str) -> Value {
        self.send(|client, url| client.get(format!("{url}{path}"))).await.1
    }

    /// Until an execution stands at its gate, and through it.
    async fn let_through(&mut self, execution: &str) {
        loop {
            let view = self.get(&format!("/api/workflow/{execution}/status")).await;
            let gate = view["steps"].as_array().and_then(|steps| steps.iter().find(|step| step["id"] == "gate"));
            match gate.and_then(|gate| gate["status"].as_str()) {
                Some("waiting") => {
                    let path = format!("/api/workflow/{execution}/signal");
                    self.post(&path, json!({ "event": "go" }), None).await;
                }
                Some("completed") => return,
                _ => assert!(view["finished_at"].is_null(), "{view}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Until every message is where it belongs.
    async fn until_told(&mut self) {
        loop {
            let outbox = self.get("/api/outbox").await;
            assert_eq!(outbox["dead"], 0, "{outbox}");
            if outbox["queued"] == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn until_over(&mut self) -> Vec<Value> {
        loop {
            let listed = self.get("/api/workflow/history?limit=100").await;
            let rows = listed["executions"].as_array().cloned().unwrap_or_default();
            if rows.iter().all(|row| !row["finished_at"].is_null()) {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops it in good order, however often it dies of that.
    fn stop(&mut self) {
        loop {
            let mut child = self.child.take().expect("it was there");
            rustix::process::kill_process(pid_of(&child), rustix::process::Signal::TERM).expect("it is there");
            if child.wait().expect("it ends").code() == Some(0) {
                return;
            }
            self.deaths += 1;
            assert!(self.start(None), "it does not start after a death");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill(); // it may have ended already
            let _ = child.wait();
        }
    }
}

/// A life with something of everything, during which the process dies at one place. How often it did.
async fn live(point: &str, nth: u32) -> u32 {
    let forgetting = point.starts_with("forgetting");
    let mut world = World::new(if forgetting { &["keep_completed=200ms"] } else { &["keep_completed=0"] });
    if !world.start(Some(&format!("{nth}:{point}"))) {
        assert!(world.start(None), "{point}: it does not start after a death");
    }
    let part = || reqwest::multipart::Part::bytes(b"some words".to_vec()).file_name("words.txt");
    let form = || reqwest::multipart::Form::new().part("file", part());
    let (status, uploaded) = world.send(|client, url| client.post(format!("{url}/api/files")).multipart(form())).await;
    assert!(status < 300, "{point}: {uploaded}");
    let (status, begun) = world.post("/api/workflow/mixed/execute", json!({ "inputs": {} }), Some("a")).await;
    assert_eq!(status, 200, "{point}: {begun}");
    let first = begun["execution_id"].as_str().expect("an id").to_owned();
    let said = json!({ "client_id": "1", "text": "/workflow run mixed" });
    let (status, accepted) = world.post("/api/chat/general/messages", said, None).await;
    assert!(status < 300, "{point}: {accepted}");
    let (_, again) = world.post("/api/workflow/mixed/execute", json!({ "inputs": {} }), Some("a")).await;
    assert_eq!(again["execution_id"], first.as_str(), "{point}: one key, one execution");
    if forgetting {
        let file = format!("/api/files/{}", uploaded["file_id"].as_str().expect("an id"));
        world.get(&file).await;
    }
    let second = loop {
        let rows = world.get("/api/workflow/history?limit=100").await;
        let ours = |row: &&Value| row["workflow"] == "mixed" && row["execution_id"] != first.as_str();
        if let Some(row) = rows["executions"].as_array().and_then(|rows| rows.iter().find(ours)) {
            break row["execution_id"].as_str().expect("an id").to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    world.let_through(&first).await;
    world.let_through(&second).await;
    let rows = world.until_over().await;
    world.until_told().await;
    if forgetting {
        while !world.get("/api/workflow/history?limit=100").await["executions"].as_array().is_some_and(Vec::is_empty) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    } else {
        for row in &rows {
            assert_eq!(row["status"], "completed", "{point}: {row}");
        }
        assert_eq!(rows.iter().filter(|row| row["workflow"] == "mixed").count(), 2, "{point}: {rows:?}");
        assert_eq!(rows.len(), 4, "{point}: each has one inner execution: {rows:?}");
        world.post(&format!("/api/workflow/{first}/rollback"), json!({}), None).await;
        world.until_over().await;
    }
    world.stop();
    check(&world.home, point, if forgetting { 2 * ROWS } else { ROWS });
    world.deaths
}

/// What the folder says once nothing has it open.
fn check(home: &Home, point: &str, rows: i64) {
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{point}: {}", doctor.stdout);
    let loaded = rusqlite::Connection::open(home.path().join("workflows/data.db")).expect("it opens");
    let found: i64 = loaded.query_row("SELECT count(*) FROM things", [], |row| row.get(0)).expect("a number");
    assert_eq!(found, rows, "{point}: every row once, and none of what was taken back");
    let database = rusqlite::Connection::open(home.path().join("workflows/workflow.db")).expect("it opens");
    let letters: (i64, i64) = database
        .query_row("SELECT count(*), count(CASE WHEN state = 'sent' THEN 1 END) FROM outbox", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("a row");
    assert_eq!(letters, (2, 2), "{point}: each execution wrote one message, and it was taken");
    let told: i64 = database
        .query_row("SELECT count(*) FROM chat_message WHERE text LIKE 'told by exec_%'", [], |row| row.get(0))
        .expect("a number");
    assert_eq!(told, 2, "{point}: everything that was to be told was told, once");
    let mut journal = database.prepare("SELECT run_id, events FROM journal ORDER BY run_id, seq").expect("a table");
    let commits = journal.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let mut done: BTreeSet<(String, usize)> = BTreeSet::new();
    for commit in commits {
        let (run, events): (String, String) = commit.expect("a row");
        for (_, event) in serde_json::from_str::<Vec<Entry>>(&events).expect("events") {
            match event {
                Event::StepStarted { step, .. } => {
                    assert!(!done.contains(&(run.clone(), step)), "{point}: {run} did step {step} again");
                }
                Event::StepSucceeded { step, .. } => {
                    assert!(done.insert((run.clone(), step)), "{point}: {run} completed step {step} twice");
                }
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn it_may_die_at_every_place_and_nothing_is_lost_or_done_twice() {
    use futures::StreamExt as _;

    let lives = POINTS.iter().flat_map(|point| [(*point, 1), (*point, 2)]);
    let lives = futures::stream::iter(lives).map(|(point, nth)| {
        let life = tokio::spawn(live(point, nth));
        async move { (point, nth, life.await.unwrap_or_else(|error| panic!("{point} ({nth}): {error}"))) }
    });
    let told: Vec<_> = lives.buffer_unordered(AT_ONCE).collect().await;
    for (point, nth, deaths) in &told {
        assert!(*nth > 1 || *deaths == 1, "`{point}` was never reached: nothing is tested there");
    }
    let deaths: u32 = told.iter().map(|(.., deaths)| deaths).sum();
    println!("{} lives, {deaths} deaths at {} places", told.len(), POINTS.len());
}
