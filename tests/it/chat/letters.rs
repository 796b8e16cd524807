//! Messages to people on their way: order, retries, refusals, and what a restart leaves of them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use workflow::app::App;
use workflow::chat::Chat;
use workflow::chat::adapter::ChatAdapter;
use workflow::chat::web::WebChat;
use workflow::config::{Config, Surroundings};
use workflow::service::conversations::RunMessage;
use workflow::service::outbox::LetterView;
use workflow::service::{Caller, NewWorkflow, RunView, TERMINAL, Terms};

use super::elsewhere::{Elsewhere, Fate, Mood};

/// A service with Slack and Discord as the test makes them.
struct World {
    folder: TempDir,
    settings: Vec<String>,
    app: App,
    chat: Option<Chat>,
    slack: Arc<Elsewhere>,
    discord: Arc<Elsewhere>,
}

fn ana() -> Caller {
    Caller::owner(TERMINAL, "ana")
}

impl World {
    async fn new(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let app = Self::app(&folder, &settings).await;
        let (slack, discord) = (Elsewhere::new("slack", false), Elsewhere::new("discord", true));
        Self { folder, settings, app, chat: None, slack, discord }
    }

    async fn app(folder: &TempDir, settings: &[String]) -> App {
        App::open(&Self::config(folder, settings), true).await.expect("it opens")
    }

    fn config(folder: &TempDir, settings: &[String]) -> Config {
        let _ = rustls::crypto::ring::default_provider().install_default(); // another test may have been first
        let usual = [
            &format!("storage_path={}", folder.path().display()),
            "retry_count=0",
            "slack_bot_token=xoxb-test",
            "slack_app_token=xapp-test",
            "discord_token=test",
        ];
        let overrides = usual.map(ToString::to_string).into_iter().chain(settings.to_vec()).collect();
        Config::load(&Surroundings { overrides, ..Surroundings::default() }).expect("good settings")
    }

    /// The same with its conversations.
    async fn connected(settings: &[&str]) -> Self {
        let mut world = Self::new(settings).await;
        world.connect().await;
        world
    }

    async fn connect(&mut self) {
        let service = self.app.service.clone();
        let web = WebChat::open(service.clone()).await.expect("the web chat opens");
        let adapters: Vec<Arc<dyn ChatAdapter>> =
            vec![web, Arc::clone(&self.slack) as _, Arc::clone(&self.discord) as _];
        self.chat = Some(Chat::start(service, adapters, Default::default()).await.expect("the chat starts"));
    }

    /// The process ends in good order and the next one begins, without its conversations.
    async fn restart(mut self) -> Self {
        if let Some(chat) = self.chat.take() {
            chat.close().await;
        }
        self.app.close().await;
        let app = Self::app(&self.folder, &self.settings).await;
        Self { app, ..self }
    }

    async fn close(mut self) {
        if let Some(chat) = self.chat.take() {
            chat.close().await;
        }
        self.app.close().await;
    }

    /// Starts a workflow of these steps.
    async fn start(&self, steps: Value) -> workflow::domain::id::RunId {
        let steps = steps.as_array().expect("a list").clone();
        let new = NewWorkflow { name: Some("Tell".to_owned()), steps, ..NewWorkflow::default() };
        let workflow = self.app.service.create(&ana(), new).await.expect("saved").workflow.id;
        let started = self.app.service.start(&ana(), &workflow, &Default::default(), Terms::default()).await;
        started.expect("it starts").execution
    }

    /// An execution when it is over.
    async fn over(&self, run: workflow::domain::id::RunId) -> RunView {
        let follow = self.app.service.follow(run, |_, _| {});
        tokio::time::timeout(Duration::from_secs(60), follow).await.expect("in time").expect("followed");
        self.app.service.archive().view(run, true).await.expect("known")
    }

    async fn run(&self, steps: Value) -> RunView {
        let run = self.start(steps).await;
        self.over(run).await
    }

    async fn letters(&self, state: Option<&str>) -> Vec<LetterView> {
        self.app.service.archive().letters(state).await.expect("readable")
    }

    /// Notes that the card of an execution stands in a channel of Slack, and under which name.
    async fn card(&self, run: &str, message: Option<&str>) {
        let keeper = self.app.service.conversations();
        let run = run.parse().expect("an id");
        let wanted = RunMessage {
            run,
            platform: "slack".to_owned(),
            channel: "id-ops".to_owned(),
            thread: None,
            requester: "U1".to_owned(),
            message: None,
            sent: 0,
            is_final: false,
            told: String::new(),
            created_at: self.app.service.now(),
        };
        keeper.want_card(wanted).await.expect("kept");
        if let Some(message) = message {
            keeper.card_sent(run, message, 1, true).await.expect("kept");
        }
    }

    /// Waits until this many letters are in a state.
    async fn until(&self, state: &str, count: usize) -> Vec<LetterView> {
        let mut changes = self.app.service.outbox().changes();
        let reached = async {
            loop {
                changes.mark_unchanged();
                let letters = self.letters(Some(state)).await;
                if letters.len() == count {
                    return letters;
                }
                changes.changed().await.expect("the store is there");
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.expect("they come")
    }
}

fn slack(id: &str, channel: &str) -> Value {
    json!({ "type": "slack", "id": id, "config": { "channel": channel, "text": id } })
}

/// Steps that do not wait for each other's receipts.
fn at_once(steps: &[(&str, &str)]) -> Value {
    let step = |(id, channel): &(&str, &str)| json!({ "type": "slack", "id": id, "timeout": 0.3, "config": { "channel": channel, "text": id } });
    json!(steps.iter().map(step).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_and_the_step_has_its_receipt() {
    let world = World::connected(&["channels=notifications=slack:#ops,notifications=discord:#alerts"]).await;
    let prepare =
        json!({ "type": "prepare", "config": { "template": { "title": "Hello @all", "fields": { "n": 1 } } } });
    let view = world
        .run(json!([
            prepare,
            { "type": "slack", "id": "a", "config": { "channel": "notifications", "mention": ["U1"] } },
            { "type": "discord", "id": "b", "config": { "channel": "#ops", "thread": "${{ steps.a.outputs.message }}" } },
            { "type": "notify", "id": "c", "config": { "channel": "discord" } },
            { "type": "notify", "id": "d", "config": { "channel": "web:general" } },
        ]))
        .await;
    assert_eq!(view.status, "completed", "{view:?}");
    assert!(view.warnings.is_empty(), "{:?}", view.warnings);
    let posted = world.slack.posted();
    let [message] = posted.as_slice() else { panic!("{posted:?}") };
    assert_eq!(message.channel, "id-ops");
    assert_eq!(message.text, "for U1\nHello @\u{2060}all\n  n: 1");
    let outputs = |step: usize| view.steps[step].outputs.clone().expect("outputs").into_values();
    let expected = json!({
        "platform": "slack", "channel": "id-ops", "message": "m0",
        "link": "https://elsewhere.example/id-ops/m0", "status": "sent", "simulated": false,
    });
    assert_eq!(outputs(1)["delivery"], expected);
    let told = world.discord.posted();
    let places: Vec<_> = told.iter().map(|one| (one.channel.as_str(), one.thread.as_deref())).collect();
    assert_eq!(places, [("id-ops", Some("m0")), ("id-alerts", None)]);
    let said = world.app.service.conversations().since("general", 0, 10).await.expect("readable");
    assert_eq!(said.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["Hello @\u{2060}all\n  n: 1"]);
    assert_eq!(world.letters(Some("sent")).await.len(), 4);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_conversation_they_arrive_in_order_however_often_the_first_one_fails() {
    let mut world = World::new(&[]).await;
    let silence = Fate::Busy(Duration::from_millis(20));
    world.slack.fates("ops", &[silence, Fate::Down, silence, silence, silence]);
    let steps = [("one", "ops"), ("two", "ops"), ("other", "alerts"), ("three", "#ops")];
    let view = world.run(at_once(&steps)).await;
    assert_eq!(view.status, "completed", "{view:?}");
    assert_eq!(view.steps[0].outputs.as_ref().expect("outputs").values()["status"], "queued");
    assert_eq!(world.letters(Some("queued")).await.len(), 4);
    world.connect().await;
    world.until("sent", 4).await;
    let texts = world.slack.texts();
    let of_ops: Vec<_> = texts.iter().filter(|text| *text != "other").collect();
    assert_eq!(of_ops, ["one", "two", "three"]);
    assert_ne!(texts.last().map(String::as_str), Some("other"), "another conversation does not wait: {texts:?}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_knocked_at_once_and_then_everything_goes() {
    let world = World::connected(&[]).await;
    world.slack.fates("ops", &[Fate::Down]);
    let run = world.start(json!([slack("one", "ops")])).await;
    world.slack.until(|slack| slack.tries() == 1).await;
    let view = world.over(run).await;
    assert_eq!((view.status, world.slack.texts()), ("completed", vec!["one".to_owned()]));
    let sent = world.letters(Some("sent")).await;
    assert_eq!((sent[0].attempts, &sent[0].error), (2, &None));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_costs_at_most_one_repeat_under_the_same_key() {
    let world = World::connected(&[]).await;
    for platform in [&world.slack, &world.discord] {
        platform.fates("ops", &[Fate::Cut]);
    }
    let discord = json!({ "type": "discord", "id": "two", "config": { "channel": "ops", "text": "two" } });
    let view = world.run(json!([slack("one", "ops"), discord])).await;
    assert_eq!(view.status, "completed", "{view:?}");
    let (twice, once) = (world.slack.posted(), world.discord.posted());
    assert_eq!((twice.len(), once.len()), (2, 1), "one platform knows nonces, the other does not");
    assert_eq!(twice[0].nonce, twice[1].nonce);
    assert_eq!(view.steps[1].outputs.as_ref().expect("outputs").values()["message"], "m0");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_fails_the_step_and_can_be_sent_later() {
    let world = World::connected(&[]).await;
    world.slack.fates("ops", &[Fate::Refuse]);
    let view = world.run(json!([slack("one", "ops")])).await;
    let error = view.error.clone().expect("an error");
    assert_eq!(
        (view.status, error.code, error.message.as_str()),
        ("failed", "WF2151", "Slack does not take the message: not_in_channel")
    );
    let dead = world.letters(None).await;
    let [letter] = dead.as_slice() else { panic!("{dead:?}") };
    assert_eq!((letter.state.as_str(), letter.attempts, letter.title.as_str()), ("dead", 1, "one"));
    let revived = world.app.service.retry_letter(&ana(), &letter.id[..6]).await.expect("a unique beginning");
    assert_eq!(revived.id, letter.id);
    world.until("sent", 1).await;
    assert_eq!(world.slack.texts(), ["one"]);
    let again = world.app.service.retry_letter(&ana(), &letter.id).await.expect_err("it is there");
    assert!(again.to_string().contains("was sent already"), "{again}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_not_there_says_three_ways_out_and_nothing_goes_elsewhere() {
    let world = World::connected(&[]).await;
    let view = world.run(json!([slack("one", "notifications")])).await;
    let error = view.error.clone().expect("an error");
    assert_eq!(
        (error.code, error.message.as_str()),
        ("WF2150", "there is no channel `notifications` on Slack that we are in")
    );
    for way in ["make that channel", "name another one", "WORKFLOW_CHANNELS=notifications=slack:#other"] {
        assert!(error.fix.contains(way), "{}", error.fix);
    }
    assert!(world.slack.texts().is_empty(), "it goes nowhere else");
    world.slack.open("notifications");
    let id = world.letters(Some("dead")).await.remove(0).id;
    world.app.service.drop_letter(&ana(), &id).await.expect("dropped");
    assert!(world.letters(None).await.is_empty());
    let retried =
        world.app.service.retry(&ana(), view.execution_id.parse().expect("an id"), None).await.expect("retried");
    let view = world.over(retried.execution_id.parse().expect("an id")).await;
    assert_eq!((view.status, world.slack.texts()), ("completed", vec!["one".to_owned()]));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_a_channel_too_and_a_name_outlives_that_nobody_can_be_asked() {
    let world = World::connected(&[]).await;
    assert_eq!(world.run(json!([slack("one", "id-ops")])).await.status, "completed");
    world.slack.be_blind(true);
    world.slack.fates("ops", &[Fate::Down]);
    let step =
        json!({ "type": "slack", "id": "two", "timeout": 0.3, "config": { "channel": "id-ops", "text": "two" } });
    assert_eq!(world.run(json!([step])).await.steps[0].outputs.as_ref().expect("outputs").values()["status"], "queued");
    world.until("sent", 2).await;
    assert_eq!(world.slack.texts(), ["one", "two"]);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_platform_does_not_hold_up_the_run_unless_delivery_is_required() {
    let world = World::connected(&[]).await;
    world.slack.fates("ops", &[Fate::Hold]);
    let view = world.run(at_once(&[("one", "ops"), ("after", "alerts")])).await;
    assert_eq!(view.status, "completed", "{view:?}");
    assert_eq!(view.steps[0].outputs.as_ref().expect("outputs").values()["status"], "queued");
    assert!(view.warnings[0].contains("waits in the outbox: it is tried again"), "{:?}", view.warnings);
    world.slack.go.notify_one();
    world.until("sent", 2).await;
    world.close().await;

    let world = World::connected(&["require_delivery=true"]).await;
    world.slack.fates("ops", &[Fate::Hold]);
    let view = world.run(at_once(&[("one", "ops")])).await;
    let error = view.error.clone().expect("an error");
    assert_eq!((view.status, error.code), ("failed", "WF2152"));
    world.slack.go.notify_one();
    world.until("sent", 1).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_under_the_card_of_its_run_waits_for_the_card() {
    let mut world = World::new(&[]).await;
    let under = |id: &str, channel: &str| json!({ "type": "slack", "id": id, "config": { "channel": channel, "text": id, "thread": "card" } });
    let told = world.run(json!([under("one", "ops"), under("two", "alerts")])).await;
    let nowhere = world.run(json!([under("three", "ops")])).await;
    let missing = world.run(json!([under("four", "ops")])).await;
    world.card(&told.execution_id, Some("m77")).await;
    world.card(&nowhere.execution_id, None).await;
    world.slack.fates("ops", &[Fate::Gone]);
    world.connect().await;
    let dead = world.until("dead", 1).await;
    assert!(dead[0].error.as_ref().is_some_and(|error| error.message.contains("not there any more")), "{dead:?}");
    world.app.service.retry_letter(&ana(), &dead[0].id).await.expect("revived");
    world.until("sent", 4).await;
    let mut arrived = world.slack.posted();
    arrived.retain(|one| one.text.lines().count() == 1); // without the card that the second run still gets
    let places: Vec<_> = arrived.iter().map(|one| (one.text.as_str(), one.thread.as_deref())).collect();
    let of = |text: &str| places.iter().find(|(said, _)| *said == text).expect("it arrived").1;
    assert_eq!((of("one"), of("two"), of("four")), (Some("m77"), None, None), "{missing:?}");
    assert!(of("three").is_some_and(|thread| thread.starts_with('m')), "it waited for its card: {places:?}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_outlive_the_process_that_wrote_them() {
    let mut world = World::new(&[]).await;
    let view = world.run(json!([slack("one", "ops"), slack("two", "ops")])).await;
    assert!(view.warnings[0].contains("goes out when `workflow serve` runs, connected"), "{:?}", view.warnings);
    world = world.restart().await;
    world.connect().await;
    world.until("sent", 2).await;
    assert_eq!(world.slack.texts(), ["one", "two"]);
    world = world.restart().await;
    world.connect().await;
    assert_eq!(world.run(json!([slack("three", "ops")])).await.status, "completed");
    assert_eq!(world.slack.texts(), ["one", "two", "three"], "what was sent is not sent again");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_wait_where_the_token_is_refused_and_the_next_start_sends_them_in_order() {
    let mut world = World::connected(&[]).await;
    world.slack.be(Mood::Barred);
    let view = world.run(at_once(&[("one", "ops"), ("two", "ops")])).await;
    assert_eq!(view.status, "completed", "{view:?}");
    let waiting = world.letters(Some("queued")).await;
    assert_eq!(waiting.iter().map(|letter| letter.attempts).collect::<Vec<_>>(), [0, 0], "{waiting:?}");
    let tries = world.slack.tries();
    world = world.restart().await;
    world.slack.be(Mood::Fine);
    world.connect().await;
    world.until("sent", 2).await;
    assert_eq!(world.slack.texts(), ["one", "two"]);
    assert!(tries <= 4, "{tries} tries with a token that is refused");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_waits_for_the_conversations_that_are_about_to_begin() {
    let mut world = World::new(&[]).await;
    world.app.close().await;
    let config = World::config(&world.folder, &world.settings);
    world.app = App::open_to_serve(&config).await.expect("it opens");
    let run = world.start(json!([slack("one", "ops")])).await;
    world.until("queued", 1).await;
    world.connect().await;
    let view = world.over(run).await;
    assert_eq!((view.status, view.warnings.len()), ("completed", 0), "{:?}", view.warnings);
    assert_eq!(world.slack.texts(), ["one"]);
    world.close().await;
}
