//! The service as it listens: its own clock, events over HTTP, addresses of triggers, watched folders, the terminal.

use hmac::{Hmac, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::service::{Served, answer};

pub async fn make(served: &Served, name: &str, triggers: Value) {
    let definition = json!({ "name": name, "steps": [{ "type": "noop" }], "triggers": triggers }).to_string();
    let body = json!({ "definition": definition });
    let made = answer(served.request(Method::POST, "/api/workflow/create").json(&body)).await;
    assert_eq!(made.status, 200, "{}", made.json);
}

pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..2_400 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{what} never came");
}

fn signed(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_clock_of_the_service_starts_runs_by_itself() {
    let served = Served::with(&["schedule_min_interval=1"]);
    make(
        &served,
        "Often",
        json!([{ "id": "s", "type": "schedule", "cron": "* * * * * *", "tz": "UTC", "overlap": "allow" }]),
    )
    .await;
    let firings = until("a second firing", async || {
        let told = served.get("/api/triggers/explain?name=often").await.json;
        let firings = told["firings"].as_array().cloned().unwrap_or_default();
        (firings.len() > 2).then_some(firings)
    })
    .await;
    assert!(firings.iter().all(|firing| firing["verdict"] == "started"), "{firings:?}");
    let mut instants: Vec<_> = firings.iter().map(|firing| firing["instant"].to_string()).collect();
    instants.sort();
    instants.dedup();
    assert_eq!(instants.len(), firings.len(), "one run an instant");
}

#[tokio::test]
async fn events_come_one_by_one_in_lists_and_as_cloud_events() {
    let served = Served::start();
    make(&served, "Tickets", json!([{ "id": "e", "type": "event", "name": "ticket.created" }])).await;
    let send = async |body: Value, kind: &str| {
        let request = served.request(Method::POST, "/api/events").header("content-type", kind.to_owned());
        answer(request.body(body.to_string())).await
    };
    let one = json!({ "name": "ticket.created", "id": "1", "source": "crm", "data": { "ticket_id": "T-1" } });
    let first = send(one.clone(), "application/json").await;
    assert_eq!((first.status, &first.json["came"][0]["verdict"]), (200, &json!("started")), "{}", first.json);
    let again = send(one, "application/json").await.json;
    assert_eq!(again["came"][0]["duplicate"], true);
    assert_eq!(again["came"][0]["execution_id"], first.json["came"][0]["execution_id"]);
    let cloud =
        |id: &str| json!({ "specversion": "1.0", "type": "ticket.created", "source": "/crm", "id": id, "data": {} });
    let structured = send(cloud("a"), "application/cloudevents+json").await.json;
    assert_eq!(structured["came"][0]["verdict"], "started", "{structured}");
    let batch = send(json!([cloud("a"), cloud("b")]), "application/cloudevents-batch+json").await.json;
    assert_eq!(batch["events"][0]["came"][0]["duplicate"], true, "{batch}");
    assert_eq!(batch["events"][1]["came"][0]["duplicate"], false, "{batch}");
    let binary = served.request(Method::POST, "/api/events").header("ce-type", "ticket.created").header("ce-id", "c");
    let binary = answer(binary.header("ce-source", "/crm").json(&json!({ "n": 1 }))).await.json;
    assert_eq!(binary["came"][0]["verdict"], "started", "{binary}");
    for (body, part) in
        [(json!({ "data": {} }), "name"), (json!([1]), "object"), (json!({ "name": "x", "wrong": 1 }), "wrong")]
    {
        let refused = send(body, "application/json").await;
        assert_eq!(refused.status, 422, "{}", refused.json);
        assert!(refused.json["message"].as_str().expect("text").contains(part), "{}", refused.json);
    }
}

#[tokio::test]
async fn a_request_to_an_address_is_genuine_new_and_in_time_or_it_starts_nothing() {
    let served = Served::start();
    make(
        &served,
        "Hooked",
        json!([
            { "id": "plain", "type": "webhook", "methods": ["POST", "PUT"], "wait": "20s" },
            { "id": "github", "type": "webhook", "auth": "github" },
            { "id": "stripe", "type": "webhook", "auth": "stripe" },
            { "id": "hmac", "type": "webhook", "auth": "hmac", "dedupe_pointer": "/id" },
        ]),
    )
    .await;
    let listed = served.get("/api/triggers?workflow=hooked").await.json;
    let path = |id: &str| {
        let of = listed["triggers"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|view| view["id"] == format!("hooked/{id}").as_str());
        of.and_then(|view| view["path"].as_str()).expect("it has an address").to_owned()
    };
    let send = async |path: &str, headers: &[(&str, String)], body: &str| {
        let request = headers
            .iter()
            .fold(served.request(Method::POST, path), |request, (name, value)| request.header(*name, value));
        answer(request.body(body.to_owned())).await
    };
    let done = send(&path("plain"), &[], "{\"n\": 1}").await;
    assert_eq!((done.status, &done.json["status"]), (200, &json!("completed")), "{}", done.json);
    assert_eq!(send(&path("plain"), &[], "{\"n\": 1}").await.json["duplicate"], true, "the same body within a minute");
    let named = [("idempotency-key", "other".to_owned())];
    assert_eq!(send(&path("plain"), &named, "{\"n\": 1}").await.json["duplicate"], false);
    assert_eq!(answer(served.request(Method::GET, &path("plain"))).await.status, 405);
    assert_eq!(send("/hooks/0123456789", &[], "").await.status, 404);

    let secret = async |id: &str| {
        let act = json!({ "rotate": format!("hooked/{id}") });
        let acted = answer(served.request(Method::POST, "/api/triggers/act").json(&act)).await.json;
        acted["secret"].as_str().expect("told once").to_owned()
    };
    let (body, key) = ("{\"action\":\"opened\"}", secret("github").await);
    let good = [
        ("x-hub-signature-256", format!("sha256={}", signed(&key, &[body.as_bytes()]))),
        ("x-github-delivery", "d1".to_owned()),
    ];
    let taken = send(&path("github"), &good, body).await;
    assert_eq!((taken.status, &taken.json["verdict"]), (202, &json!("started")), "{}", taken.json);
    assert_eq!(send(&path("github"), &good, body).await.json["duplicate"], true);
    let forged = send(&path("github"), &good, "{\"action\":\"closed\"}").await;
    assert_eq!((forged.status, &forged.json["code"]), (401, &json!("WF5150")));
    assert_eq!(send(&path("github"), &[], body).await.status, 401);
    let newer = secret("github").await;
    assert_ne!(newer, key);
    let later = [good[0].clone(), ("x-github-delivery", "d2".to_owned())];
    assert_eq!(send(&path("github"), &later, body).await.json["verdict"], "started", "the old secret counts for a day");

    let now = workflow::app::now().micros() / 1_000_000;
    let key = secret("stripe").await;
    let stripe =
        |time: i64| format!("t={time},v1={}", signed(&key, &[time.to_string().as_bytes(), b".", body.as_bytes()]));
    assert_eq!(send(&path("stripe"), &[("stripe-signature", stripe(now))], body).await.json["verdict"], "started");
    let stale = send(&path("stripe"), &[("stripe-signature", stripe(now - 400))], body).await;
    assert_eq!((stale.status, &stale.json["code"]), (401, &json!("WF5151")));

    let key = secret("hmac").await;
    let sign = |body: &str| {
        vec![
            ("x-timestamp", now.to_string()),
            ("x-signature", signed(&key, &[now.to_string().as_bytes(), b".", body.as_bytes()])),
        ]
    };
    let (first, other) = ("{\"id\":1,\"a\":1}", "{\"id\":1,\"a\":2}");
    assert_eq!(send(&path("hmac"), &sign(first), first).await.json["duplicate"], false);
    assert_eq!(
        send(&path("hmac"), &sign(other), other).await.json["duplicate"],
        true,
        "the id in the body is what counts"
    );
}

#[tokio::test]
async fn a_file_that_is_put_into_a_watched_folder_starts_a_run_once() {
    let served = Served::start();
    let text = json!([{ "id": "drop", "type": "file", "folder": "invoices", "match": { "types": ["txt"] } }]);
    make(&served, "Intake", text).await;
    let folder = served.home.path().join("workflows").join("inbox/invoices");
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("a.txt"), "some words").expect("written");
    let firings = until("a firing", async || {
        let told = served.get("/api/triggers/explain?name=intake").await.json;
        told["firings"].as_array().filter(|firings| !firings.is_empty()).cloned()
    })
    .await;
    assert_eq!(
        (firings[0]["verdict"].as_str(), firings[0]["facts"]["folder"].as_str()),
        (Some("started"), Some("invoices"))
    );
}
