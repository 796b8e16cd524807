//! The words of an expression and where they stand: what it reads, and which filters and tests it uses.
//!
//! minijinja names what an expression reads, but not where; a message has to mark the word. Expressions bind no names
//! (no loops, no assignment), so every name that is not behind a dot, a bar or `is` reads something from outside.

use std::ops::Range;

/// A name that an expression reads, as `steps.ocr.outputs.text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::language) struct Reference {
    /// The names of the path, as far as they are written out.
    pub path: Vec<String>,
    /// Where each name stands, in bytes of the expression.
    pub places: Vec<Range<usize>>,
    /// It goes on with something computed: `steps[name]`.
    pub computed: bool,
    /// It is called: `failed()`.
    pub called: bool,
}

/// What an expression uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::language) struct Words {
    /// What it reads.
    pub references: Vec<Reference>,
    /// Its filters.
    pub filters: Vec<(String, Range<usize>)>,
    /// Its tests.
    pub tests: Vec<(String, Range<usize>)>,
    /// Operators of other languages: what stands there, what to write, where.
    pub foreign: Vec<(&'static str, &'static str, Range<usize>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    Name(&'t str),
    Text(String),
    Number,
    Sign(char),
}

const KEYWORDS: &[&str] =
    &["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None", "null"];

/// The words of an expression, which need not be a valid one.
pub(in crate::language) fn words(source: &str) -> Words {
    let tokens = tokens(source);
    let mut words = Words { foreign: foreign(source, &tokens), ..Words::default() };
    let mut at = 0;
    while let Some((token, range)) = tokens.get(at) {
        let before = at.checked_sub(1).map(|before| &tokens[before].0);
        at += 1;
        let Token::Name(name) = token else { continue };
        match before {
            Some(Token::Sign('|')) => {
                words.filters.push(((*name).to_owned(), range.clone()));
                continue;
            }
            Some(Token::Sign('.')) => continue,
            Some(Token::Name("is")) if *name != "not" => {
                words.tests.push(((*name).to_owned(), range.clone()));
                continue;
            }
            Some(Token::Name("not")) if at >= 3 && tokens[at - 3].0 == Token::Name("is") => {
                words.tests.push(((*name).to_owned(), range.clone()));
                continue;
            }
            _ => {}
        }
        let names_argument = matches!(tokens.get(at), Some((Token::Sign('='), _)))
            && !matches!(tokens.get(at + 1), Some((Token::Sign('='), _)))
            && matches!(before, Some(Token::Sign('(' | ',')));
        if KEYWORDS.contains(name) || names_argument {
            continue;
        }
        words.references.push(reference(&tokens, &mut at, name, range));
    }
    words
}

/// Reads on from a first name: `.name`, `["name"]`, `[0]`.
fn reference(tokens: &[(Token<'_>, Range<usize>)], at: &mut usize, name: &str, range: &Range<usize>) -> Reference {
    let mut found =
        Reference { path: vec![name.to_owned()], places: vec![range.clone()], computed: false, called: false };
    let sign = |at: usize, sign: char| matches!(tokens.get(at), Some((Token::Sign(c), _)) if *c == sign);
    loop {
        if sign(*at, '.')
            && let Some((Token::Name(next), range)) = tokens.get(*at + 1)
        {
            found.path.push((*next).to_owned());
            found.places.push(range.clone());
            *at += 2;
        } else if sign(*at, '[') && sign(*at + 2, ']') {
            let Some((Token::Text(next), range)) = tokens.get(*at + 1) else { break };
            found.path.push(next.clone());
            found.places.push(range.clone());
            *at += 3;
        } else {
            break;
        }
    }
    found.called = sign(*at, '(');
    found.computed = sign(*at, '[');
    found
}

/// The words and signs of an expression, and where they stand.
pub(super) fn tokens(source: &str) -> Vec<(Token<'_>, Range<usize>)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        let start = at;
        let run = |fits: fn(char) -> bool| source[start..].find(|c| !fits(c)).map_or(source.len(), |end| start + end);
        let token = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c == '"' || c == '\'' {
            let (text, end) = quoted(&source[start + 1..], c);
            at = start + 1 + end;
            Token::Text(text)
        } else if c.is_ascii_digit() {
            at = run(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
            Token::Number
        } else if c.is_alphabetic() || c == '_' {
            at = run(|c| c.is_alphanumeric() || c == '_');
            Token::Name(&source[start..at])
        } else {
            at += c.len_utf8();
            Token::Sign(c)
        };
        tokens.push((token, start..at));
    }
    tokens
}

/// The text up to the closing quote, and where it ends.
fn quoted(rest: &str, quote: char) -> (String, usize) {
    let mut text = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => text.extend(chars.next().map(|(_, c)| c)),
            c if c == quote => return (text, at + 1),
            c => text.push(c),
        }
    }
    (text, rest.len())
}

/// Operators that people bring from other languages.
fn foreign(source: &str, tokens: &[(Token<'_>, Range<usize>)]) -> Vec<(&'static str, &'static str, Range<usize>)> {
    const KNOWN: &[(&str, &str)] = &[
        ("&&", "and"),
        ("||", "or"),
        ("===", "=="),
        ("!==", "!="),
        ("??", "| default(...)"),
        ("?.", "is defined"),
        ("!", "not"),
        ("?", "x if condition else y"),
    ];
    let mut found: Vec<(&'static str, &'static str, Range<usize>)> = Vec::new();
    for (token, range) in tokens {
        let Token::Sign(_) = token else { continue };
        if found.last().is_some_and(|(_, _, last)| last.end > range.start) {
            continue;
        }
        let here = &source[range.start..];
        let hit = KNOWN.iter().find(|(sign, _)| here.starts_with(sign));
        if let Some((sign, word)) = hit
            && !(*sign == "!" && here.starts_with("!="))
        {
            found.push((sign, word, range.start..range.start + sign.len()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_tells_what_it_reads_and_uses() {
        let words = words(
            "steps.ocr.outputs['text'] | trim | default(inputs.a, true) is not none and failed() and x[i].y == 'a.b'",
        );
        let paths: Vec<_> =
            words.references.iter().map(|found| (found.path.join("."), found.computed, found.called)).collect();
        let expected = [
            ("steps.ocr.outputs.text", false, false),
            ("inputs.a", false, false),
            ("failed", false, true),
            ("x", true, false),
            ("i", false, false),
        ];
        assert_eq!(paths, expected.map(|(path, computed, called)| (path.to_owned(), computed, called)));
        let names = |list: &[(String, Range<usize>)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&words.filters), ["trim", "default"]);
        assert_eq!(names(&words.tests), ["none"]);
    }

    #[test]
    fn operators_of_other_languages_are_found_once() {
        let found = words("!a && b !== c || d != e").foreign;
        let signs: Vec<_> = found.iter().map(|(sign, word, _)| (*sign, *word)).collect();
        assert_eq!(signs, [("!", "not"), ("&&", "and"), ("!==", "!="), ("||", "or")]);
        assert_eq!(words("a | map(attribute='b') | sort(reverse=true)").references.len(), 1);
    }

    #[test]
    fn the_engine_reads_the_same_names() {
        let env = super::super::vocabulary::environment();
        for source in [
            "{'a': b, c: [d]}",
            "x[y.z] + x[1:n]",
            "a if b is not defined else c",
            "f(x, y=z) ~ 'q' | replace(r, \"s\")",
            "not in_list and a not in b or c is divisibleby(d)",
            "-1.5e3 + e | default(g | default(h, true), boolean=i)",
            "steps['a'].outputs['b c'][0].d == inputs.x | length >= 3",
            "null == none and true",
            "(a.b).c[d]['e']",
        ] {
            let expression = env.compile_expression(source).expect(source);
            let theirs: std::collections::BTreeSet<_> = expression.undeclared_variables(false).into_iter().collect();
            let ours = words(source).references.into_iter().map(|found| found.path[0].clone());
            let ours: std::collections::BTreeSet<_> =
                ours.chain(source.contains("null").then(|| "null".to_owned())).collect();
            assert_eq!(ours, theirs, "{source}");
        }
    }
}
