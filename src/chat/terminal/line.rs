//! What a typed line of a terminal is: a file, a press, or words.

use std::path::Path;

/// The line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Words, with files.
    Say {
        /// The words.
        text: String,
        /// Paths.
        files: Vec<String>,
    },
    /// A button, by its label.
    Press(String),
    /// Wait until nothing moves.
    Wait,
    /// The end.
    Quit,
}

/// Reads a line.
pub fn read(line: &str) -> Line {
    let line = line.trim();
    match line {
        "/quit" | "/exit" | "exit" | "quit" => return Line::Quit,
        "/wait" => return Line::Wait,
        _ => {}
    }
    if let Some(label) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Line::Press(label.to_owned());
    }
    let attached = match line.strip_prefix("/file ") {
        Some(path) => Some(plain(path)),
        // What a desktop drops into a terminal is a path, quoted or with its spaces escaped.
        None => Some(plain(line)).filter(|path| path.starts_with('/') && Path::new(path).is_file()),
    };
    match attached {
        Some(path) => Line::Say { text: String::new(), files: vec![path] },
        None => Line::Say { text: line.to_owned(), files: Vec::new() },
    }
}

/// A path without its quotes, its escapes, and the scheme of a link to a file.
fn plain(path: &str) -> String {
    let path = path.trim();
    let path = path.strip_prefix("file://").unwrap_or(path);
    for quote in ['\'', '"'] {
        if let Some(inner) = path.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    let mut out = String::new();
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_file_a_press_or_words() {
        let file = |path: &str| Line::Say { text: String::new(), files: vec![path.to_owned()] };
        assert_eq!(read("/file a b.pdf"), file("a b.pdf"));
        assert_eq!(read("/file 'a b.pdf'"), file("a b.pdf"));
        assert_eq!(read("/file a\\ b.pdf"), file("a b.pdf"));
        assert_eq!(read("[ Retry ]"), Line::Press(" Retry ".to_owned()));
        assert_eq!(read(" /quit "), Line::Quit);
        let words = |text: &str| Line::Say { text: text.to_owned(), files: Vec::new() };
        assert_eq!(read("/workflow run x"), words("/workflow run x"));
        assert_eq!(read("/no/such/file.pdf"), words("/no/such/file.pdf"));
    }
}
