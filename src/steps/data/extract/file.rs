//! Rows from a file that the run or the config names.

use std::io::Read as _;

use super::config::Config;
use super::step::{Extract, Found};
use crate::contract::step::{Attempt, StepOutcome};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::steps::data::formats::{Format, Table, decode, delimited, lists};
use crate::steps::intake::{Given, Source, blocking, unreadable};

/// What is needed to read a text as rows, whatever brought it.
pub(super) struct Reading {
    pub format: Format,
    pub records_path: Option<String>,
    pub delimiter: u8,
    pub columns: Option<Vec<String>>,
    pub encoding: Option<String>,
}

impl Reading {
    /// How to read a text of this name.
    pub(super) fn of(config: &Config, name: &str, otherwise: Option<Format>) -> Result<Self, Fault> {
        let format = config.format.or_else(|| Format::named_by(name)).or(otherwise).ok_or_else(|| {
            let message = format!("the name of `{name}` does not tell how its rows are written");
            Fault::permanent(code::WF2403, message).fix("say it with `format`: `csv`, `json` or `jsonl`")
        })?;
        Ok(Self {
            format,
            records_path: config.records_path.clone(),
            delimiter: config.delimiter_for(name),
            columns: config.columns.clone(),
            encoding: config.encoding.clone(),
        })
    }

    /// The rows of these bytes.
    pub(super) fn rows(&self, bytes: &[u8]) -> Result<Table, Fault> {
        let text = decode(bytes, self.encoding.as_deref())?;
        match self.format {
            Format::Json => lists::read(&text, self.records_path.as_deref()).map(|(table, _)| table),
            Format::Jsonl => lists::read_lines(&text),
            Format::Csv => {
                let style = delimited::Style { delimiter: self.delimiter, columns: self.columns.as_deref() };
                delimited::read(&text, style)
            }
        }
    }
}

impl Extract {
    /// The rows of the file; the inner `Err` asks for it.
    pub(super) async fn read(&self, attempt: &Attempt, config: &Config) -> Result<Result<Found, StepOutcome>, Fault> {
        let Source { name, file, .. } = match self.intake.open(attempt, config.file.as_deref()).await? {
            Given::File(source) => source,
            Given::Ask(asked) => return Ok(Err(asked)),
        };
        let reading = Reading::of(config, &name, None)?;
        let limit = config.limit();
        let called = name.clone();
        let table = blocking(move || {
            let mut bytes = Vec::new();
            file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
            if bytes.len() as u64 > limit {
                let message = format!("`{called}` is larger than {limit} bytes");
                return Err(Fault::permanent(code::WF2404, message).fix("split it, or raise the step's `max_size`"));
            }
            let named = |fault: Fault| Fault { message: format!("`{called}`: {}", fault.message), ..fault };
            reading.rows(&bytes).map_err(named)
        })
        .await?;
        Ok(Ok(Found { table, pages: 1, source: name, simulated: false }))
    }
}
