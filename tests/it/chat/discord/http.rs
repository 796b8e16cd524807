//! Interactions that Discord brings as requests.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use workflow::chat::{Platforms, configured, discord};
use workflow::domain::hex;

use super::fake::{GENERAL, id_of};
use super::stage::settings;
use super::tests::{shows, side, stage};
use crate::chat::stage::Stage;

/// Discord's key.
fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes")
}

fn door(stage: &Stage) -> Router {
    let public_key = key().public_key().as_ref().try_into().ok();
    let settings = discord::Settings { public_key, ..settings(&side(stage).fake) };
    let platforms = Platforms { discord: Some(settings), ..Platforms::default() };
    let platform = configured(&stage.app.service, &platforms).expect("good settings").remove(0);
    let room = platform.room(stage.chat.clone()).expect("a room");
    room.routes.split_for_parts().0
}

async fn ask(door: &Router, body: &Value, signed: bool) -> (u16, Value) {
    let text = body.to_string();
    let signature = key().sign(format!("1700000000{}", if signed { &text } else { "other" }).as_bytes());
    let request = Request::post("/discord/interactions")
        .header("content-type", "application/json")
        .header("x-signature-ed25519", hex::of(signature.as_ref()))
        .header("x-signature-timestamp", "1700000000")
        .body(Body::from(text))
        .expect("a request");
    let response = door.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discord_signs_is_answered_as_over_the_gateway_and_nothing_else_is() {
    let stage = stage().await;
    let door = door(&stage);
    let ping = json!({ "id": "5", "application_id": "1", "type": 1, "token": "t", "version": 1 });
    assert_eq!(ask(&door, &ping, false).await.0, 401);
    assert_eq!(ask(&door, &ping, true).await, (200, json!({ "type": 1 })));
    assert_eq!(ask(&door, &json!("nothing"), true).await.0, 400);
    let data =
        json!({ "id": "1", "name": "workflow", "type": 1, "options": [{ "type": 1, "name": "list", "options": [] }] });
    let fake = side(&stage).fake.clone();
    let command = fake.interaction("ana", GENERAL, 2, &json!({ "data": data }));
    let (status, answer) = ask(&door, &command, true).await;
    assert_eq!((status, &answer["type"]), (200, &json!(5)));
    // Discord knows of the answer only now; what follows it was too early until then.
    let id = command["id"].as_str().expect("an id");
    fake.world().acknowledge(id, answer);
    let told = shows(&stage, "Workflows").await;
    assert_eq!(told.only_for, Some(id_of("ana")));
    // Whoever is spoken to over HTTP is listened to over the gateway: what is missed there is read later.
    let known = async {
        while stage
            .chat
            .keeper()
            .noted("discord:channels")
            .await
            .expect("readable")
            .is_none_or(|all| !all.contains(GENERAL))
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), known).await.expect("the channel is known");
    stage.close().await;
}
