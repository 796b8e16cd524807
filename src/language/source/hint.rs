//! The parser's complaints in our own words, and the mistakes that hide behind them.

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use super::node::short;
use crate::domain::code;
use crate::language::report::{Findings, Mark};

/// Tells an unquoted `{{ x }}`, which YAML reads as a map in a map. Inside `[ ]` and `{ }` the right form needs quotes.
pub(super) fn braces(findings: &mut Findings, mark: Mark, inside: &str, in_flow: bool) {
    let inside = short(inside);
    let message = format!("`{{{{ {inside} }}}}` is YAML for a map in a map, not an expression");
    let meant = format!("${{{{ {inside} }}}}");
    findings.error(code::WF1030, mark, message).near(Some(&meant)).fix(match in_flow {
        true => format!("write `\"{meant}\"`: inside `[ ]` and `{{ }}` an expression needs quotes"),
        false => format!("write `{meant}`"),
    });
}

/// Tells a syntax error.
pub(super) fn syntax(findings: &mut Findings, error: &ScanError) {
    let text = findings.text();
    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let here = Mark { start: at, end: at + text[at..].chars().next().map_or(0, char::len_utf8) };
    if let Some((mark, inside)) = open_braces(text, at) {
        return braces(findings, mark, inside, false);
    }
    if let Some(mark) = expression_on_line(text, at) {
        let message = "YAML cannot read this expression without quotes";
        let fix = "put the whole value in quotes: \"${{ ... }}\" (always inside `[ ]` and `{ }`, and where it holds `: ` or ` #`)";
        findings.error(code::WF1001, mark, message).fix(fix);
        return;
    }
    if let Some(mark) = tab_in_indentation(text, at) {
        findings.error(code::WF1004, mark, "a tab in the indentation").fix("indent with spaces");
        return;
    }
    match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => {
            findings.error(code::WF1004, here, "a tab where only spaces may stand").fix("indent with spaces");
        }
        ErrorKind::RecursionLimitExceeded => {
            findings.error(code::WF1002, here, "lists and maps nest too deep").fix("split it into several workflows");
        }
        kind => {
            let (message, fix) = words(kind);
            let problem = findings.error(code::WF1001, here, message);
            if let Some(fix) = fix {
                problem.fix(fix);
            }
        }
    }
}

/// The commonest complaints, said so that a newcomer can act on them.
fn words(kind: &ErrorKind) -> (String, Option<&'static str>) {
    let (message, fix) = match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            ("a `:` where no key can stand", "put the text in quotes if it holds `: `")
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("a key followed by `:` was expected here", "look at the indentation of this line and of the one before it")
        }
        ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::BlockSequenceEntryNotAllowed => (
            "this line belongs to nothing above it",
            "let the keys of one step, and the `-` of one list, begin in the same column",
        ),
        ErrorKind::InvalidIndentation => {
            ("the indentation fits no line above", "let lines of one map begin in the same column")
        }
        ErrorKind::UnclosedQuotedScalar => ("a quoted text does not end", "add the missing quote"),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping => ("a bracket is opened but not closed", "add the missing `]` or `}`"),
        ErrorKind::ExpectedFlowMappingSeparator => {
            ("a `,` or `}` was expected here", "close the map, or separate its entries by `,`")
        }
        ErrorKind::ExpectedFlowSequenceSeparator => {
            ("a `,` or `]` was expected here", "close the list, or separate its items by `,`")
        }
        ErrorKind::UnexpectedCharacter { character: '@' | '`' | '%' } => {
            ("a text cannot begin with this character", "put the text in quotes")
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            ("an unknown escape in a text in double quotes", "write `\\\\` for a backslash, or use single quotes")
        }
        other => return (format!("not valid YAML: {other}"), None),
    };
    (message.to_owned(), Some(fix))
}

/// An unquoted `{{ x }}` on the line of the error or the one before it.
fn open_braces(text: &str, at: usize) -> Option<(Mark, &str)> {
    lines_before(text, at).find_map(|(start, line)| {
        let open = unquoted(line, "{{")?;
        if line[..open].ends_with('$') {
            return None;
        }
        let close = line[open..].find("}}").map_or(line.len(), |length| open + length + 2);
        let inside = line[open + 2..close].trim_end_matches('}').trim();
        Some((Mark { start: start + open, end: start + close }, inside))
    })
}

/// An unquoted `${{ x }}` on the line of the error or the one before it.
fn expression_on_line(text: &str, at: usize) -> Option<Mark> {
    lines_before(text, at).find_map(|(start, line)| {
        let open = unquoted(line, "${{")?;
        let close = line[open..].find("}}").map_or(line.len(), |length| open + length + 2);
        Some(Mark { start: start + open, end: start + close })
    })
}

fn tab_in_indentation(text: &str, at: usize) -> Option<Mark> {
    // The parser sees the tab at the end of the line before it.
    let next = text[at..].find('\n').map(|newline| at + newline + 1).into_iter();
    let next = next.map(|start| (start, text[start..].lines().next().unwrap_or_default()));
    lines_before(text, at).chain(next).find_map(|(start, line)| {
        let indentation = line.len() - line.trim_start().len();
        let tab = line[..indentation].find('\t')?;
        Some(Mark { start: start + tab, end: start + tab + 1 })
    })
}

/// The line of this byte and the one before it, with where they begin.
fn lines_before(text: &str, at: usize) -> impl Iterator<Item = (usize, &str)> {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let here = line_start(at);
    let before = (here > 0).then(|| line_start(here - 1));
    std::iter::once(here).chain(before).map(move |start| (start, text[start..].lines().next().unwrap_or_default()))
}

/// Where `wanted` stands on the line, outside quotes and comments.
fn unquoted(line: &str, wanted: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '#' && line[..at].ends_with([' ', '\t']) => return None,
            None if line[at..].starts_with(wanted) => return Some(at),
            // A quote opens a text only where a value can begin; `it's` is a word.
            None if matches!(c, '"' | '\'') && line[..at].trim_end().ends_with([':', '-', '[', '{', ',']) => {
                quote = Some(c);
            }
            None => {}
        }
    }
    None
}
