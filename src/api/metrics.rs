//! Figures for whoever watches the service from outside, as Prometheus reads them.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::http::caller::Who;
use crate::http::problem::Problem;
use crate::service::outbox::OutboxView;
use crate::service::{LinkState, LinkView};

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(metrics))
}

/// Tells figures in the text format of Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, content_type = "text/plain")))]
async fn metrics(State(api): State<Api>, Who(_): Who) -> Result<Response, Problem> {
    let mut text = String::new();
    write_gauge(
        &mut text,
        "workflow_info",
        "The version that runs.",
        &[(label("version", env!("CARGO_PKG_VERSION")), 1.0)],
    );
    let open = api.service.archive().open_by_status().await?;
    let open: Vec<_> = open.iter().map(|(status, count)| (label("status", status), float(*count))).collect();
    write_gauge(&mut text, "workflow_executions_open", "Executions that are not over.", &open);
    if let Some(free) = api.service.free_disk() {
        write_gauge(
            &mut text,
            "workflow_disk_free_bytes",
            "What the disk of the storage folder has left.",
            &[(String::new(), float(free))],
        );
    }
    let behind = api.service.conversations().behind().await?;
    let name = "workflow_chat_final_cards_undelivered";
    write_gauge(
        &mut text,
        name,
        "Executions that are over and whose cards do not show it yet.",
        &[(String::new(), float(behind.cards))],
    );
    let name = "workflow_chat_final_cards_oldest_seconds";
    write_gauge(
        &mut text,
        name,
        "For how long the oldest of them waits.",
        &[(String::new(), behind.oldest.as_secs_f64())],
    );
    write_outbox(&mut text, api.service.archive().outbox(api.service.now()).await?);
    write_links(&mut text, &api.service.links().all());
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

fn write_outbox(text: &mut String, outbox: OutboxView) {
    for (name, help, figure) in [
        ("workflow_outbox_queued", "Messages to people that wait.", outbox.queued),
        ("workflow_outbox_oldest_seconds", "For how long the oldest of them waits.", outbox.oldest_seconds),
        ("workflow_outbox_dead", "Messages to people that were given up.", outbox.dead),
    ] {
        write_gauge(text, name, help, &[(String::new(), float(figure))]);
    }
}

fn write_links(text: &mut String, links: &[LinkView]) {
    let each = |figure: fn(&LinkView) -> f64| -> Vec<_> {
        links.iter().map(|link| (label("link", &link.name), figure(link))).collect()
    };
    let is_up = each(|link| f64::from(u8::from(link.state == LinkState::Up)));
    write_gauge(text, "workflow_link_up", "Whether a connection to a chat platform is there.", &is_up);
    write(
        text,
        ("workflow_link_received_total", "counter"),
        "Things that came in.",
        &each(|link| float(link.received)),
    );
    write(text, ("workflow_link_sent_total", "counter"), "Things that were sent.", &each(|link| float(link.sent)));
    write(text, ("workflow_link_failed_total", "counter"), "Sends that failed.", &each(|link| float(link.failed)));
}

fn write_gauge(text: &mut String, name: &str, help: &str, samples: &[(String, f64)]) {
    write(text, (name, "gauge"), help, samples);
}

/// One figure with all its samples; one without a sample is left out.
fn write(text: &mut String, (name, kind): (&str, &str), help: &str, samples: &[(String, f64)]) {
    if samples.is_empty() {
        return;
    }
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}"); // writing to a String cannot fail, here and below
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{{{name}=\"{value}\"}}")
}

#[expect(clippy::cast_precision_loss, reason = "what is watched is not exact beyond 2^53")]
const fn float(number: u64) -> f64 {
    number as f64
}
