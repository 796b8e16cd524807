//! The settings of chat platforms: one is connected when its token is there.

use std::path::PathBuf;

use url::{Host, Url};

use crate::chat::{discord, slack};
use crate::domain::code;
use crate::domain::hex;
use crate::domain::role::Role;
use crate::http::caller::Secret;
use crate::service::Rules;

use super::value::Reader;

/// Slack, when it has a bot token.
pub(super) fn slack(reader: &mut Reader, upload_limit: u64) -> Option<slack::Settings> {
    let bot_tokens = tokens(reader, "slack_bot_token", "xoxb-");
    let app_tokens = tokens(reader, "slack_app_token", "xapp-");
    let signing_secrets = tokens(reader, "slack_signing_secret", "");
    let api_url = base(reader, "slack_api_url", slack::API_URL, &[]);
    if bot_tokens.is_empty() {
        return None;
    }
    if app_tokens.is_empty() && signing_secrets.is_empty() {
        let message = "`slack_bot_token` is set, and nothing says how Slack comes in: it needs `slack_app_token` \
                       (Socket Mode, no public address needed) or `slack_signing_secret` (over HTTP)";
        reader.fault(code::WF6002, "slack_bot_token", message.to_owned());
    }
    Some(slack::Settings { bot_tokens, app_tokens, signing_secrets, api_url, upload_limit })
}

/// Discord, when it has a token.
pub(super) fn discord(reader: &mut Reader, upload_limit: u64) -> Option<discord::Settings> {
    let token = secret(reader, "discord_token");
    let api_url = base(reader, "discord_api_url", discord::API_URL, &["/api/v10", "/api"]);
    let public_key = public_key(reader);
    let ca_file = Some(reader.text("discord_ca_file")).filter(|text| !text.is_empty());
    let ca_file: Option<PathBuf> = ca_file.map(|text| reader.written_out("discord_ca_file", &text));
    Some(discord::Settings { token: token?, api_url, public_key, ca_file, upload_limit })
}

/// What holds for those who come over platforms.
pub(super) fn rules(reader: &mut Reader) -> Rules {
    let words = [Role::None, Role::Viewer, Role::Runner, Role::Operator];
    let text = reader.text("chat_role").to_ascii_lowercase();
    let members = words.into_iter().find(|role| role.word() == text).unwrap_or_else(|| {
        reader.refuse("chat_role", "`none`, `viewer`, `runner` or `operator`: more than that takes a code");
        Role::None
    });
    let mut channels = Vec::new();
    for rule in reader.given("channel_roles").values {
        match rule.parse() {
            Ok(rule) => channels.push(rule),
            Err(why) => reader.fault(code::WF6002, "channel_roles", format!("`channel_roles`: {why}")),
        }
    }
    Rules { members, channels }
}

/// Tokens of this kind. They are never repeated.
fn tokens(reader: &mut Reader, key: &'static str, prefix: &str) -> Vec<Secret> {
    let tokens = reader.given(key).values;
    for token in &tokens {
        check_plain(reader, key, token);
        if !token.starts_with(prefix) {
            let message = format!("`{key}` must begin with `{prefix}`: this is another kind of token");
            reader.fault(code::WF6002, key, message);
        }
    }
    tokens.into_iter().map(Secret::new).collect()
}

/// A secret text, if one was given. It is never repeated.
fn secret(reader: &mut Reader, key: &'static str) -> Option<Secret> {
    let text = reader.text(key);
    if text.is_empty() {
        return None;
    }
    check_plain(reader, key, &text);
    Some(Secret::new(text))
}

fn check_plain(reader: &mut Reader, key: &'static str, text: &str) {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        reader.fault(code::WF6002, key, format!("`{key}` must be letters, digits and signs, without spaces"));
    }
}

/// The base of an API, without what its clients append by themselves. Tokens go there: in the clear only to this machine.
fn base(reader: &mut Reader, key: &'static str, usual: &str, appended: &[&str]) -> String {
    let text = reader.text(key);
    if text.is_empty() {
        return usual.to_owned();
    }
    let url = Url::parse(&text).ok().filter(|url| url.query().is_none() && url.fragment().is_none());
    let is_safe = |url: &Url| match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(ip))) => ip.is_loopback(),
        ("http", Some(Host::Ipv6(ip))) => ip.is_loopback(),
        _ => false,
    };
    if !url.as_ref().is_some_and(is_safe) {
        reader.refuse(key, "an https address, as in `https://chat.example.org/api`; http only for this machine");
    }
    let text = text.trim_end_matches('/');
    appended.iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text).to_owned()
}

fn public_key(reader: &mut Reader) -> Option<[u8; 32]> {
    const KEY: &str = "discord_public_key";
    let text = reader.text(KEY);
    if text.is_empty() {
        return None;
    }
    let key = hex::read(&text);
    if key.is_none() {
        reader.refuse(KEY, "the 64 digits that Discord shows as the application's public key");
    }
    key
}
