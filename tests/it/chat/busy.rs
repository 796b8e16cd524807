//! More is said than can be answered: whoever says it hears that nothing was started, and nothing was.

use std::collections::BTreeMap;

use serde_json::json;
use workflow::service::ListFilter;

use super::stage::{CROWDED, Platform, Side, Stage};

async fn crowded(platform: Platform) -> Stage {
    let (key, value) = CROWDED.split_once('=').expect("a setting");
    let settings = BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let workflows = BTreeMap::from([("quick.yaml".to_owned(), "name: Quick\nsteps: [{type: noop}]\n".to_owned())]);
    Stage::new(platform, &settings, &workflows, &BTreeMap::new()).await
}

/// Nothing was kept, and nothing begun.
async fn nothing_was_begun(stage: Stage) {
    assert!(stage.chat.keeper().unanswered().await.expect("readable").is_empty());
    let filter = ListFilter { limit: 10, ..ListFilter::default() };
    assert!(stage.app.service.archive().list(&filter).await.expect("readable").is_empty());
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_slack_a_command_and_a_press_are_told_and_an_event_is_asked_for_again() {
    let stage = crowded(Platform::Slack).await;
    let Side::Slack(slack) = &stage.side else { panic!("the stage is Slack") };
    let fake = std::sync::Arc::clone(&slack.fake);
    let ack = fake.bring("slash_commands", &fake.command("UANA", "CGENERAL", "run quick")).await;
    let told = ack["payload"]["text"].as_str().unwrap_or_default();
    assert_eq!(told, "Busy: nothing was started. Say it again in a moment.");
    let press = json!({
        "type": "block_actions", "team": { "id": "T01" }, "user": { "id": "UANA", "team_id": "T01" }, "trigger_id": "1.1",
        "container": { "type": "message", "message_ts": "1.0", "channel_id": "CGENERAL" },
        "actions": [{ "type": "button", "action_id": "press.1.x", "value": "x", "action_ts": "1.2" }],
    });
    fake.bring("interactive", &press).await;
    let told = fake.shown("that nothing was done", |posted| posted.text.contains("Busy: nothing was started")).await;
    assert_eq!(told.only_for.as_deref(), Some("UANA"));
    let event = fake.event(&fake.message("UANA", "CGENERAL", "<@UBOT> run quick"));
    assert_eq!(fake.bring_now("events_api", &event).await, None, "without an acknowledgement it comes again");
    nothing_was_begun(stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_discord_the_first_answer_says_so() {
    let stage = crowded(Platform::Discord).await;
    let Side::Discord(side) = &stage.side else { panic!("the stage is Discord") };
    let fake = side.fake.clone();
    let options =
        json!([{ "type": 1, "name": "run", "options": [{ "type": 3, "name": "workflow", "value": "quick" }] }]);
    let data = json!({ "id": "1", "name": "workflow", "type": 1, "options": options });
    let (id, _) = fake.acts("ana", "11", 2, &json!({ "data": data }));
    let answer = fake.until("an answer", |world| world.done[&id].answer.clone()).await;
    let told = answer["data"]["content"].as_str().unwrap_or_default();
    assert!(told.contains("nothing was started") && answer["data"]["flags"] == json!(64), "{answer}");
    nothing_was_begun(stage).await;
}
