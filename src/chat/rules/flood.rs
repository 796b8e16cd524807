//! Many files in a short while: the one message about them, kept up to date. What it should show stands in the store, so that
//! a crash loses nothing; it is shown a moment after the last file came, so that what comes together is one message.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::adapter::{Address, MessageRef, SendError};
use super::super::means::Means;
use super::super::talk::{No, Reply, Talk};
use super::digest::{self, Facts, What};
use crate::domain::card::Card;
use crate::domain::time::Span;
use crate::service::ServiceError;
use crate::service::triggers::{ALL, Flood, FloodFile, NONE};

/// So long after the last file the message is shown, ...
const QUIET: Span = Span::from_millis(1_500);
/// ... and so long after the first one in any case.
const AT_LAST: Span = Span::from_secs(6);
/// The least time between two changes of a message: those of all cards together are counted by platforms.
const EVERY: Duration = Duration::from_secs(6);
/// How often executions are looked at that are under way.
const LOOK: Duration = Duration::from_secs(2);
/// After a message was not taken.
const AGAIN: Duration = Duration::from_secs(30);
/// Nobody answers any more after this: the buttons are too old.
const FORGOTTEN: Span = Span::from_secs(30 * 86_400);

/// Wakes whoever keeps the messages.
#[derive(Default)]
pub struct Floods {
    news: Notify,
}

impl Floods {
    /// Something has changed.
    pub fn look(&self) {
        self.news.notify_one();
    }
}

/// What a message shows.
struct Shown {
    text: String,
    at: Instant,
}

/// Keeps the messages until stopped.
pub async fn keep(means: Arc<Means>, stop: CancellationToken) {
    let mut shown: HashMap<String, Shown> = HashMap::new();
    loop {
        let next = match tend_all(&means, &mut shown).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "what came with many others cannot be looked at");
                Some(AGAIN)
            }
        };
        let sleep = async {
            match next {
                Some(next) => tokio::time::sleep(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = means.floods.news.notified() => {}
            () = sleep => {}
        }
    }
}

/// Brings all messages up to date; when to look again.
async fn tend_all(means: &Means, shown: &mut HashMap<String, Shown>) -> Result<Option<Duration>, ServiceError> {
    let mut next: Option<Duration> = None;
    let open = means.service.open_floods().await?;
    shown.retain(|id, _| open.iter().any(|flood| flood.id == *id));
    for flood in open {
        let Some(address) = Address::parse(&flood.place).filter(|address| means.adapter(address).is_ok()) else {
            continue; // its platform is not connected in this life of the process
        };
        let wait = match tend(means, &flood, &address, shown).await? {
            Ok(wait) => wait,
            Err(SendError::Busy(wait)) => Some(wait),
            Err(error) => {
                tracing::warn!(%error, "the message about many files is not shown; it is tried again");
                Some(AGAIN)
            }
        };
        next = [next, wait].into_iter().flatten().min();
    }
    Ok(next)
}

/// Brings one message up to date; when to look again.
async fn tend(
    means: &Means,
    flood: &Flood,
    address: &Address,
    shown: &mut HashMap<String, Shown>,
) -> Result<Result<Option<Duration>, SendError>, ServiceError> {
    let now = means.now();
    let due = flood.last_at.plus(QUIET).min(flood.opened_at.plus(AT_LAST));
    if flood.message.is_none() && now < due && flood.decision.is_none() {
        return Ok(Ok(Some(due.since(now).duration() + Duration::from_millis(10))));
    }
    let before = shown.get(&flood.id);
    let wait = before.map_or(Duration::ZERO, |before| EVERY.saturating_sub(before.at.elapsed()));
    if !wait.is_zero() && flood.decision.is_none() {
        return Ok(Ok(Some(wait)));
    }
    let (card, files) = drawn(means, flood).await?;
    let is_over = digest::is_over(flood, &files) || now.since(flood.opened_at) > FORGOTTEN;
    let is_new = before.is_none_or(|before| before.text != card.text);
    if is_new && !wait.is_zero() && !is_over && before.is_some_and(|before| before.at.elapsed() < LOOK) {
        return Ok(Ok(Some(LOOK)));
    }
    if is_new {
        if let Err(error) = show(means, flood, address, &card).await? {
            return Ok(Err(error));
        }
        shown.insert(flood.id.clone(), Shown { text: card.text, at: Instant::now() });
    }
    if is_over {
        means.service.close_flood(&flood.id).await?;
        return Ok(Ok(None));
    }
    let is_moving = files.iter().any(|file| file.run.is_some() && !file.is_over);
    Ok(Ok(is_moving.then_some(LOOK)))
}

/// Shows the message: the one that is there, or a new one in its place.
async fn show(
    means: &Means,
    flood: &Flood,
    address: &Address,
    card: &Card,
) -> Result<Result<(), SendError>, ServiceError> {
    let adapter = match means.adapter(address) {
        Ok(adapter) => adapter,
        Err(error) => return Ok(Err(error)),
    };
    let mut nonce = format!("flood:{}", flood.id);
    if let Some(message) = &flood.message {
        match adapter.edit(address, message, card).await {
            Err(SendError::Gone) => nonce = format!("{nonce}:after:{message}"),
            sent => return Ok(sent),
        }
    }
    match adapter.post(address, card, &nonce).await {
        Ok(message) => means.service.flood_shown(&flood.id, &message).await.map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

async fn drawn(means: &Means, flood: &Flood) -> Result<(Card, Vec<FloodFile>), ServiceError> {
    let files = means.service.flood_files(&flood.id).await?;
    let (rule, workflow) = means.service.rule_of(&flood.trigger).await?;
    let sign = |action| means.sign(&action);
    let facts = Facts { flood, files: &files, rule: &rule, workflow: &workflow, sign: &sign };
    Ok((digest::card(&facts), files))
}

/// Resolves when every message about many files is shown on a platform.
///
/// # Errors
/// The store fails.
pub async fn settled(means: &Means, platform: &str) -> Result<(), ServiceError> {
    loop {
        let open = means.service.open_floods().await?;
        let is_here = |flood: &Flood| Address::parse(&flood.place).is_some_and(|at| at.platform == platform);
        if !open.iter().any(|flood| is_here(flood) && flood.message.is_none()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Does what a button says about many files.
pub async fn pressed(talk: &Talk<'_>, message: &MessageRef, (id, what): (&str, What)) -> Result<Reply, No> {
    let service = &talk.means.service;
    let gone = || No::because("These files are dealt with", "drop them again for a new question");
    let flood = service.find_flood(id).await?.filter(|flood| flood.closed_at.is_none()).ok_or_else(gone)?;
    let name = talk.caller.name.as_str();
    if let Some((_, who)) = flood.decision.as_ref().filter(|(_, who)| who != name) {
        return Err(No::because(format!("It was decided already, by {who}"), "the message shows what came of it"));
    }
    service.may_decide(&talk.caller, &flood.trigger).await?;
    let files = service.flood_files(id).await?;
    match what {
        What::Choose => {}
        What::All => {
            service.decide_flood(id, ALL, name).await?;
            take_all(talk, digest::left(&files)).await?;
        }
        What::None => {
            service.decide_flood(id, NONE, name).await?;
            let left: Vec<String> = digest::left(&files).map(|file| file.firing.clone()).collect();
            service.decline_asked(&talk.caller, &left).await?;
        }
        What::One(number) => {
            take_all(talk, digest::left(&files).filter(|file| file.number == number)).await?;
        }
    }
    talk.means.floods.look();
    choosing(talk, message, (&flood, what)).await
}

async fn take_all<'f>(talk: &Talk<'_>, files: impl Iterator<Item = &'f FloodFile>) -> Result<(), No> {
    let mut refused = None;
    for file in files {
        let came = talk.means.service.take_of_flood(&talk.caller, file).await?;
        refused = refused.or(came.filter(|came| came.firing.execution_id.is_none()).map(|came| came.firing.reason));
    }
    match refused {
        None => Ok(()),
        Some(why) => Err(No::because(format!("Not all were started: {why}"), "`explain last file` tells more")),
    }
}

/// What whoever chooses sees: the list at first, and then the same message with what is left.
async fn choosing(talk: &Talk<'_>, message: &MessageRef, (flood, what): (&Flood, What)) -> Result<Reply, No> {
    let is_list = flood.message.as_ref() != Some(message);
    let files = talk.means.service.flood_files(&flood.id).await?;
    let (rule, workflow) = talk.means.service.rule_of(&flood.trigger).await?;
    let sign = |action| talk.sign(&action);
    let mut card = digest::choices(&Facts { flood, files: &files, rule: &rule, workflow: &workflow, sign: &sign });
    if matches!(what, What::All | What::None) {
        card.buttons.clear();
        card.lines.clear();
        "the message in the channel shows what comes of them".clone_into(&mut card.verdict);
    }
    match what {
        What::Choose => Ok(Reply::Private(card)),
        _ if is_list => match talk.adapter.edit(talk.here(), message, &card.clone().sealed()).await {
            Ok(()) => Ok(Reply::Quiet),
            Err(error) => {
                tracing::debug!(%error, "a list to choose from stays as it is");
                Ok(if matches!(what, What::One(_)) { Reply::Private(card) } else { Reply::Quiet })
            }
        },
        _ => Ok(Reply::Quiet),
    }
}
