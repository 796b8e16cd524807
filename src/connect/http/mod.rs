//! HTTP to the outside world: every hop through the outbound guard, every size and time bounded.
//!
//! Nothing is retried here, no proxy is used, no cookie is kept. Texts of errors name a host, never a path, a query
//! or a header value: those may hold a secret.

mod answer;
mod client;
mod error;
mod link;
mod redirect;
mod tls;

pub use answer::Answer;
pub use client::{Client, Limits, Request};
pub use error::{HttpError, RedirectError};
pub use link::{Link, LinkError, Reply};
pub use reqwest::header;
pub use reqwest::{Method, StatusCode};
pub use url::Url;
