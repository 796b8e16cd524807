//! Slack in bad weather: answers that are lost, silence, messages that are gone, tokens that are refused, sockets that are cut.

use serde_json::json;
use workflow::service::LinkState;

use super::behaviour::{ANA, QUICK, SLOW, fake, say, stage};
use super::fake::{BOT, Fault, GENERAL, TEAM};
use super::side::answered;
use crate::chat::stage::Doing;

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
    let card = fake.shown("the card", |posted| posted.text.contains("waiting · until")).await;
    fake.fail("chat.update", Fault::error("message_not_found"));
    say(&mut stage, "/workflow cancel last").await;
    fake.shown("the new card", |posted| posted.ts != card.ts && posted.text.contains("cancelled after")).await;
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
