//! What has been kept for long enough is forgotten, and nothing else.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::binary::Home;
use crate::support::service::Served;

/// Gives a value that is too large for a row.
const LARGE: &str = "name: Large
inputs: { n: { type: integer, default: 1 } }
steps:
  - { type: test, id: big, config: { outputs: { text: \"${{ 'x' * 200000 }}${{ inputs.n }}\" } } }
";
const INNER: &str = "name: Inner\nsteps:\n  - { type: noop }\n";
const OUTER: &str = "name: Outer\nsteps:\n  - { type: workflow, config: { id: inner } }\n";
const FAILS: &str = "name: Fails\nsteps:\n  - { type: test, retry: 0, config: { fail: no luck } }\n";
const WAITS: &str = "name: Waits\nsteps:\n  - { type: wait, config: { event: go } }\n";

fn contents(home: &Home) -> Vec<PathBuf> {
    let files = home.path().join("workflows/files");
    let folders = fs::read_dir(&files).expect("there").flatten().map(|entry| entry.path());
    let named = folders.filter(|path| path.is_dir() && !path.ends_with("incoming"));
    named.flat_map(|folder| fs::read_dir(folder).expect("there").flatten()).map(|entry| entry.path()).collect()
}

/// As if it had been written long ago.
fn age(path: &Path) {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options().write(true).open(path).and_then(|file| file.set_modified(then)).expect("its time can be set");
}

/// Runs of all kinds, most of them over.
fn filled() -> (Home, usize) {
    let home = Home::new();
    for (name, text) in [("large", LARGE), ("inner", INNER), ("outer", OUTER), ("fails", FAILS)] {
        fs::create_dir_all(home.path().join("workflows/templates")).expect("made");
        fs::write(home.path().join(format!("workflows/templates/{name}.yaml")), text).expect("written");
    }
    for n in 0..20 {
        let ended = home.run(&["run", "large", &format!("n={n}")]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    assert_eq!(home.run(&["run", "outer"]).code, 0);
    assert_eq!(home.run(&["run", "fails"]).code, 1);
    let size = fs::metadata(home.path().join("workflows/workflow.db")).expect("there").len();
    (home, usize::try_from(size).expect("small"))
}

#[tokio::test]
async fn completed_executions_go_with_all_that_is_theirs_and_the_disk_gets_its_space_back() {
    let (home, before) = filled();
    let uploaded = home.write("mine.txt", "mine");
    assert_eq!(contents(&home).len(), 20, "each large value is a content of its own");
    contents(&home).iter().for_each(|path| age(path));
    let mut served = Served::within(home, &["keep_completed=1s"]);
    let waits = served.post("/api/workflow/create", &json!({ "definition": WAITS })).await.json;
    let waits = served.execute(waits["workflow_id"].as_str().expect("an id"), &json!({})).await;
    let left = loop {
        let history = served.get("/api/workflow/history?limit=100").await.json;
        let left: Vec<String> = history["executions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|run| run["workflow"].as_str().expect("a name").to_owned())
            .collect();
        if left.len() <= 2 && contents(&served.home).is_empty() {
            break left;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(left, ["waits", "fails"], "what is open stays, and what failed is kept longer");
    assert_eq!(served.get(&format!("/api/workflow/{waits}/status")).await.json["status"], "waiting");
    assert!(uploaded.exists());
    let doctor = served.home.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{}", doctor.stdout);
    assert_eq!(served.stop(), 0);
    let after = fs::metadata(served.home.path().join("workflows/workflow.db")).expect("there").len();
    assert!(usize::try_from(after).expect("small") < before, "{after} bytes of {before}");
}

#[tokio::test]
async fn a_content_that_another_execution_names_stays() {
    let (home, _) = filled();
    contents(&home).iter().for_each(|path| age(path));
    let kept = home.run(&["run", "large", "n=7", "--json"]).json()["execution_id"].clone();
    let large = contents(&home).len();
    assert_eq!(large, 20, "the same value is the same content");
    let served = Served::within(home, &["keep_completed=3s"]);
    while contents(&served.home).len() > 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // It was found again just now, so it outlives even its last execution.
    let id = kept.as_str().expect("an id");
    while served.get(&format!("/api/workflow/{id}/status")).await.status == 200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(contents(&served.home).len(), 1);
}

#[tokio::test]
async fn zero_keeps_everything_for_ever() {
    let (home, _) = filled();
    let served = Served::within(home, &["keep_completed=0", "keep_failed=0"]);
    for _ in 0..20 {
        served.get("/healthz").await;
    }
    let history = served.get("/api/workflow/history?limit=100").await.json;
    assert_eq!(history["executions"].as_array().map(Vec::len), Some(23), "{history}");
}
