//! The text of a file, checked before any parser sees it.

use crate::domain::code;
use crate::language::report::{Findings, Mark, Report};

/// The largest workflow file, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// A workflow file: its name, for messages, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name or path, as messages should show it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// A source of this name and text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// A source of the bytes of a file.
    ///
    /// # Errors
    /// A report (`WF1002`, `WF1003`) when they are too many or not UTF-8 text.
    pub fn from_bytes(name: impl Into<String>, bytes: &[u8]) -> Result<Self, Report> {
        let name = name.into();
        let kept = &bytes[..bytes.len().min(MAX_BYTES + 1)];
        let wide = match kept {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
            // UTF-16 without a mark: every other byte of plain English is zero.
            [first, second, ..] => (*first == 0) != (*second == 0),
            _ => false,
        };
        let (text, at, what) = match std::str::from_utf8(kept) {
            Ok(text) if !wide => return Ok(Self::new(name, text)),
            // The cut at the limit may fall into a character; the size is then what is wrong.
            Err(error) if error.error_len().is_none() && kept.len() > MAX_BYTES && !wide => {
                return Ok(Self::new(name, String::from_utf8_lossy(kept)));
            }
            _ if wide => (String::new(), 0, "the file is UTF-16, not UTF-8"),
            Ok(text) => (text.to_owned(), 0, "the file is not UTF-8"),
            Err(error) => {
                let at = error.valid_up_to();
                (String::from_utf8_lossy(&kept[..at]).into_owned(), at, "the file is not UTF-8 here")
            }
        };
        let source = Self::new(name, text);
        let mut findings = Findings::new(&source);
        findings.error(code::WF1003, Mark { start: at, end: at }, what).fix("save the file as UTF-8");
        Err(findings.report())
    }

    /// Finds what no parser should see: too much text, a byte order mark, control characters.
    pub(super) fn check(&self, findings: &mut Findings) {
        if self.text.len() > MAX_BYTES {
            let message = format!("the file has more than {MAX_BYTES} bytes");
            findings.error(code::WF1002, Mark::default(), message).fix("split it into several workflows");
            return;
        }
        for (at, c) in self.text.char_indices() {
            let mark = Mark { start: at, end: at + c.len_utf8() };
            if c == '\u{feff}' {
                let message = if at == 0 { "a byte order mark at the start of the file" } else { "a byte order mark" };
                findings.error(code::WF1003, mark, message).fix("save the file as UTF-8 without a byte order mark");
                return;
            }
            if c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') {
                let message = format!("the control character U+{:04X}", u32::from(c));
                findings.error(code::WF1003, mark, message).fix("delete it, or write it as an escape in double quotes");
                return;
            }
        }
    }
}
