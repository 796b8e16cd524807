//! Documents that workflows have stored: the newest, and those that fit words.

use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::http::json::{self, Json};
use crate::http::paging::{Asked, Page};
use crate::http::problem::Problem;

/// Marks around found words: characters of no script, so that no text of a document can hold them by chance.
const MARKS: (&str, &str) = ("\u{e000}", "\u{e001}");

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(search))
}

/// A page of documents.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// How many, 1 to 200.
    #[serde(default)]
    limit: Option<i64>,
    /// Only documents stored before this one.
    before: Option<String>,
}

/// Lists stored documents, newest first
#[utoipa::path(get, path = "/api/documents", tag = "documents", params(Which), responses((status = 200, description = "`{documents, next}`")))]
async fn list(State(api): State<Api>, Asked(which): Asked<Which>) -> Result<Json, Problem> {
    let limit = Page::of(which.limit, None).limit();
    let before = which.before.map(|id| id.parse().map_err(|_| Problem::absent("document", &id, None))).transpose()?;
    let found = api.service.archive().documents(before, limit).await?;
    let full = found.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| full).map(|document| document.id);
    let documents = found.iter().map(|document| {
        json!({
            "document_id": document.id, "execution_id": document.run, "name": document.name,
            "type": document.media_type, "size": document.size, "language": document.language,
            "created_at": document.created_at.to_string(),
        })
    });
    Ok(json::answer(&json!({ "documents": documents.collect::<Vec<_>>(), "next": next })))
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Words {
    /// Words.
    q: String,
    /// How many, 1 to 200.
    #[serde(default)]
    limit: Option<i64>,
}

/// Searches stored documents, best first
///
/// `snippet` is the best place of the text; found words stand between U+E000 and U+E001.
#[utoipa::path(get, path = "/api/documents/search", tag = "documents", params(Words), responses((status = 200, description = "`{documents}`")))]
async fn search(State(api): State<Api>, Asked(words): Asked<Words>) -> Result<Json, Problem> {
    let limit = Page::of(words.limit, None).limit();
    let hits = api.service.archive().search(&words.q, limit, MARKS).await?;
    let documents = hits.iter().map(|hit| {
        json!({
            "document_id": hit.id, "execution_id": hit.run, "name": hit.name, "score": hit.score,
            "snippet": hit.snippet, "page": hit.page, "language": hit.language,
            "created_at": hit.created_at.to_string(),
        })
    });
    Ok(json::answer(&json!({ "documents": documents.collect::<Vec<_>>() })))
}
