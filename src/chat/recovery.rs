//! What a crash cut short in the middle: whether it had already done what it was to do.

use super::adapter::{Inbound, What};
use super::courier::Courier;
use super::means::Means;
use super::who;
use crate::domain::time::Timestamp;
use crate::service::{CHAT, ListFilter, Origin, ServiceError};

/// Executions that are looked through for the one that was just started.
const LOOK_BACK: u32 = 200;

/// Whether what came in, begun at this time, had started executions before the crash; they get their cards now. Starting is the one thing
/// that must not be done twice: the machine refuses a second pause, cancel or retry by itself.
pub async fn was_started(
    means: &Means,
    courier: &Courier,
    inbound: &Inbound,
    at: Timestamp,
) -> Result<bool, ServiceError> {
    if !matches!(inbound.what, What::Said { .. } | What::Pressed { .. }) {
        return Ok(false);
    }
    let caller = who::caller(means, inbound).await?;
    let here = inbound.from.text();
    let mut found = false;
    let filter = ListFilter { limit: LOOK_BACK, ..ListFilter::default() };
    for run in means.service.archive().list(&filter).await? {
        let origin: Origin = serde_json::from_str(run.origin.get()).unwrap_or_default();
        // What a rule starts has a key: it is brought to the rules again, which find it.
        let ours = origin.door == CHAT
            && origin.trigger.is_none()
            && origin.is_of(&caller)
            && origin.channel.as_deref() == Some(&here);
        // What they say in a channel is answered in order, so nothing else there can have begun since.
        if ours && run.created_at >= at {
            courier.open(run.id, &inbound.from, &inbound.user).await?;
            found = true;
        }
    }
    Ok(found)
}
