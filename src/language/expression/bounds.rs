//! What keeps `*` and `~` within bounds.
//!
//! A list times a number takes no room until somebody looks at it, and a list that is joined to a text is written out
//! whole; the engine charges for neither beforehand, and what is constant it computes while it reads the expression. The
//! operators cannot be replaced, so each of their operands is led through a filter that lets single values pass and
//! nothing else: what is left is numbers and texts, for which the engine looks ahead.

use std::ops::Range;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::words::{Token, tokens};

/// The filter. Nobody can write it: a name that is not in the vocabulary is an error of the file.
pub(super) const FILTER: &str = "single_value";

/// Where guards were put, in bytes of the text as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guards(Vec<usize>);

type Tokens<'t, 's> = &'t [(Token<'s>, Range<usize>)];

/// The expression with the operands of `*` and `~` guarded.
pub(super) fn guarded(source: &str) -> (String, Guards) {
    let tokens = tokens(source);
    let mut guards = Vec::new();
    for (at, (token, range)) in tokens.iter().enumerate() {
        let touches = |other: Option<&(Token<'_>, Range<usize>)>, place: fn(&Range<usize>) -> usize, end: usize| {
            other.is_some_and(|(token, range)| *token == Token::Sign('*') && place(range) == end)
        };
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let is_power = touches(before, |range| range.end, range.start)
            || touches(tokens.get(at + 1), |range| range.start, range.end);
        if matches!(token, Token::Sign('*') if !is_power) || *token == Token::Sign('~') {
            guards.extend(before.filter(|(token, _)| ends_operand(token)).map(|(_, range)| range.end));
            guards.extend(operand(source, &tokens, at + 1).map(|last| tokens[last].1.end));
        }
    }
    guards.sort_unstable();
    guards.dedup();
    let mut guarded = String::with_capacity(source.len() + guards.len() * (FILTER.len() + 1));
    let mut from = 0;
    for &place in &guards {
        guarded.push_str(&source[from..place]);
        guarded.push('|');
        guarded.push_str(FILTER);
        from = place;
    }
    guarded.push_str(&source[from..]);
    (guarded, Guards(guards))
}

impl Guards {
    /// A place in the guarded text, as a place in the text as it was written.
    pub(super) fn written(&self, place: &Range<usize>) -> Range<usize> {
        let start = self.written_at(place.start);
        start..self.written_at(place.end).max(start)
    }

    fn written_at(&self, at: usize) -> usize {
        let length = FILTER.len() + 1;
        let mut added = 0;
        for &guard in &self.0 {
            if at <= guard + added {
                break;
            }
            if at < guard + added + length {
                return guard; // within the guard itself
            }
            added += length;
        }
        at - added
    }
}

fn ends_operand(token: &Token<'_>) -> bool {
    !matches!(token, Token::Sign(c) if !matches!(c, ')' | ']' | '}'))
}

/// The last token of the operand that begins at `at`: what stands there, what is read from it, and its filters. `None`
/// when there is none, which the engine will tell.
fn operand(source: &str, tokens: Tokens<'_, '_>, mut at: usize) -> Option<usize> {
    let sign = |at: usize, wanted: char| matches!(tokens.get(at), Some((Token::Sign(c), _)) if *c == wanted);
    while sign(at, '-') {
        at += 1;
    }
    let mut last = match &tokens.get(at)?.0 {
        Token::Sign('(' | '[' | '{') => closing(tokens, at)?,
        Token::Sign(_) => return None,
        Token::Name(_) => at,
        Token::Number => number(source, tokens, at),
        // Texts side by side are one.
        Token::Text(_) => at + tokens[at..].iter().take_while(|(token, _)| matches!(token, Token::Text(_))).count() - 1,
    };
    loop {
        let next = last + 1;
        last = match tokens.get(next).map(|(token, _)| token) {
            Some(Token::Sign('(' | '[')) => closing(tokens, next)?,
            Some(Token::Sign('.' | '|')) if tokens.get(next + 1).is_some() => next + 1,
            _ => return Some(last),
        };
    }
}

/// The last token of a number: the sign in `1e-3` stands by itself.
fn number(source: &str, tokens: Tokens<'_, '_>, at: usize) -> usize {
    let text = &source[tokens[at].1.clone()];
    let (Some((Token::Sign('-' | '+'), sign)), Some((Token::Number, digits))) =
        (tokens.get(at + 1), tokens.get(at + 2))
    else {
        return at;
    };
    let is_one = text.ends_with(['e', 'E']) && !text.starts_with("0x") && tokens[at].1.end == sign.start;
    if is_one && sign.end == digits.start { at + 2 } else { at }
}

/// The bracket that closes the one at `at`.
fn closing(tokens: Tokens<'_, '_>, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, (token, _)) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(place);
        }
    }
    None
}

/// The filter: whatever is not a list and no map.
pub(super) fn single_value(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            let what = if value.kind() == ValueKind::Map { "a map" } else { "a list" };
            let message = format!("`*` and `~` take numbers and texts, not {what}; `| json` writes one as text");
            Err(Error::new(ErrorKind::InvalidOperation, message))
        }
        _ => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> String {
        guarded(source).0.replace(FILTER, "!")
    }

    #[test]
    fn each_operand_is_guarded_with_all_that_belongs_to_it() {
        for (written, expected) in [
            ("a * b", "a|! * b|!"),
            ("a ~ b ~ 'c' 'd'", "a|! ~ b|! ~ 'c' 'd'|!"),
            ("-a.b[0] * -f(x, [y])[1:2] | g(1) | h + c", "-a.b[0]|! * -f(x, [y])[1:2] | g(1) | h|! + c"),
            ("(a + [1]) * {'k': 2}.k is number", "(a + [1])|! * {'k': 2}.k|! is number"),
            ("2 ** 3 * 1.5e-3 - 4", "2 ** 3|! * 1.5e-3|! - 4"),
            ("a * b ** c", "a|! * b|! ** c"),
            ("'a * b' ~ x if c else [d * 2]", "'a * b'|! ~ x|! if c else [d|! * 2|!]"),
            ("a ** b / c", "a ** b / c"),
            ("a * * b ~", "a|! * * b|! ~"),
            ("* (a", "* (a"),
        ] {
            assert_eq!(read(written), expected);
        }
    }

    #[test]
    fn places_are_told_as_they_were_written() {
        let written = "aa * bb ~ cc";
        let (text, guards) = guarded(written);
        for word in ["aa", "bb", "cc", "*", "~"] {
            let (from, to) = (text.find(word), written.find(word));
            let (from, to) = (from.expect("it is there"), to.expect("it is there"));
            assert_eq!(guards.written(&(from..from + word.len())), to..to + word.len(), "{word}");
        }
        let filter = text.find(FILTER).expect("it is there");
        assert_eq!(guards.written(&(filter..filter + 3)), 2..2);
    }
}
