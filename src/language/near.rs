//! Did-you-mean: the one existing word that was most likely meant.

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = fold(word);
    // A third of the word may be wrong; one letter always may.
    let allowed = (wanted.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .filter_map(|candidate| {
            let there = fold(candidate);
            let distance = strsim::damerau_levenshtein(&wanted, &there);
            // `lang` for `languages`: a long common beginning is as good as few wrong letters.
            let begins = wanted.len() >= 3 && (there.starts_with(&wanted) || wanted.starts_with(&there));
            // `retires` for `retry`: several letters off, but the same word to the eye.
            let alike = strsim::jaro_winkler(&wanted, &there) >= 0.85;
            (distance <= allowed || alike || (begins && there.len() >= 3)).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` or `c`: for a message that lists what would be right. At most `limit` of them.
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>, limit: usize) -> String {
    let words: Vec<_> = words.into_iter().collect();
    let mut text = words.iter().take(limit).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    if words.len() > limit {
        text.push_str(&format!(" and {} more", words.len() - limit));
    }
    text
}

fn fold(word: &str) -> String {
    word.chars().take(64).map(|c| if c == '-' || c == ' ' { '_' } else { c }).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_and_a_far_one_is_not() {
        let keys = ["retry", "timeout", "languages", "name"];
        for (word, meant) in [
            ("retires", Some("retry")),
            ("langauges", Some("languages")),
            ("lang", Some("languages")),
            ("Time-Out", Some("timeout")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(near(word, keys), meant, "{word}");
        }
    }
}
