//! `doctor`: looks whether the storage folder keeps what is promised.

use super::{DONE, Ended, FAILED, print};
use crate::app;
use crate::config::Config;

/// Prints every promise and whether it holds. Reads only.
pub async fn doctor(config: &Config, json: bool) -> Ended {
    let Some(archive) = app::open_for_reading(config).await?.archive else {
        print::line(format!("there is no store in `{}` yet", config.storage_path.display()));
        return Ok(DONE);
    };
    let health = archive.health(app::now()).await?;
    if json {
        print::json(&health)?;
    } else {
        print::line(format!("{}: {}", config.storage_path.display(), health.looked_at));
        for check in &health.checks {
            print::line(format!("{} {}", if check.holds { "✔" } else { "✘" }, check.promise));
            for place in &check.broken {
                print::line(format!("    {place}"));
            }
        }
        for what in &health.attention {
            print::line(format!("! {what}"));
        }
        print::line(if health.is_sound() { "everything holds" } else { "keep the folder as it is, and report this" });
    }
    Ok(if health.is_sound() { DONE } else { FAILED })
}
