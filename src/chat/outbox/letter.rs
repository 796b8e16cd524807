//! One attempt to post one letter, and what follows from how it went.

use crate::chat::adapter::{Address, SendError};
use crate::chat::means::Means;
use crate::contract::crash::crash_point;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::message::{Letter, Receipt};
use crate::domain::time::{Span, Timestamp};

use super::card::card;

/// The wait after the first attempt that failed, doubled each time.
const FIRST_WAIT: Span = Span::from_secs(1);
/// The longest such wait. An outage costs no more for that: then one letter knocks for all, at the platform's own pace.
const LONGEST_WAIT: Span = Span::from_secs(60);
/// The wait where somebody has to mend something first.
const BARRED_WAIT: Span = Span::from_secs(60);
/// For how long a letter is tried.
const PATIENCE: Span = Span::from_secs(24 * 3_600);
/// Attempts that wait for the card under which a letter is to stand.
const FOR_THE_CARD: u32 = 3;

/// Why a letter was not posted.
#[derive(Debug)]
pub enum Trouble {
    /// There is no such channel.
    NoChannel,
    /// The card under which it is to stand is not there yet.
    NoCard,
    /// The platform says so.
    Send(SendError),
}

impl From<SendError> for Trouble {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

/// What follows from an attempt that failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again then, so many attempts being behind it.
    Again(u32, Timestamp, Fault),
    /// It is given up.
    GiveUp(Fault),
}

/// Posts a letter.
pub async fn post(means: &Means, letter: &Letter) -> Result<Receipt, Trouble> {
    let mut to = Address { platform: letter.platform.clone(), channel: letter.channel.clone(), thread: thread(letter) };
    let adapter = means.adapter(&to)?;
    // Who finds no channel of this name may have been given an id, or cannot look: the platform itself says which.
    let found = adapter.resolve(&letter.channel).await;
    let is_named = found.is_some();
    to.channel = found.unwrap_or(to.channel);
    if letter.thread == Letter::UNDER_CARD {
        to.thread = under_card(means, letter, &to).await?;
    }
    let drawn = card(&letter.message, adapter.traits().longest_text);
    crash_point("letter: before it is posted");
    let message = adapter.post(&to, &drawn, &letter.key).await.map_err(|error| match error {
        SendError::Gone | SendError::Refused(_) if !is_named => Trouble::NoChannel,
        error => Trouble::Send(error),
    })?;
    crash_point("letter: posted, not noted");
    let link = adapter.link(&to, &message).await;
    Ok(Receipt { channel: to.channel, message, link })
}

fn thread(letter: &Letter) -> Option<String> {
    Some(letter.thread.clone()).filter(|thread| !thread.is_empty() && thread != Letter::UNDER_CARD)
}

/// The thread under the card of the letter's run, where that stands in the same channel.
async fn under_card(means: &Means, letter: &Letter, to: &Address) -> Result<Option<String>, Trouble> {
    let card = means.keeper.card(letter.run).await.map_err(SendError::from)?;
    let here = card.filter(|card| card.platform == to.platform && card.channel == to.channel);
    match here {
        Some(card) if card.thread.is_some() => Ok(card.thread),
        Some(card) if card.message.is_none() && letter.attempts < FOR_THE_CARD => Err(Trouble::NoCard),
        Some(card) => Ok(card.message),
        None => Ok(None),
    }
}

/// What follows from an attempt that failed. Pure.
pub fn judge(letter: &Letter, trouble: &Trouble, now: Timestamp) -> Next {
    let on = called(&letter.platform);
    let attempts = letter.attempts + 1;
    let error = match trouble {
        Trouble::NoChannel => return Next::GiveUp(no_channel(letter, &on)),
        Trouble::NoCard => {
            let fault = Fault::transient(code::WF2151, "the card of its execution is not there yet");
            return Next::Again(attempts, now.plus(FIRST_WAIT), fault);
        }
        Trouble::Send(error) => error,
    };
    let mut tried = attempts;
    let wait = match error {
        SendError::Busy(wait) => {
            tried = letter.attempts; // it was not looked at
            Span::from_secs_f64(wait.as_secs_f64()).unwrap_or(LONGEST_WAIT)
        }
        SendError::Barred(_) => {
            tried = letter.attempts; // as above
            BARRED_WAIT
        }
        SendError::Gone => {
            let message = format!("the channel or thread of the message is not there any more on {on}");
            return Next::GiveUp(Fault::permanent(code::WF2151, message));
        }
        SendError::Refused(why) => {
            return Next::GiveUp(Fault::permanent(code::WF2151, format!("{on} does not take the message: {why}")));
        }
        SendError::Later(_) => back_off(attempts),
    };
    let at = now.plus(wait);
    let message = format!("{on} did not take the message: {error}");
    if at > letter.since.plus(PATIENCE) {
        return Next::GiveUp(Fault::permanent(code::WF2151, format!("{message}; given up after {attempts} attempts")));
    }
    Next::Again(tried, at, Fault::transient(code::WF2151, message))
}

/// The wait after so many failed attempts.
fn back_off(attempts: u32) -> Span {
    let doubled = FIRST_WAIT.as_secs_f64() * f64::from(1 << attempts.saturating_sub(1).min(20));
    Span::from_secs_f64(doubled).map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT))
}

fn no_channel(letter: &Letter, on: &str) -> Fault {
    let Letter { platform, channel, .. } = letter;
    let fault = Fault::permanent(code::WF2150, format!("there is no channel `{channel}` on {on} that we are in"));
    fault.fix(format!(
        "make that channel and invite us; name another one under `channel`; or make an alias: \
         WORKFLOW_CHANNELS={channel}={platform}:#other"
    ))
}

fn called(platform: &str) -> String {
    match platform {
        "slack" => "Slack".to_owned(),
        "discord" => "Discord".to_owned(),
        "web" => "the web chat".to_owned(),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RunId;
    use crate::domain::message::Message;

    const NOW: Timestamp = Timestamp::from_micros(1_764_929_100_000_000);

    fn letter(attempts: u32, age: Span) -> Letter {
        let written = Timestamp::from_micros(NOW.micros() - age.micros());
        let from = (RunId::from_bits(7), "tell");
        Letter { attempts, ..Letter::new("key", ("slack", "ops", ""), Message::default(), from, written) }
    }

    fn later() -> Trouble {
        Trouble::Send(SendError::Later("503".to_owned()))
    }

    #[test]
    fn the_waits_double_from_a_second_to_a_minute() {
        let waits: Vec<f64> = (1..=12).map(|attempts| back_off(attempts).as_secs_f64()).collect();
        assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0]);
        assert_eq!(back_off(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn what_may_pass_is_tried_for_a_day_and_then_given_up() {
        let young = judge(&letter(3, Span::from_secs(60)), &later(), NOW);
        let Next::Again(4, at, fault) = young else { panic!("{young:?}") };
        assert_eq!((at, fault.message.as_str()), (NOW.plus(Span::from_secs(8)), "Slack did not take the message: 503"));
        let old = judge(&letter(99, Span::from_secs(24 * 3_600 - 30)), &later(), NOW);
        let Next::GiveUp(fault) = old else { panic!("{old:?}") };
        assert_eq!(fault.message, "Slack did not take the message: 503; given up after 100 attempts");
    }

    #[test]
    fn who_asks_for_silence_gets_it_and_no_attempt_is_counted() {
        let busy = Trouble::Send(SendError::Busy(std::time::Duration::from_secs(37)));
        let next = judge(&letter(3, Span::from_secs(60)), &busy, NOW);
        assert!(matches!(next, Next::Again(3, at, _) if at == NOW.plus(Span::from_secs(37))), "{next:?}");
    }

    #[test]
    fn what_somebody_has_to_mend_first_is_waited_for_a_day_and_no_attempt_is_counted() {
        let barred = || Trouble::Send(SendError::Barred("the token is refused".to_owned()));
        let next = judge(&letter(3, Span::from_secs(23 * 3_600)), &barred(), NOW);
        assert!(matches!(next, Next::Again(3, at, _) if at == NOW.plus(BARRED_WAIT)), "{next:?}");
        assert!(matches!(judge(&letter(3, Span::from_secs(24 * 3_600)), &barred(), NOW), Next::GiveUp(_)));
    }

    #[test]
    fn what_cannot_pass_is_given_up_at_once() {
        let fresh = letter(0, Span::ZERO);
        for (trouble, code, words) in [
            (Trouble::Send(SendError::Gone), code::WF2151, "not there any more"),
            (Trouble::Send(SendError::Refused("not_in_channel".to_owned())), code::WF2151, "not_in_channel"),
            (Trouble::NoChannel, code::WF2150, "no channel `ops` on Slack"),
        ] {
            let Next::GiveUp(fault) = judge(&fresh, &trouble, NOW) else { panic!("{trouble:?}") };
            assert!(fault.code == code && fault.message.contains(words), "{fault}");
        }
    }
}
