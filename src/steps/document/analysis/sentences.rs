//! A text cut into sentences. A wrapped line goes on; an empty line, a tab or a wide gap ends what went before.

use std::sync::LazyLock;

use regex::Regex;

static END: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"[.!?…]+["”“»)]*(?:\s+|$)|\n[ \t\r\x{c}]*\n|[ ]{3,}|\t|\x{c}"#)
        .expect("the pattern is constant, and a test uses it")
});

/// The sentences of a text with at least two words, without the space around them.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    let ends = END.find_iter(text).map(|end| end.end()).chain(std::iter::once(text.len()));
    let sentences = ends.scan(0, |start, end| Some(&text[std::mem::replace(start, end)..end]));
    sentences.map(str::trim).filter(|sentence| has_two_words(sentence))
}

fn has_two_words(sentence: &str) -> bool {
    let is_word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    sentence.split_whitespace().filter(is_word).take(2).count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_at_points_gaps_and_empty_lines() {
        let text = "Das ist gut. Sehr\ngut!  17,00\n\nNetto   198,00 EUR    Es bleibt dabei";
        let found: Vec<_> = split(text).collect();
        assert_eq!(found, ["Das ist gut.", "Sehr\ngut!", "Es bleibt dabei"]);
    }
}
