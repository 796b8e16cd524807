//! Is a page's own text layer worth having, or does it only look like text?

/// A page with fewer letters in its layer is read as a picture.
const MIN_LETTERS: usize = 20;

/// Enough letters, few characters that no writing has, words of a human length.
#[must_use]
pub fn is_sane(text: &str) -> bool {
    let (mut letters, mut marks, mut strange) = (0usize, 0usize, 0usize);
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        match c {
            _ if c.is_alphanumeric() => letters += 1,
            // A font without a map to Unicode gives these.
            '\u{fffd}' | '\u{e000}'..='\u{f8ff}' => strange += 1,
            _ if c.is_control() => strange += 1,
            _ => marks += 1,
        }
    }
    if letters < MIN_LETTERS || strange * 10 > letters || marks > letters * 3 {
        return false;
    }
    let words: Vec<usize> = text
        .split_whitespace()
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).count())
        .filter(|length| *length > 0)
        .collect();
    let mean = letters as f64 / words.len().max(1) as f64;
    let alone = words.iter().filter(|length| **length == 1).count();
    // "R e c h n u n g" has words of one letter, a layer without spaces one word a line.
    mean <= 40.0 && alone * 4 <= words.len() * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_is_told_from_what_only_looks_like_it() {
        assert!(is_sane("Rechnung Nr. 471102 vom 05.03.2013 über 235,62 EUR"));
        assert!(is_sane("日本語の文書はここに書かれています。 これは二つ目の文です。"));
        for text in [
            "",
            "page 3 of 12",
            "\u{19}\u{12}",
            "R e c h n u n g s n u m m e r 4 7 1 1 0 2",
            "\u{f041}\u{f042}\u{f043}\u{f044} \u{f045}\u{f046} abcdefghijklmnopqrstuvwxyz",
            &"abcdefghij".repeat(20),
            "........... abc ........... def ........... ghi ........... jklmnopqrst ..................",
        ] {
            assert!(!is_sane(text), "{text:?}");
        }
    }
}
