//! REST, live messages and the page: HTTP in, verbs of the front desk, HTTP out. Must never know the store, the engine,
//! or another door. One file a noun; the doc comments of handlers are the text of `/api/openapi.json`.

mod bulk;
mod catalog;
mod decisions;
mod documents;
mod events;
mod files;
mod live;
mod metrics;
mod ops;
mod outbox;
mod people;
mod repeats;
mod rollbacks;
mod runs;
mod session;
mod triggers;
mod ui;
mod versions;
mod wire;
mod workflows;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::middleware;
use axum::response::IntoResponse as _;
use axum::routing::get;
use tokio::sync::Mutex;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::contract::clock::Clock;
use crate::http::caller::Guard;
use crate::http::{Door, Room, porch};
use crate::service::{Repeats, Service};
use live::Hub;

/// What the routes stand on.
pub struct Settings {
    /// The front desk.
    pub service: Service,
    /// Who may come in.
    pub guard: Guard,
    /// The largest file that is taken in, in bytes.
    pub upload_limit: u64,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What every handler knows. Cheap to clone.
#[derive(Clone)]
struct Api {
    service: Service,
    guard: Guard,
    door: Door,
    hub: Hub,
    repeats: Repeats,
    upload_limit: u64,
    /// Held while a wrong token waits for its answer.
    wrong_tokens: Arc<Mutex<()>>,
}

/// All routes, behind the porch: ours, those of these rooms, and the page for whatever else is asked.
pub fn routes(settings: Settings, rooms: Vec<Room>, door: &Door) -> Router {
    let Settings { service, guard, upload_limit, clock } = settings;
    let topics = rooms.iter().filter_map(|room| room.topic.clone());
    let hub = Hub::start(&service, topics, door);
    let repeats = Repeats::new(service.clone());
    let api = Api {
        service,
        guard: guard.clone(),
        door: door.clone(),
        hub,
        repeats,
        upload_limit,
        wrong_tokens: Arc::default(),
    };
    let (routes, described) = described(rooms.into_iter().map(|room| room.routes)).with_state(api).split_for_parts();
    let described = described.to_json().unwrap_or_default(); // plain values with string keys
    let openapi = move || async move { ([(header::CONTENT_TYPE, "application/json")], described).into_response() };
    let routes = routes
        .route("/api/openapi.json", get(openapi))
        .fallback(ui::page)
        .method_not_allowed_fallback(ui::wrong_method);
    porch::before(routes, guard, clock)
}

/// The routes with their descriptions.
fn described(rooms: impl Iterator<Item = OpenApiRouter>) -> OpenApiRouter<Api> {
    let info = InfoBuilder::new().title("workflow").version(env!("CARGO_PKG_VERSION")).description(Some(
        "Durable workflow automation. Refusals are `application/problem+json` with a stable `code`.",
    ));
    let ordinary = OpenApiRouter::with_openapi(OpenApiBuilder::new().info(info.build()).build())
        .merge(workflows::routes())
        .merge(
            runs::routes()
                .merge(decisions::routes())
                .merge(rollbacks::routes())
                .merge(bulk::routes())
                .merge(versions::routes()),
        )
        .merge(documents::routes())
        .merge(events::routes().merge(triggers::routes()))
        .merge(catalog::routes())
        .merge(people::routes())
        .merge(session::routes())
        .merge(ops::routes());
    let ordinary = rooms.fold(ordinary, |all, room| all.merge(room.with_state(())));
    ordinary
        .layer(middleware::from_fn(porch::in_time))
        .merge(files::routes())
        .merge(runs::slow_routes())
        .merge(OpenApiRouter::default().routes(routes!(live::stream::follow)))
        .merge(OpenApiRouter::default().routes(routes!(live::socket::open)))
}
