//! The step type `extract`, and what every source of it gives.

use futures::future::BoxFuture;
use schemars::schema_for;
use serde_json::{Value, json};

use super::config::{Config, Source};
use crate::connect::http::Client;
use crate::contract::step::{Attempt, Done, StepHandler, StepOutcome, StepResult};
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
use crate::steps::data::formats::Table;
use crate::steps::data::formats::lists::rows_of;
use crate::steps::data::rows::{check_size, given};
use crate::steps::intake::{Intake, blocking};
use crate::steps::script::FetchSettings;
use crate::steps::script::fetch::outcome::SAMPLE;

/// The name of the shipped sample set, as a source.
pub const SAMPLE_NAME: &str = "test_data";

/// The step type `extract`.
#[derive(Clone)]
pub struct Extract {
    pub(super) client: Client,
    pub(super) settings: FetchSettings,
    pub(super) intake: Intake,
}

impl Extract {
    /// An `extract` that asks through this client and reads these files.
    #[must_use]
    pub const fn new(client: Client, settings: FetchSettings, intake: Intake) -> Self {
        Self { client, settings, intake }
    }
}

impl StepHandler for Extract {
    fn declare(&self) -> StepType {
        StepType {
            name: "extract",
            summary: "takes rows from a web service, a file (csv, json, jsonl) or the shipped sample set",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: vec![Port::gives("records", PortType::Records)],
            outputs: &["records", "fetched", "pages", "source", "simulated"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &["source", "endpoint"],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let config: Config = attempt.config()?;
            config.check(attempt)?;
            let found = match config.source {
                Source::TestData => Found::sample(None),
                Source::Api => self.ask(attempt, &config).await?,
                Source::File => match self.read(attempt, &config).await? {
                    Ok(found) => found,
                    Err(asked) => return Ok(asked),
                },
            };
            blocking(move || found.done()).await.map(StepOutcome::Done)
        })
    }
}

/// What a source gave.
pub(super) struct Found {
    pub table: Table,
    pub pages: usize,
    pub source: String,
    pub simulated: bool,
}

impl Found {
    /// The shipped sample set; with a reason it stands for something that was not asked.
    pub fn sample(reason: Option<String>) -> Self {
        let rows: Value = serde_json::from_str(SAMPLE).unwrap_or_default(); // a test of `fetch` reads it
        let simulated = reason.is_some();
        let warnings =
            reason.map(|reason| format!("simulated: {reason}; these are the rows of the shipped sample set"));
        let table = Table { rows: rows_of(rows, 0).unwrap_or_default(), warnings: warnings.into_iter().collect() };
        Self { table, pages: 1, source: SAMPLE_NAME.to_owned(), simulated }
    }

    fn done(self) -> Result<Done, Fault> {
        let Self { table: Table { rows, warnings }, pages, source, simulated } = self;
        let fetched = rows.len();
        let records = given(rows);
        check_size(&records)?;
        let outputs = json!({"fetched": fetched, "pages": pages, "source": source, "simulated": simulated});
        let mut done = Done { warnings, ..Done::with(outputs) };
        done.outputs.insert("records".to_owned(), records);
        Ok(done)
    }
}
