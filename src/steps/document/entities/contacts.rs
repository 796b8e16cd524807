//! Ways to reach somebody: e-mail, web and telephone.

use regex::Match;

use super::entity::{EntityType, Found};
use super::pattern::{goes_on, pattern, stands_alone};

pattern!(EMAIL, r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}");
pattern!(URL, r#"(?i)(?:https?://|www\.)[^\s<>"'`|\\^{}]+"#);
pattern!(
    BARE_DOMAIN,
    r"(?i)(?:[a-z0-9-]+\.){1,4}(?:com|org|net|de|fr|at|ch|eu|io|info|edu|gov|co\.uk)(?:/[^\s<>,;()]*)?"
);
pattern!(
    LABELLED_PHONE,
    r"(?i)\b(?:tele(?:fon|phone|fax)|tel|fon|phone|fax|mobil[e]?|handy|ph|hotline)\b[ .:\t]{0,4}(?:(?:no|nr|number)\b[ .:\t]{0,4})?([+(]?\d[\d \x{a0}()/.–-]{4,26}\d)"
);
pattern!(INTERNATIONAL_PHONE, r"(?:\+|\b00)[1-9]\d{0,2}[ \x{a0}()/.–-]{0,2}[\d(][\d \x{a0}()/.–-]{4,24}\d");
pattern!(NATIONAL_PHONE, r"\(?0[1-9]\d{1,4}\)?(?: ?/ ?| - |[ -])\d{2,9}(?:[ -]\d{1,7}){0,4}");
pattern!(AMERICAN_PHONE, r"(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4}");

/// A longer address is data, not a name for anything.
const LONGEST_URL: usize = 2_000;

/// All addresses and numbers of a text.
pub fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    found.extend(EMAIL.find_iter(text).filter_map(|hit| email(text, hit)));
    found.extend(URL.find_iter(text).filter_map(|hit| url(text, hit, 0.97)));
    found.extend(BARE_DOMAIN.find_iter(text).filter_map(|hit| url(text, hit, 0.6)));
    let labelled = LABELLED_PHONE.captures_iter(text).filter_map(|captures| captures.get(1));
    found.extend(labelled.filter_map(|hit| phone(text, hit, 0.9)));
    found.extend(INTERNATIONAL_PHONE.find_iter(text).filter_map(|hit| phone(text, hit, 0.85)));
    found.extend(AMERICAN_PHONE.find_iter(text).filter_map(|hit| phone(text, hit, 0.7)));
    found.extend(NATIONAL_PHONE.find_iter(text).filter_map(|hit| phone(text, hit, 0.6)));
    found
}

fn email(text: &str, hit: Match<'_>) -> Option<Found> {
    let (local, domain) = hit.as_str().split_once('@')?;
    let is_sound = hit.len() <= 254 && !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    let labels_sound = domain.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'));
    let span = (hit.start(), hit.end());
    let value = hit.as_str().to_lowercase();
    let is_alone = stands_alone(text, hit.start(), hit.end());
    (is_sound && labels_sound && is_alone).then(|| Found::new(EntityType::Email, span, value, 0.98))
}

fn url(text: &str, hit: Match<'_>, confidence: f64) -> Option<Found> {
    let mut url = hit.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '…', '“', '”', '’', '»']);
    // A closing bracket belongs to the sentence unless its opening one belongs to the address.
    while url.ends_with([')', ']']) && url.matches(['(', '[']).count() < url.matches([')', ']']).count() {
        url = url[..url.len() - 1].trim_end_matches(['.', ',']);
    }
    let end = hit.start() + url.len();
    let host_from = url.find("://").map_or(0, |at| at + 3);
    let host_to = url[host_from..].find('/').map_or(url.len(), |at| host_from + at);
    let host = &url[host_from..host_to];
    let before = text[..hit.start()].chars().next_back();
    let is_part = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '/'));
    let is_cut = text[end..].chars().next().is_some_and(|c| c.is_alphanumeric() || c == '@');
    let is_host = host.chars().any(char::is_alphanumeric) && !host.starts_with(['.', '-']);
    if is_part || is_cut || !is_host || url.len() > LONGEST_URL {
        return None;
    }
    let value = format!("{}{}", url[..host_to].to_lowercase(), &url[host_to..]);
    Some(Found::new(EntityType::Url, (hit.start(), end), value, confidence))
}

fn phone(text: &str, hit: Match<'_>, confidence: f64) -> Option<Found> {
    // Two spaces end a column.
    let written = hit.as_str().split("  ").next().unwrap_or_default();
    let written = written.trim_end_matches(|c: char| !c.is_ascii_digit());
    let end = hit.start() + written.len();
    let is_alone = stands_alone(text, hit.start(), end) && !goes_on(text, hit.start(), end, ",.:/-");
    let groups: Vec<&str> = written.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let has_year_last = groups.len() == 3 && groups[0].len() <= 2 && groups[1].len() <= 2;
    let is_date = has_year_last && matches!(groups[2].len(), 2 | 4) && confidence < 0.9;
    if !is_alone || is_date {
        return None;
    }
    let without_trunk = if written.starts_with('+') { written.replacen("(0)", "", 1) } else { written.to_owned() };
    let digits: String = without_trunk.chars().filter(char::is_ascii_digit).collect();
    if !(6..=15).contains(&digits.len()) {
        return None;
    }
    let value = match (written.starts_with('+'), digits.strip_prefix("00")) {
        (true, _) => format!("+{digits}"),
        (false, Some(international)) => format!("+{international}"),
        (false, None) => digits,
    };
    Some(Found::new(EntityType::Phone, (hit.start(), end), value, confidence))
}
