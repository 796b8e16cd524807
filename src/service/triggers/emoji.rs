//! Reactions by their names: one platform says `eyes`, another one sends the sign itself. The short names are GitHub's, which
//! are Slack's for nearly all signs; a sign of a workspace's own goes by its name alone.

/// Signs that change how another one is drawn, and nothing else: skin tones, and the wish for colours.
const DRESS: [char; 7] = ['\u{fe0f}', '\u{fe0e}', '\u{1f3fb}', '\u{1f3fc}', '\u{1f3fd}', '\u{1f3fe}', '\u{1f3ff}'];

/// Whether two reactions are the same, however each is written: `eyes`, `:eyes:`, the sign itself.
pub(super) fn same(one: &str, other: &str) -> bool {
    let (one, other) = (plain(one), plain(other));
    !one.is_empty() && (one == other || sign(&one).is_some_and(|sign| self::sign(&other) == Some(sign)))
}

/// The one name of a reaction: its short name where there is one, so that a workflow reads the same on every platform.
pub(super) fn name(text: &str) -> String {
    let plain = plain(text);
    let known = emojis::get_by_shortcode(&plain).or_else(|| sign(&plain).and_then(emojis::get));
    known.and_then(emojis::Emoji::shortcode).map_or(plain, str::to_owned)
}

/// Without colons, skin tone and the wish for colours.
fn plain(text: &str) -> String {
    let text = text.trim().trim_matches(':');
    let text = text.split_once("::").map_or(text, |(name, _)| name);
    text.chars().filter(|c| !DRESS.contains(c)).collect::<String>().to_lowercase()
}

/// The sign that a name or a sign stands for.
fn sign(text: &str) -> Option<&'static str> {
    let found = emojis::get_by_shortcode(text).or_else(|| emojis::get(text));
    // Some signs are listed only with the wish for colours behind them.
    found.or_else(|| emojis::get(&format!("{text}\u{fe0f}"))).map(emojis::Emoji::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reaction_is_the_same_by_name_and_as_the_sign_itself() {
        for (one, other) in [
            ("eyes", "👀"),
            (":eyes:", "eyes"),
            ("+1", "thumbsup"),
            ("+1::skin-tone-3", "👍🏽"),
            ("👍", "+1"),
            ("heavy_check_mark", "✔️"),
            ("✔", "✔️"),
            ("white_check_mark", "✅"),
            ("party_parrot", "Party_Parrot"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        assert_eq!(
            (name("👀"), name(":thumbsup:"), name("party_parrot")),
            ("eyes".into(), "+1".into(), "party_parrot".into())
        );
        for (one, other) in [("eyes", "eye"), ("", ""), (":", "::"), ("party_parrot", "parrot"), ("👍", "👎")] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
