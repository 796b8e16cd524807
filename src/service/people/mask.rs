//! What was typed, as it may be kept: without what looks like a secret.

/// What stands in the place of a secret.
const MASKED: &str = "***";
/// Characters of a text that are kept.
const LONGEST: usize = 2_000;
/// Parts of a key that say that its value is nobody's business.
const SECRET_KEYS: [&str; 9] =
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "credential"];
/// How keys of well-known services begin.
const SECRET_STARTS: [&str; 12] =
    ["xoxb-", "xoxp-", "xoxa-", "xapp-", "ghp_", "gho_", "github_pat_", "glpat-", "sk-", "AKIA", "eyJ", "wfk_"];

/// The text without what looks like a secret, and without these values. Not too long.
pub(super) fn masked(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), MASKED);
    }
    let mut kept = String::new();
    let mut is_code = false;
    // Inside a quoted value that is masked: its quotation mark.
    let mut quoted: Option<char> = None;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let space = &word[bare.len()..];
        if let Some(mark) = quoted {
            quoted = quoted.filter(|_| !bare.ends_with(mark));
            continue;
        }
        let shown = if is_code && !bare.is_empty() { MASKED.to_owned() } else { without_secret(bare) };
        quoted = opens(bare).filter(|_| shown.ends_with(MASKED));
        kept.push_str(&shown);
        kept.push_str(space);
        is_code = bare.eq_ignore_ascii_case("link") || (is_code && bare.is_empty());
    }
    kept.trim_end().chars().take(LONGEST).collect()
}

/// The quotation mark of a value that goes on behind this word.
fn opens(word: &str) -> Option<char> {
    let (_, value) = word.split_once(['=', ':'])?;
    let mark = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    (value.len() == 1 || !value.ends_with(mark)).then_some(mark)
}

fn without_secret(word: &str) -> String {
    let Some((key, value)) = word.split_once(['=', ':']).filter(|(key, _)| !key.is_empty()) else {
        return if is_secret(word) { MASKED.to_owned() } else { word.to_owned() };
    };
    let lower = key.to_ascii_lowercase();
    if SECRET_KEYS.iter().any(|part| lower.contains(part)) || is_secret(value) {
        let sign = &word[key.len()..=key.len()];
        return format!("{key}{sign}{MASKED}");
    }
    word.to_owned()
}

fn is_secret(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', '`']);
    value.len() >= 16 && SECRET_STARTS.iter().any(|start| value.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_not_kept_and_the_rest_is() {
        for (typed, kept) in [
            ("/workflow run invoice total=12.50", "/workflow run invoice total=12.50"),
            ("run x db_password=hunter2 y=1", "run x db_password=*** y=1"),
            ("run x --api-key=abc", "run x --api-key=***"),
            ("run x auth=xoxb-1234567890-abcdef", "run x auth=***"),
            ("say ghp_0123456789abcdef0123", "say ***"),
            ("link  AB12-CD34-EF56", "link  ***"),
            ("/workflow LINK AB12-CD34-EF56 now", "/workflow LINK *** now"),
            ("run x password=\"two words\" y=1", "run x password=*** y=1"),
            ("run x note=\"two words\" y=1", "run x note=\"two words\" y=1"),
            ("run x to=ana@example.org", "run x to=ana@example.org"),
        ] {
            assert_eq!(masked(typed, &[]), kept);
        }
        assert_eq!(masked("run x pin=4711", &["4711".to_owned()]), "run x pin=***");
        assert_eq!(masked(&"x y".repeat(5_000), &[]).len(), LONGEST);
    }
}
