//! What is wrong with a file: every problem at once, in the order of the file, each with its place.

use std::fmt;

use serde::Serialize;

use super::source::Source;
use crate::domain::code::Code;

/// The widest excerpt, in characters.
const EXCERPT: usize = 140;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not do what its author meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// A range of bytes of the source text. Both ends lie between characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mark {
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

/// One problem of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The stable code; its page explains it.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop.
    pub message: String,
    /// The file, as it was named to [`super::compile`].
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters of that line that are meant; at least 1.
    pub length: usize,
    /// The word that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The line, or the part of it around the marks, for the text form.
    #[serde(skip)]
    pub(super) excerpt: String,
    /// Characters of the line before the excerpt.
    #[serde(skip)]
    pub(super) hidden: usize,
}

impl Problem {
    /// Adds the word that was probably meant.
    pub(super) fn near(&mut self, word: Option<&str>) -> &mut Self {
        self.suggestion = word.map(str::to_owned);
        self
    }

    /// Adds the word that was probably meant, or what to do where no word is near.
    pub(super) fn near_or(&mut self, word: Option<&str>, fix: impl Into<String>) -> &mut Self {
        match word {
            Some(_) => self.near(word),
            None => self.fix(fix),
        }
    }

    /// Adds what to do.
    pub(super) fn fix(&mut self, fix: impl Into<String>) -> &mut Self {
        self.fix = Some(fix.into());
        self
    }
}

/// All problems of one file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The file, as it was named.
    pub file: String,
    /// The problems, by place.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Whether any problem keeps the file from being used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many problems are this bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    /// The problems of this severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(move |problem| problem.severity == severity)
    }
}

/// Where problems are collected while a file is read. Keeps at most [`Findings::LIMIT`] of them.
pub(super) struct Findings<'a> {
    source: &'a Source,
    lines: Vec<usize>,
    problems: Vec<Problem>,
    errors: bool,
    left_off: Problem,
}

impl<'a> Findings<'a> {
    const LIMIT: usize = 200;

    pub(super) fn new(source: &'a Source) -> Self {
        let newlines = source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(newlines).collect();
        let left_off = Problem {
            code: crate::domain::code::WF1001,
            severity: Severity::Error,
            message: String::new(),
            file: String::new(),
            line: 0,
            column: 0,
            length: 0,
            suggestion: None,
            fix: None,
            excerpt: String::new(),
            hidden: 0,
        };
        Self { source, lines, problems: Vec::new(), errors: false, left_off }
    }

    /// The text of the file.
    pub(super) fn text(&self) -> &'a str {
        &self.source.text
    }

    /// The line of this byte, from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    pub(super) fn error(&mut self, code: Code, mark: Mark, message: impl Into<String>) -> &mut Problem {
        self.add(code, Severity::Error, mark, message.into())
    }

    pub(super) fn warning(&mut self, code: Code, mark: Mark, message: impl Into<String>) -> &mut Problem {
        self.add(code, Severity::Warning, mark, message.into())
    }

    fn add(&mut self, code: Code, severity: Severity, mark: Mark, message: String) -> &mut Problem {
        let first_error = severity == Severity::Error && !self.errors;
        self.errors |= severity == Severity::Error;
        if self.problems.len() >= Self::LIMIT {
            // A report that keeps a file from being used shows an error, however many warnings came first.
            if !first_error {
                return &mut self.left_off;
            }
            self.problems.pop();
        }
        let problem = self.problem(code, severity, mark, message);
        // One mistake is told once, however many readers stumble over it.
        let same = |other: &Problem| {
            (other.code, other.line, other.column, &other.message)
                == (problem.code, problem.line, problem.column, &problem.message)
        };
        let known = self.problems.iter().position(same);
        if known.is_none() {
            self.problems.push(problem);
        }
        let index = known.unwrap_or(self.problems.len() - 1);
        &mut self.problems[index]
    }

    fn problem(&self, code: Code, severity: Severity, mark: Mark, message: String) -> Problem {
        let text = &self.source.text;
        let start = floor(text, mark.start);
        let line = self.line_of(start);
        let line_start = self.lines[line - 1];
        let line_text = text[line_start..].lines().next().unwrap_or_default();
        let column = text[line_start..start].chars().count() + 1;
        let end = floor(text, mark.end).min(line_start + line_text.len()).max(start);
        let length = text[start..end].trim_end().chars().count().max(1);
        let is_long = line_text.chars().nth(EXCERPT).is_some();
        let hidden = if is_long { (column - 1).saturating_sub(EXCERPT / 2) } else { 0 };
        let excerpt = line_text.chars().skip(hidden).take(EXCERPT).collect();
        let file = self.source.name.clone();
        Problem { code, severity, message, file, line, column, length, suggestion: None, fix: None, excerpt, hidden }
    }

    /// Whether nothing that is found from here on can change the report.
    pub(super) fn is_settled(&self) -> bool {
        self.errors && self.problems.len() >= Self::LIMIT
    }

    /// Whether any error was found so far.
    pub(super) fn has_errors(&self) -> bool {
        self.errors
    }

    pub(super) fn report(mut self) -> Report {
        self.problems.sort_by_key(|problem| (problem.line, problem.column, problem.severity, problem.code.id()));
        Report { file: self.source.name.clone(), problems: self.problems }
    }
}

/// The nearest place at or before `at` that lies between characters.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}
