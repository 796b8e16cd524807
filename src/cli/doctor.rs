//! `doctor`: looks whether the storage folder keeps what is promised, and whether the chat platforms could be connected.

use super::{DONE, Ended, FAILED, print};
use crate::chat::Finding;
use crate::config::Config;
use crate::service::Health;
use crate::{app, chat};

/// Prints every promise and whether it holds. Reads only.
pub async fn doctor(config: &Config, json: bool) -> Ended {
    let health = match app::open_for_reading(config).await?.archive {
        Some(archive) => Some(archive.health(app::now()).await?),
        None => None,
    };
    let findings = chat::check(&config.platforms()).await;
    let is_sound = health.as_ref().is_none_or(Health::is_sound) && findings.iter().all(|finding| finding.holds);
    if json {
        print_json(health.as_ref(), &findings)?;
        return Ok(if is_sound { DONE } else { FAILED });
    }
    match &health {
        Some(health) => print_health(config, health),
        None => print::line(format!("there is no store in `{}` yet", config.storage_path.display())),
    }
    for finding in &findings {
        print::line(format!("{} {}", sign(finding.holds), finding.about));
        if let Some(fix) = &finding.fix {
            print::line(format!("    {fix}"));
        }
    }
    Ok(if is_sound { DONE } else { FAILED })
}

const fn sign(holds: bool) -> &'static str {
    if holds { "✔" } else { "✘" }
}

fn print_health(config: &Config, health: &Health) {
    print::line(format!("{}: {}", config.storage_path.display(), health.looked_at));
    for check in &health.checks {
        print::line(format!("{} {}", sign(check.holds), check.promise));
        for place in &check.broken {
            print::line(format!("    {place}"));
        }
    }
    for what in &health.attention {
        print::line(format!("! {what}"));
    }
    print::line(if health.is_sound() { "everything holds" } else { "keep the folder as it is, and report this" });
}

/// One object: what is known of the folder, and of the platforms where some are set.
fn print_json(health: Option<&Health>, findings: &[Finding]) -> anyhow::Result<()> {
    let mut all = serde_json::to_value(health)?;
    if all.is_null() {
        all = serde_json::json!({});
    }
    if !findings.is_empty() {
        all["platforms"] = serde_json::to_value(findings)?;
    }
    print::json(&all)
}
