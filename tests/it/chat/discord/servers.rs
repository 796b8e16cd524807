//! Several servers, and what outlives the process there: each server sees its own, and what an earlier life acknowledged
//! is brought to its end by the next one.

use serde_json::json;
use workflow::chat::adapter::{Address, Inbound, Standing, What};
use workflow::service::LinkState;

use super::fake::{Fault, GENERAL, GUILD, id_of};
use super::gateway::Order;
use super::stage::command;
use super::tests::{shows, side, stage};
use crate::chat::stage::Stage;

/// Another server, and its channel.
const SECOND: (&str, &str) = ("20", "21");

/// Somebody of a server says a command there.
fn says(stage: &Stage, user: &str, (guild, channel): (&str, &str), line: &str) -> String {
    let fake = side(stage).fake.clone();
    let mut more = json!({ "data": command(line, &[]).expect("a command"), "guild_id": guild });
    let interaction = fake.interaction(user, channel, 2, &json!({}));
    more["member"] = interaction["member"].clone();
    more["member"]["guild_id"] = json!(guild);
    fake.acts(user, channel, 2, &more).0
}

/// The same; what they alone are answered.
async fn asks(stage: &Stage, user: &str, place: (&str, &str), line: &str) -> String {
    let id = says(stage, user, place, line);
    let fake = side(stage).fake.clone();
    let message = fake.until("an answer", |world| world.done[&id].original.clone()).await;
    let shown = side(stage).shown().into_iter().find(|shown| shown.id == message).expect("a message");
    assert_eq!(shown.only_for, Some(id_of(user)));
    shown.text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_sees_what_began_in_it_and_not_what_began_in_another_one() {
    let stage = stage().await;
    says(&stage, "bea", (GUILD, GENERAL), "/workflow run slow");
    let ours = shows(&stage, "Slow · by bea").await;
    says(&stage, "tom", SECOND, "/workflow run slow");
    let theirs = shows(&stage, "Slow · by tom").await;
    let id = |text: &str| text.split_whitespace().find(|word| word.starts_with("exec_")).expect("an id").to_owned();
    let (ours, theirs) = (id(&ours.text), id(&theirs.text));
    for (user, place, sees, hides) in [("cyd", (GUILD, GENERAL), &ours, &theirs), ("kim", SECOND, &theirs, &ours)] {
        let told = asks(&stage, user, place, "/workflow history").await;
        assert!(told.contains(sees.as_str()) && !told.contains(hides.as_str()), "{told}");
        let told = asks(&stage, user, place, &format!("/workflow cancel {hides}")).await;
        assert!(told.contains("There is no execution"), "{told}");
        let told = asks(&stage, user, place, &format!("/workflow status {sees}")).await;
        assert!(told.contains("waiting"), "{told}");
    }
    // In the direct conversation they are at home where they were heard.
    let fake = side(&stage).fake.clone();
    let direct = fake.direct(&id_of("kim"));
    fake.writes("kim", &direct, &json!({ "content": "history" }));
    let told = fake
        .until("the history", |world| {
            let said = world.said.iter().rfind(|said| said.channel == direct)?;
            Some(said.body.to_string())
        })
        .await;
    assert!(told.contains(theirs.as_str()) && !told.contains(ours.as_str()), "{told}");
    stage.close().await;
}

/// Something that was taken in and acknowledged with "is thinking" by a life that did not answer it.
async fn cut_short(stage: &Stage, line: &str) -> String {
    let fake = side(stage).fake.clone();
    let interaction = fake.interaction("ana", GENERAL, 2, &json!({}));
    let id = interaction["id"].as_str().expect("an id").to_owned();
    fake.world().acknowledge(&id, json!({ "type": 5, "data": { "flags": 64 } }));
    let handle = json!({ "application": "1", "token": format!("token-{id}"), "until": i64::MAX, "is_thinking": true });
    let inbound = Inbound {
        key: format!("discord:{id}"),
        from: Address { platform: "discord".to_owned(), channel: GENERAL.to_owned(), thread: None },
        user: id_of("ana"),
        name: Some("ana".to_owned()),
        workspace: Some(GUILD.to_owned()),
        standing: Standing::Member,
        handle: Some(handle.to_string()),
        is_direct: false,
        message: None,
        what: What::Said { text: line.to_owned(), files: Vec::new() },
    };
    let said = serde_json::to_string(&inbound).expect("plain values");
    assert!(stage.chat.keeper().accept(&inbound.key, &said, None).await.expect("kept"));
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn is_thinking_of_an_earlier_life_is_answered_or_taken_away() {
    let stage = stage().await;
    let run = cut_short(&stage, "/workflow run quick").await;
    let list = cut_short(&stage, "/workflow list").await;
    let stage = Box::pin(stage.restart()).await;
    let fake = side(&stage).fake.clone();
    fake.until("both ends", |world| (world.done[&run].closed && world.done[&list].closed).then_some(())).await;
    shows(&stage, "Quick · by ana · completed").await;
    let told = shows(&stage, "document_processing").await;
    assert_eq!(told.only_for, Some(id_of("ana")));
    let taken_away = |id: &str| {
        let world = fake.world();
        let token = format!("token-{id}/");
        world.requests.iter().filter(|(method, path, _)| method == "DELETE" && path.contains(&token)).count()
    };
    assert_eq!((taken_away(&run), taken_away(&list)), (1, 0), "an answer stays");
    stage.close().await;
}

fn link(stage: &Stage) -> (LinkState, Option<String>) {
    let link = stage.app.service.links().all().into_iter().find(|link| link.name == "discord").expect("there is one");
    (link.state, link.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_taken_any_more_is_told_and_what_is_to_be_said_waits() {
    let stage = stage().await;
    let fake = side(&stage).fake.clone();
    let refused = Fault {
        method: "POST",
        path: "/channels/11/messages",
        status: 401,
        body: json!({ "code": 0, "message": "401: Unauthorized" }),
        after: false,
    };
    fake.fault(refused);
    says(&stage, "ana", (GUILD, GENERAL), "/workflow run quick");
    fake.until("a request", |world| world.faults.is_empty().then_some(())).await;
    let told = async {
        while link(&stage).0 != LinkState::Refused {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), told).await.expect("it is told");
    assert!(link(&stage).1.is_some_and(|reason| reason.contains("does not take the token")));
    let stage = Box::pin(stage.restart()).await;
    shows(&stage, "Quick · by ana · completed").await;
    // The line is closed with the same meaning.
    drop(fake.line.send(Order::Close(4_004)));
    let told = async {
        while link(&stage).0 != LinkState::Refused {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), told).await.expect("it is told again");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_an_address_in_its_server_or_with_us_alone() {
    let stage = stage().await;
    let adapter = side(&stage).adapter();
    let at = |channel: &str| Address { platform: "discord".to_owned(), channel: channel.to_owned(), thread: None };
    let link = adapter.link(&at(GENERAL), "77").await;
    assert_eq!(link.as_deref(), Some("https://discord.com/channels/10/11/77"));
    let fake = side(&stage).fake.clone();
    let direct = fake.direct(&id_of("ana"));
    fake.writes("ana", &direct, &json!({ "content": "whoami" }));
    shows(&stage, "You are").await;
    let link = adapter.link(&at(&direct), "78").await;
    assert_eq!(link, Some(format!("https://discord.com/channels/@me/{direct}/78")));
    assert_eq!(adapter.link(&at("404"), "79").await, None);
    stage.close().await;
}
