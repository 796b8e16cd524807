//! A file of the store that is not there any more.

use std::path::Path;

use serde_json::{Value, json};

use super::pause;
use crate::support::service::Served;

fn remove_contents(folder: &Path) -> usize {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            removed += remove_contents(&path);
        } else {
            std::fs::remove_file(&path).expect("removed");
            removed += 1;
        }
    }
    removed
}

#[tokio::test]
async fn who_needs_what_is_gone_fails_and_says_so_and_the_others_go_on() {
    let served = Served::start();
    let steps = |last: Value| {
        json!([
            { "type": "test", "id": "large", "config": { "outputs": { "text": "x".repeat(100_000) } } },
            { "type": "wait", "id": "gate", "config": { "event": "go" } },
            last
        ])
    };
    let reads = json!({ "type": "assert", "config": { "that": "${{ steps.large.outputs.text | length == 100000 }}" } });
    served.create("Reads", &steps(reads)).await;
    served.create("Passes", &steps(json!({ "type": "noop" }))).await;
    let mut runs = Vec::new();
    for workflow in ["reads", "passes"] {
        let execution = served.execute(workflow, &json!({})).await;
        while served.get(&format!("/api/workflow/{execution}/status")).await.json["status"] != "waiting" {
            pause().await;
        }
        runs.push(execution);
    }
    let home = served.kill();
    assert!(remove_contents(&home.path().join("workflows/files")) > 0);
    let served = Served::within(home, &[]);
    for execution in &runs {
        let sent = served.post(&format!("/api/workflow/{execution}/signal"), &json!({ "event": "go" })).await;
        assert_eq!(sent.status, 200, "{}", sent.json);
    }
    let failed = served.finished(&runs[0]).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("WF4006")), "{failed}");
    assert_eq!(served.finished(&runs[1]).await["status"], "completed");
}
