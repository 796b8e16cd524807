//! A report as text: the sentence, the place, the line, and marks under the words that are meant.
//!
//! ```text
//! error[WF1012]: unknown key `retires` in step `Extract Text`
//!   --> invoice.yaml:14:9
//!    |
//! 14 |         retires: 3
//!    |         ^^^^^^^ did you mean `retry`?
//!    = fix: ...
//! ```

use std::fmt::Write as _;

use super::report::{Problem, Report, Severity};

impl Report {
    /// The report as text, one paragraph per problem, then a summary. `colour` adds ANSI colours.
    #[must_use]
    pub fn text(&self, colour: bool) -> String {
        let paint = Paint { on: colour };
        let mut out = String::new();
        for problem in &self.problems {
            paragraph(&mut out, problem, paint);
            out.push('\n');
        }
        if !self.problems.is_empty() {
            let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
                .into_iter()
                .map(|(severity, noun)| (self.count(severity), noun))
                .filter(|(count, _)| *count > 0)
                .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }));
            let _ = writeln!(out, "{}: {}", self.file, counts.collect::<Vec<_>>().join(", "));
        }
        out
    }
}

fn paragraph(out: &mut String, problem: &Problem, paint: Paint) {
    let head = format!("{}[{}]", problem.severity, problem.code);
    let number = problem.line.to_string();
    let margin = " ".repeat(number.len());
    let lead = problem.column - 1 - problem.hidden;
    let room = problem.excerpt.chars().count().saturating_sub(lead);
    let marks = "^".repeat(problem.length.min(room).max(1));
    let before: String = problem.excerpt.chars().take(lead).map(|c| pad(c).1).collect();
    let meant = problem.suggestion.as_ref().map(|word| format!(" did you mean `{word}`?")).unwrap_or_default();
    let line: String = problem.excerpt.chars().map(|c| pad(c).0).collect();

    let _ = writeln!(out, "{}: {}", paint.severity(problem.severity, &head), paint.bold(&problem.message));
    let place = format!("{}:{}:{}", problem.file, problem.line, problem.column);
    let _ = writeln!(out, "{margin}{} {place}", paint.dim("-->"));
    let _ = writeln!(out, "{margin} {}", paint.dim("|"));
    let _ = writeln!(out, "{} {} {line}", paint.dim(&number), paint.dim("|"));
    let _ = writeln!(
        out,
        "{margin} {} {before}{}",
        paint.dim("|"),
        paint.severity(problem.severity, &format!("{marks}{meant}"))
    );
    if let Some(fix) = &problem.fix {
        let _ = writeln!(out, "{margin} {} {fix}", paint.dim("= fix:"));
    }
}

/// How a character is shown, and what stands in its place above the marks. Control characters would move the
/// cursor or hide text, so they are shown as a sign.
fn pad(c: char) -> (char, char) {
    match c {
        '\t' => (' ', ' '),
        c if c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
        {
            ('\u{fffd}', ' ')
        }
        // East Asian and emoji fill two cells; marks under them stay in line with a wide blank.
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}' => (c, '\u{3000}'),
        c => (c, ' '),
    }
}

#[derive(Clone, Copy)]
struct Paint {
    on: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn severity(self, severity: Severity, text: &str) -> String {
        self.with(
            match severity {
                Severity::Error => "1;31",
                Severity::Warning => "1;33",
                Severity::Note => "1;36",
            },
            text,
        )
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }
}
