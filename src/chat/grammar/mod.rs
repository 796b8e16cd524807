//! What people type, read strictly. Pure, and total: any text gives a command, talk, or one sentence of refusal.
//!
//! ```text
//! line    := [prefix] verb { word | pair | flag }
//! prefix  := "/workflow" | "/wf" | "@" name ["workflow"]     nothing, where everything is meant for us
//! pair    := key "=" value | key ":" value                   an input, or an option of the verb
//! flag    := "--" name [ "=" value ]
//! value   := bare | "text with \" and \\" | 'raw' | `raw` | [list] | {json} | ``` block ```
//! target  := id | beginning of an id | "last" | "#" n        in a run's thread: nothing
//! ```
//!
//! The way of a line: [`normalise`] (what phones and platforms make of it) -> [`lexer`] (tokens with their places) ->
//! [`command`] (the verbs of `service::verbs`, the same that the terminal has).

pub mod command;
pub mod lexer;
pub mod normalise;
mod prefix;
mod print;
mod spoken;

#[cfg(test)]
mod tests;

pub use command::{Command, VERBS};
pub use normalise::inert;
pub use print::print;
pub use spoken::{Arguments, arguments, spoken};

use crate::service::verbs::Verb;

/// The longest line that is read, in characters.
pub const LONGEST: usize = 40_000;
/// The most words, inputs and options of one line.
pub const MOST: usize = 1_000;

/// Where something was said, as far as it changes how it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'p> {
    /// The names under which we are spoken to.
    pub names: &'p [&'p str],
    /// Everything here is meant for us: a direct conversation, or a run's thread.
    pub is_open: bool,
    /// The execution that is meant when none is named.
    pub run: Option<&'p str>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Nothing that is meant for us.
    Nothing,
    /// A verb with all that belongs to it.
    Verb(Box<Verb>),
    /// Help was asked for, with a verb or without.
    Help(Option<String>),
    /// Meant for us, and not a command: an answer to a question perhaps.
    Text(String),
}

/// Why a line was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong; begins small, no full stop.
    pub message: String,
    /// What to type instead.
    pub fix: String,
    /// What kind of trouble it is.
    pub kind: Kind,
}

/// Kinds of trouble that are answered differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The line cannot be read.
    Unreadable,
    /// There is no such verb.
    Verb {
        /// As it was typed.
        typed: String,
        /// The nearest one, if any is near.
        near: Option<&'static str>,
    },
    /// A workflow had to be named after this verb.
    Unnamed(&'static str),
    /// Something is wrong with what follows this verb.
    Usage(&'static str),
}

impl Trouble {
    fn unreadable(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into(), kind: Kind::Unreadable }
    }
}

/// Reads one message.
///
/// # Errors
/// It is meant for us and cannot be understood.
pub fn hear(text: &str, place: &Place<'_>) -> Result<Heard, Trouble> {
    // Counted before anything is done with it: a long text costs no more than its length.
    let too_long = text.chars().nth(LONGEST).is_some();
    let normal = normalise::normalise(text.chars().take(if too_long { 200 } else { LONGEST }));
    let (spoken_to, rest) = prefix::strip(&normal, place.names);
    if !spoken_to && !place.is_open {
        return Ok(Heard::Nothing);
    }
    if too_long {
        let message = format!("that is longer than {LONGEST} characters");
        return Err(Trouble::unreadable(message, "send long texts as a file"));
    }
    if !spoken_to && !command::begins_with_verb(rest) {
        let text: String = rest.iter().map(|mark| mark.c).collect();
        return Ok(Heard::Text(text.trim().to_owned()));
    }
    match command::read(&lexer::lex(rest)?, place.run)? {
        Command::Verb(verb) => Ok(Heard::Verb(verb)),
        Command::Help(topic) => Ok(Heard::Help(topic)),
    }
}
