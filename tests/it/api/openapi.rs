//! The description for programs names every address.

use serde_json::Value;

use crate::support::service::Served;

const PROMISED: &[&str] = &[
    "post /api/workflow/create",
    "get /api/workflow/list",
    "get /api/workflow/templates",
    "get /api/workflow/history",
    "post /api/workflow/validate",
    "get /api/workflow/{workflow}",
    "put /api/workflow/{workflow}",
    "delete /api/workflow/{workflow}",
    "post /api/workflow/{workflow}/execute",
    "post /api/workflow/{workflow}/plan",
    "get /api/workflow/{id}/status",
    "post /api/workflow/{execution}/pause",
    "post /api/workflow/{execution}/resume",
    "post /api/workflow/{execution}/cancel",
    "post /api/workflow/{execution}/retry",
    "post /api/workflow/{execution}/rerun",
    "post /api/workflow/{execution}/answer",
    "get /api/workflow/{execution}/wait",
    "get /api/workflow/{execution}/events",
    "get /api/events",
    "post /api/files",
    "get /api/files/{file}",
    "get /api/documents",
    "get /api/documents/search",
    "get /api/step-types",
    "get /api/people",
    "post /api/people",
    "put /api/people/{name}",
    "delete /api/people/{name}",
    "post /api/people/{name}/code",
    "post /api/people/{name}/unlink",
    "get /api/audit",
    "get /api/session",
    "post /api/session",
    "delete /api/session",
    "get /api/outbox",
    "post /api/outbox/{id}/retry",
    "post /api/outbox/{id}/drop",
    "get /healthz",
    "get /metrics",
];

#[tokio::test]
async fn every_promised_address_is_described_and_every_reference_leads_somewhere() {
    let served = Served::start();
    let described = served.get("/api/openapi.json").await;
    assert_eq!(described.status, 200);
    let paths = described.json["paths"].as_object().expect("paths");
    for promised in PROMISED {
        let (method, path) = promised.split_once(' ').expect("two words");
        let operation = &paths.get(path).unwrap_or(&Value::Null)[method];
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{promised}: {operation}");
    }
    let text = described.json.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().expect("a name");
        assert!(described.json["components"]["schemas"].get(name).is_some(), "{name}");
    }
}

#[test]
fn the_manual_names_every_address() {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md")).expect("a manual");
    for promised in PROMISED {
        let (method, path) = promised.split_once(' ').expect("two words");
        let heading = format!("`{} {path}`", method.to_uppercase());
        assert!(manual.contains(&heading), "docs/api.md does not name {heading}");
    }
}
