//! A line as tokens. One pass, no way back: the time is that of the text's length.

use std::collections::HashMap;

use super::normalise::Mark;
use super::{MOST, Trouble};

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A value alone.
    Word,
    /// `key=value`.
    Pair(String),
    /// `--name`, with a value or without.
    Flag(String),
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub shape: Shape,
    /// Its value, quotes taken off; `None` for a flag without one.
    pub value: Option<String>,
    /// Where it begins, from 1.
    pub at: usize,
}

/// Splits a line.
///
/// # Errors
/// A quote or bracket is not closed, a key is given twice, or there are too many.
pub fn lex(line: &[Mark]) -> Result<Vec<Token>, Trouble> {
    let mut lexer = Lexer { line, next: 0 };
    let mut tokens = Vec::new();
    let mut keys: HashMap<String, usize> = HashMap::new();
    while let Some(token) = lexer.token()? {
        if tokens.len() == MOST {
            return Err(Trouble::unreadable(format!("that is more than {MOST} words"), "send long texts as a file"));
        }
        if let Shape::Pair(key) | Shape::Flag(key) = &token.shape
            && let Some(first) = keys.insert(key.clone(), token.at)
        {
            let message = format!("`{key}` is given twice, at characters {first} and {}", token.at);
            return Err(Trouble::unreadable(message, "give it once; several values are a list: `key=[a, b]`"));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'m> {
    line: &'m [Mark],
    next: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.line.get(self.next + ahead).map(|mark| mark.c)
    }

    fn token(&mut self) -> Result<Option<Token>, Trouble> {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.next += 1;
        }
        let Some(mark) = self.line.get(self.next) else { return Ok(None) };
        let at = mark.at;
        if let Some(length) = self.dashes() {
            let name = self.name(length);
            if !name.is_empty() {
                self.next += length + name.chars().count();
                let value = self.peek(0) == Some('=');
                self.next += usize::from(value);
                let value = if value { Some(self.value()?) } else { None };
                return Ok(Some(Token { shape: Shape::Flag(name), value, at }));
            }
        }
        if let Some((key, length)) = self.key() {
            self.next += length;
            return Ok(Some(Token { shape: Shape::Pair(key), value: Some(self.value()?), at }));
        }
        Ok(Some(Token { shape: Shape::Word, value: Some(self.value()?), at }))
    }

    /// How many characters of `--` stand here, be they one dash that a phone made of two.
    fn dashes(&self) -> Option<usize> {
        match self.peek(0)? {
            '-' if self.peek(1) == Some('-') => Some(2),
            '\u{2012}'..='\u{2015}' | '\u{2212}' => Some(1),
            _ => None,
        }
    }

    /// The name that begins after `skip` characters; empty when there is none.
    fn name(&self, skip: usize) -> String {
        let begins = self.peek(skip).is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let fits = |mark: &&Mark| mark.c.is_ascii_alphanumeric() || matches!(mark.c, '_' | '-');
        let rest = self.line.iter().skip(self.next + skip);
        if begins { rest.take_while(fits).take(100).map(|mark| mark.c).collect() } else { String::new() }
    }

    /// The key of a pair and how much stands before its value. After a colon there may be a space; `http://` is none.
    fn key(&self) -> Option<(String, usize)> {
        let key = self.name(0);
        let length = key.chars().count();
        if key.is_empty() {
            return None;
        }
        match (self.peek(length)?, self.peek(length + 1)) {
            ('=', _) => Some((key, length + 1)),
            (':', Some(' ')) => {
                let spaces = self.line[self.next + length + 1..].iter().take_while(|mark| mark.c == ' ').count();
                let value = self.peek(length + 1 + spaces).is_some_and(|c| c != '\n');
                value.then_some((key, length + 1 + spaces))
            }
            (':', Some(next)) if !next.is_whitespace() && next != '/' && next != ':' => Some((key, length + 1)),
            _ => None,
        }
    }

    fn value(&mut self) -> Result<String, Trouble> {
        let Some(first) = self.peek(0) else { return Ok(String::new()) };
        if first == '`' && self.peek(1) == Some('`') && self.peek(2) == Some('`') {
            return self.block();
        }
        let closing: &[char] = match first {
            '"' => &['"'],
            '“' | '„' | '”' => &['”', '“', '"'],
            '«' => &['»'],
            '\'' => &['\''],
            '‘' | '‚' | '’' => &['’', '‘', '\''],
            '`' => &['`'],
            '[' | '{' => return self.bracketed(),
            '$' if self.peek(1) == Some('{') => return self.bracketed(),
            _ => return Ok(self.bare()),
        };
        let escapes = matches!(first, '"' | '“' | '„' | '”' | '«');
        self.quoted(closing, escapes)
    }

    fn bare(&mut self) -> String {
        let rest = self.line[self.next..].iter();
        let text: String = rest.take_while(|mark| !mark.c.is_whitespace()).map(|mark| mark.c).collect();
        self.next += text.chars().count();
        text
    }

    fn quoted(&mut self, closing: &[char], escapes: bool) -> Result<String, Trouble> {
        let open = self.line[self.next];
        self.next += 1;
        let mut text = String::new();
        while let Some(c) = self.peek(0) {
            self.next += 1;
            if closing.contains(&c) {
                // `"scan".pdf` is one word.
                text.push_str(&self.bare());
                return Ok(text);
            }
            match self.peek(0) {
                Some(next) if escapes && c == '\\' && (next == '\\' || closing.contains(&next)) => {
                    text.push(next);
                    self.next += 1;
                }
                _ => text.push(c),
            }
        }
        let message = format!("unclosed quote at character {}", open.at);
        Err(Trouble::unreadable(message, format!("close it with `{}`", closing[0])))
    }

    /// A fenced block; the word after the fence on its line names a language and is dropped.
    fn block(&mut self) -> Result<String, Trouble> {
        let open = self.line[self.next];
        self.next += 3;
        let rest = &self.line[self.next..];
        let Some(length) = rest.windows(3).position(|three| three.iter().all(|mark| mark.c == '`')) else {
            let message = format!("unclosed block at character {}", open.at);
            return Err(Trouble::unreadable(message, "close it with three backticks"));
        };
        let text: String = rest[..length].iter().map(|mark| mark.c).collect();
        self.next += length + 3;
        Ok(match text.split_once('\n') {
            Some((language, body)) if language.trim().chars().all(|c| c.is_ascii_alphanumeric()) => body.to_owned(),
            _ => text,
        })
    }

    /// A list or JSON up to the bracket that closes it.
    fn bracketed(&mut self) -> Result<String, Trouble> {
        let open = self.line[self.next];
        let mut expected = Vec::new();
        let mut text = String::new();
        let (mut in_text, mut escaped) = (false, false);
        while let Some(c) = self.peek(0) {
            self.next += 1;
            text.push(c);
            if in_text {
                in_text = escaped || c != '"';
                escaped = c == '\\' && !escaped;
                continue;
            }
            match c {
                '"' => in_text = true,
                '[' => expected.push(']'),
                '{' => expected.push('}'),
                c if expected.last() == Some(&c) => {
                    expected.pop();
                }
                _ => {}
            }
            if expected.is_empty() && c != '$' {
                text.push_str(&self.bare());
                return Ok(text);
            }
        }
        let what = if in_text { "quote inside the bracket" } else { "bracket" };
        let message = format!("unclosed {what} at character {}", open.at);
        Err(Trouble::unreadable(message, "close it, or put the whole value into quotes"))
    }
}
