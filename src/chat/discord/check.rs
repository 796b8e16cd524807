//! What `workflow doctor` asks Discord, and the link by which the bot is invited.

use serde_json::Value;

use super::interactions::NEEDED;
use super::rest::{Call, Rest, RestError, WHO};
use super::settings::Settings;
use super::{commands, gateway, messages};
use crate::chat::Finding;
use crate::domain::hex;

/// Guilds that are looked at.
const GUILDS: usize = 200;
/// The right to everything.
const ADMINISTRATOR: u64 = 1 << 3;

/// Asks how Discord sees us. Changes nothing.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let rest = match Rest::new(&settings.api_url, settings.token.clone(), settings.ca_file.as_deref()) {
        Ok(rest) => rest,
        Err(why) => return vec![Finding::broken("discord", why)],
    };
    let application = match ask(&rest, WHO, "/applications/@me").await {
        Ok(application) => application,
        Err(error) if error.is_unauthorized() => {
            return vec![Finding::broken("discord: token", gateway::TOKEN_REFUSED)];
        }
        Err(error) => return vec![Finding::broken("discord", error.to_string())],
    };
    let id = application["id"].as_str().unwrap_or_default();
    let mut findings = vec![Finding::holds("discord: token")];
    findings.push(content(&application));
    findings.extend(endpoint(&application, settings));
    findings.push(match ask(&rest, "GET /applications/commands", &format!("/applications/{id}/commands")).await {
        Ok(registered) if commands::is_registered(&registered) => Finding::holds("discord: `/workflow` is registered"),
        Ok(_) => {
            Finding::broken("discord: `/workflow` is registered", "the next start of `workflow serve` registers it")
        }
        Err(error) => Finding::broken("discord: `/workflow` is registered", error.to_string()),
    });
    match ask(&rest, "GET /users/@me/guilds", "/users/@me/guilds").await {
        Ok(guilds) => findings.extend(in_guilds(&guilds, id)),
        Err(error) => findings.push(Finding::broken("discord: servers", error.to_string())),
    }
    findings
}

/// The link by which a server takes the bot in, with the least that it needs.
///
/// # Errors
/// Discord cannot be asked who we are; the sentence says why.
pub async fn invite(settings: &Settings) -> Result<String, String> {
    let rest = Rest::new(&settings.api_url, settings.token.clone(), settings.ca_file.as_deref())?;
    match ask(&rest, WHO, "/applications/@me").await {
        Ok(application) => Ok(link(application["id"].as_str().unwrap_or_default())),
        Err(error) if error.is_unauthorized() => Err(gateway::TOKEN_REFUSED.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

async fn ask(rest: &Rest, route: &'static str, path: &str) -> Result<Value, RestError> {
    rest.send(Call::new(route, "", path.to_owned()).patient(std::time::Duration::from_secs(5))).await
}

fn link(application: &str) -> String {
    let rights = NEEDED.iter().fold(0, |rights, (right, _)| rights | right.bits());
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot%20applications.commands&permissions={rights}"
    )
}

fn content(application: &Value) -> Finding {
    const FLAGS: u64 = 1 << 18 | 1 << 19;
    let what = "discord: intent Message Content";
    if application["flags"].as_u64().unwrap_or_default() & FLAGS != 0 {
        return Finding::holds(what);
    }
    let trouble = format!(
        "not granted: `/workflow`, mentions and direct messages work; dropped files and answers beneath a card do not. \
         To grant it: {}",
        messages::CONTENT_INTENT.split(": ").nth(1).unwrap_or_default()
    );
    Finding::broken(what, trouble)
}

/// Whether interactions come where they are expected.
fn endpoint(application: &Value, settings: &Settings) -> Option<Finding> {
    let what = "discord: interactions over HTTP";
    let url = application["interactions_endpoint_url"].as_str().filter(|url| !url.is_empty());
    let theirs = application["verify_key"].as_str().and_then(hex::read::<32>);
    match (url, settings.public_key) {
        (None, None) => None,
        (Some(url), None) => Some(Finding::broken(
            what,
            format!("Discord sends them to `{url}`: set `discord_public_key`, or take the address out of the portal"),
        )),
        (_, Some(ours)) if theirs.is_some_and(|theirs| theirs != ours) => Some(Finding::broken(
            what,
            "`discord_public_key` is not the application's: copy it from General Information",
        )),
        (None, Some(_)) => Some(Finding::broken(
            what,
            "`discord_public_key` is set and no address is: they come over the gateway, which works too",
        )),
        (Some(_), Some(_)) => Some(Finding::holds(what)),
    }
}

/// Whether we may what we need in the servers that we are in.
fn in_guilds(guilds: &Value, id: &str) -> Vec<Finding> {
    let guilds: Vec<&Value> = guilds.as_array().into_iter().flatten().take(GUILDS).collect();
    if guilds.is_empty() {
        return vec![Finding::broken("discord: servers", format!("no server has taken the bot in: {}", link(id)))];
    }
    let lacking = |guild: &&Value| {
        let rights = guild["permissions"].as_str().and_then(|rights| rights.parse::<u64>().ok())?;
        let lacks: Vec<&str> =
            NEEDED.iter().filter(|(right, _)| rights & right.bits() != right.bits()).map(|(_, name)| *name).collect();
        let name = crate::chat::grammar::inert(guild["name"].as_str().unwrap_or_default(), 60);
        let lacks = if rights & ADMINISTRATOR != 0 { Vec::new() } else { lacks };
        let what = format!("discord: server `{name}`");
        Some(match lacks.is_empty() {
            true => Finding::holds(what),
            false => {
                Finding::broken(what, format!("the bot's role lacks {}: server settings, Roles", lacks.join(", ")))
            }
        })
    };
    guilds.iter().filter_map(lacking).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_link_asks_for_the_least() {
        let rights = 1_u64 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 38;
        assert_eq!(
            link("7"),
            format!(
                "https://discord.com/oauth2/authorize?client_id=7&scope=bot%20applications.commands&permissions={rights}"
            )
        );
    }

    #[test]
    fn what_is_missing_is_named_with_how_to_add_it() {
        let troubles = |findings: &[Finding]| -> Vec<String> {
            findings.iter().filter_map(|finding| finding.fix.clone()).collect()
        };
        let guilds = json!([{ "name": "a", "permissions": "8" }, { "name": "b", "permissions": "3072" }]);
        let told = troubles(&in_guilds(&guilds, "7"));
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("Embed Links") && !told[0].contains("View Channel"), "{told:?}");
        assert!(troubles(&in_guilds(&json!([]), "7"))[0].contains("client_id=7"));
        assert!(content(&json!({ "flags": 0 })).fix.is_some_and(|fix| fix.contains("developer portal")));
        assert_eq!(content(&json!({ "flags": 1 << 19 })).fix, None);
    }
}
