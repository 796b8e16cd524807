//! Answers that only whoever asked sees: by the address that came with what they did while it takes some, then beside the
//! conversation, then in the direct one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::render::Drawn;
use super::wire::{Wire, WireError};

/// How often an address takes an answer.
const USES: u32 = 5;
/// For how long; Slack says 30 minutes.
const LIFE: Duration = Duration::from_secs(29 * 60);
/// Addresses that are remembered at the most.
const MOST: usize = 10_000;
/// How often an answer is tried before another way is taken.
const TRIES: u32 = 3;
/// The longest silence that an answer waits out.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// What the reference of a message that one person sees begins with: no method of the Web API reaches it.
pub const UNSEEN: &str = "eph:";

/// What somebody filled in, and when.
type Draft = (Instant, Map<String, Value>);

struct Seen {
    since: Instant,
    uses: u32,
}

/// What is known of answers. In memory: what a restart forgets is answered in another way.
#[derive(Default)]
pub struct Answers {
    /// Addresses, and how often each was used.
    used: Mutex<HashMap<String, Seen>>,
    /// By what a message can be changed that one person sees: the address that came with its last press.
    pressed: Mutex<HashMap<String, (Instant, String)>>,
    /// What was filled into a window last, by person and form.
    drafts: Mutex<HashMap<(String, String), Draft>>,
}

impl Answers {
    /// Sends an answer by the address that came with a question; `false`: it takes none any more, or none now.
    pub async fn send(&self, wire: &Wire, url: &str, thread: Option<&str>, drawn: &Drawn) -> bool {
        let mut body = json!({
            "response_type": "ephemeral", "replace_original": false, "text": drawn.text, "blocks": drawn.blocks,
        });
        if let Some(thread) = thread {
            body["thread_ts"] = json!(thread);
        }
        self.is_alive(url) && self.post(wire, url, &body).await
    }

    /// Changes a message that one person sees, after they pressed something on it; `false`: nothing is known of it.
    pub async fn change(&self, wire: &Wire, message: &str, drawn: &Drawn) -> bool {
        let known = lock(&self.pressed).get(message).filter(|(at, _)| at.elapsed() < LIFE).map(|(_, url)| url.clone());
        let Some(url) = known else { return false };
        let body = json!({ "replace_original": true, "text": drawn.text, "blocks": drawn.blocks });
        self.is_alive(&url) && self.post(wire, &url, &body).await
    }

    /// Remembers by what a message can be changed.
    pub fn was_pressed(&self, message: &str, url: &str) {
        let mut pressed = lock(&self.pressed);
        bound(&mut pressed, |(at, _)| at.elapsed() < LIFE);
        pressed.insert(message.to_owned(), (Instant::now(), url.to_owned()));
    }

    /// Remembers what somebody filled in: what is asked again does not have to be typed again.
    pub fn keep_draft(&self, user: &str, form: &str, values: &Map<String, Value>) {
        let mut drafts = lock(&self.drafts);
        bound(&mut drafts, |(at, _)| at.elapsed() < LIFE);
        drafts.insert((user.to_owned(), form.to_owned()), (Instant::now(), values.clone()));
    }

    /// What somebody filled in last.
    pub fn draft(&self, user: &str, form: &str) -> Map<String, Value> {
        let drafts = lock(&self.drafts);
        let known = drafts.get(&(user.to_owned(), form.to_owned())).filter(|(at, _)| at.elapsed() < LIFE);
        known.map(|(_, values)| values.clone()).unwrap_or_default()
    }

    fn is_alive(&self, url: &str) -> bool {
        let mut used = lock(&self.used);
        bound(&mut used, |seen| seen.since.elapsed() < LIFE);
        let seen = used.entry(url.to_owned()).or_insert_with(|| Seen { since: Instant::now(), uses: 0 });
        seen.uses < USES && seen.since.elapsed() < LIFE
    }

    async fn post(&self, wire: &Wire, url: &str, body: &Value) -> bool {
        let bytes = Bytes::from(body.to_string());
        for tried in 0..TRIES {
            let wait = match wire.post(url, None, "application/json; charset=utf-8", bytes.clone()).await {
                Ok(answer) if answer.status < 300 => {
                    self.spend(url, 1);
                    return true;
                }
                Ok(answer) if answer.status == 429 => answer.retry_after.unwrap_or(Duration::from_secs(1)),
                Ok(answer) if answer.status >= 500 => backoff(tried),
                Ok(answer) => {
                    tracing::debug!(status = answer.status, "an answer is not taken; it goes another way");
                    self.spend(url, USES);
                    return false;
                }
                Err(WireError::Foreign(host)) => {
                    tracing::warn!(%host, "an answer was to go to a host that is not Slack's");
                    return false;
                }
                Err(WireError::Lost(_)) => backoff(tried),
            };
            if wait > LONGEST_SILENCE {
                return false;
            }
            tokio::time::sleep(wait).await;
        }
        false
    }

    fn spend(&self, url: &str, uses: u32) {
        if let Some(seen) = lock(&self.used).get_mut(url) {
            seen.uses += uses;
        }
    }
}

/// The wait after so many tries.
pub fn backoff(tried: u32) -> Duration {
    Duration::from_millis(500 << tried.min(6))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bound<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, is_alive: impl Fn(&V) -> bool) {
    if map.len() >= MOST {
        map.retain(|_, value| is_alive(value));
        if map.len() >= MOST {
            map.clear();
        }
    }
}
