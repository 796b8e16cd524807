//! The fake's gateway: says hello, takes identify and resume, sends what happens, and breaks off when told to.

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};

use super::fake::{BOT, Fake, GENERAL, GUILD, TOKEN};

/// What the line is to do.
#[derive(Debug, Clone)]
pub enum Order {
    /// Send this.
    Send(Value),
    /// Send this once more.
    Twice(Value),
    /// Close with this code.
    Close(u16),
    /// Break off without a word.
    Cut,
}

pub async fn open(State(fake): State<Fake>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| line(fake, socket))
}

async fn say(socket: &mut WebSocket, value: &Value) -> bool {
    socket.send(Message::text(value.to_string())).await.is_ok()
}

async fn close(socket: &mut WebSocket, code: u16) {
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await; // it may be gone
}

async fn line(fake: Fake, mut socket: WebSocket) {
    let mut orders = fake.line.subscribe();
    if !say(&mut socket, &json!({ "op": 10, "d": { "heartbeat_interval": 20_000 } })).await {
        return;
    }
    // Events up to this number are through; `None`: nobody is known yet.
    let mut sent: Option<u64> = None;
    loop {
        tokio::select! {
            heard = socket.recv() => {
                let Some(Ok(Message::Text(text))) = heard else { return };
                let heard: Value = serde_json::from_str(&text).expect("JSON");
                match heard["op"].as_u64() {
                    Some(1) => drop(say(&mut socket, &json!({ "op": 11 })).await),
                    Some(2) if heard["d"]["token"] != TOKEN => return close(&mut socket, 4_004).await,
                    Some(2) => {
                        if !identified(&fake, &mut socket, &heard).await {
                            return;
                        }
                        sent = Some(2);
                    }
                    Some(6) => {
                        sent = Some(resumed(&fake, &mut socket, heard["d"]["seq"].as_u64().unwrap_or_default()).await);
                    }
                    _ => {}
                }
            }
            order = orders.recv() => match order {
                Ok(Order::Send(event)) if sent.is_some_and(|sent| event["s"].as_u64() > Some(sent)) => {
                    sent = event["s"].as_u64();
                    say(&mut socket, &event).await;
                }
                Ok(Order::Twice(event)) if sent.is_some() => drop(say(&mut socket, &event).await),
                Ok(Order::Close(code)) => return close(&mut socket, code).await,
                Ok(Order::Cut) => return,
                _ => {}
            }
        }
    }
}

async fn identified(fake: &Fake, socket: &mut WebSocket, heard: &Value) -> bool {
    let intents = heard["d"]["intents"].as_u64().unwrap_or_default();
    {
        let mut world = fake.world();
        world.identifies += 1;
        world.intents = intents;
        world.events.clear();
    }
    // Without the grant, whoever wants texts is turned away.
    if intents & 1 << 15 != 0 && fake.world().flags & 1 << 18 == 0 && fake.world().flags & 1 << 19 == 0 {
        close(socket, 4_014).await;
        return false;
    }
    let user = json!({ "id": BOT, "username": "workflow", "discriminator": "1", "avatar": null, "bot": true, "verified": true, "mfa_enabled": false });
    let ready = json!({
        "v": 10, "user": user, "guilds": [{ "id": GUILD, "unavailable": true }], "session_id": "s", "shard": [0, 1],
        "resume_gateway_url": "ws://127.0.0.1:1", "application": { "id": "1", "flags": 0 },
    });
    let ready = json!({ "op": 0, "t": "READY", "s": 1, "d": ready });
    let guild = json!({ "op": 0, "t": "GUILD_CREATE", "s": 2, "d": guild() });
    fake.world().events.extend([ready.clone(), guild.clone()]);
    let sent = say(socket, &ready).await && say(socket, &guild).await;
    fake.moved.notify_waiters();
    sent
}

/// What Discord says of a guild that does not matter here.
const GUILD_AS_TOLD: &str = r#"{
    "name": "Team", "icon": null, "splash": null, "discovery_splash": null, "owner_id": "9", "afk_channel_id": null,
    "afk_timeout": 300, "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "roles": [],
    "emojis": [], "features": [], "mfa_level": 0, "application_id": null, "system_channel_id": null, "system_channel_flags": 0,
    "rules_channel_id": null, "max_presences": null, "max_members": 500000, "vanity_url_code": null, "description": null,
    "banner": null, "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US",
    "public_updates_channel_id": null, "nsfw_level": 0, "stickers": [], "premium_progress_bar_enabled": false,
    "joined_at": "2026-01-01T00:00:00+00:00", "large": false, "unavailable": false, "member_count": 2, "voice_states": [],
    "presences": [], "members": [], "threads": [], "stage_instances": [], "guild_scheduled_events": []
}"#;

/// The one guild, as Discord tells of it.
fn guild() -> Value {
    let channel = json!({
        "id": GENERAL, "type": 0, "guild_id": GUILD, "position": 0, "permission_overwrites": [], "name": "general", "nsfw": false,
    });
    let mut guild: Value = serde_json::from_str(GUILD_AS_TOLD).expect("JSON");
    (guild["id"], guild["channels"]) = (json!(GUILD), json!([channel]));
    guild
}

async fn resumed(fake: &Fake, socket: &mut WebSocket, seq: u64) -> u64 {
    let missed = {
        let mut world = fake.world();
        world.resumes += 1;
        let seq = usize::try_from(seq).expect("a small number");
        world.events[seq.min(world.events.len())..].to_vec()
    };
    for event in missed {
        say(socket, &event).await;
    }
    let last = fake.world().events.len() as u64;
    say(socket, &json!({ "op": 0, "t": "RESUMED", "s": last, "d": { "_trace": [] } })).await;
    fake.moved.notify_waiters();
    last
}
