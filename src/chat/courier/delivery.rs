//! One send of one card: read how the execution stands, draw it, post or change the message, remember.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::adapter::{Address, ChatAdapter, SendError};
use super::super::cards::{self, Facts};
use super::super::means::Means;
use super::super::rules;
use super::notice;
use crate::contract::crash::crash_point;
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;
use crate::service::conversations::RunMessage;
use crate::service::{EffectView, Expectation, RunView};

/// So long after its moment a button is taken away.
const BEHIND: Duration = Duration::from_millis(50);

/// What is known of a card between two sends.
#[derive(Clone)]
pub struct Delivery {
    pub card: RunMessage,
    says: BTreeMap<usize, String>,
    results: BTreeMap<usize, String>,
    /// Results are known up to this event.
    seen: u64,
    /// How long it usually takes; `None`: not looked up yet.
    usual: Option<Option<Expectation>>,
    /// What was asked last.
    asked: Vec<String>,
}

/// What a send found out.
pub struct Delivered {
    card: RunMessage,
    results: BTreeMap<usize, String>,
    seen: u64,
    usual: Option<Option<Expectation>>,
    asked: Vec<String>,
    /// How long the card shows something that is true for a moment only.
    pub passing: Option<Duration>,
}

impl Delivery {
    pub fn new(card: RunMessage) -> Self {
        Self { card, says: BTreeMap::new(), results: BTreeMap::new(), seen: 0, usual: None, asked: Vec::new() }
    }

    pub fn address(&self) -> Address {
        let RunMessage { platform, channel, thread, .. } = &self.card;
        Address { platform: platform.clone(), channel: channel.clone(), thread: thread.clone() }
    }

    /// What a running step says of itself.
    pub fn says(&mut self, step: usize, text: String) {
        self.says.insert(step, text);
    }

    pub fn learn(&mut self, delivered: Delivered) {
        let Delivered { card, results, seen, usual, asked, passing: _ } = delivered;
        (self.card, self.results, self.seen, self.usual, self.asked) = (card, results, seen, usual, asked);
    }

    /// Sends the newest state.
    pub async fn send(mut self, means: &Means) -> Result<Delivered, SendError> {
        let run = self.card.run;
        let view = means.service.archive().view(run, false).await?;
        self.catch_up(means, run, &view).await?;
        let undo = self.undo_until(means, run, &view).await?;
        let drawn = cards::run_card(&Facts {
            view: &view,
            expectation: self.usual.as_ref().and_then(Option::as_ref),
            says: &self.says,
            results: &self.results,
            now: means.now(),
            can_undo: undo.is_some(),
            sign: &|action| means.sign(&action),
        });
        let address = self.address();
        let adapter = means.adapter(&address)?;
        crash_point("card: before it is sent");
        let message = match &self.card.message {
            None => adapter.post(&address, &drawn, &cards::nonce(run)).await?,
            Some(message) => match adapter.edit(&address, message, &drawn).await {
                Ok(()) => message.clone(),
                // Somebody deleted it: one new message takes its place, whatever number of times this is tried.
                Err(SendError::Gone) => {
                    adapter.post(&address, &drawn, &format!("{}:after:{message}", cards::nonce(run))).await?
                }
                Err(error) => return Err(error),
            },
        };
        crash_point("card: sent, not noted");
        // A button that is there for a moment has to be taken away.
        let is_final = view.is_finished() && undo.is_none();
        means.keeper.card_sent(run, &message, view.seq, is_final).await?;
        let told = self.call_out(means, &**adapter, &message, &view).await?;
        self.ask(&**adapter, &address, &view, drawn.form.as_ref()).await?;
        let card = RunMessage { message: Some(message), sent: view.seq, is_final, told, ..self.card };
        let now = means.now();
        let passing = undo.into_iter().chain(notice::next(&view, now)).min();
        let passing = passing.map(|until| until.since(now).duration() + BEHIND);
        Ok(Delivered { card, results: self.results, seen: self.seen, usual: self.usual, asked: self.asked, passing })
    }

    /// Until when it can be undone by a press: what is over only while there is something to take back.
    async fn undo_until(&self, means: &Means, run: RunId, view: &RunView) -> Result<Option<Timestamp>, SendError> {
        let Some(until) = rules::undo_until(view, means.settings.undo_window, means.now()) else { return Ok(None) };
        if !view.is_finished() {
            return Ok(Some(until));
        }
        let effects = means.service.archive().effects(run, None).await?;
        let can_be_undone = |effect: &EffectView| effect.undone_by.is_none() && effect.undo.starts_with("by_");
        Ok(effects.iter().any(can_be_undone).then_some(until))
    }

    /// Reads what is new since the last send.
    async fn catch_up(&mut self, means: &Means, run: RunId, view: &RunView) -> Result<(), SendError> {
        let archive = means.service.archive();
        if self.usual.is_none() {
            let revision = archive.workflow(&view.workflow_id).await?.map(|workflow| workflow.revision);
            self.usual = Some(match revision {
                Some(revision) => archive.expectation(&view.workflow, &revision).await?,
                None => None,
            });
        }
        if view.seq > self.seen {
            for event in archive.events(run, self.seen).await? {
                let outputs = event.result.as_ref().and_then(|result| result["result"].as_object());
                if let (Some(step), Some(outputs)) = (event.step, outputs) {
                    self.says.remove(&step);
                    self.results.extend(cards::result(outputs).map(|result| (step, result)));
                }
                self.seen = self.seen.max(event.seq);
            }
        }
        Ok(())
    }

    /// Says in a message of its own what a change of the card alone would let go unseen; what was said last.
    async fn call_out(
        &self,
        means: &Means,
        adapter: &dyn ChatAdapter,
        message: &str,
        view: &RunView,
    ) -> Result<String, SendError> {
        let card = &self.card;
        let (told, now) = (card.told.clone(), means.now());
        let is_seen = !adapter.traits().silent_edits || now.since(card.created_at) < notice::LOOKED_AT;
        let Some(notice) =
            notice::of(view, &card.requester, now).filter(|notice| notice.key != told && (notice.reminds || !is_seen))
        else {
            return Ok(told);
        };
        let beneath =
            Address { thread: Some(card.thread.clone().unwrap_or_else(|| message.to_owned())), ..self.address() };
        let nonce = format!("told:{}:{}", card.run, notice.key);
        adapter.post(&beneath, &notice.card, &nonce).await?;
        means.keeper.card_told(card.run, &notice.key).await?;
        Ok(notice.key)
    }

    /// Asks what was not asked yet, where the card itself does not.
    async fn ask(
        &mut self,
        adapter: &dyn ChatAdapter,
        address: &Address,
        view: &RunView,
        form: Option<&crate::domain::card::Form>,
    ) -> Result<(), SendError> {
        let wanted: Vec<String> = view.questions.iter().map(|question| question.key.clone()).collect();
        if let Some(form) = form.filter(|_| wanted != self.asked) {
            let nonce = format!("ask:{}:{}", view.execution_id, wanted.join(","));
            adapter.ask(address, &self.card.requester, form, &nonce).await?;
        }
        self.asked = wanted;
        Ok(())
    }
}
