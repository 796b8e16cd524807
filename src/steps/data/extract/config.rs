//! The config of `extract`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::step::Attempt;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::steps::data::formats::Format;
use crate::steps::script::fetch::config::Scalar;
use crate::steps::size::Bytes;

/// Where rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A web service.
    #[default]
    Api,
    /// A file.
    File,
    /// The shipped sample set: twelve rows with two doubles, odd spacing and letters of many scripts.
    TestData,
}

/// How a web service is asked; rows are only ever read.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// The only one.
    #[default]
    #[serde(alias = "get")]
    Get,
}

/// The config of an `extract` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the rows come from.
    #[serde(default)]
    pub source: Source,
    /// For `api`: the address; one that begins with `/` belongs to `base_url`.
    pub endpoint: Option<String>,
    /// For `api`: where an address that begins with `/` belongs.
    pub base_url: Option<String>,
    /// For `api`: how to ask.
    #[serde(default, rename = "method")]
    _method: Verb,
    /// For `api`: headers to send.
    #[serde(default)]
    pub headers: BTreeMap<String, Scalar>,
    /// For `api`: added to the address after `?`.
    #[serde(default)]
    pub query: BTreeMap<String, Scalar>,
    /// For `api`: after so many pages it stops, with a warning when there are more; without it all are taken.
    pub max_pages: Option<std::num::NonZeroU32>,
    /// Where the list of rows stands in an answer or a JSON file, as in `result.rows`.
    pub records_path: Option<String>,
    /// For `file`: its id or its path, when it is not the run's input `file_path`.
    pub file: Option<String>,
    /// How the rows are written; else the end of the file's name says it, and a web service answers in JSON.
    pub format: Option<Format>,
    /// For `csv`: what separates the cells; `,` unless told otherwise, a tab in a `.tsv` file.
    pub delimiter: Option<char>,
    /// For `csv`: the names of the columns, when the first line is a row already.
    pub columns: Option<Vec<String>>,
    /// How text is encoded, as in `windows-1252`; UTF-8 unless told otherwise or a byte order mark says so.
    pub encoding: Option<String>,
    /// How large a file or an answer may be; 32 MiB unless told otherwise.
    pub max_size: Option<Bytes>,
}

/// How large a source may be unless told otherwise.
const USUAL: u64 = 32 * 1024 * 1024;
/// How large it may be at all: it is held in memory.
const LARGEST: u64 = 256 * 1024 * 1024;

impl Config {
    /// Refuses what the types of the keys alone do not.
    ///
    /// # Errors
    /// `WF2001` at the key.
    pub fn check(&self, attempt: &Attempt) -> Result<(), Fault> {
        let refuse = |key: &str, message: String| {
            Err(Fault::permanent(code::WF2001, message).at(format!("{}.config.{key}", attempt.step)))
        };
        if let Some(Bytes(size)) = self.max_size.filter(|size| size.0 > LARGEST) {
            return refuse("max_size", format!("`max_size` is {size}, and can be {LARGEST} at most"));
        }
        if let Some(other) = self.delimiter.filter(|c| !c.is_ascii() || matches!(c, '"' | '\r' | '\n')) {
            return refuse("delimiter", format!("`{}` cannot separate cells", other.escape_default()));
        }
        // An input may choose the address, but not send the author's credentials there.
        let chosen = attempt.inputs.get("endpoint").and_then(serde_json::Value::as_str);
        let leads_away = chosen.is_some_and(|endpoint| !endpoint.starts_with('/') || endpoint.starts_with("//"));
        if self.source == Source::Api && leads_away && !self.headers.is_empty() {
            let message = "the input `endpoint` is a full address, and the step has headers that belong elsewhere";
            return refuse("endpoint", message.to_owned());
        }
        Ok(())
    }

    /// How large a file or an answer may be.
    pub fn limit(&self) -> u64 {
        self.max_size.map_or(USUAL, |Bytes(size)| size)
    }

    /// What separates the cells of a file of this name.
    pub fn delimiter_for(&self, name: &str) -> u8 {
        let tabs = name
            .rsplit_once('.')
            .is_some_and(|(_, end)| end.eq_ignore_ascii_case("tsv") || end.eq_ignore_ascii_case("tab"));
        match self.delimiter {
            Some(c) => u8::try_from(c).unwrap_or(b','), // `check` has seen that it is ASCII
            None if tabs => b'\t',
            None => b',',
        }
    }
}
