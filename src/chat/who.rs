//! Who speaks: what a platform says of somebody, brought to the front desk, which says who that is here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::adapter::{Inbound, Standing, What};
use super::means::Means;
use crate::domain::role::Place;
use crate::domain::time::{Span, Timestamp};
use crate::service::{Caller, LinkState, ServiceError, Visitor};

/// Platforms on which somebody has the same id wherever they speak, in their guilds and with us alone.
const SAME_EVERYWHERE: [&str; 1] = ["discord"];
/// How long it is believed that a channel of this name is that one.
const BELIEVED: Span = Span::from_secs(60);

/// How long a platform is waited for that is being connected, and how often it is looked at.
const CONNECTS: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(100);

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
    let mut names = named_by_triggers(means, inbound).await?;
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

/// The names by which triggers mean this channel, where something happens for which they may wait.
async fn named_by_triggers(means: &Means, inbound: &Inbound) -> Result<Vec<String>, ServiceError> {
    let (platform, channel) = (&inbound.from.platform, &inbound.from.channel);
    let mut names = Vec::new();
    if matches!(inbound.what, What::Edited | What::Deleted) {
        return Ok(names);
    }
    for wanted in means.service.channels_of_triggers().await? {
        let (of, name) = wanted.split_once(':').map_or((None, wanted.as_str()), |(of, name)| (Some(of), name));
        let name = name.trim_start_matches('#');
        let is_id = channel.rsplit('.').next() == Some(name) || channel == name;
        if of.is_none_or(|of| of == platform)
            && !is_id
            && !name.is_empty()
            && id_of(means, inbound, name).await.as_ref() == Some(channel)
        {
            names.push(name.to_owned());
        }
    }
    names.dedup();
    Ok(names)
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
    let mut told = adapter.resolve(name).await;
    let until = tokio::time::Instant::now() + CONNECTS;
    // Right after a start a platform may know nothing yet; that is not to say that there is no such channel.
    while told.is_none() && is_connecting(means, inbound) && tokio::time::Instant::now() < until {
        tokio::time::sleep(LOOK).await;
        told = adapter.resolve(name).await;
    }
    let before = match known {
        Some((id, _)) => id,
        // What an earlier life of the process was told.
        None => means.keeper.noted(&noted_as(&key)).await.ok().flatten(),
    };
    if let Some(id) = told.as_ref().filter(|id| before.as_ref() != Some(id)) {
        // Kept for the next life; without it, the next one asks.
        let _ = means.keeper.note(&noted_as(&key), id).await;
    }
    let told = told.or(before);
    lock().insert(key, (told.clone(), means.now()));
    told
}

/// Waits until a platform is there, or will not be before somebody does something; `false`: we are to stop first.
pub async fn is_there(means: &Means, inbound: &Inbound, stop: &CancellationToken) -> bool {
    while is_connecting(means, inbound) {
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    !stop.is_cancelled()
}

fn noted_as((platform, name): &Named) -> String {
    format!("channel:{platform}:{name}")
}

/// Whether a platform is not there yet, or no longer: the workspace where it has several, else the whole.
fn is_connecting(means: &Means, inbound: &Inbound) -> bool {
    let platform = &inbound.from.platform;
    let links = means.service.links().all();
    let of = |name: &str| links.iter().find(|link| link.name == name);
    let own = inbound.workspace.as_ref().and_then(|workspace| of(&format!("{platform} {workspace}")));
    own.or_else(|| of(platform)).is_some_and(|link| matches!(link.state, LinkState::Connecting | LinkState::Down))
}
