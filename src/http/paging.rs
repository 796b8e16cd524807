//! Pages of lists: `?limit=` (held within bounds) and `?before=` (the id of the last one seen).

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Items of a page where nothing else is asked for.
const USUAL: u32 = 50;
/// Items of a page at the most.
pub const MOST: u32 = 200;

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Page {
    /// How many, from 1 to [`MOST`]; a number outside counts as the nearest one inside.
    #[serde(default)]
    limit: Option<i64>,
    /// Only what is older than this one.
    #[serde(default)]
    pub before: Option<String>,
}

impl Page {
    /// A page as these two say.
    #[must_use]
    pub const fn of(limit: Option<i64>, before: Option<String>) -> Self {
        Self { limit, before }
    }

    /// How many items.
    #[must_use]
    pub fn limit(&self) -> u32 {
        let asked = self.limit.unwrap_or(i64::from(USUAL)).clamp(1, i64::from(MOST));
        u32::try_from(asked).unwrap_or(MOST)
    }
}

/// What stands behind the `?` of an address; what does not fit is told by name.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let said =
            |error: &dyn std::error::Error| error.source().map_or_else(|| error.to_string(), ToString::to_string);
        query.map(|Query(asked)| Self(asked)).map_err(|error| Problem::unfit("the query", said(&error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_outside_the_bounds_counts_as_the_nearest_inside() {
        for (asked, limit) in [(None, 50), (Some(-1), 1), (Some(0), 1), (Some(7), 7), (Some(1_000_000_000), 200)] {
            assert_eq!(Page { limit: asked, before: None }.limit(), limit);
        }
    }
}
