//! The porch before the doors: what every HTTP door shares and none may decide for itself.
//!
//! | part | what it settles |
//! |---|---|
//! | [`problem`] | how a refusal looks, and which status number it has; the only place that knows these numbers |
//! | [`caller`] | who asks: `Host`, `Origin`, token, session cookie |
//! | [`json`] | bodies read strictly: nothing lost, nothing guessed |
//! | [`paging`] | pages of lists |
//! | [`topics`] | how a room offers live messages to browsers over the one WebSocket |
//! | [`porch`] | what happens to every request: id, limits, time, headers, one line of log |
//! | [`listener`] | the socket: bound, limited, drained |
//!
//! # A room that brings routes of its own
//!
//! A room of the same floor as `api` (the web chat, for example) gives `app` two things:
//!
//! 1. its routes, as an `OpenApiRouter` whose handlers carry `#[utoipa::path(..)]`, so that they stand in
//!    `/api/openapi.json`:
//!
//! ```
//! use axum::extract::{Path, State};
//! use utoipa_axum::{router::OpenApiRouter, routes};
//! use workflow::http::{caller::Who, json::{self, Body}, problem::Problem};
//!
//! #[derive(serde::Deserialize, utoipa::ToSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Said {
//!     /// What was typed.
//!     text: String,
//! }
//!
//! /// Says something in a channel.
//! #[utoipa::path(post, path = "/api/chat/{channel}/messages", tag = "chat", request_body = Said,
//!     params(("channel" = String, Path)), responses((status = 200)))]
//! async fn say(
//!     State(_chat): State<()>,
//!     Who(caller): Who,                  // who asks, already checked
//!     Path(channel): Path<String>,
//!     Body(said): Body<Said>,            // 413, 415, 400 and 422 are answered before the handler
//! ) -> Result<json::Json, Problem> {
//!     if channel.len() > 64 {
//!         return Err(Problem::absent("channel", &channel, None));
//!     }
//!     Ok(json::answer(&serde_json::json!({ "by": caller.name, "said": said.text })))
//! }
//!
//! fn routes(chat: ()) -> OpenApiRouter {
//!     OpenApiRouter::default().routes(routes!(say)).with_state(chat)
//! }
//! # let _ = routes(());
//! ```
//!
//! 2. a [`topics::Topic`], if browsers listen to it: `{"subscribe":"chat","channel":"general","after":123}`.
//!
//! `app` puts both into a [`Room`] and hands it to the listener; nobody else needs to know of it.

pub mod caller;
pub mod json;
pub mod listener;
pub mod paging;
pub mod porch;
pub mod problem;
pub mod topics;

use std::sync::Arc;

pub use listener::{Door, Listening};

/// What a room of the same floor as `api` brings to the page.
pub struct Room {
    /// Its routes, with their descriptions.
    pub routes: utoipa_axum::router::OpenApiRouter,
    /// What browsers may listen to.
    pub topic: Option<Arc<dyn topics::Topic>>,
}
