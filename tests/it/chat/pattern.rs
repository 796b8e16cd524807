//! A message as a conversation file expects it: ids, times and durations stand as placeholders.

use regex::Regex;

/// What a placeholder stands for.
const PLACEHOLDERS: &[(&str, &str)] = &[
    ("{id}", "exec_[0-9a-z]{26}"),
    ("{file}", "file_[0-9a-z]{26}"),
    ("{s}", r"(?:\d+(?:\.\d)? s|\d+ min(?: \d+ s)?)"),
    ("{time}", r"\d\d:\d\d:\d\d UTC"),
    ("{moment}", r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"),
    ("{*}", ".*"),
];

/// A whole message. A line `...` stands for any number of lines.
pub struct Pattern(Regex);

impl Pattern {
    /// The pattern of this text.
    pub fn new(text: &str) -> Self {
        let mut pattern = String::from(r"\A");
        for (place, line) in text.trim_end().lines().enumerate() {
            if line.trim() == "..." {
                pattern.push_str(r"(?:\n?[^\n]*)*");
                continue;
            }
            if place > 0 {
                pattern.push_str(r"\n");
            }
            let mut line = regex::escape(line.trim_end());
            for (name, stands_for) in PLACEHOLDERS {
                line = line.replace(&regex::escape(name), stands_for);
            }
            pattern.push_str(&line);
        }
        pattern.push_str(r"\z");
        Self(Regex::new(&pattern).unwrap_or_else(|error| panic!("{error} in {pattern}")))
    }

    /// Whether a message is this one. A button to share it is the platform's business, not the answer's, and what
    /// keeps mentions from ringing cannot be seen.
    pub fn is(&self, message: &str) -> bool {
        let plain = message.replace(" [Share]", "").replace("\n[Share]", "").replace('\u{2060}', "");
        let lines: Vec<_> = plain.lines().map(str::trim_end).collect();
        self.0.is_match(lines.join("\n").trim_end())
    }
}

#[test]
fn a_pattern_matches_the_whole_message_and_nothing_else() {
    let pattern = Pattern::new("Workflow started: {id}\nX · completed in {s}\n...\n[Rerun]");
    let id = "exec_01m841n6y0t8n7krs78vja7gfh";
    assert!(pattern.is(&format!("Workflow started: {id}\nX · completed in 0.1 s\n 1 done\n 2 done\n[Rerun] [Share]")));
    assert!(pattern.is(&format!("Workflow started: {id}\nX · completed in 2 min 3 s\n[Rerun]")));
    assert!(!pattern.is(&format!("Workflow started: {id}\nX · completed in soon\n[Rerun]")));
    assert!(!pattern.is(&format!("Workflow started: {id}\nX · completed in 0.1 s\n[Rerun]\nmore")));
}
