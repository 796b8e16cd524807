//! From given texts to checked values. A bad one is noted and read on, so that all problems are told at once.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::domain::code::{self, Code};
use crate::domain::fault::Fault;
use crate::domain::time::Span;

use super::layer::{Given, Layer};

/// Reads values out of what was given.
pub(super) struct Reader {
    given: Layer,
    pub faults: Vec<Fault>,
}

impl Reader {
    pub const fn new(given: Layer, faults: Vec<Fault>) -> Self {
        Self { given, faults }
    }

    /// What was given for this setting.
    pub fn given(&self, key: &str) -> Given {
        self.given.get(key).cloned().unwrap_or_else(Given::nothing)
    }

    /// The one text given for this setting; empty when none was.
    pub fn text(&self, key: &str) -> String {
        self.given(key).values.into_iter().next().unwrap_or_default()
    }

    /// Notes that the value of this setting is not allowed.
    pub fn refuse(&mut self, key: &str, allowed: &str) {
        let text: String = self.text(key).chars().take(80).collect();
        self.fault(code::WF6002, key, format!("`{key}` is `{text}`: it must be {allowed}"));
    }

    /// Notes a fault of this setting.
    pub fn fault(&mut self, code: Code, key: &str, message: String) {
        let source = self.given(key).source.to_string();
        self.faults.push(Fault::permanent(code, message).at(source));
    }

    /// `true` or `false`, in the spellings that environments use.
    pub fn boolean(&mut self, key: &str) -> bool {
        match self.text(key).to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => true,
            "false" | "no" | "off" | "0" => false,
            _ => {
                self.refuse(key, "`true` or `false`");
                false
            }
        }
    }

    /// A whole number within bounds.
    pub fn number(&mut self, key: &str, allowed: RangeInclusive<u32>) -> u32 {
        let number = self.text(key).trim().parse().ok().filter(|number| allowed.contains(number));
        number.unwrap_or_else(|| {
            self.refuse(key, &format!("a whole number from {} to {}", allowed.start(), allowed.end()));
            *allowed.start()
        })
    }

    /// A length of time within bounds.
    pub fn span(&mut self, key: &str, allowed: RangeInclusive<Span>, bounds: &str) -> Span {
        let span = self.text(key).parse().ok().filter(|span| allowed.contains(span));
        span.unwrap_or_else(|| {
            self.refuse(key, &format!("seconds as a number, or with a unit (500ms, 90s, 30m, 2h, 1d), {bounds}"));
            *allowed.start()
        })
    }

    /// One of several words.
    pub fn choice<T: Copy>(&mut self, key: &str, words: [(&str, T); 2]) -> T {
        let text = self.text(key).to_ascii_lowercase();
        words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).unwrap_or_else(|| {
            self.refuse(key, &format!("`{}` or `{}`", words[0].0, words[1].0));
            words[0].1
        })
    }

    /// A path that must be given.
    pub fn path(&mut self, key: &str) -> PathBuf {
        let text = self.text(key);
        if text.is_empty() {
            self.refuse(key, "a path");
        }
        self.written_out(key, &text)
    }

    /// Paths, each as it was given.
    pub fn paths(&mut self, key: &str) -> Vec<PathBuf> {
        self.given(key).values.iter().map(|text| self.written_out(key, text)).collect()
    }

    /// Only shells know `~`; taken as it is, it would become a folder of that name.
    pub fn written_out(&mut self, key: &str, text: &str) -> PathBuf {
        if text.starts_with('~') {
            self.fault(code::WF6002, key, format!("`{key}` begins with `~`: it must be the path written out"));
        }
        PathBuf::from(text)
    }
}
