//! `fetch`: asks the outside world over HTTP.
//!
//! ```yaml
//! - type: fetch
//!   config: { url: "https://erp.acme.eu/suppliers", query: { page: 1 }, headers: { Accept: application/json } }
//! ```
//! Gives `response` (`status`, `headers`, `json` or `body`, `url`, `size`, `duration`) and, when the answer is a list of
//! rows, `records`. Only public addresses are reached. Names reserved for examples are never contacted: the step then
//! gives a sample set and says `simulated: true`. What is not asked with GET carries an `Idempotency-Key` that stays the
//! same over retries.

pub(in crate::steps) mod config;
pub(in crate::steps) mod outcome;

use futures::future::BoxFuture;
use schemars::schema_for;

use self::config::{Config, Place, place};
use crate::connect::egress::Refusal;
use crate::connect::http::{Client, HttpError, Url};
use crate::contract::step::{Attempt, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};

/// What the operator decides about `fetch`.
#[derive(Debug, Clone, Default)]
pub struct FetchSettings {
    /// Where an address that begins with `/` belongs.
    pub base_url: Option<Url>,
    /// Fail instead of pretending.
    pub require_delivery: bool,
}

/// The step type `fetch`.
#[derive(Clone)]
pub struct Fetch {
    client: Client,
    settings: FetchSettings,
}

impl Fetch {
    /// A `fetch` that asks through this client.
    #[must_use]
    pub const fn new(client: Client, settings: FetchSettings) -> Self {
        Self { client, settings }
    }
}

impl StepHandler for Fetch {
    fn declare(&self) -> StepType {
        StepType {
            name: "fetch",
            summary: "asks a web address and gives the answer, as rows where it is a list",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: vec![Port::gives("response", PortType::Any), Port::gives("records", PortType::Records)],
            outputs: &["response", "records", "simulated"],
            effect: EffectClass::AtLeastOnce,
            cacheable: false,
            undo: Undo::Never,
            // A run input could send the author's credentials to an address of its own choosing.
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let config: Config = attempt.config()?;
            match config.place(self.settings.base_url.as_ref()).map_err(|fault| fault.at(place(attempt, "url")))? {
                Place::Sample(path) if self.settings.require_delivery => Err(Fault::permanent(
                    code::WF3101,
                    format!("`{path}` is not a full address, and there is no `base_url`"),
                )),
                Place::Sample(path) => {
                    outcome::simulated(&path, &format!("`{path}` has no `base_url`, so nobody was asked")).into()
                }
                Place::World(url) => self.ask(attempt, &config, url).await,
            }
        })
    }
}

impl Fetch {
    async fn ask(&self, attempt: &Attempt, config: &Config, url: Url) -> StepResult {
        let host = url.host_str().unwrap_or_default().to_owned();
        let request = config.request(url, attempt)?;
        let method = request.method.clone();
        (attempt.progress)(&format!("{method} {host}"));
        let sent = attempt.cancel.run_until_cancelled(self.client.send(request)).await;
        let sent =
            sent.ok_or_else(|| Fault::transient(code::WF4007, format!("the request to `{host}` was stopped")))?;
        match sent {
            Ok(answer) => outcome::judge(&answer, config, attempt.now),
            Err(HttpError::Refused(Refusal::Reserved(name))) if !self.settings.require_delivery => outcome::simulated(
                &format!("{name}/"),
                &format!("`{name}` is reserved for examples and was not contacted"),
            )
            .into(),
            Err(error @ HttpError::Refused(_)) => Err(Fault::from(error).at(place(attempt, "url"))),
            Err(error) => Err(Fault::from(error)),
        }
    }
}
