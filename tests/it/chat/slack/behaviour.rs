//! What only Slack does: acknowledgements, windows, answers by URL, files behind a token, faults of its API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use workflow::service::LinkState;

use super::fake::{BOT, ELSEWHERE, Fault, GENERAL, TEAM};
use super::side::{self, answered};
use super::{Fake, SlackSide};
use crate::chat::stage::{Doing, Platform, Side, Stage};

const ANA: &str = "UANA";

const ORDER: &str = "
name: Order
inputs:
  item: {type: string, required: true, label: What is it}
  count: {type: integer, required: true}
steps:
  - {type: assert, name: Check, config: {that: \"${{ inputs.count > 0 }}\"}}
";
const QUICK: &str = "name: Quick\nsteps: [{type: noop, name: Only Step}]\n";
const SLOW: &str = "name: Slow\nsteps: [{type: wait, name: Long, config: {for: 1h}}]\n";

async fn stage(workflows: &[(&str, &str)]) -> Stage {
    let workflows: BTreeMap<_, _> =
        workflows.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Stage::new(Platform::Slack, &BTreeMap::new(), &workflows, &BTreeMap::new()).await
}

fn slack(stage: &Stage) -> &SlackSide {
    match &stage.side {
        Side::Slack(slack) => slack,
        _ => panic!("the stage is Slack"),
    }
}

fn fake(stage: &Stage) -> std::sync::Arc<Fake> {
    std::sync::Arc::clone(&slack(stage).fake)
}

/// A button of a message: its action and value.
fn button(blocks: &Value, label: &str) -> (String, String) {
    let rows =
        blocks.as_array().into_iter().flatten().flat_map(|block| block["elements"].as_array().into_iter().flatten());
    let found = rows
        .filter(|element| element["text"]["text"] == label)
        .find_map(|element| Some((element["action_id"].as_str()?.to_owned(), element["value"].as_str()?.to_owned())));
    found.unwrap_or_else(|| panic!("no button `{label}` in {blocks}"))
}

async fn say(stage: &mut Stage, text: &str) {
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
async fn a_card_is_one_message_although_the_answer_to_its_posting_was_lost() {
    let mut stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    fake.fail("chat.postMessage", Fault::LostAfter);
    say(&mut stage, "/workflow run quick").await;
    fake.shown("the end", |posted| posted.text.contains("Quick · by ana · completed")).await;
    let cards = fake.messages().into_iter().filter(|posted| posted.text.starts_with("Workflow started")).count();
    assert_eq!(cards, 1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_that_slack_asks_for_is_kept_and_the_last_state_is_shown() {
    let mut stage = stage(&[("slow.yaml", SLOW)]).await;
    let fake = fake(&stage);
    say(&mut stage, "/workflow run slow").await;
    fake.shown("the card", |posted| posted.text.contains("waiting · until")).await;
    let before = fake.calls("chat.update").len();
    let body = json!({ "ok": false, "error": "ratelimited" }).to_string();
    fake.fail("chat.update", Fault::Answer(429, vec![("retry-after", "1")], body));
    let began = std::time::Instant::now();
    say(&mut stage, "/workflow cancel last").await;
    fake.shown("the end", |posted| posted.text.contains("cancelled after")).await;
    assert!(began.elapsed().as_millis() >= 1_000, "it came back after {:?}", began.elapsed());
    assert!(fake.calls("chat.update").len() >= before + 2);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_was_deleted_is_posted_once_more() {
    let mut stage = stage(&[("slow.yaml", SLOW)]).await;
    let fake = fake(&stage);
    say(&mut stage, "/workflow run slow").await;
    let first = fake.shown("the card", |posted| posted.text.contains("waiting · until")).await.ts;
    fake.fail("chat.update", Fault::error("message_not_found"));
    say(&mut stage, "/workflow cancel last").await;
    fake.shown("the new card", |posted| posted.ts != first && posted.text.contains("cancelled after")).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_slack_refuses_are_sent_as_text() {
    let mut stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    fake.fail("chat.postMessage", Fault::error("invalid_blocks"));
    say(&mut stage, "/workflow run quick").await;
    fake.shown("the card", |posted| posted.text.starts_with("Workflow started")).await;
    assert_eq!(fake.calls("chat.postMessage")[1].get("blocks"), None);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_address_is_used_up_is_shown_beside_the_conversation() {
    let stage = stage(&[]).await;
    let fake = fake(&stage);
    fake.fail("response_url", Fault::Answer(404, Vec::new(), String::new()));
    fake.bring("slash_commands", &fake.command(ANA, GENERAL, "help")).await;
    let told = fake.shown("the answer", |posted| posted.text.contains("What you can say here")).await;
    assert_eq!((told.only_for.as_deref(), told.channel.as_str()), (Some(ANA), GENERAL));
    assert_eq!(fake.calls("chat.postEphemeral").len(), 1);
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
async fn a_card_whose_channel_threw_us_out_goes_to_whoever_asked() {
    let mut stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    say(&mut stage, "/workflow help").await;
    fake.fail("chat.postMessage", Fault::error("not_in_channel"));
    say(&mut stage, "/workflow run quick").await;
    let card = fake.shown("the end", |posted| posted.text.contains("Quick · by ana · completed")).await;
    assert_eq!(card.channel, "DANA");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_page_in_the_place_of_a_file_is_the_missing_scope_by_name() {
    let mut stage = stage(&[]).await;
    let fake = fake(&stage);
    fake.without_scope("files:read");
    let files = ["documents/invoice.pdf".to_owned()];
    stage.say(Doing { by: "ana", text: "", files: &files, ..Doing::default() }).await;
    let told = fake.shown("the refusal", |posted| posted.text.contains("files:read")).await;
    assert_eq!(told.only_for.as_deref(), Some(ANA));
    let link = stage.app.service.links().all().into_iter().find(|link| link.name == format!("slack {TEAM}"));
    assert_eq!(link.expect("the workspace").missing, ["files:read"]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_is_fetched_again() {
    let mut stage = stage(&[]).await;
    let fake = fake(&stage);
    fake.fail("file.download", Fault::LostAfter);
    let files = ["documents/invoice.pdf".to_owned()];
    stage.say(Doing { by: "ana", text: "", files: &files, ..Doing::default() }).await;
    fake.shown("the offer", |posted| posted.text.contains("application/pdf, 87 kB")).await;
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
async fn a_revoked_token_is_told_and_frames_that_make_no_sense_harm_nothing() {
    let mut stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    for frame in [
        "",
        "{",
        "[]",
        "null",
        "{\"type\":\"new_kind\",\"envelope_id\":\"e1\"}",
        "{\"type\":\"events_api\",\"envelope_id\":\"e2\"}",
    ] {
        fake.send_raw(frame).await;
    }
    for payload in
        [json!({}), json!({ "team_id": TEAM }), json!({ "team_id": TEAM, "event": 7 }), json!({ "team_id": "TOTHER" })]
    {
        for kind in ["slash_commands", "interactive", "events_api"] {
            fake.bring_now(kind, &payload).await;
        }
    }
    fake.fail("chat.postMessage", Fault::error("token_revoked"));
    say(&mut stage, "/workflow run quick").await;
    fake.called("chat.postMessage", 1).await;
    let link = || stage.app.service.links().all().into_iter().find(|link| link.name == format!("slack {TEAM}"));
    let refused = async {
        while link().is_none_or(|link| link.state != LinkState::Refused) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), refused).await.expect("it is told");
    assert!(link().and_then(|link| link.reason).is_some_and(|reason| reason.contains("token_revoked")));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_was_cut_is_there_again() {
    let stage = stage(&[]).await;
    let fake = fake(&stage);
    for round in 0..3 {
        fake.cut();
        fake.bring("slash_commands", &fake.command(ANA, GENERAL, "whoami")).await;
        fake.called("response_url", round + 1).await;
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_leave_delays_no_acknowledgement_and_nobody_else() {
    let stage = stage(&[("quick.yaml", QUICK)]).await;
    let fake = fake(&stage);
    let held = fake.hold_answers();
    for _ in 0..100 {
        fake.bring("slash_commands", &fake.command(ANA, GENERAL, "whoami")).await;
    }
    fake.bring("events_api", &fake.event(&fake.message("ULEO", GENERAL, &format!("<@{BOT}> run quick")))).await;
    fake.shown("the card", |posted| posted.text.contains("Quick · by leo · completed")).await;
    held.close();
    answered(&stage.chat).await;
    assert!(fake.calls("response_url").len() == 100 && fake.calls("chat.postEphemeral").is_empty());
    stage.close().await;
}
