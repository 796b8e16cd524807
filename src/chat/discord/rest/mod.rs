//! Discord's REST API, as far as it is needed: every request waits for its place in the [`buckets`], has an end, and
//! tells why it failed in words that decide what happens next.
//!
//! It stands in the place of serenity's own client, which cannot be pointed at another base with its limiter on, and
//! forgets how long it is to wait with its limiter off (serenity 0.12.5).

mod buckets;
mod client;
mod error;

pub use client::{Call, Enclosure, Rest, WHO};
pub use error::RestError;
