//! Several workspaces: each sees its own, a token that is refused is one workspace's alone, and a channel that two share
//! brings people of the other one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use workflow::app::App;
use workflow::chat::adapter::Address;
use workflow::chat::{Chat, slack};
use workflow::config::{Config, Surroundings};
use workflow::domain::card::{Card, CardKind};
use workflow::domain::id::RunId;
use workflow::http::caller::Secret;
use workflow::service::{Caller, LinkState, NewWorkflow, TERMINAL, Terms};

use super::behaviour::{QUICK, button, fake, say, stage};
use super::fake::{Fake, Fault, GENERAL, Posted, SECOND, TEAM, TOKEN};
use super::side::{SlackSide, answered, settings};
use crate::chat::stage::Stage;

const BOOK: &str = "name: Book\nsteps:\n  - {type: approve, name: Booking, config: {title: Book it}}\n";

/// A service that knows of a Slack, and nobody who listens to it.
async fn alone() -> (TempDir, Arc<Fake>, Config, App) {
    let _ = rustls::crypto::ring::default_provider().install_default(); // another test may have been first
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let overrides = [format!("storage_path={}", folder.path().display())].into_iter().chain(fake.settings());
    let surroundings = Surroundings { overrides: overrides.collect(), ..Surroundings::default() };
    let config = Config::load(&surroundings).expect("good settings");
    let app = App::open(&config, true).await.expect("it opens");
    (folder, fake, config, app)
}

/// A service whose app stands in two workspaces.
struct Two {
    _folder: TempDir,
    app: App,
    chat: Chat,
    side: SlackSide,
}

impl Two {
    async fn open() -> Self {
        let (folder, fake, config, app) = alone().await;
        std::fs::write(folder.path().join("templates/book.yaml"), BOOK).expect("written");
        let mut both = settings(&fake);
        both.bot_tokens.push(Secret::new(SECOND.1.to_owned()));
        let mut side = SlackSide::with(&app.service, both, fake);
        let chat = Chat::start(app.service.clone(), vec![side.adapter()], config.chat()).await.expect("it starts");
        side.connect(&chat).await;
        let two = Self { _folder: folder, app, chat, side };
        two.until(|two| two.state(TEAM) == Some(LinkState::Up) && two.state(SECOND.0) == Some(LinkState::Up)).await;
        two
    }

    fn fake(&self) -> &Arc<Fake> {
        &self.side.fake
    }

    fn state(&self, team: &str) -> Option<LinkState> {
        let links = self.app.service.links().all();
        links.into_iter().find(|link| link.name == format!("slack {team}")).map(|link| link.state)
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let reached = async {
            while !is_so(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.expect("it comes");
    }

    /// Somebody of a workspace says a command; what they alone are answered.
    async fn asks(&self, (team, user): (&str, &str), text: &str) -> Posted {
        let before = self.answers(user);
        let mut command = self.fake().command(user, GENERAL, text);
        command["team_id"] = json!(team);
        self.fake().bring("slash_commands", &command).await;
        answered(&self.chat).await;
        self.until(|two| two.answers(user) > before).await;
        self.fake().shown("the answer", |posted| posted.only_for.as_deref() == Some(user)).await
    }

    fn answers(&self, user: &str) -> usize {
        self.fake().messages().iter().filter(|posted| posted.only_for.as_deref() == Some(user)).count()
    }

    /// Somebody of a workspace starts `book`; its card and its id.
    async fn book(&self, (team, user): (&str, &str)) -> (Posted, String) {
        let known = self.fake().messages().len();
        let mut command = self.fake().command(user, GENERAL, "run book");
        command["team_id"] = json!(team);
        self.fake().bring("slash_commands", &command).await;
        let called = format!("by {}", user.trim_start_matches('U').to_lowercase());
        let is_it = |posted: &Posted| posted.text.contains(&called) && posted.text.contains("needs approval");
        let card = self.fake().shown("the card", is_it).await;
        assert!(self.fake().messages().len() > known);
        let id = card.text.split_whitespace().find(|word| word.starts_with("exec_")).expect("an id").to_owned();
        (card, id)
    }

    async fn close(self) {
        self.side.close().await;
        self.chat.close().await;
        self.app.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_workspace_is_spoken_to_with_its_own_token_and_sees_its_own_executions() {
    let two = Two::open().await;
    let (ours, first) = two.book((TEAM, "UANA")).await;
    let (_, second) = two.book((SECOND.0, "UBEA")).await;
    assert_eq!(two.fake().tokens("chat.postMessage"), [TOKEN, SECOND.1]);
    for ((team, user), sees, hides) in [((TEAM, "ULEO"), &first, &second), ((SECOND.0, "UTOM"), &second, &first)] {
        for line in ["history", "inbox"] {
            let told = two.asks((team, user), line).await;
            assert!(told.text.contains(sees.as_str()) && !told.text.contains(hides.as_str()), "{line}: {}", told.text);
        }
        for line in [format!("approve {hides}"), format!("status {hides}"), format!("cancel {hides}")] {
            let told = two.asks((team, user), &line).await;
            assert!(told.text.contains("There is no execution"), "{line}: {}", told.text);
        }
        let told = two.asks((team, user), &format!("status {sees}")).await;
        assert!(told.text.contains("needs approval"), "{}", told.text);
    }
    let (action, value) = button(&ours.blocks, "Approve");
    two.fake().bring("interactive", &two.fake().press("ULEO", &ours, (&action, &value))).await;
    two.fake().shown("the decision", |posted| posted.text.contains("approved by leo (ULEO)")).await;
    two.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_ends_one_workspace_and_what_waits_for_it_is_not_lost() {
    let two = Two::open().await;
    let (_, first) = two.book((TEAM, "UANA")).await;
    two.fake().fail("chat.update", Fault::error("token_revoked"));
    let ana = Caller::owner(TERMINAL, "ana");
    two.app.service.cancel(&ana, first.parse().expect("an id")).await.expect("cancelled");
    two.until(|two| two.state(TEAM) == Some(LinkState::Refused)).await;
    assert_eq!(two.state(SECOND.0), Some(LinkState::Up));
    let command = two.fake().command("UANA", GENERAL, "status");
    let told = two.fake().bring("slash_commands", &command).await;
    assert!(told["payload"]["text"].as_str().is_some_and(|text| text.contains("missing or refused")), "{told}");
    two.book((SECOND.0, "UBEA")).await;
    let updates = two.fake().tokens("chat.update");
    assert_eq!(updates.iter().filter(|token| *token == TOKEN).count(), 1, "nothing more is asked with it");
    let Two { _folder, app, chat, side } = two;
    let fake = side.close().await;
    chat.close().await;
    // The next start, with a token that is good.
    let mut side = SlackSide::with(&app.service, settings(&fake), Arc::clone(&fake));
    let chat = Chat::start(app.service.clone(), vec![side.adapter()], Default::default()).await.expect("it starts");
    side.connect(&chat).await;
    fake.shown("the end", |posted| posted.text.contains(&first) && posted.text.contains("cancelled after")).await;
    side.close().await;
    chat.close().await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_from_a_workspace_that_shares_the_channel_is_answered_privately() {
    let mut stage = stage(&[("book.yaml", BOOK)]).await;
    let fake = fake(&stage);
    say(&mut stage, "/workflow run book").await;
    let card = fake.shown("the card", |posted| posted.text.contains("needs approval")).await;
    let (action, value) = button(&card.blocks, "Approve");
    let mut press = fake.press("UFOREIGN", &card, (&action, &value));
    press["team"] = json!({ "id": "TELSEWHERE" });
    press["user"]["team_id"] = json!("TELSEWHERE");
    // Without a message of ours it names no workspace that is here.
    fake.bring("interactive", &press).await;
    let told = fake.shown("that it is not connected", |posted| posted.text.contains("is not connected")).await;
    assert_eq!(told.only_for.as_deref(), Some("UFOREIGN"));
    press["message"] = json!({ "ts": card.ts, "team": TEAM });
    press["actions"][0]["action_ts"] = json!("2.2");
    fake.bring("interactive", &press).await;
    let told = fake.shown("what to do", |posted| posted.text.contains("say `link CODE` to me alone")).await;
    assert_eq!(told.only_for.as_deref(), Some("UFOREIGN"));
    let still = fake.shown("the card", |posted| posted.ts == card.ts).await;
    assert!(still.text.contains("needs approval"), "{}", still.text);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_shared_channel_is_of_the_workspace_whose_token_may_see_it() {
    let stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    let mut event = fake.event(&fake.message("UANA", GENERAL, "<@UBOT> run quick"));
    event["team_id"] = json!("TELSEWHERE");
    event["authorizations"] = json!([{ "team_id": TEAM, "is_bot": true }]);
    fake.bring("events_api", &event).await;
    fake.shown("the card", |posted| posted.text.contains("Quick · by ana · completed")).await;
    stage.close().await;
}

/// A letter that waits: its key.
async fn letter(app: &App) -> String {
    let ana = Caller::owner(TERMINAL, "ana");
    let steps =
        json!([{ "type": "slack", "timeout": 0.3, "config": { "channel": "general", "text": "the only one" } }]);
    let steps = steps.as_array().expect("a list").clone();
    let new = NewWorkflow { name: Some("Tell".to_owned()), steps, ..NewWorkflow::default() };
    let workflow = app.service.create(&ana, new).await.expect("saved").workflow.id;
    let run: RunId =
        app.service.start(&ana, &workflow, &Default::default(), Terms::default()).await.expect("it starts").execution;
    app.service.follow(run, |_, _| {}).await.expect("followed");
    app.service.archive().letters(Some("queued")).await.expect("readable").remove(0).id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_was_posted_and_not_noted_before_a_crash_is_found_again() {
    let (_folder, fake, _, app) = alone().await;
    let key = letter(&app).await;
    let nobody = Chat::start(app.service.clone(), Vec::new(), Default::default()).await.expect("it starts");
    let mut card = Card::new(CardKind::Message, "");
    card.verdict = "the only one".to_owned();
    let card = card.sealed();
    let at = Address { platform: "slack".to_owned(), channel: format!("{TEAM}.{GENERAL}"), thread: None };
    let mut messages = Vec::new();
    for _life in 0..2 {
        let mut side = SlackSide::with(&app.service, settings(&fake), Arc::clone(&fake));
        side.connect(&nobody).await;
        let adapter = side.adapter();
        messages.push(adapter.post(&at, &card, &key).await.expect("posted"));
        if let [first, second] = messages.as_slice() {
            assert_eq!(first, second, "the second life finds what the first one posted");
            let link = adapter.link(&at, second).await;
            assert_eq!(link, Some(format!("https://t01.slack.com/archives/{GENERAL}/p{}", second.replace('.', ""))));
        }
        side.close().await;
    }
    assert_eq!(fake.calls("chat.postMessage").len(), 1);
    assert_eq!(fake.calls("conversations.history").len(), 2, "each life looks once");
    nobody.close().await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_have_two_connections_each_and_tell_of_themselves() {
    let stage: Stage = stage(&[]).await;
    let fake = fake(&stage);
    let mut two = settings(&fake);
    two.app_tokens.push(Secret::new("xapp-of-another-app".to_owned()));
    let found = slack::check(&two).await;
    let told: BTreeMap<&str, bool> = found.iter().map(|finding| (finding.about.as_str(), finding.holds)).collect();
    assert_eq!(told.get("Slack opens Socket Mode with `slack_app_token` 1"), Some(&true), "{told:?}");
    assert_eq!(told.get("Slack opens Socket Mode with `slack_app_token` 2"), Some(&false), "{told:?}");
    let mut side = SlackSide::with(&stage.app.service, two, Arc::clone(&fake));
    side.connect(&stage.chat).await;
    let links = stage.app.service.links().clone();
    let state = |name: &str| links.all().into_iter().find(|link| link.name == name).map(|link| link.state);
    let told = async {
        while state("slack app 1") != Some(LinkState::Up) || state("slack app 2") != Some(LinkState::Refused) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("each tells of itself");
    side.close().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_posts_and_listens_to_nobody_enters_the_workspace_for_that() {
    let (_folder, fake, config, app) = alone().await;
    letter(&app).await;
    let posting = app.post_letters(&config).await.expect("it posts");
    fake.shown("the letter", |posted| posted.text.contains("the only one")).await;
    assert!(fake.calls("apps.connections.open").is_empty(), "nothing is listened to");
    posting.close().await;
    app.close().await;
}
