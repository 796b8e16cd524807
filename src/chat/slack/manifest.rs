//! The app as Slack makes it from a text: what it asks for is what is used here, no more.

use serde_json::{Value, json};

/// What the bot's token must be allowed, and what for.
const SCOPES: [(&str, &str); 16] = [
    ("app_mentions:read", "being spoken to with @"),
    ("channels:history", "messages of public channels that it is in"),
    ("channels:read", "whether it is in a channel, and what the channel is called"),
    ("chat:write", "the messages of runs, and answers"),
    ("commands", "/workflow"),
    ("files:read", "documents that people drop"),
    ("files:write", "long answers as files"),
    ("groups:history", "messages of private channels that it is in"),
    ("groups:read", "whether it is in a private channel"),
    ("im:history", "messages of its direct conversations"),
    ("im:read", "which conversations are direct ones"),
    ("im:write", "opening a direct conversation for an answer"),
    ("mpim:history", "messages of group conversations that it is in"),
    ("mpim:read", "whether it is in a group conversation"),
    ("reactions:read", "reactions that start workflows"),
    ("users:read", "what people are called, and who is a guest"),
];
/// What it is told of.
const EVENTS: [&str; 10] = [
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "file_shared",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "tokens_revoked",
];
/// How a scope is added.
pub const HOW_TO_ADD: &str = "add it under OAuth & Permissions > Scopes in the settings of the app, install the app again, and restart with its new token";

/// The manifest. `http`: the address under which the service is reached from outside, when Slack is to come over HTTP.
#[must_use]
pub fn manifest(http: Option<&str>) -> Value {
    let base = http.map(|base| base.trim_end_matches('/'));
    let address = |path: &str| base.map(|base| format!("{base}/slack/{path}"));
    let command = |name: &str, about: &str, hint: &str| {
        let mut command = json!({ "command": name, "description": about, "usage_hint": hint, "should_escape": true });
        if let Some(address) = address("commands") {
            command["url"] = json!(address);
        }
        command
    };
    let mut events = json!({ "bot_events": EVENTS });
    let mut interactivity = json!({ "is_enabled": true });
    if let (Some(to), Some(pressed)) = (address("events"), address("interactivity")) {
        events["request_url"] = json!(to);
        interactivity["request_url"] = json!(pressed);
    }
    let scopes: Vec<&str> = SCOPES.iter().map(|(scope, _)| *scope).collect();
    json!({
        "display_information": { "name": "workflow", "description": "Runs workflows, and shows how they go" },
        "features": {
            "app_home": { "home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": false },
            "bot_user": { "display_name": "workflow", "always_online": true },
            "slash_commands": [
                command("/workflow", "Start, watch and steer workflows", "run document_processing"),
                command("/wf", "The same, shorter", "status"),
            ],
        },
        "oauth_config": { "scopes": { "bot": scopes } },
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": base.is_none(),
            "token_rotation_enabled": false,
        },
    })
}

/// The scopes that a token lacks, each with what it is for; `granted` as Slack lists them.
#[must_use]
pub fn missing(granted: &str) -> Vec<(&'static str, &'static str)> {
    let granted: Vec<&str> = granted.split(',').map(str::trim).collect();
    SCOPES.into_iter().filter(|(scope, _)| !granted.contains(scope)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_http_every_address_is_named_and_with_socket_mode_none() {
        let socket = manifest(None);
        assert_eq!(socket["settings"]["socket_mode_enabled"], true);
        assert!(!socket.to_string().contains("request_url") && !socket.to_string().contains("\"url\""));
        let http = manifest(Some("https://flow.example.org/"));
        assert_eq!(http["settings"]["socket_mode_enabled"], false);
        assert_eq!(http["settings"]["event_subscriptions"]["request_url"], "https://flow.example.org/slack/events");
        assert_eq!(http["settings"]["interactivity"]["request_url"], "https://flow.example.org/slack/interactivity");
        assert_eq!(http["features"]["slash_commands"][1]["url"], "https://flow.example.org/slack/commands");
    }

    #[test]
    fn what_a_token_lacks_is_named() {
        let all: Vec<_> = SCOPES.iter().map(|(scope, _)| *scope).collect();
        assert!(missing(&all.join(",")).is_empty());
        let lacks = missing(&all[1..].join(", "));
        assert_eq!(lacks, [("app_mentions:read", "being spoken to with @")]);
    }
}
