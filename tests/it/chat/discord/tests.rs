//! What is Discord's alone: acknowledgements, tokens that are over, sessions, files, windows, rates.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use workflow::service::LinkState;

use super::fake::{Fault, GENERAL, id_of};
use super::gateway::Order;
use super::stage::Side as DiscordSide;
use crate::chat::stage::{Doing, Platform, Shown, Side, Stage};

const QUICK: &str = "name: Quick\nsteps: [{type: noop, name: Only Step}]\n";

pub async fn stage() -> Stage {
    let workflows = [
        ("quick.yaml", QUICK),
        ("slow.yaml", "name: Slow\nsteps: [{type: wait, name: Long, config: {for: 1h}}]\n"),
        (
            "six.yaml",
            "name: Six\ninputs:\n  a: {type: string, required: true}\n  b: {type: string, required: true}\n  c: {type: string, required: true}\n  d: {type: string, required: true}\n  e: {type: string, required: true}\n  f: {type: integer, required: true}\nsteps: [{type: noop, name: Only Step}]\n",
        ),
    ];
    let workflows: BTreeMap<_, _> =
        workflows.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Stage::new(Platform::Discord, &BTreeMap::new(), &workflows, &BTreeMap::new()).await
}

pub fn side(stage: &Stage) -> &DiscordSide {
    match &stage.side {
        Side::Discord(side) => side,
        _ => panic!("the stage is on Discord"),
    }
}

async fn say(stage: &mut Stage, text: &str) {
    stage.say(Doing { by: "ana", text, ..Doing::default() }).await;
}

/// Waits for a message that says this.
pub async fn shows(stage: &Stage, text: &str) -> Shown {
    let side = side(stage);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = side.shown().into_iter().find(|shown| shown.text.contains(text)) {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "`{text}` never came: {:#?}", side.shown());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_acknowledged_for_one_person_and_its_card_is_everybodys() {
    let mut stage = stage().await;
    say(&mut stage, "/workflow run quick").await;
    let card = shows(&stage, "completed").await;
    assert_eq!(card.only_for, None);
    {
        let world = side(&stage).fake.world();
        let done = world.done.values().next().expect("one interaction");
        assert_eq!(done.answer, Some(json!({ "type": 5, "data": { "flags": 64 } })));
        assert_eq!(done.original, None, "\"is thinking\" has gone without a word");
        assert_eq!(world.registered, 1);
        let posts: Vec<_> =
            world.requests.iter().filter(|(method, path, _)| method == "POST" && path.ends_with("/messages")).collect();
        assert!(posts.iter().all(|(_, _, body)| body["enforce_nonce"] == json!(true)), "{posts:#?}");
    }
    stage = Box::pin(stage.restart()).await;
    assert_eq!(side(&stage).fake.world().registered, 1, "the command is as it was");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_over_is_answered_in_a_direct_message_and_closed_ones_in_the_channel() {
    let stage = stage().await;
    let over = Fault {
        method: "PATCH",
        path: "/webhooks/",
        status: 404,
        body: json!({ "code": 10_015, "message": "Unknown Webhook" }),
        after: false,
    };
    for _ in 0..5 {
        side(&stage).fake.fault(over.clone());
    }
    let fake = side(&stage).fake.clone();
    let data =
        json!({ "id": "1", "name": "workflow", "type": 1, "options": [{ "type": 1, "name": "list", "options": [] }] });
    fake.acts("ana", GENERAL, 2, &json!({ "data": data.clone() }));
    let direct = fake.direct(&id_of("ana"));
    fake.until("a direct message", |world| world.said.iter().any(|said| said.channel == direct).then_some(())).await;
    fake.world().closed_to_us = true;
    for _ in 0..5 {
        fake.fault(over.clone());
    }
    fake.acts("ana", GENERAL, 2, &json!({ "data": data }));
    let told = shows(&stage, "could not be delivered").await;
    assert_eq!(told.only_for, None);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_answer_is_lost_is_posted_once_and_a_deleted_one_once_more() {
    let mut stage = stage().await;
    let fake = side(&stage).fake.clone();
    let lost = Fault { method: "POST", path: "/channels/11/messages", status: 502, body: Value::Null, after: true };
    fake.fault(lost.clone());
    fake.fault(lost);
    say(&mut stage, "/workflow run slow").await;
    let card = shows(&stage, "waiting · until").await;
    fake.world().said.retain(|said| said.id != card.id);
    say(&mut stage, "/workflow cancel last").await;
    let again = shows(&stage, "cancelled after").await;
    assert_ne!(again.id, card.id);
    let runs = side(&stage).shown().iter().filter(|shown| shown.text.starts_with("Workflow started")).count();
    assert_eq!(runs, 1, "the other one was deleted");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_is_resumed_and_a_session_that_is_over_begun_anew_with_what_was_missed() {
    let stage = stage().await;
    let fake = side(&stage).fake.clone();
    let direct = fake.direct(&id_of("ana"));
    fake.writes("ana", &direct, &json!({ "content": "whoami" }));
    shows(&stage, "You are").await;
    drop(fake.line.send(Order::Cut));
    fake.until("a resume", |world| (world.resumes == 1).then_some(())).await;
    assert_eq!(fake.world().identifies, 1);
    drop(fake.line.send(Order::Close(4_009)));
    // Nobody listens now: what is written is read later.
    fake.writes("ana", &direct, &json!({ "content": "run quick" }));
    fake.until("a new session", |world| (world.identifies == 2).then_some(())).await;
    shows(&stage, "Quick · by ana · completed").await;
    let answers = side(&stage).shown().iter().filter(|shown| shown.text.starts_with("You are")).count();
    assert_eq!(answers, 1, "what was answered before is not answered again");
    stage.close().await;
}

/// Guilds, their messages and reactions, and the same in direct conversations.
const HEARD: u64 = 1 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13;

#[tokio::test(flavor = "multi_thread")]
async fn without_the_intent_for_texts_it_connects_and_says_what_is_missing() {
    let stage = stage().await;
    assert_eq!(side(&stage).fake.world().intents, HEARD | 1 << 15);
    side(&stage).fake.world().flags = 0;
    let stage = Box::pin(stage.restart()).await;
    assert_eq!(side(&stage).fake.world().intents, HEARD);
    let link = stage.app.service.links().all().remove(0);
    assert_eq!(link.state, LinkState::Up);
    assert!(link.missing[0].contains("Message Content"), "{link:?}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_document_is_asked_about_and_a_file_from_elsewhere_is_not_fetched() {
    let mut stage = stage().await;
    let files = ["documents/invoice.pdf".to_owned()];
    stage.say(Doing { by: "ana", files: &files, ..Doing::default() }).await;
    let offer = shows(&stage, "[Run Document Processing] [Ignore]").await;
    assert_eq!(offer.only_for, Some(id_of("ana")));
    let fake = side(&stage).fake.clone();
    let before = side(&stage).shown().len();
    let picture = side(&stage).attach("documents/scan-de.png");
    fake.writes("leo", GENERAL, &json!({ "content": "look at this", "attachments": [picture] }));
    let file = json!({ "id": "9", "filename": "a.pdf", "size": 3, "url": "http://127.0.0.1:1/a.pdf", "proxy_url": "" });
    fake.writes("leo", GENERAL, &json!({ "content": "", "attachments": [file] }));
    shows(&stage, "is no file of Discord's").await;
    assert_eq!(side(&stage).shown().len(), before + 1, "pictures that people show each other are theirs");
    let mut large = side(&stage).attach("documents/invoice.pdf");
    large["size"] = json!(11 << 20);
    fake.writes("leo", GENERAL, &json!({ "content": "", "attachments": [large] }));
    shows(&stage, "is larger than").await;
    let mut shorter = side(&stage).attach("documents/invoice.pdf");
    shorter["size"] = json!(7);
    fake.writes("leo", GENERAL, &json!({ "content": "", "attachments": [shorter] }));
    shows(&stage, "it is not what was attached").await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_six_is_filled_in_two_windows_and_what_did_not_fit_is_kept() {
    let mut stage = stage().await;
    say(&mut stage, "/workflow run six").await;
    shows(&stage, "needs a, b, c, d, e, f").await;
    let filled = |keys: &[&str], value: &str| -> BTreeMap<String, String> {
        keys.iter().map(|key| ((*key).to_owned(), value.to_owned())).collect()
    };
    stage.fill("ana", &filled(&["a", "b", "c", "d", "e"], "x")).await;
    shows(&stage, "needs f").await;
    stage.fill("ana", &filled(&["f"], "many")).await;
    let card = shows(&stage, "needs f").await;
    let action = card.card.as_ref().and_then(|card| card.labelled("Answer")).expect("a button").action.clone();
    let window = side(&stage).press(&stage.chat, "ana", (&card.id, &action)).await;
    assert_eq!(window["data"]["components"][0]["components"][0]["value"], "many");
    stage.fill("ana", &filled(&["f"], "7")).await;
    shows(&stage, "Six · by ana · completed").await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_completed_with_what_there_is() {
    let stage = stage().await;
    let fake = side(&stage).fake.clone();
    let options = json!([{ "type": 1, "name": "run", "options": [{ "type": 3, "name": "workflow", "value": "qu", "focused": true }] }]);
    let data = json!({ "id": "1", "name": "workflow", "type": 1, "options": options });
    let (id, _) = fake.acts("ana", GENERAL, 4, &json!({ "data": data }));
    let answer = fake.until("choices", |world| world.done[&id].answer.clone()).await;
    assert_eq!(answer["type"], 8);
    assert_eq!(answer["data"]["choices"][0]["value"], "quick");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_kept_and_then_the_rest_is_said() {
    let mut stage = stage().await;
    let fake = side(&stage).fake.clone();
    let body = json!({ "message": "You are being rate limited.", "retry_after": 0.3, "global": false });
    fake.fault(Fault { method: "PATCH", path: "/webhooks/", status: 429, body: body.clone(), after: false });
    fake.fault(Fault { method: "POST", path: "/channels/11/messages", status: 429, body, after: false });
    say(&mut stage, "/workflow list").await;
    shows(&stage, "Workflows").await;
    say(&mut stage, "/workflow run quick").await;
    shows(&stage, "Quick · by ana · completed").await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_are_not_answered() {
    let stage = stage().await;
    let fake = side(&stage).fake.clone();
    let direct = fake.direct(&id_of("ana"));
    let bot = json!({ "id": "77", "username": "b", "discriminator": "1", "avatar": null, "bot": true });
    fake.writes("ana", &direct, &json!({ "content": "/workflow run quick", "author": bot }));
    fake.writes("ana", GENERAL, &json!({ "content": "/workflow run quick", "webhook_id": "78" }));
    fake.writes("ana", &direct, &json!({ "content": "whoami" }));
    shows(&stage, "You are").await;
    assert_eq!(side(&stage).shown().len(), 1, "{:#?}", side(&stage).shown());
    stage.close().await;
}
