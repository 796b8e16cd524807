//! For whoever runs the service.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Api, metrics, outbox};
use crate::http::json::{self, Json};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(health)).merge(metrics::routes()).merge(outbox::routes())
}

/// Tells whether the service works; needs no token
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, description = "`{status, version, checks, links, outbox}`; a link that is down and messages that wait do not make the service fail"), (status = 503)))]
async fn health(State(api): State<Api>) -> Json {
    let database = match api.service.archive().workflow_count().await {
        Ok(_) => "ok",
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            "failed"
        }
    };
    let (status, word) =
        if database == "ok" { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "failed") };
    let version = env!("CARGO_PKG_VERSION");
    let links = api.service.links().all();
    let outbox = api.service.archive().outbox(api.service.now()).await.ok();
    json::with_status(
        status,
        &json!({ "status": word, "version": version, "checks": { "database": database }, "links": links, "outbox": outbox }),
    )
}
