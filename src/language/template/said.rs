//! What people do in conversations, as triggers name it: files that they bring, words that they say.

use super::super::report::{Findings, Mark};
use super::fields::{Fields, visible};
use super::keys::Keys;
use super::triggers::{plain, wanted};
use crate::domain::code;
use crate::domain::trigger::{FileMode, FileSpec, TriggerKind};

/// The keys of `match`.
pub(super) const MATCH: Keys =
    Keys { place: "in `match`", known: &["types", "name", "max_size", "text_any"], later: &[] };

/// A file.
pub(super) fn file(fields: &Fields, findings: &mut Findings) -> FileSpec {
    let modes = [("auto", FileMode::Auto), ("ask", FileMode::Ask), ("off", FileMode::Off)];
    let mut spec = FileSpec {
        channels: plain(fields, "channels", findings),
        mode: fields.word("mode", &modes, findings).unwrap_or_default(),
        folder: fields.text("folder", findings).map(|folder| folder.value),
        ..FileSpec::default()
    };
    if let Some(name) = spec.folder.as_deref().filter(|name| name.contains("..") || name.starts_with('/')) {
        let mark = fields.entry("folder").map_or(Mark { start: 0, end: 0 }, visible);
        let message = format!("`{name}` leads out of the `inbox` folder");
        findings.error(code::WF1062, mark, message).fix("name a folder below `inbox/` of the storage path");
    }
    let matched = fields.get("match").and_then(|node| Fields::of(node, &MATCH, "`match`".to_owned(), findings));
    if let Some(inner) = matched {
        spec.types = plain(&inner, "types", findings).into_iter().map(|kind| kind.to_lowercase()).collect();
        spec.name = inner.text("name", findings).map(|name| name.value);
        spec.text_any = plain(&inner, "text_any", findings);
        spec.max_size = inner.whole("max_size", findings).and_then(|size| u64::try_from(size.value).ok());
    }
    spec
}

/// A word, or a few: what is said is compared with it word by word.
pub(super) fn command(fields: &Fields, mark: Mark, findings: &mut Findings) -> Option<TriggerKind> {
    let command = wanted(fields, "command", mark, findings)?;
    let (aliases, channels) = (plain(fields, "aliases", findings), plain(fields, "channels", findings));
    let prefixed = |word: &&String| word.trim_start().starts_with(['/', '@', '#', '-']);
    if let Some(word) = std::iter::once(&command).chain(&aliases).find(prefixed) {
        let mark = fields.entry("command").map_or(mark, visible);
        let message = format!("`{word}` begins with a sign that means something else in a chat");
        findings
            .error(code::WF1062, mark, message)
            .fix("begin with a letter, or with `!` for a word that is heard alone");
        return None;
    }
    Some(TriggerKind::Command { command, aliases, channels })
}
