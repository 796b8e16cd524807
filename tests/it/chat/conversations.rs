//! Plays every conversation file on every platform.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt as _;
use workflow::domain::card::CardKind;

use super::pattern::Pattern;
use super::script::{Script, Step, all};
use super::stage::{ANA, Doing, Platform, Shown, Stage};

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Conversations that are played at once.
const SIDE_BY_SIDE: usize = 6;

struct Player {
    stage: Option<Stage>,
    /// Messages that were expected and found, as they were then: one counts again when it has changed.
    found: HashMap<String, String>,
    /// Who spoke last.
    speaker: String,
}

impl Player {
    fn stage(&mut self) -> &mut Stage {
        self.stage.as_mut().expect("only a restart takes it, and puts another one there")
    }

    async fn play(&mut self, step: &Step) {
        let before = self.stage().messages().await;
        let by = step.by.clone().unwrap_or_else(|| ANA.to_owned());
        if step.restart {
            let stage = self.stage.take().expect("a stage");
            self.stage = Some(Box::pin(stage.restart()).await);
        }
        if let Some(person) = &step.code_for {
            self.stage().make_code(person).await;
        }
        if step.say.is_some() || (!step.files.is_empty() && step.fill.is_none()) {
            self.speaker.clone_from(&by);
            let said = step.say.as_deref().unwrap_or_default().replace("{code}", &self.stage().code);
            let thread = if step.thread { self.stage().newest_card().await } else { None };
            let thread = thread.filter(|_| self.stage().platform().is_shared());
            let doing =
                Doing { by: &by, text: &said, files: &step.files, direct: step.direct, thread, twice: step.twice };
            self.stage().say(doing).await;
        }
        if let Some(emoji) = &step.react {
            self.speaker.clone_from(&by);
            self.stage().react(&by, emoji).await;
        }
        if let Some(label) = &step.press {
            self.speaker.clone_from(&by);
            self.stage().press(&by, label).await;
        }
        if let Some(values) = &step.fill {
            self.speaker.clone_from(&by);
            self.stage().fill(&by, values).await;
        }
        if step.silent {
            let ids = |messages: &[Shown]| messages.iter().map(|shown| shown.id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(&before), ids(&self.stage().messages().await), "nothing is answered");
        }
        if let Some(text) = &step.shows {
            self.until(text, None).await;
        }
        if let Some(text) = &step.private {
            let speaker = self.speaker.clone();
            self.until(text, Some(&speaker)).await;
        }
        if let Some(count) = step.cards {
            let is_run = |shown: &&Shown| shown.card.as_ref().is_some_and(|card| card.kind == CardKind::Run);
            let messages = self.stage().messages().await;
            assert_eq!(messages.iter().filter(is_run).count(), count, "cards: {messages:#?}");
        }
    }

    /// Waits until a message is shown that was not expected before.
    async fn until(&mut self, text: &str, only_for: Option<&str>) {
        let text = &self.stage().written(text);
        let pattern = Pattern::new(text);
        let is_shared = self.stage().platform().is_shared();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let moved = std::sync::Arc::clone(&self.stage().moved);
            let moved = moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let messages = self.stage().messages().await;
            let seen = |shown: &&Shown| {
                self.found.get(&shown.id) != Some(&shown.text)
                    && (!is_shared || shown.only_for.as_deref() == only_for || (shown.is_direct && only_for.is_none()))
                    && pattern.is(&shown.text)
            };
            if let Some(shown) = messages.iter().find(seen) {
                self.found.insert(shown.id.clone(), shown.text.clone());
                return;
            }
            if tokio::time::timeout_at(deadline, moved).await.is_err() {
                let who = only_for.map(|name| format!(" for {name} alone")).unwrap_or_default();
                let told: Vec<_> =
                    messages.iter().map(|shown| format!("[{:?}] {}", shown.only_for, shown.text)).collect();
                panic!("expected{who}:\n{text}\n-- but there is:\n{}", told.join("\n--\n"));
            }
        }
    }
}

#[expect(clippy::print_stderr, reason = "which line was played stands before what went wrong with it")]
async fn play(platform: Platform, name: &str, script: &Script) {
    let stage = Stage::new(platform, &script.settings, &script.workflows, &script.people).await;
    let mut player = Player { stage: Some(stage), found: HashMap::new(), speaker: ANA.to_owned() };
    let word = platform.word();
    for (place, step) in script.script.iter().enumerate() {
        if step.is_on(word) {
            eprintln!("{name} on {word}, step {}", place + 1);
            Box::pin(player.play(step)).await;
        }
    }
    if let Some(stage) = player.stage {
        stage.close().await;
    }
}

/// Plays all of them, and says of each that fails what is wrong. `CHAT` names one, for whoever writes it.
#[expect(clippy::disallowed_methods, reason = "a switch for whoever writes a conversation, no setting")]
async fn play_all(platform: Platform) {
    let wanted = std::env::var("CHAT").ok();
    let scripts = all().into_iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name));
    let plays = scripts.map(|(name, script)| async move {
        let played = tokio::spawn({
            let name = name.clone();
            async move { Box::pin(play(platform, &name, &script)).await }
        });
        played.await.err().map(|_| name)
    });
    let failed: Vec<_> = futures::stream::iter(plays).buffer_unordered(SIDE_BY_SIDE).collect().await;
    let failed: Vec<_> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "not as written: {failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_conversation_goes_as_written_in_the_web_chat() {
    play_all(Platform::Web).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_conversation_goes_as_written_at_the_terminal() {
    play_all(Platform::Terminal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_conversation_goes_as_written_in_slack() {
    play_all(Platform::Slack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_conversation_goes_as_written_on_discord() {
    play_all(Platform::Discord).await;
}

#[test]
fn there_are_conversations_and_each_says_what_it_shows() {
    let all = all();
    assert!(all.len() >= 25, "only {} conversations", all.len());
    for (name, script) in all {
        assert!(script.about.len() > 20, "{name} does not say what it shows");
        let expects =
            |step: &Step| step.shows.is_some() || step.private.is_some() || step.silent || step.cards.is_some();
        assert!(script.script.iter().any(expects), "{name} expects nothing");
    }
}
