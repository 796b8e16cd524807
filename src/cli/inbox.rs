//! What waits for whoever sits here, and who that is.

use serde_json::json;

use super::desk::Desk;
use super::{DONE, Ended, caller, print};

/// What waits for somebody: questions, and executions that stand still or failed.
pub async fn inbox(desk: &Desk<'_>, json: bool) -> Ended {
    let waiting = desk.inbox().await?;
    for view in &waiting {
        if json {
            print::json(view)?;
            continue;
        }
        print::line(format!("{} {}  {}", view.execution_id, view.name, view.status.replace('_', " ")));
        for line in print::ending(view) {
            print::line(format!("  {line}"));
        }
    }
    if waiting.is_empty() && !json {
        print::aside("nothing waits for you");
    }
    Ok(DONE)
}

/// Who sits at this terminal, and where commands go.
pub fn whoami(desk: &Desk<'_>, json: bool) -> Ended {
    let caller = caller();
    let place = match desk {
        Desk::Here(config) => config.storage_path.display().to_string(),
        Desk::There(_) => "a running service".to_owned(),
    };
    if json {
        print::json(&json!({ "name": caller.name, "door": caller.door, "place": place }))?;
    } else {
        print::line(format!("{}, at the terminal, in `{place}`", caller.name));
    }
    Ok(DONE)
}
