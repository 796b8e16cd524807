//! Whether Slack could be connected as it is set, for `workflow doctor`: each token, what it may do, and Socket Mode.

use serde_json::json;
use slack_morphism::prelude::{SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientHyperConnector};

use super::calls::{self, CallError};
use super::manifest::{HOW_TO_ADD, missing};
use super::settings::Settings;
use super::state::{Who, ask_who};
use super::wire::Wire;
use super::workspace::revoked;
use crate::chat::platform::Finding;

/// Looks at every token. Changes nothing, and opens no socket.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let wire = match Wire::new(&settings.api_url) {
        Ok(wire) => wire,
        Err(why) => return vec![Finding::broken("Slack can be reached", why)],
    };
    let mut findings = Vec::new();
    for (place, token) in settings.bot_tokens.iter().enumerate() {
        let asked = ask_who(&wire, &settings.api_url, token.reveal()).await;
        findings.extend(of_bot(place + 1, asked));
    }
    for (place, token) in settings.app_tokens.iter().enumerate() {
        let connector =
            SlackClientHyperConnector::with_connector(wire.connector()).with_slack_api_url(&settings.api_url);
        let token = SlackApiToken::new(SlackApiTokenValue(token.reveal().to_owned()));
        let asked = calls::send(&SlackClient::new(connector), &token, "apps.connections.open", &json!({})).await;
        let which = if settings.app_tokens.len() > 1 { format!(" {}", place + 1) } else { String::new() };
        findings.push(of_app(&format!("Slack opens Socket Mode with `slack_app_token`{which}"), asked.map(|_| ())));
    }
    if !settings.signing_secrets.is_empty() {
        findings.push(Finding::holds("Slack may come over HTTP: `slack_signing_secret` is set"));
    }
    findings
}

fn of_bot(place: usize, asked: Result<(serde_json::Value, Option<String>), Who>) -> Vec<Finding> {
    let (told, scopes) = match asked {
        Ok(known) => known,
        Err(Who::Refused(code)) => {
            return vec![Finding::broken(format!("Slack takes bot token {place}"), revoked(&code))];
        }
        Err(Who::Later(why)) => return vec![Finding::broken(format!("Slack takes bot token {place}"), why)],
        Err(Who::Busy(_)) => {
            return vec![Finding::broken(
                format!("Slack takes bot token {place}"),
                "Slack wants silence: ask again in a minute",
            )];
        }
    };
    let text = |key: &str| told[key].as_str().unwrap_or("?").to_owned();
    let mut findings =
        vec![Finding::holds(format!("Slack takes bot token {place}: {} ({})", text("team"), text("team_id")))];
    for (scope, what) in scopes.as_deref().map(missing).unwrap_or_default() {
        let about = format!("the bot may use `{scope}` in {}", text("team"));
        findings.push(Finding::broken(about, format!("it is needed for {what}: {HOW_TO_ADD}")));
    }
    findings
}

fn of_app(about: &str, asked: Result<(), CallError>) -> Finding {
    match asked {
        Ok(()) => Finding::holds(about),
        Err(error) if error.code() == "missing_scope" => Finding::broken(
            about,
            "the token lacks `connections:write`: make a new one with it, under Basic Information > App-Level Tokens",
        ),
        Err(error) if error.is_revoked() => {
            Finding::broken(about, format!("{error}: make a new one under Basic Information > App-Level Tokens"))
        }
        Err(error) => Finding::broken(about, format!("{error}: is Socket Mode turned on in the settings of the app?")),
    }
}
