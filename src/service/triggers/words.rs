//! Words that people say, and signs with which they react, as what starts runs.

use serde_json::{Value, json};

use crate::domain::time::Span;
use crate::domain::trigger::TriggerKind;
use crate::service::Caller;
use crate::service::error::ServiceError;
use crate::service::runs::Service;
use crate::service::view::detail::{InputView, read_pairs};
use crate::store::files::FileRecord;
use crate::store::triggers::StoredTrigger;

use super::emoji;
use super::files::said_by;
use super::fits::{is_here, word_of};
use super::occur::{Came, Occurrence};

/// The same words of the same person in the same place within this time are a finger that slipped.
const DOUBLE_TAP: Span = Span::from_secs(3);

/// Words that were said to us.
#[derive(Debug, Clone, Default)]
pub struct CommandCame {
    /// The word for which a trigger waits.
    pub word: String,
    /// What follows it, as it was typed.
    pub text: String,
    /// The same, word by word, without the pairs.
    pub words: Vec<String>,
    /// `key=value` in it.
    pub pairs: Vec<(String, String)>,
    /// A file that came along.
    pub file: Option<FileRecord>,
    /// Its own name: the same when the same message is looked at again.
    pub delivery: String,
}

/// A reaction to a message.
#[derive(Debug, Clone, Default)]
pub struct ReactionCame {
    /// The sign, or its name.
    pub emoji: String,
    /// The message.
    pub message: String,
    /// Its text.
    pub text: String,
    /// Who wrote it.
    pub author: String,
    /// A file that came with it.
    pub file: Option<FileRecord>,
    /// Which of its files that is, from 0.
    pub place: usize,
    /// The reaction's own name: the same when it is looked at again.
    pub delivery: String,
}

impl Service {
    /// The word at the beginning of what was said for which a trigger waits, the longest, and what follows it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn command_in(&self, said: &str) -> Result<Option<(String, String)>, ServiceError> {
        let mut longest: Option<(usize, String)> = None;
        for trigger in self.engine().store().triggers().of_kind("command").await? {
            let TriggerKind::Command { command, aliases, .. } = trigger.spec.kind else { continue };
            for word in std::iter::once(command).chain(aliases) {
                let count = word.split_whitespace().count();
                let begins = || word_of(&first(said, count).0) == word_of(&word);
                if count > longest.as_ref().map_or(0, |(known, _)| *known) && begins() {
                    longest = Some((count, word));
                }
            }
        }
        Ok(longest.map(|(count, word)| (word, first(said, count).1.to_owned())))
    }

    /// Words were said for which triggers wait.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now.
    pub async fn command_came(&self, caller: &Caller, came: &CommandCame) -> Result<Vec<Came>, ServiceError> {
        let mut all = Vec::new();
        let mut facts = json!({
            "type": "command", "command": came.word, "text": came.text, "words": came.words,
            "delivery": came.delivery, "file": facts_of(came.file.as_ref()),
        });
        said_by(&mut facts, caller);
        for trigger in self.engine().store().triggers().of_kind("command").await? {
            if !waits_for(&trigger, &came.word, &facts) {
                continue;
            }
            facts["data"] = self.data_for(&trigger, &came.pairs).await?;
            let said = format!("said:{}:{}:{} {}", caller.identity(), facts["channel_id"], came.word, came.text);
            let occurrence = Occurrence {
                kind: "command",
                name: came.word.clone(),
                key: came.delivery.clone(),
                facts: facts.clone(),
                only: Some(trigger.key),
                same: came.file.is_none().then_some((said, Some(DOUBLE_TAP))),
                who: Some(caller.clone()),
                ..Occurrence::default()
            };
            all.extend(self.occur(&occurrence).await?);
        }
        Ok(all)
    }

    /// What was typed as `key=value`, as the trigger's workflow declares it.
    async fn data_for(&self, trigger: &StoredTrigger, pairs: &[(String, String)]) -> Result<Value, ServiceError> {
        match self.shelf().ready(&trigger.workflow_id.to_string(), false).await {
            Ok(ready) => Ok(Value::Object(read_pairs(&InputView::all(&ready.flow.plan), pairs))),
            Err(ServiceError::Definition(_)) => Ok(json!({})), // said when it is to be started
            Err(error) => Err(error),
        }
    }

    /// Whether a trigger waits for this reaction.
    ///
    /// # Errors
    /// The store fails.
    pub async fn waits_for_reaction(&self, emoji: &str) -> Result<bool, ServiceError> {
        let triggers = self.engine().store().triggers().of_kind("reaction").await?;
        Ok(triggers.iter().any(|trigger| {
            matches!(&trigger.spec.kind, TriggerKind::Reaction { emoji: wanted, .. } if emoji::same(wanted, emoji))
        }))
    }

    /// Somebody reacted to a message: each message counts once for each sign, whoever reacts first.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now.
    pub async fn reaction_came(&self, caller: &Caller, came: &ReactionCame) -> Result<Vec<Came>, ServiceError> {
        let sign = emoji::name(&came.emoji);
        let mut facts = json!({
            "type": "reaction", "emoji": sign, "text": came.text, "data": {}, "delivery": came.delivery,
            "message": { "id": came.message, "text": came.text, "by": came.author },
            "file": facts_of(came.file.as_ref()),
        });
        said_by(&mut facts, caller);
        let place = format!("{}:{}", facts["platform"], facts["channel_id"]);
        let occurrence = Occurrence {
            kind: "reaction",
            name: sign.clone(),
            key: format!("reaction:{place}:{}:{sign}:{}", came.message, came.place),
            facts,
            who: Some(caller.clone()),
            ..Occurrence::default()
        };
        self.occur(&occurrence).await
    }
}

fn waits_for(trigger: &StoredTrigger, word: &str, facts: &Value) -> bool {
    let TriggerKind::Command { command, aliases, channels } = &trigger.spec.kind else { return false };
    let is_word = |known: &String| word_of(known) == word_of(word);
    (is_word(command) || aliases.iter().any(is_word)) && is_here(channels, facts)
}

fn facts_of(file: Option<&FileRecord>) -> Value {
    file.map_or(Value::Null, |file| {
        json!({
            "id": file.id, "name": file.name, "size": file.size, "sha256": file.digest.to_string(), "type": file.media_type,
        })
    })
}

/// The first words of a text, and what follows them.
fn first(text: &str, count: usize) -> (String, &str) {
    let (mut rest, mut words) = (text.trim_start(), Vec::new());
    for _ in 0..count {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    (words.join(" "), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_are_taken_off_as_they_were_typed() {
        assert_eq!(first("  new   invoice  a  b ", 2), ("new invoice".to_owned(), "a  b "));
        assert_eq!(first("invoice", 2), ("invoice ".to_owned(), ""));
        assert_eq!(first("", 1), (String::new(), ""));
    }
}
