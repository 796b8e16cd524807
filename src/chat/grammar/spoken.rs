//! Words that are no verb of ours, and may be one of a workflow's.

use super::{LONGEST, Place, Trouble, command, lexer, normalise, prefix};

/// What somebody says to us that begins with no verb; where it begins with `!`, nobody needs to be spoken to.
#[must_use]
pub fn spoken(text: &str, place: &Place<'_>) -> Option<String> {
    let normal = normalise::normalise(text.chars().take(LONGEST));
    let (spoken_to, rest) = prefix::strip(&normal, place.names);
    let rest: Vec<normalise::Mark> = rest.iter().skip_while(|mark| mark.c.is_whitespace()).copied().collect();
    let is_ours = spoken_to || place.is_open || rest.first().is_some_and(|mark| mark.c == '!');
    (is_ours && !rest.is_empty() && !command::is_verb(&rest)).then(|| rest.iter().map(|mark| mark.c).collect())
}

/// What follows a word: further words, and pairs of key and value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The words.
    pub words: Vec<String>,
    /// The pairs; a flag is one whose value is `true`.
    pub pairs: Vec<(String, String)>,
}

/// Reads what follows a word.
///
/// # Errors
/// A quote or bracket is not closed, or a key is given twice.
pub fn arguments(text: &str) -> Result<Arguments, Trouble> {
    let mut arguments = Arguments::default();
    for lexer::Token { shape, value, .. } in lexer::lex(&normalise::normalise(text.chars()))? {
        match shape {
            lexer::Shape::Word => arguments.words.extend(value),
            lexer::Shape::Pair(key) | lexer::Shape::Flag(key) => {
                arguments.pairs.push((key, value.unwrap_or_else(|| "true".to_owned())));
            }
        }
    }
    Ok(arguments)
}
