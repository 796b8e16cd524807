//! Step types: what a designer and a help page are made of.

use axum::extract::State;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::http::json::{self, Json};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list))
}

/// Lists the step types: what each takes, gives and does
#[utoipa::path(get, path = "/api/step-types", tag = "workflows", responses((status = 200, description = "`{types}`")))]
async fn list(State(api): State<Api>) -> Json {
    let ports = |ports: &[crate::language::catalog::Port]| -> Vec<_> {
        ports.iter().map(|port| json!({ "name": port.name, "required": port.required })).collect()
    };
    let types = api.service.engine().registry().catalog().iter().map(|kind| {
        json!({
            "name": kind.name, "summary": kind.summary, "config": kind.config, "consumes": ports(&kind.consumes),
            "produces": ports(&kind.produces), "outputs": kind.outputs, "overridable": kind.overridable, "effect": kind.effect,
        })
    });
    json::answer(&json!({ "types": types.collect::<Vec<_>>() }))
}
