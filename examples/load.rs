//! Load on a running service, measured from outside.
//!
//! ```sh
//! cargo run --release --example load -- starts http://127.0.0.1:8080 500 20
//! cargo run --release --example load -- steps http://127.0.0.1:8080 200
//! cargo run --release --example load -- cards http://127.0.0.1:8080 200
//! ```
//!
//! `starts URL RATE SECONDS`: so many executions are started each second, whether the earlier ones were answered or
//! not, with as many status reads beside them. A latency counts from when the request was due, so a stall shows.
//!
//! `steps URL PAGES`: how many steps a second the engine carries; then again while so many pages have subscribed to the
//! list of executions and never read, and one reads a frame every two seconds.
//!
//! `cards URL COUNT`: how long it takes from a command in the chat until its card is seen by who listens there.

#![expect(clippy::print_stdout, reason = "the figures are its answer")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Executions of one measurement of steps, and steps of each.
const RUNS: usize = 1_500;
const STEPS: usize = 100;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "it stands outside of the service, as its users do")]
async fn main() -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = Client::builder().no_proxy().pool_max_idle_per_host(64).build()?;
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["starts", url, rate, seconds] => starts(&Target::new(client, url), rate.parse()?, seconds.parse()?).await,
        ["steps", url, pages] => steps(&Target::new(client, url), pages.parse()?).await,
        ["cards", url, count] => cards(&Target::new(client, url), count.parse()?).await,
        _ => bail!("say `starts URL RATE SECONDS`, `steps URL PAGES` or `cards URL COUNT`"),
    }
}

#[derive(Clone)]
struct Target {
    client: Client,
    url: String,
}

impl Target {
    fn new(client: Client, url: &str) -> Self {
        Self { client, url: url.trim_end_matches('/').to_owned() }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.client.post(format!("{}{path}", self.url)).json(body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.client.get(format!("{}{path}", self.url)).send().await?.error_for_status()?.json().await?)
    }

    async fn workflow(&self, steps: usize) -> Result<String> {
        let steps = vec![json!({ "type": "noop" }); steps];
        let made = self.post("/api/workflow/create", &json!({ "name": "Load", "steps": steps })).await?;
        Ok(made["workflow_id"].as_str().context("an id")?.to_owned())
    }

    async fn start(&self, workflow: &str) -> Result<String> {
        let started = self.post(&format!("/api/workflow/{workflow}/execute"), &json!({ "inputs": {} })).await?;
        Ok(started["execution_id"].as_str().context("an id")?.to_owned())
    }
}

type Times = Arc<Mutex<Vec<Duration>>>;

async fn starts(target: &Target, rate: u32, seconds: u32) -> Result<()> {
    let workflow = target.workflow(2).await?;
    let newest = Arc::new(Mutex::new(target.start(&workflow).await?));
    let (started, read, failed) = (Times::default(), Times::default(), Arc::new(Mutex::new(0_u32)));
    let begin = Instant::now();
    for number in 0..rate * seconds {
        let due = begin + Duration::from_secs(1) * number / rate;
        tokio::time::sleep_until(due.into()).await;
        let (one, other) = (target.clone(), target.clone());
        let (workflow, newest, asked) = (workflow.clone(), newest.clone(), newest.clone());
        let (started, read) = (started.clone(), read.clone());
        let (failed, also_failed) = (failed.clone(), failed.clone());
        tokio::spawn(async move {
            match one.start(&workflow).await {
                Ok(id) => *newest.lock().expect("whole") = id,
                Err(_) => *failed.lock().expect("whole") += 1,
            }
            started.lock().expect("whole").push(due.elapsed());
        });
        tokio::spawn(async move {
            let id = asked.lock().expect("whole").clone();
            if other.get(&format!("/api/workflow/{id}/status")).await.is_err() {
                *also_failed.lock().expect("whole") += 1;
            }
            read.lock().expect("whole").push(due.elapsed());
        });
    }
    let all = usize::try_from(rate * seconds)?;
    while started.lock().expect("whole").len() < all || read.lock().expect("whole").len() < all {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = begin.elapsed().as_secs_f64();
    println!("{} starts and as many status reads in {took:.1} s, {} failed", all, failed.lock().expect("whole"));
    report("start", &started);
    report("status", &read);
    Ok(())
}

fn report(name: &str, times: &Times) {
    let mut times = times.lock().expect("whole").clone();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{name}: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, most {:.1} ms", at(0.5), at(0.9), at(0.99), at(1.0));
}

async fn steps(target: &Target, pages: usize) -> Result<()> {
    let workflow = target.workflow(STEPS).await?;
    carry(target, &workflow).await?; // warm
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    // Turn about, because a store grows and a machine has moods.
    for round in 0..5 {
        if round % 2 == 0 {
            alone.push(carry(target, &workflow).await?);
            watched.push(carry_watched(target, &workflow, pages).await?);
        } else {
            watched.push(carry_watched(target, &workflow, pages).await?);
            alone.push(carry(target, &workflow).await?);
        }
    }
    println!("alone: {alone:.0?} steps/s; with {pages} silent pages and a slow one: {watched:.0?} steps/s");
    println!("median against median: {:+.1} %", 100.0 * (median(&watched) / median(&alone) - 1.0));
    Ok(())
}

fn median(rates: &[f64]) -> f64 {
    let mut rates = rates.to_vec();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Steps a second while pages have subscribed that never read, and one that reads slowly.
async fn carry_watched(target: &Target, workflow: &str, pages: usize) -> Result<f64> {
    let mut silent = Vec::with_capacity(pages);
    for _ in 0..pages {
        silent.push(page(&target.url).await?);
    }
    let mut slow = page(&target.url).await?;
    let reader = tokio::spawn(async move {
        while slow.next().await.is_some() {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    });
    let rate = carry(target, workflow).await?;
    reader.abort();
    Ok(rate)
}

/// Steps a second over many executions, from the first start to the last end.
async fn carry(target: &Target, workflow: &str) -> Result<f64> {
    let begin = Instant::now();
    let mut ids = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        ids.push(target.start(workflow).await?);
    }
    for id in ids {
        target.get(&format!("/api/workflow/{id}/wait?timeout=600")).await?;
    }
    Ok((RUNS * STEPS) as f64 / begin.elapsed().as_secs_f64())
}

async fn cards(target: &Target, count: u32) -> Result<()> {
    let inputs = json!({ "number": { "type": "integer" } });
    let definition = json!({ "name": "Load Cards", "inputs": inputs, "steps": [{ "type": "noop" }] }).to_string();
    target.post("/api/workflow/create", &json!({ "name": "Load Cards", "definition": definition })).await?;
    let mut chat = socket(&target.url, &json!({ "subscribe": "chat", "channel": "general" })).await?;
    let (times, mut seen) = (Times::default(), std::collections::HashSet::new());
    for number in 0..count {
        let begin = Instant::now();
        let text = format!("/workflow run load_cards number={number}");
        let said = json!({ "client_id": format!("{begin:?}"), "text": text });
        target.post("/api/chat/general/messages", &said).await?;
        loop {
            let frame = chat.next().await.context("the connection ended")??;
            let frame: Value = serde_json::from_str(frame.to_text()?).unwrap_or_default();
            let id = frame["message"]["id"].as_str().unwrap_or_default();
            if frame["message"]["card"]["kind"] == "run" && seen.insert(id.to_owned()) {
                break;
            }
        }
        times.lock().expect("whole").push(begin.elapsed());
    }
    report("command to first card", &times);
    Ok(())
}

async fn page(url: &str) -> Result<WebSocketStream<TcpStream>> {
    socket(url, &json!({ "subscribe": "executions" })).await
}

async fn socket(url: &str, subscription: &Value) -> Result<WebSocketStream<TcpStream>> {
    let address = url.strip_prefix("http://").context("an address")?;
    let stream = TcpStream::connect(address).await?;
    let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/api/events"), stream).await?;
    socket.send(Message::text(subscription.to_string())).await?;
    Ok(socket)
}
