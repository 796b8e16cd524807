//! Rows from a web service, page after page.

use std::collections::HashSet;

use super::config::Config;
use super::file::Reading;
use super::paging::{self, Next};
use super::step::{Extract, Found};
use crate::connect::egress::Refusal;
use crate::connect::http::header::HeaderMap;
use crate::connect::http::{Answer, HttpError, Limits, Method, Request, Url};
use crate::contract::step::Attempt;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::steps::data::formats::{Format, Table, decode, lists};
use crate::steps::script::fetch::config::{Place, Scalar, headers, locate};
use crate::steps::script::fetch::outcome;

/// Pages that are followed at the most.
const MOST_PAGES: usize = 10_000;

impl Extract {
    pub(super) async fn ask(&self, attempt: &Attempt, config: &Config) -> Result<Found, Fault> {
        let at = |key: &str| format!("{}.config.{key}", attempt.step);
        let endpoint = config
            .endpoint
            .as_deref()
            .ok_or_else(|| Fault::permanent(code::WF2001, "`source: api` wants an `endpoint`").at(at("endpoint")))?;
        let place = locate(endpoint, config.base_url.as_deref(), self.settings.base_url.as_ref());
        let mut url = match place.map_err(|fault| fault.at(at("endpoint")))? {
            Place::World(url) => url,
            Place::Sample(path) if self.settings.require_delivery => {
                let message = format!("`{path}` is not a full address, and there is no `base_url`");
                return Err(Fault::permanent(code::WF3101, message).at(at("endpoint")));
            }
            Place::Sample(path) => {
                return Ok(Found::sample(Some(format!("`{path}` has no `base_url`, so nobody was asked"))));
            }
        };
        if !config.query.is_empty() {
            url.query_pairs_mut().extend_pairs(config.query.iter().map(|(name, value)| (name, value.to_string())));
        }
        let headers = headers(&config.headers).map_err(|fault| fault.at(at("headers")))?;
        let reading = Reading::of(config, "", Some(Format::Json))?;
        let walk = Walk { extract: self, attempt, config, headers, reading };
        walk.from(url).await
    }
}

/// One extraction: what stays the same from page to page.
struct Walk<'a> {
    extract: &'a Extract,
    attempt: &'a Attempt,
    config: &'a Config,
    headers: HeaderMap,
    reading: Reading,
}

impl Walk<'_> {
    async fn from(&self, first: Url) -> Result<Found, Fault> {
        let host = first.host_str().unwrap_or_default().to_owned();
        let (mut table, mut seen, mut bytes) = (Table::default(), HashSet::new(), 0);
        let mut url = first.clone();
        loop {
            seen.insert(url.clone());
            (self.attempt.progress)(&format!("page {} of `{host}`", seen.len()));
            let answer = match self.send(url, bytes).await? {
                Sent::Answer(answer) => answer,
                Sent::Reserved(name) => {
                    let reason = format!("`{name}` is reserved for examples and was not contacted");
                    return Ok(Found::sample(Some(reason)));
                }
            };
            bytes += answer.body.len() as u64;
            let next = self.page(&answer, &mut table).map_err(|fault| Fault {
                message: format!("page {} of `{host}`: {}", seen.len(), fault.message),
                ..fault
            })?;
            let stop = self.config.max_pages.is_some_and(|most| seen.len() >= most.get() as usize);
            match next {
                Next::End => break,
                _ if stop => {
                    table.warnings.push(format!("there are more pages than `max_pages` ({})", seen.len()));
                    break;
                }
                Next::Unclear(why) => return Err(Fault::permanent(code::WF2405, why)),
                Next::At(next) => url = follow(&first, next, &seen)?,
            }
        }
        Ok(Found { table, pages: seen.len(), source: host, simulated: false })
    }

    async fn send(&self, url: Url, before: u64) -> Result<Sent, Fault> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut request = Request::new(Method::GET, url);
        request.headers = self.headers.clone();
        let left = self.config.limit().saturating_sub(before);
        request.limits = Limits { total: self.attempt.timeout, body: left, ..Limits::default() };
        let asked = self.extract.client.send(request);
        let stopped = || Fault::transient(code::WF4007, format!("the request to `{host}` was stopped"));
        let sent = self.attempt.cancel.run_until_cancelled(asked).await.ok_or_else(stopped)?;
        match sent {
            Ok(answer) if answer.status.is_success() => Ok(Sent::Answer(Box::new(answer))),
            Ok(answer) => Err(outcome::fault(&answer, &self.said(), self.now())),
            Err(HttpError::Refused(Refusal::Reserved(name))) if !self.extract.settings.require_delivery => {
                Ok(Sent::Reserved(name))
            }
            Err(HttpError::TooLarge { .. }) => {
                let message = format!("`{host}` has more than {} bytes of rows", self.config.limit());
                Err(Fault::permanent(code::WF2404, message).fix("ask for less, or raise the step's `max_size`"))
            }
            Err(error) => Err(Fault::from(error).at(format!("{}.config.endpoint", self.attempt.step))),
        }
    }

    /// Adds the rows of a page; where the next one is.
    fn page(&self, answer: &Answer, table: &mut Table) -> Result<Next, Fault> {
        let linked = paging::linked(answer);
        let (more, next) = match self.reading.format {
            Format::Json => {
                let declared = answer.text().filter(|_| self.config.encoding.is_none());
                let text = declared.map_or_else(|| decode(&answer.body, self.config.encoding.as_deref()), Ok)?;
                let (more, rest) = lists::read(&text, self.config.records_path.as_deref())?;
                let next = linked.unwrap_or_else(|| paging::written(&rest, &answer.url));
                (more, next)
            }
            Format::Csv | Format::Jsonl => (self.reading.rows(&answer.body)?, linked.unwrap_or(Next::End)),
        };
        table.rows.extend(more.rows);
        table.warnings.extend(more.warnings);
        table.warnings.dedup();
        Ok(next)
    }

    /// What the request says that nobody else should read.
    fn said(&self) -> Vec<String> {
        self.config.headers.values().chain(self.config.query.values()).map(Scalar::to_string).collect()
    }

    const fn now(&self) -> Timestamp {
        self.attempt.now
    }
}

enum Sent {
    Answer(Box<Answer>),
    Reserved(String),
}

/// The next page, if it may be followed: at the same place as the first, and not seen before.
fn follow(first: &Url, next: Url, seen: &HashSet<Url>) -> Result<Url, Fault> {
    if next.origin() != first.origin() {
        let message = format!(
            "the next page after page {} is at `{}`, and only `{}` was asked for",
            seen.len(),
            next.host_str().unwrap_or_default(),
            first.host_str().unwrap_or_default()
        );
        return Err(Fault::permanent(code::WF2405, message).fix("take fewer pages with `max_pages`"));
    }
    if seen.contains(&next) {
        let message = format!("the next page after page {} is one that was there before", seen.len());
        return Err(Fault::permanent(code::WF2405, message));
    }
    if seen.len() >= MOST_PAGES {
        let message = format!("there are more than {MOST_PAGES} pages");
        return Err(Fault::permanent(code::WF2404, message).fix("ask for larger pages, or for fewer rows"));
    }
    Ok(next)
}
