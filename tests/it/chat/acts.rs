//! What people do on the stage: they say something, press a button, fill in a form.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use workflow::chat::Receipt;
use workflow::chat::adapter::{Address, FileRef, Inbound, What};
use workflow::chat::web::{Saying, WebChat};

use super::discord;
use super::script::fixtures;
use super::slack::SlackSide;
use super::stage::{Doing, GENERAL, Shown, Side, Stage, WORKSPACE};

impl Stage {
    /// What a platform brings of somebody who is not the owner.
    async fn brought(&self, by: &str, what: What, (direct, thread): (bool, Option<String>)) -> Inbound {
        let speaker = &self.people[by];
        let channel = match &self.side {
            Side::Web(web) => self.channel_of(web, &Doing { by, direct, ..Doing::default() }).await,
            Side::Terminal(_) => "here".to_owned(),
            Side::Slack(_) => SlackSide::place(by, direct),
            Side::Discord(side) => side.channel_of(by, direct),
        };
        Inbound {
            key: format!("brought:{}", self.app.service.fresh_id()),
            from: Address { platform: self.platform().word().to_owned(), channel, thread },
            user: self.user(by),
            name: speaker.name.clone(),
            workspace: Some(WORKSPACE.to_owned()),
            standing: speaker.standing,
            handle: None,
            is_direct: direct,
            message: Some(format!("message-{}", self.said)),
            what,
        }
    }

    async fn files(&self, names: &[String]) -> Vec<FileRef> {
        let mut files = Vec::new();
        for name in names {
            let path = fixtures().join(name);
            let id = match &self.side {
                Side::Web(_) => self.app.service.take_in(&path).await.expect("taken in").id.to_string(),
                Side::Terminal(_) => path.display().to_string(),
                Side::Slack(slack) => slack.file_id(name),
                Side::Discord(side) => side.address_of(name),
            };
            files.push(FileRef { id, name: name.clone() });
        }
        files
    }

    /// Somebody says something; returns when it was answered.
    pub async fn say(&mut self, doing: Doing<'_>) {
        self.said += 1;
        if self.people.contains_key(doing.by) {
            let what = What::Said { text: doing.text.to_owned(), files: self.files(doing.files).await };
            let inbound = self.brought(doing.by, what, (doing.direct, doing.thread.clone())).await;
            let receipt = self.chat.receive(inbound).await.expect("kept");
            return answered(receipt).await;
        }
        let client_id = format!("line-{}", self.said);
        let receipts = match &self.side {
            Side::Web(web) => {
                let channel = self.channel_of(web, &doing).await;
                let channel = web.channel(&channel, doing.by).await.expect("readable").expect("a channel");
                let mut files = Vec::new();
                for name in doing.files {
                    files.push(self.app.service.take_in(&fixtures().join(name)).await.expect("taken in"));
                }
                let saying = Saying { client_id, text: doing.text.to_owned(), files, thread: doing.thread.clone() };
                let mut receipts = Vec::new();
                for _ in 0..=usize::from(doing.twice) {
                    receipts.push(web.say(&self.chat, &channel, doing.by, saying.clone()).await.expect("kept"));
                }
                receipts
            }
            Side::Terminal(terminal) => {
                let paths: Vec<_> = doing.files.iter().map(|name| fixtures().join(name)).collect();
                let inbound = Inbound { user: doing.by.to_owned(), ..terminal.said(doing.text, &paths) };
                let mut receipts = Vec::new();
                for _ in 0..=usize::from(doing.twice) {
                    receipts.push(self.chat.receive(inbound.clone()).await.expect("kept"));
                }
                receipts
            }
            Side::Slack(slack) => return slack.say(&self.chat, &doing).await,
            Side::Discord(side) => return side.say(&self.chat, &doing).await,
        };
        assert!(receipts.iter().skip(1).all(|receipt| receipt.duplicate), "the same thing counts once");
        for receipt in receipts.into_iter().take(1) {
            answered(receipt).await;
        }
    }

    /// Somebody reacts to what was said last.
    pub async fn react(&mut self, by: &str, emoji: &str) {
        match &self.side {
            Side::Slack(slack) => slack.react(&self.chat, by, emoji).await,
            Side::Discord(side) => side.react(&self.chat, by, emoji).await,
            Side::Web(_) | Side::Terminal(_) => panic!("nobody reacts there: say where the step is played"),
        }
    }

    async fn channel_of(&self, web: &WebChat, doing: &Doing<'_>) -> String {
        if !doing.direct {
            return GENERAL.to_owned();
        }
        let channels = web.channels(doing.by).await.expect("readable");
        channels.into_iter().find(|channel| channel.member.is_some()).expect("a direct one").id
    }

    /// Somebody presses the button with this label on the newest message that they see and that has it.
    pub async fn press(&mut self, by: &str, label: &str) {
        let messages = self.messages().await;
        let sees = |shown: &&Shown| shown.only_for.as_deref().is_none_or(|name| name == by);
        let found = messages.iter().rev().filter(sees).find_map(|shown| {
            let button = shown.card.as_ref()?.labelled(label)?;
            Some((shown.id.clone(), button.action.clone()))
        });
        let Some((message, action)) = found else {
            panic!("nothing has a button `{label}` for {by}: {messages:#?}");
        };
        self.press_action(by, &message, &action, Map::new()).await;
    }

    /// Somebody presses just this.
    pub async fn press_action(&mut self, by: &str, message: &str, action: &str, values: Map<String, Value>) {
        if self.people.contains_key(by) {
            let action = match &self.side {
                Side::Slack(_) => SlackSide::action(&self.chat, action).await,
                Side::Discord(_) => discord::Side::action(&self.chat, action).await,
                _ => action.to_owned(),
            };
            let what = What::Pressed { message: message.to_owned(), action, values };
            let inbound = self.brought(by, what, (false, None)).await;
            let receipt = self.chat.receive(inbound).await.expect("kept");
            return answered(receipt).await;
        }
        let receipt = match &self.side {
            Side::Web(web) => {
                let message = web.message(message, by).await.expect("readable").expect("a message");
                web.press(&self.chat, by, (&message, action), values).await.expect("kept")
            }
            Side::Terminal(terminal) => {
                let what = What::Pressed { message: message.to_owned(), action: action.to_owned(), values };
                let inbound = Inbound { user: by.to_owned(), what, ..terminal.said("", &[]) };
                self.chat.receive(inbound).await.expect("kept")
            }
            Side::Slack(slack) => return slack.press_action(&self.chat, by, message, action).await,
            Side::Discord(side) => return drop(side.press(&self.chat, by, (message, action)).await),
        };
        answered(receipt).await;
    }

    /// Somebody fills in the form of the newest card that has one: all at once, or one answer after the other.
    pub async fn fill(&mut self, by: &str, values: &BTreeMap<String, String>) {
        if let Side::Terminal(_) = self.side {
            for value in values.values() {
                match value.strip_prefix("file:") {
                    Some(name) => {
                        let files = [name.to_owned()];
                        self.say(Doing { by, files: &files, ..Doing::default() }).await;
                    }
                    None => self.say(Doing { by, text: value, ..Doing::default() }).await,
                }
            }
            return;
        }
        if let Side::Slack(slack) = &self.side {
            let found = slack.messages().into_iter().rev().find_map(|shown| Some((shown.id, shown.card?.form?.submit)));
            let (message, opener) = found.unwrap_or_default();
            return slack.fill(&self.chat, by, (&message, &opener), values).await;
        }
        if let Side::Discord(side) = &self.side {
            return side.fill(&self.chat, by, values).await;
        }
        let mut given = Map::new();
        for (key, value) in values {
            let value = match value.strip_prefix("file:") {
                Some(name) => {
                    let file = self.app.service.take_in(&fixtures().join(name)).await.expect("taken in");
                    file.id.to_string()
                }
                None => value.clone(),
            };
            given.insert(key.clone(), Value::String(value));
        }
        let messages = self.messages().await;
        let found = messages.iter().rev().find_map(|shown| {
            let form = shown.card.as_ref()?.form.as_ref()?;
            Some((shown.id.clone(), form.submit.clone()))
        });
        let (message, submit) = found.unwrap_or_else(|| panic!("nothing has a form: {messages:#?}"));
        self.press_action(by, &message, &submit, given).await;
    }
}

async fn answered(receipt: Receipt) {
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, receipt.answered).await.expect("answered in time").expect("answered");
}
