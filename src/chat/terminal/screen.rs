//! What a terminal shows: blocks of text, the last of which can be drawn again in its place, and below it the line that
//! is being typed. Where the output is no terminal, every block is written once and every change as a block.

use std::io::Write;

use console::{Term, measure_text_width};

/// The beginning of the line that is typed.
const PROMPT: &str = "> ";

/// A screen.
pub struct Screen {
    out: Out,
    /// The last block, and what it shows.
    last: Option<(String, String)>,
    typed: String,
}

enum Out {
    /// Draws in place.
    Live(Term),
    /// Only writes.
    Plain(Box<dyn Write + Send>),
}

impl Screen {
    /// The screen of this terminal.
    #[must_use]
    pub fn live(term: Term) -> Self {
        Self { out: Out::Live(term), last: None, typed: String::new() }
    }

    /// A screen that only writes.
    #[must_use]
    pub fn plain(out: Box<dyn Write + Send>) -> Self {
        Self { out: Out::Plain(out), last: None, typed: String::new() }
    }

    /// Shows a block, in the place of the one before where that is the same message.
    pub fn show(&mut self, message: &str, text: &str) {
        let again = self.last.as_ref().filter(|(last, _)| last == message).map(|(_, shown)| shown.clone());
        if again.as_deref() == Some(text) {
            return;
        }
        match &mut self.out {
            Out::Plain(out) => {
                let _ = writeln!(out, "{text}\n").and_then(|()| out.flush()); // nobody looks: nothing to do about it
            }
            Out::Live(term) => {
                let rows = again.map_or(0, |shown| rows(term, &shown) + 1);
                let _ = draw(term, rows, text, &self.typed); // likewise
            }
        }
        self.last = Some((message.to_owned(), text.to_owned()));
    }

    /// Whether the last block says this already.
    #[must_use]
    pub fn shows(&self, text: &str) -> bool {
        self.last.as_ref().is_some_and(|(_, shown)| shown.contains(text))
    }

    /// Shows what is being typed.
    pub fn typing(&mut self, typed: &str) {
        typed.clone_into(&mut self.typed);
        if let Out::Live(term) = &self.out {
            let _ = term.clear_line().and_then(|()| term.write_str(&prompt(term, typed))); // likewise
        }
    }

    /// Leaves a typed line among what was said.
    pub fn entered(&mut self, typed: &str) {
        self.typed.clear();
        if let Out::Live(term) = &self.out {
            // What stands above a typed line is not drawn again.
            self.last = None;
            let said = format!("{PROMPT}{typed}\n\n{PROMPT}");
            let _ = term.clear_line().and_then(|()| term.write_str(&said)); // likewise
        }
    }
}

impl Drop for Screen {
    /// Leaves an empty line to whoever writes next.
    fn drop(&mut self) {
        if let Out::Live(term) = &self.out {
            let _ = term.clear_line(); // nobody looks: nothing to do about it
        }
    }
}

/// Takes the typed line and so many rows above it away, and writes a block and the typed line in their place.
fn draw(term: &Term, rows: usize, text: &str, typed: &str) -> std::io::Result<()> {
    term.clear_line()?;
    term.clear_last_lines(rows)?;
    term.write_str(&format!("{text}\n\n{}", prompt(term, typed)))?;
    term.flush()
}

/// The typed line: of a long one its end, so that it stays one row.
fn prompt(term: &Term, typed: &str) -> String {
    let room = usize::from(term.size().1).saturating_sub(PROMPT.len() + 1);
    let length = typed.chars().count();
    let end: String = typed.chars().skip(length.saturating_sub(room)).collect();
    format!("{PROMPT}{end}")
}

/// Rows that a text takes.
fn rows(term: &Term, text: &str) -> usize {
    let width = usize::from(term.size().1).max(1);
    text.lines().map(|line| measure_text_width(line).max(1).div_ceil(width)).sum()
}
