//! `extract`: rows from a web service, a file, or the shipped sample set.
//!
//! ```yaml
//! - { type: extract, config: { source: api, endpoint: "https://erp.acme.eu/orders", records_path: result.rows } }
//! - { type: extract, config: { source: file, file: orders.csv, delimiter: ";", encoding: windows-1252 } }
//! ```
//! Gives `records`, `fetched`, `pages`, `source` (where they came from) and `simulated`.

mod api;
mod config;
mod file;
mod paging;
mod step;

pub use step::{Extract, SAMPLE_NAME};
