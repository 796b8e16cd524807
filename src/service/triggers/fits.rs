//! Whether something that happened is what a trigger waits for.

use serde_json::Value;

use crate::domain::trigger::{FileSpec, TriggerKind};
use crate::store::triggers::StoredTrigger;

use super::emoji;
use super::occur::Occurrence;

/// Whether a trigger waits for things like this.
pub(super) fn matches(trigger: &StoredTrigger, occurrence: &Occurrence) -> bool {
    if occurrence.only.is_some() {
        return true;
    }
    let name = occurrence.name.as_str();
    match &trigger.spec.kind {
        TriggerKind::Event { name: wanted } => match wanted.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == wanted,
        },
        TriggerKind::Workflow { of, states } => {
            of == name
                && occurrence.facts["run"]["status"].as_str().is_some_and(|status| states.iter().any(|s| s == status))
        }
        TriggerKind::Command { command, aliases, channels } => {
            let is_word = |word: &String| word_of(word) == word_of(name);
            (is_word(command) || aliases.iter().any(is_word)) && is_here(channels, &occurrence.facts)
        }
        TriggerKind::Reaction { emoji, channels } => emoji::same(emoji, name) && is_here(channels, &occurrence.facts),
        TriggerKind::File(_) => true,
        TriggerKind::Schedule(_) | TriggerKind::Webhook(_) | TriggerKind::Manual => false,
    }
}

/// A word as it is compared: large and small letters alike, one space between two.
pub(super) fn word_of(word: &str) -> String {
    word.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Whether it happened in one of these channels; they are named by their name or id, with the platform in front or without.
pub(super) fn is_here(channels: &[String], facts: &Value) -> bool {
    channels.is_empty() || channels.iter().any(|wanted| is_channel(wanted, facts))
}

fn is_channel(wanted: &str, facts: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let wanted = wanted.trim().to_lowercase();
    let (platform, name) = wanted.split_once(':').map_or((None, wanted.as_str()), |(of, name)| (Some(of), name));
    let name = name.trim_start_matches('#');
    let id = text(&facts["channel_id"]);
    // Slack's ids stand behind the workspace's.
    let short = id.rsplit('.').next().unwrap_or_default();
    let said = text(&facts["channel"]);
    let names = facts["channel_names"].as_array();
    let is_named = names.is_some_and(|names| names.iter().any(|known| text(known) == name));
    platform.is_none_or(|platform| text(&facts["platform"]) == platform)
        && !name.is_empty()
        && (is_named || name == said.trim_start_matches('#') || name == id || name == short)
}

/// Why a file does not fit.
pub(super) fn misfit(file: &FileSpec, facts: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let (name, kind) = (text(&facts["file"]["name"]), text(&facts["file"]["type"]));
    let (folder, said) = (text(&facts["folder"]), text(&facts["text"]));
    let ending = name.rsplit('.').next().unwrap_or_default();
    let fits_type = |wanted: &String| wanted == ending || *wanted == kind || kind.ends_with(&format!("/{wanted}"));
    if !file.types.is_empty() && !file.types.iter().any(fits_type) {
        return Some(format!("`{name}` ({kind}) is none of {}", file.types.join(", ")));
    }
    match &file.folder {
        Some(wanted) if wanted.to_lowercase() != folder => {
            return Some(format!("it did not come into `inbox/{wanted}`"));
        }
        None if !folder.is_empty() => return Some("it came into a watched folder of another trigger".to_owned()),
        _ => {}
    }
    if !is_here(&file.channels, facts) {
        let place = facts["channel"].as_str().map_or("no channel".to_owned(), |channel| format!("`{channel}`"));
        return Some(format!("it came in {place}, not in {}", file.channels.join(", ")));
    }
    if let Some(part) = file.name.as_ref().filter(|part| !name.contains(&part.to_lowercase())) {
        return Some(format!("`{name}` does not hold `{part}`"));
    }
    let size = facts["file"]["size"].as_u64().unwrap_or(0);
    if let Some(most) = file.max_size.filter(|most| size > *most) {
        return Some(format!("it has {size} bytes, and at most {most} are taken"));
    }
    if !file.text_any.is_empty() && !file.text_any.iter().any(|word| said.contains(&word.to_lowercase())) {
        return Some(format!("nothing that was said with it holds {}", file.text_any.join(" or ")));
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_channel_is_named_by_its_name_or_its_id_on_any_platform_or_one() {
        let facts = json!({
            "platform": "slack", "channel": "ops", "channel_id": "T01.C0OPS", "channel_names": ["ops"],
        });
        for wanted in ["#ops", "ops", "slack:#ops", "C0OPS", "c0ops", "T01.C0OPS", "slack:C0OPS", "#OPS"] {
            assert!(is_channel(wanted, &facts), "{wanted}");
        }
        for other in ["#op", "discord:#ops", "T01", "", "#", "slack:"] {
            assert!(!is_channel(other, &facts), "{other}");
        }
        assert!(!is_channel("#ops", &json!({})), "what came in no channel came in none of these");
        assert!(is_here(&[], &json!({})));
    }

    #[test]
    fn words_are_compared_as_people_say_them() {
        assert_eq!(word_of("  New   Invoice "), word_of("new invoice"));
        assert_ne!(word_of("newinvoice"), word_of("new invoice"));
    }
}
