//! The keyboard of a conversation: whole lines as they are entered. At a terminal the line is edited here, so that
//! what is shown above it can change meanwhile; elsewhere standard input is read line by line.

use console::{Key, Term};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::mpsc;

/// Entered lines that are remembered for the arrow keys.
const REMEMBERED: usize = 100;
/// The longest line, in characters; longer texts come as files.
const LONGEST: usize = 40_000;

/// What the keyboard brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// The line so far.
    Sofar(String),
    /// A whole line.
    Line(String),
    /// Ctrl-C, Ctrl-D or the end of the input.
    End,
}

/// Reads this terminal's keys on a thread of their own.
pub fn keys(term: Term) -> mpsc::Receiver<Typed> {
    let (sender, typed) = mpsc::channel(64);
    std::thread::spawn(move || {
        let mut line = Line::default();
        // The thread ends with the process at the latest: a read of a key cannot be taken back.
        while let Ok(key) = term.read_key_raw() {
            let news = line.press(&key);
            let is_over = news == Some(Typed::End);
            if news.is_some_and(|news| sender.blocking_send(news).is_err()) || is_over {
                return;
            }
        }
        let _ = sender.blocking_send(Typed::End); // nobody listens any more
    });
    typed
}

/// Reads standard input, line by line.
pub fn lines() -> mpsc::Receiver<Typed> {
    let (sender, typed) = mpsc::channel(64);
    tokio::spawn(async move {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if sender.send(Typed::Line(line)).await.is_err() {
                return;
            }
        }
        let _ = sender.send(Typed::End).await; // nobody listens any more
    });
    typed
}

/// A line that is being edited, and those before it.
#[derive(Default)]
struct Line {
    text: String,
    before: Vec<String>,
    /// Which of those is shown, counted from the newest.
    back: usize,
}

impl Line {
    /// What a key leads to.
    fn press(&mut self, key: &Key) -> Option<Typed> {
        match key {
            Key::Char('\u{4}') | Key::CtrlC => return Some(Typed::End),
            Key::Char('\u{15}') => self.text.clear(),
            Key::Char(c) if !c.is_control() && self.text.chars().count() < LONGEST => self.text.push(*c),
            Key::Backspace => drop(self.text.pop()),
            Key::ArrowUp if self.back < self.before.len() => {
                self.back += 1;
                self.recall();
            }
            Key::ArrowDown if self.back > 0 => {
                self.back -= 1;
                self.recall();
            }
            Key::Enter => return Some(Typed::Line(self.enter())),
            _ => return None,
        }
        Some(Typed::Sofar(self.text.clone()))
    }

    fn enter(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() && self.before.last() != Some(&text) {
            self.before.push(text.clone());
        }
        if self.before.len() > REMEMBERED {
            self.before.remove(0);
        }
        self.back = 0;
        text
    }

    fn recall(&mut self) {
        let at = self.before.len().checked_sub(self.back).filter(|_| self.back > 0);
        self.text = at.map(|at| self.before[at].clone()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, text: &str) {
        text.chars().for_each(|c| drop(line.press(&Key::Char(c))));
    }

    #[test]
    fn a_line_is_edited_entered_and_recalled() {
        let mut line = Line::default();
        typed(&mut line, "statuss");
        assert_eq!(line.press(&Key::Backspace), Some(Typed::Sofar("status".to_owned())));
        assert_eq!(line.press(&Key::Enter), Some(Typed::Line("status".to_owned())));
        typed(&mut line, "help");
        line.press(&Key::Enter);
        assert_eq!(line.press(&Key::ArrowUp), Some(Typed::Sofar("help".to_owned())));
        assert_eq!(line.press(&Key::ArrowUp), Some(Typed::Sofar("status".to_owned())));
        assert_eq!(line.press(&Key::ArrowUp), None, "there is nothing before the first");
        assert_eq!(line.press(&Key::ArrowDown), Some(Typed::Sofar("help".to_owned())));
        assert_eq!(line.press(&Key::ArrowDown), Some(Typed::Sofar(String::new())));
        assert_eq!(line.press(&Key::Char('\u{4}')), Some(Typed::End));
    }
}
