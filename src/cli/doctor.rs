//! `doctor`: looks whether the storage folder keeps what is promised, and whether chat platforms allow what is needed.

use serde_json::json;

use super::{DONE, Ended, FAILED, print};
use crate::app;
use crate::chat::{self, Finding};
use crate::config::Config;
use crate::service::Health;

/// Prints every promise and whether it holds. Changes nothing.
pub async fn doctor(config: &Config, json: bool) -> Ended {
    let findings = chat::check(&config.platforms()).await;
    let health = match app::open_for_reading(config).await?.archive {
        Some(archive) => Some(archive.health(app::now()).await?),
        None => None,
    };
    let sound = health.as_ref().is_none_or(Health::is_sound);
    let well = findings.iter().all(|finding| finding.trouble.is_none());
    if json {
        print_json(health.as_ref(), &findings)?;
    } else {
        print_health(config, health.as_ref());
        for finding in &findings {
            print::line(format!("{} {}", if finding.trouble.is_none() { "✔" } else { "✘" }, finding.what));
            if let Some(trouble) = &finding.trouble {
                print::line(format!("    {trouble}"));
            }
        }
    }
    Ok(if sound && well { DONE } else { FAILED })
}

fn print_health(config: &Config, health: Option<&Health>) {
    let Some(health) = health else {
        return print::line(format!("there is no store in `{}` yet", config.storage_path.display()));
    };
    print::line(format!("{}: {}", config.storage_path.display(), health.looked_at));
    for check in &health.checks {
        print::line(format!("{} {}", if check.holds { "✔" } else { "✘" }, check.promise));
        for place in &check.broken {
            print::line(format!("    {place}"));
        }
    }
    print::line(if health.is_sound() { "everything holds" } else { "keep the folder as it is, and report this" });
}

fn print_json(health: Option<&Health>, findings: &[Finding]) -> anyhow::Result<()> {
    let mut told = match health {
        Some(health) => json!(health),
        None => json!({ "looked_at": "there is no store yet", "checks": [] }),
    };
    if !findings.is_empty() {
        told["platforms"] = json!(findings);
    }
    print::json(&told)
}
