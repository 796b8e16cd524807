//! Who speaks: what a platform says of somebody, brought to the front desk, which says who that is here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::adapter::{Inbound, Standing, What};
use super::means::Means;
use crate::domain::role::Place;
use crate::domain::time::{Span, Timestamp};
use crate::service::{Caller, ServiceError, Visitor};

/// Platforms on which somebody has the same id wherever they speak, in their guilds and with us alone.
const SAME_EVERYWHERE: [&str; 1] = ["discord"];
/// How long it is believed that a channel of this name is that one.
const BELIEVED: Span = Span::from_secs(60);

/// Which channels the names of rules mean, as their platforms said last.
#[derive(Default)]
pub struct ChannelNames {
    known: Mutex<HashMap<Named, Told>>,
}

/// A platform, and a name on it.
type Named = (String, String);
/// The id of the channel of that name, if there is one, and when that was said.
type Told = (Option<String>, Timestamp);

/// Whoever did something, as the front desk knows them.
pub async fn caller(means: &Means, inbound: &Inbound) -> Result<Caller, ServiceError> {
    let place = if inbound.is_direct { None } else { Some(place(means, inbound).await?) };
    let text = match &inbound.what {
        What::Said { text, .. } => Some(text.clone()),
        _ => None,
    };
    let platform = &inbound.from.platform;
    let global = SAME_EVERYWHERE.contains(&platform.as_str());
    let home = inbound.workspace.as_ref().map(|workspace| format!("{platform}:{workspace}"));
    let visitor = Visitor {
        platform: platform.clone(),
        home,
        workspace: inbound.workspace.clone().filter(|_| !global),
        user: inbound.user.clone(),
        name: inbound.name.clone(),
        standing: inbound.standing,
        address: inbound.from.text(),
        place,
        message: inbound.message.clone(),
        text,
    };
    means.service.recognise(visitor).await
}

/// The channel, with the names by which rules mean it.
async fn place(means: &Means, inbound: &Inbound) -> Result<Place, ServiceError> {
    let (platform, channel) = (&inbound.from.platform, &inbound.from.channel);
    let of_workflows = inbound.standing != Standing::Owner;
    let mut names = Vec::new();
    for rule in means.service.channels_in_rules(of_workflows).await? {
        let Some(name) = rule.name.strip_prefix('#') else { continue };
        let here = rule.platform.as_ref().is_none_or(|of| of == platform);
        if here
            && !names.iter().any(|known| known == name)
            && id_of(means, inbound, name).await.as_ref() == Some(channel)
        {
            names.push(name.to_owned());
        }
    }
    Ok(Place { platform: platform.clone(), channel: channel.clone(), names })
}

/// The id of the channel that people call so. Where the platform does not say, what it said last holds on: a rule must
/// not end with a connection.
async fn id_of(means: &Means, inbound: &Inbound, name: &str) -> Option<String> {
    let key = (inbound.from.platform.clone(), name.to_owned());
    let lock = || means.channels.known.lock().unwrap_or_else(PoisonError::into_inner);
    let known = lock().get(&key).cloned();
    if let Some((id, at)) = &known
        && means.now().since(*at) < BELIEVED
    {
        return id.clone();
    }
    let adapter = means.adapter(&inbound.from).ok()?;
    let told = adapter.resolve(name).await.or_else(|| known.and_then(|(id, _)| id));
    lock().insert(key, (told.clone(), means.now()));
    told
}
