//! Interactions as requests of Discord's, for where a public address is there: each signed, and refused where anything
//! about it is wrong. Discord sends wrong ones by itself to see that.
//!
//! Their age is not looked at: an interaction that comes again is known by its id, and a clock that goes wrong must not
//! close the door.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;
use serenity::model::application::Interaction;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::adapter::Discord;
use super::catch_up::CatchUp;
use super::interactions::Desk;
use super::session::place_of;
use crate::chat::Chat;
use crate::domain::code;
use crate::domain::hex;
use crate::http::Room;
use crate::http::json::{self, Json};
use crate::http::problem::Problem;

/// The longest request that is read, in bytes.
const LONGEST: usize = 1 << 20;

#[derive(Clone)]
struct Door {
    desk: Desk,
    key: [u8; 32],
}

/// The room with the one route.
pub fn room(discord: Arc<Discord>, chat: Chat, key: [u8; 32]) -> Room {
    let door = Door { desk: Desk { discord, chat }, key };
    let routes = OpenApiRouter::default().routes(routes!(interact)).layer(DefaultBodyLimit::max(LONGEST));
    Room { routes: routes.with_state(door), topic: None }
}

/// Takes a Discord interaction in. Signed by Discord (Ed25519); for nobody else.
#[utoipa::path(post, path = "/discord/interactions", tag = "chat",
    responses((status = 200, description = "the first answer to the interaction"), (status = 401)))]
async fn interact(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Result<Json, Problem> {
    if !is_signed(&door.key, &headers, &body) {
        return Err(unsigned());
    }
    let interaction = match serde_json::from_slice::<Interaction>(&body) {
        Ok(interaction) => interaction,
        Err(error) => {
            tracing::warn!(%error, "an interaction cannot be read");
            return Err(Problem::new(StatusCode::BAD_REQUEST, code::WF5103, "the interaction cannot be read"));
        }
    };
    let place = place_of(&interaction);
    let Some(first) = door.desk.first(interaction).await else {
        // It comes a second time: whoever sent it has its answer.
        return Ok(json::answer(&Value::Object(serde_json::Map::from_iter([("type".to_owned(), Value::from(6))]))));
    };
    let answer = json::answer(&first.answer);
    let desk = door.desk.clone();
    tokio::spawn(async move {
        desk.after(first).await;
        // What people write there comes over the gateway, and is looked for when that was away.
        if let Some((channel, guild)) = place {
            CatchUp::new(desk).know(&channel, guild.as_deref()).await;
        }
    });
    Ok(answer)
}

fn unsigned() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code::WF5120, "the signature is not Discord's")
        .fix("set `discord_public_key` to the public key that Discord shows of the application")
}

/// Whether Discord has signed it: its time and its body, as they came.
fn is_signed(key: &[u8; 32], headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let first = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(first)
    };
    let (Some(signature), Some(time)) = (header("x-signature-ed25519"), header("x-signature-timestamp")) else {
        return false;
    };
    let Some(signature) = hex::read::<64>(signature) else { return false };
    let mut signed = Vec::with_capacity(time.len() + body.len());
    signed.extend_from_slice(time.as_bytes());
    signed.extend_from_slice(body);
    UnparsedPublicKey::new(&ED25519, key).verify(&signed, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    #[test]
    fn only_what_discord_has_signed_is_let_in() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let key: [u8; 32] = pair.public_key().as_ref().try_into().expect("32 bytes");
        let body = br#"{"type":1}"#;
        let signature = hex::of(pair.sign(&[b"1700000000".as_slice(), body].concat()).as_ref());
        let headers = |signature: &str, time: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-signature-ed25519", signature.parse().expect("a header"));
            headers.insert("x-signature-timestamp", time.parse().expect("a header"));
            headers
        };
        let good = headers(&signature, "1700000000");
        assert!(is_signed(&key, &good, body));
        assert!(!is_signed(&key, &good, br#"{"type": 1}"#), "another body");
        assert!(!is_signed(&key, &headers(&signature, "1700000001"), body), "another time");
        assert!(!is_signed(&[9; 32], &good, body), "another key");
        assert!(!is_signed(&key, &headers("00", "1700000000"), body));
        assert!(!is_signed(&key, &HeaderMap::new(), body));
        let mut twice = good;
        twice.append("x-signature-ed25519", "00".parse().expect("a header"));
        assert!(!is_signed(&key, &twice, body), "two signatures");
    }
}
