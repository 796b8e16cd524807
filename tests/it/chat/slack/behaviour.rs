//! What only Slack does: events that come twice, files behind a token, private answers, texts that call nobody.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fake::{BOT, ELSEWHERE, Fault, GENERAL, TEAM};
use super::side::{self, answered};
use super::{Fake, SlackSide};
use crate::chat::stage::{Doing, Platform, Side, Stage};

pub const ANA: &str = "UANA";

pub const ORDER: &str = "
name: Order
inputs:
  item: {type: string, required: true, label: What is it}
  count: {type: integer, required: true}
steps:
  - {type: assert, name: Check, config: {that: \"${{ inputs.count > 0 }}\"}}
";
pub const QUICK: &str = "name: Quick\nsteps: [{type: noop, name: Only Step}]\n";
pub const SLOW: &str = "name: Slow\nsteps: [{type: wait, name: Long, config: {for: 1h}}]\n";

pub async fn stage(workflows: &[(&str, &str)]) -> Stage {
    let workflows: BTreeMap<_, _> =
        workflows.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Stage::new(Platform::Slack, &BTreeMap::new(), &workflows, &BTreeMap::new()).await
}

pub fn slack(stage: &Stage) -> &SlackSide {
    match &stage.side {
        Side::Slack(slack) => slack,
        _ => panic!("the stage is Slack"),
    }
}

pub fn fake(stage: &Stage) -> std::sync::Arc<Fake> {
    std::sync::Arc::clone(&slack(stage).fake)
}

/// A button of a message: its action and value.
pub fn button(blocks: &Value, label: &str) -> (String, String) {
    let rows =
        blocks.as_array().into_iter().flatten().flat_map(|block| block["elements"].as_array().into_iter().flatten());
    let found = rows
        .filter(|element| element["text"]["text"] == label)
        .find_map(|element| Some((element["action_id"].as_str()?.to_owned(), element["value"].as_str()?.to_owned())));
    found.unwrap_or_else(|| panic!("no button `{label}` in {blocks}"))
}

pub async fn say(stage: &mut Stage, text: &str) {
    stage.say(Doing { by: "ana", text, ..Doing::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_is_two_events_each_twice_and_one_run() {
    let stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    let message = fake.message(ANA, GENERAL, &format!("<@{BOT}> run quick"));
    let mut mention = message.clone();
    mention["type"] = json!("app_mention");
    for event in [&message, &mention] {
        let event = fake.event(event);
        fake.bring("events_api", &event).await;
        fake.bring("events_api", &event).await;
    }
    answered(&stage.chat).await;
    fake.shown("the card", |posted| posted.text.contains("Quick · by ana · completed")).await;
    assert_eq!(fake.calls("chat.postMessage").len(), 1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_messages_and_those_of_other_bots_are_acknowledged_and_left_alone() {
    let stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    for (key, value) in [("bot_id", json!("BOTHER")), ("bot_id", json!("BBOT")), ("subtype", json!("bot_message"))] {
        let mut message = fake.message(ANA, GENERAL, &format!("<@{BOT}> run quick"));
        message[key] = value;
        fake.bring("events_api", &fake.event(&message)).await;
    }
    let mut own = fake.message(BOT, "DANA", "run quick");
    own["user"] = json!(BOT);
    fake.bring("events_api", &fake.event(&own)).await;
    answered(&stage.chat).await;
    assert!(fake.messages().is_empty(), "{:?}", fake.messages());
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_say_to_each_other_is_not_kept() {
    let stage = stage(&[]).await;
    let fake = fake(&stage);
    let message = fake.message(ANA, GENERAL, "lunch?");
    let ts = message["ts"].as_str().expect("a time").to_owned();
    fake.bring("events_api", &fake.event(&message)).await;
    let key = format!("slack:{TEAM}:{GENERAL}:{ts}");
    // Whoever keeps it now is the first to do so.
    assert!(stage.chat.keeper().accept(&key, "{}", None).await.expect("kept"));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_from_where_the_bot_is_no_member_runs_and_is_shown_in_the_direct_conversation() {
    let stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    fake.bring("slash_commands", &fake.command(ANA, ELSEWHERE, "run quick")).await;
    let card = fake.shown("the card", |posted| posted.text.starts_with("Workflow started")).await;
    assert_eq!(card.channel, "DANA");
    let invited = fake.shown("how to invite", |posted| posted.text.contains("/invite @workflow")).await;
    assert!(invited.text.contains(&format!("<#{ELSEWHERE}>")), "{}", invited.text);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_shared_and_said_is_one_file() {
    let stage = stage(&[]).await;
    let fake = fake(&stage);
    let told = fake.add_file("a.pdf", "application/pdf", b"%PDF-1.4 nothing");
    let mut message = fake.message(ANA, GENERAL, "");
    message["subtype"] = json!("file_share");
    message["files"] = json!([told]);
    let id = told["id"].as_str().expect("an id");
    fake.share(id, GENERAL, message["ts"].as_str().expect("a time"));
    let shared = json!({ "type": "file_shared", "file_id": id, "user_id": ANA, "channel_id": GENERAL });
    fake.bring("events_api", &fake.event(&shared)).await;
    fake.bring("events_api", &fake.event(&message)).await;
    fake.shown("the offer", |posted| posted.text.contains("a.pdf")).await;
    // The event of the file alone comes after its message would have: nothing more happens.
    let alone = fake.add_file("b.pdf", "application/pdf", b"%PDF-1.4 other");
    let other = alone["id"].as_str().expect("an id");
    fake.share(other, GENERAL, "1700009999.000001");
    let shared = json!({ "type": "file_shared", "file_id": other, "user_id": ANA, "channel_id": GENERAL });
    fake.bring("events_api", &fake.event(&shared)).await;
    fake.shown("the offer of the file that has no message", |posted| posted.text.contains("b.pdf")).await;
    assert_eq!(fake.messages().iter().filter(|posted| posted.text.contains("a.pdf")).count(), 1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_a_part_and_a_file_for_the_one_who_asked() {
    let inputs: String =
        (0..95).map(|n| format!("  input_{n}: {{type: string, default: \"{}\"}}\n", "x".repeat(50))).collect();
    let long = format!("name: Long\ninputs:\n{inputs}steps: [{{type: noop, name: Only}}]\n");
    let stage = stage(&[("long.yaml", &long)]).await;
    let fake = fake(&stage);
    fake.bring("slash_commands", &fake.command(ANA, GENERAL, "show long")).await;
    fake.called("files.completeUploadExternal", 1).await;
    let told = fake.shown("the part", |posted| posted.text.contains("The whole is a file")).await;
    assert!(told.text.len() < 4_000 && told.blocks.to_string().chars().count() < 13_000);
    assert_eq!(fake.calls("files.completeUploadExternal")[0]["channel_id"], "DANA");
    assert!(fake.uploads()[0].contains("input_94"));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_strangers_text_calls_anybody_or_formats() {
    let mut stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    say(&mut stage, "/workflow run <!channel>*bold*_`&amp;").await;
    let told = fake.shown("the refusal", |posted| posted.text.contains("There is no workflow")).await;
    assert!(!told.text.contains("<!") && !told.text.contains("<@"), "{}", told.text);
    assert!(!told.blocks.to_string().contains("mrkdwn"), "{}", told.blocks);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_and_somebody_of_another_workspace_are_known_as_such() {
    use workflow::chat::adapter::{Inbound, Standing};
    let stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    fake.is_guest("UGUEST");
    let mut foreign = fake.message("UFOREIGN", GENERAL, &format!("<@{BOT}> whoami"));
    foreign["user_team"] = json!("TELSEWHERE");
    let guest = fake.message("UGUEST", GENERAL, &format!("<@{BOT}> whoami"));
    for (event, standing) in [(guest, Standing::Guest), (foreign, Standing::Foreign)] {
        // Kept and not answered, as a crash would leave it: what was kept can be read.
        let key = format!("slack:{TEAM}:{GENERAL}:{}", event["ts"].as_str().expect("a time"));
        let (seen, look) = tokio::sync::oneshot::channel::<Inbound>();
        let keeper = stage.chat.keeper().clone();
        let watch = tokio::spawn(async move {
            loop {
                let open = keeper.unanswered().await.expect("readable");
                let found = open
                    .iter()
                    .find_map(|open| serde_json::from_str::<Inbound>(&open.said).ok().filter(|it| it.key == key));
                if let Some(found) = found {
                    let _ = seen.send(found);
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
        let user = event["user"].as_str().expect("a user").to_owned();
        fake.fail("chat.postEphemeral", Fault::Answer(429, vec![("retry-after", "1")], "{\"ok\":false}".to_owned()));
        fake.bring("events_api", &fake.event(&event)).await;
        let inbound =
            tokio::time::timeout(std::time::Duration::from_secs(10), look).await.expect("kept").expect("kept");
        assert_eq!((inbound.user.as_str(), inbound.standing), (user.as_str(), standing));
        watch.await.expect("it looked");
        answered(&stage.chat).await;
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_the_missing_scope_and_the_refused_token() {
    let fake = Fake::start().await;
    let good = workflow::chat::slack::check(&side::settings(&fake)).await;
    assert!(good.iter().all(|finding| finding.holds) && good.len() == 2, "{good:#?}");
    fake.without_scope("files:read");
    let mut settings = side::settings(&fake);
    settings.bot_tokens.push(workflow::http::caller::Secret::new("xoxb-wrong".to_owned()));
    let found = workflow::chat::slack::check(&settings).await;
    let broken: Vec<_> = found.iter().filter(|finding| !finding.holds).collect();
    assert_eq!(broken.len(), 2, "{found:#?}");
    assert!(
        broken[0].about.contains("files:read") && broken[0].fix.as_deref().is_some_and(|fix| fix.contains("OAuth"))
    );
    assert!(broken[1].fix.as_deref().is_some_and(|fix| fix.contains("invalid_auth")));
}
