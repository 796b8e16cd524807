//! The sentences of a text. A wrapped line goes on; an empty line, a tab or a wide gap ends what went before.
//!
//! Forms, tables and headings are full of words, but say nothing in sentences: what has too few words in lower case
//! or too many digits is left out. `NO. 12` on a receipt is no denial.

use std::sync::LazyLock;

use regex::Regex;

static END: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"[.!?…]+["”“»)]*(?:\s+|$)|\n[ \t\r\x{c}]*\n|[ ]{3,}|\t|\x{c}"#)
        .expect("the pattern is constant, and a test uses it")
});

/// The sentences of a text, without the space around them.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    let ends = END.find_iter(text).map(|end| end.end()).chain(std::iter::once(text.len()));
    let sentences = ends.scan(0, |start, end| Some(&text[std::mem::replace(start, end)..end]));
    sentences.map(str::trim).filter(|sentence| is_prose(sentence))
}

/// At least two words, one in four of them in lower case, and mostly letters.
fn is_prose(sentence: &str) -> bool {
    let (mut words, mut lower) = (0, 0);
    for word in sentence.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().nth(1).is_some()) {
        words += 1;
        lower += usize::from(word.starts_with(char::is_lowercase));
    }
    let marks = sentence.chars().filter(|c| !c.is_whitespace()).count();
    let letters = sentence.chars().filter(|c| c.is_alphabetic()).count();
    words >= 2 && lower * 4 >= words && letters * 10 >= marks * 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_at_points_gaps_and_empty_lines() {
        let text =
            "Das ist gut. Sehr\ngut!  17,00\n\nNetto   198,00 EUR    Es bleibt dabei\n\nINVOICE NO. 12\nDate 3 May";
        let found: Vec<_> = split(text).collect();
        assert_eq!(found, ["Das ist gut.", "Sehr\ngut!", "Es bleibt dabei"]);
    }
}
