//! Windows and the home tab.

use serde_json::{Map, json};

use super::behaviour::{ANA, ORDER, button, fake, say, stage};
use super::fake::TEAM;
use super::side::answered;

#[tokio::test(flavor = "multi_thread")]
async fn a_window_keeps_what_was_typed_and_says_itself_what_does_not_fit() {
    let mut stage = stage(&[("order.yaml", ORDER)]).await;
    let fake = fake(&stage);
    say(&mut stage, "/workflow run order").await;
    let card = fake.shown("the card", |posted| posted.text.contains("needs What is it, count")).await;
    let (action, value) = button(&card.blocks, "Answer");
    fake.bring("interactive", &fake.press(ANA, &card, (&action, &value))).await;
    fake.opened(1).await;
    let filled = |item: &str, count: &str| {
        let values = json!({ "item": item, "count": count });
        values.as_object().expect("an object").clone()
    };
    let refused = fake.bring("interactive", &fake.sent_window(ANA, &filled("Chairs", "many"))).await;
    assert_eq!(
        refused["payload"],
        json!({ "response_action": "errors", "errors": { "n:count": "a number, not `many`" } })
    );
    // What fits its type and not the workflow is told afterwards, and stands in the next window.
    let taken = fake.bring("interactive", &fake.sent_window(ANA, &filled("Chairs", "1.5"))).await;
    assert_eq!(taken.get("payload"), None);
    let told = fake.shown("the refusal", |posted| posted.text.contains("must be a whole number")).await;
    assert_eq!(told.only_for.as_deref(), Some(ANA));
    fake.bring("interactive", &fake.press(ANA, &card, (&action, &value))).await;
    fake.opened(2).await;
    let window = fake.views().pop().expect("a window");
    let again = window["blocks"].as_array().expect("blocks").iter().find(|block| block["block_id"] == "n:count");
    assert_eq!(again.expect("the field")["element"]["initial_value"], "1.5");
    fake.bring("interactive", &fake.sent_window(ANA, &filled("Chairs", "3"))).await;
    fake.shown("the end", |posted| posted.text.contains("Order · by ana · completed")).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_home_tab_shows_what_is_under_way_and_its_buttons_work() {
    let mut stage = stage(&[("order.yaml", ORDER)]).await;
    let fake = fake(&stage);
    say(&mut stage, "/workflow run order").await;
    fake.shown("the card", |posted| posted.text.contains("needs")).await;
    let opened = json!({ "type": "app_home_opened", "user": ANA, "channel": "DANA", "tab": "home" });
    fake.bring("events_api", &fake.event(&opened)).await;
    fake.called("views.publish", 1).await;
    let published = &fake.calls("views.publish")[0];
    assert_eq!((published["user_id"].as_str(), published["view"]["type"].as_str()), (Some(ANA), Some("home")));
    let blocks = &published["view"]["blocks"];
    assert!(blocks.to_string().contains("needs What is it, count"), "{blocks}");
    let (action, value) = button(blocks, "Open the first");
    let press = json!({
        "type": "block_actions", "team": { "id": TEAM }, "user": { "id": ANA, "team_id": TEAM },
        "container": { "type": "view", "view_id": "V1" }, "trigger_id": "1.1",
        "actions": [{ "type": "button", "action_id": action, "value": value, "action_ts": "1.2" }],
    });
    fake.bring("interactive", &press).await;
    let shown = fake.shown("the execution", |posted| posted.channel == "DANA").await;
    assert!(shown.text.contains("Order"), "{}", shown.text);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_sent_with_an_empty_window_only_once() {
    let mut stage = stage(&[("order.yaml", ORDER)]).await;
    let fake = fake(&stage);
    say(&mut stage, "/workflow run order count=2").await;
    let card = fake.shown("the card", |posted| posted.text.contains("needs What is it")).await;
    let (action, value) = button(&card.blocks, "Answer");
    fake.bring("interactive", &fake.press(ANA, &card, (&action, &value))).await;
    fake.opened(1).await;
    let mut values = Map::new();
    values.insert("item".to_owned(), json!("Chairs"));
    let sent = fake.sent_window(ANA, &values);
    fake.bring("interactive", &sent).await;
    fake.bring("interactive", &sent).await;
    fake.shown("the end", |posted| posted.text.contains("Order · by ana · completed")).await;
    answered(&stage.chat).await;
    assert!(!fake.messages().iter().any(|posted| posted.only_for.is_some()), "{:?}", fake.messages());
    stage.close().await;
}
