//! Source text as words and marks: enough of Rust's grammar to see paths, bodies and test code, and no more.
//!
//! Comments, strings and characters never become words, so a rule cannot be fooled by prose.

use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path as FilePath;

/// A file by its path below the repository's root, with forward slashes.
#[derive(Debug, Clone)]
pub struct Source {
    pub path: String,
    pub text: String,
}

/// A rule that does not hold: where, and in which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub path: String,
    pub line: usize,
    pub sentence: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.path, self.line, self.sentence)
    }
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub fn problem(&self, line: usize, sentence: impl Into<String>) -> Problem {
        Problem { path: self.path.clone(), line, sentence: sentence.into() }
    }

    /// The module that this file is, from the crate's root: `src/store/db/mod.rs` is `[store, db]`.
    pub fn module(&self) -> Vec<&str> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path).trim_end_matches(".rs");
        let mut module: Vec<_> = inside.split('/').collect();
        if matches!(module.last(), Some(&"mod" | &"lib" | &"main")) {
            module.pop();
        }
        module
    }
}

/// All files with this ending below a folder of the repository; of `.` only those that lie directly in it.
pub fn below(folder: &str, ending: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(FilePath::new(env!("CARGO_MANIFEST_DIR")).join(folder)) else { return found };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder == "." { name.clone() } else { format!("{folder}/{name}") };
        if entry.path().is_dir() {
            if folder != "." {
                found.extend(below(&path, ending));
            }
        } else if name.ends_with(&format!(".{ending}")) {
            found.push(read(&path));
        }
    }
    found
}

pub fn read(path: &str) -> Source {
    let text = fs::read_to_string(FilePath::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default();
    Source { path: path.to_owned(), text }
}

pub fn exists(path: &str) -> bool {
    FilePath::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Word,
    Mark,
    Literal,
}

#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub line: usize,
}

impl Token<'_> {
    pub fn is(&self, text: &str) -> bool {
        self.kind != Kind::Literal && self.text == text
    }
}

/// The words and marks of a source, in order.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut found, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let (kind, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (None, block_comment(rest))
        } else {
            let (kind, length) = lexeme(rest, first);
            (Some(kind), length)
        };
        let (taken, left) = rest.split_at(length);
        found.extend(kind.map(|kind| Token { kind, text: taken, line }));
        line += taken.matches('\n').count();
        rest = left;
    }
    found
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn lexeme(text: &str, first: char) -> (Kind, usize) {
    if let Some(length) = string(text) {
        return (Kind::Literal, length);
    }
    if first == '\'' {
        return character(text);
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if is_word(first) {
        let raw = if text.starts_with("r#") { 2 } else { 0 };
        let length = raw + text[raw..].find(|c| !is_word(c)).unwrap_or(text.len() - raw);
        return (if first.is_ascii_digit() { Kind::Literal } else { Kind::Word }, length);
    }
    let double = ["::", "->", "=>", "==", "!=", "<=", ">="].iter().any(|mark| text.starts_with(mark));
    (Kind::Mark, if double { 2 } else { first.len_utf8() })
}

/// The length of the string literal that the text begins with, prefixes and raw forms included.
fn string(text: &str) -> Option<usize> {
    let prefix = text.bytes().take(2).take_while(u8::is_ascii_alphabetic).count();
    if !matches!(&text[..prefix], "" | "b" | "c" | "r" | "br" | "cr") {
        return None;
    }
    if !text[..prefix].ends_with('r') {
        let quoted = text[prefix..].strip_prefix('"')?;
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        return Some(end.map_or(text.len(), |end| prefix + end + 2));
    }
    let hashes = text[prefix..].chars().take_while(|c| *c == '#').count();
    let open = prefix + hashes + 1;
    text[prefix + hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(text[open..].find(&close).map_or(text.len(), |end| open + end + close.len()))
}

/// A character literal, or the mark of a lifetime.
fn character(text: &str) -> (Kind, usize) {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            (Kind::Literal, text[from..].find('\'').map_or(text.len(), |end| from + end + 1))
        }
        (Some(_), Some((at, '\''))) => (Kind::Literal, at + 1),
        _ => (Kind::Mark, 1),
    }
}

/// Where the bracket that stands at `open` is closed; the last token when it never is.
pub fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" if token.kind == Kind::Mark => depth += 1,
            ")" | "]" | "}" if token.kind == Kind::Mark => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len() - 1
}

/// The stretches of tokens that are compiled for tests only, attribute included.
pub fn tests(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut found: Vec<Range<usize>> = Vec::new();
    for start in 0..tokens.len() {
        let begins = attribute.iter().enumerate().all(|(at, text)| tokens.get(start + at).is_some_and(|t| t.is(text)));
        if !begins || found.last().is_some_and(|range| range.contains(&start)) {
            continue;
        }
        let mut at = start;
        while at < tokens.len() && !tokens[at].is("{") && !tokens[at].is(";") {
            at = if tokens[at].is("(") || tokens[at].is("[") { closing(tokens, at) + 1 } else { at + 1 };
        }
        let end = if at < tokens.len() && tokens[at].is("{") { closing(tokens, at) } else { at };
        found.push(start..(end + 1).min(tokens.len()));
    }
    found
}

/// A path as written, braces spread out, and in how many inline modules it stands.
#[derive(Debug)]
pub struct Path<'a> {
    pub segments: Vec<&'a str>,
    pub line: usize,
    pub nesting: usize,
}

/// Every path of a source: `use a::{b, c::d}` gives `a::b` and `a::c::d`.
pub fn paths<'a>(tokens: &[Token<'a>]) -> Vec<Path<'a>> {
    let (mut found, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        modules.retain(|end| *end > at);
        if tokens[at].is("mod") && tokens.get(at + 2).is_some_and(|t| t.is("{")) {
            modules.push(closing(tokens, at + 2));
        }
        let follows = at > 0 && (tokens[at - 1].is("::") || tokens[at - 1].is("."));
        if tokens[at].kind == Kind::Word && !follows {
            at = branch(tokens, at, &[], modules.len(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

fn branch<'a>(tokens: &[Token<'a>], at: usize, prefix: &[&'a str], nesting: usize, found: &mut Vec<Path<'a>>) -> usize {
    let mut segments = prefix.to_vec();
    let mut next = at;
    while next < tokens.len() && (tokens[next].kind == Kind::Word || tokens[next].is("*")) {
        segments.push(tokens[next].text);
        next += 1;
        if !tokens.get(next).is_some_and(|t| t.is("::")) {
            break;
        }
        next += 1;
    }
    if next > at && tokens.get(next).is_some_and(|t| t.is("{")) && tokens[next - 1].is("::") || next == at {
        return group(tokens, next, &segments, nesting, found);
    }
    found.push(Path { segments, line: tokens[at].line, nesting });
    next
}

fn group<'a>(
    tokens: &[Token<'a>],
    open: usize,
    prefix: &[&'a str],
    nesting: usize,
    found: &mut Vec<Path<'a>>,
) -> usize {
    let end = closing(tokens, open);
    let mut at = open + 1;
    while at < end {
        at = if tokens[at].kind == Kind::Word || tokens[at].is("*") {
            branch(tokens, at, prefix, nesting, found).max(at + 1)
        } else {
            at + 1
        };
    }
    end + 1
}

mod proofs {
    use super::*;

    fn spread(text: &str) -> Vec<String> {
        paths(&tokens(text)).iter().map(|path| path.segments.join("::")).filter(|path| path.contains("::")).collect()
    }

    #[test]
    fn braces_are_spread_out() {
        let text = "use crate::{domain::{id::RunId, time}, store::*}; fn f() { std::env::var(\"A\") }";
        let expected =
            ["crate::domain::id::RunId", "crate::domain::time", "crate::store::*", "std::env::var"].map(String::from);
        assert_eq!(spread(text), expected);
    }

    #[test]
    fn prose_is_not_code() {
        let text = r####"
            // crate::a::b
            /* crate::a /* nested */ crate::b */
            //! [`crate::c`]
            let s = "crate::d \" crate::e"; let r = r#"crate::f " x"#; let b = br"crate::g";
            let c = '"'; let l: &'static str = x; let q = '\''; let n = 'n';
            crate::seen::once();
        "####;
        assert_eq!(spread(text), ["crate::seen::once"]);
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let text = "/* one\ntwo */ let s = \"a\nb\";\ncrate::a::b();";
        let line = paths(&tokens(text)).iter().find(|path| path.segments.len() == 3).map(|path| path.line);
        assert_eq!(line, Some(4));
    }

    #[test]
    fn test_code_is_told_apart() {
        let text = "fn a() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests { fn b() { if x {} } }\nfn c() {}";
        let all = tokens(text);
        let ranges = tests(&all);
        assert_eq!(ranges.len(), 1);
        let words: Vec<_> = all[ranges[0].clone()].iter().map(|t| t.text).collect();
        assert!(words.contains(&"b") && !words.contains(&"c") && !words.contains(&"a"), "{words:?}");
    }
}
