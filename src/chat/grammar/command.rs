//! Tokens as a verb: the definition is clap's, shared with the terminal; here it is only asked.

use std::ffi::OsString;
use std::sync::LazyLock;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{FromArgMatches as _, Subcommand as _};

use super::lexer::{Shape, Token};
use super::normalise::{Mark, folded, inert};
use super::{Kind, Trouble, prefix};
use crate::language;
use crate::service::verbs::Verb;

/// A command that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A verb with all that belongs to it.
    Verb(Box<Verb>),
    /// Help, with a topic or without.
    Help(Option<String>),
}

static DEFINITION: LazyLock<clap::Command> = LazyLock::new(|| {
    let command = clap::Command::new("/workflow").no_binary_name(true).color(clap::ColorChoice::Never);
    let command = command.disable_help_subcommand(true).subcommand_required(true).term_width(88);
    let mut command = Verb::augment_subcommands(command);
    command.build();
    command
});

/// The verbs, in the order in which help lists them: name and what it does.
pub static VERBS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let about = |verb: &'static clap::Command| verb.get_about().map(ToString::to_string).unwrap_or_default();
    DEFINITION.get_subcommands().map(|verb| (verb.get_name(), about(verb))).collect()
});

/// Something that a verb takes after it, by its place and without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positional {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: String,
    /// Whether it must be said.
    pub required: bool,
    /// What it can be, where it is one of a few words.
    pub choices: Vec<String>,
}

/// What a verb takes: by place, in order, and whether files may come along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takes {
    /// By place.
    pub positionals: Vec<Positional>,
    /// Whether files that come along mean something.
    pub files: bool,
}

/// What a verb takes; `None`: there is no such verb.
#[must_use]
pub fn takes(verb: &str) -> Option<Takes> {
    let verb: &'static clap::Command = DEFINITION.find_subcommand(verb)?;
    let is_path = |argument: &clap::Arg| {
        argument.get_value_parser().type_id() == clap::builder::ValueParser::path_buf().type_id()
    };
    let positional = |argument: &'static clap::Arg| Positional {
        name: argument.get_id().as_str(),
        about: argument.get_help().map(ToString::to_string).unwrap_or_default(),
        required: argument.is_required_set(),
        choices: argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect(),
    };
    // A path of the server's disk never comes from a chat: a file comes along instead.
    let positionals = verb.get_positionals().filter(|argument| !is_path(argument)).map(positional).collect();
    let answers = matches!(verb.get_name(), "answer" | "rerun");
    Some(Takes { positionals, files: answers || verb.get_arguments().any(is_path) })
}

/// How a verb is used, as help shows it.
#[must_use]
pub fn usage(verb: &str) -> Option<String> {
    let mut command = DEFINITION.find_subcommand(verb)?.clone();
    Some(command.render_help().to_string())
}

/// Whether a line begins with a verb, or with a word so like one that it was meant.
pub fn begins_with_verb(line: &[Mark]) -> bool {
    let (word, rest) = prefix::word(line);
    let short = rest.iter().take(60).count() < 60;
    known(&word).is_some() || word == "help" || (short && word.len() > 3 && nearest(&word).is_some())
}

/// Whether a line begins with a verb.
pub fn is_verb(line: &[Mark]) -> bool {
    let (word, _) = prefix::word(line);
    word == "help" || known(&word).is_some()
}

fn known(word: &str) -> Option<&'static str> {
    VERBS.iter().map(|(name, _)| *name).find(|name| *name == word)
}

fn nearest(word: &str) -> Option<&'static str> {
    language::near(word, VERBS.iter().map(|(name, _)| *name))
}

/// Reads a verb. `run` is the execution that is meant where none is named.
///
/// # Errors
/// No such verb, or what follows does not fit it.
pub fn read(tokens: &[Token], run: Option<&str>) -> Result<Command, Trouble> {
    let Some((first, rest)) = tokens.split_first() else { return Ok(Command::Help(None)) };
    let typed = match (&first.shape, &first.value) {
        (Shape::Word, Some(word)) => folded(word),
        (Shape::Flag(name), None) => name.clone(),
        _ => super::print::print(std::slice::from_ref(first)),
    };
    if typed == "help" {
        let topic = rest.first().and_then(|token| token.value.as_deref()).map(folded);
        return Ok(Command::Help(topic.and_then(|topic| known(&topic).or_else(|| nearest(&topic))).map(str::to_owned)));
    }
    let Some(verb) = known(&typed) else { return Err(unknown(&typed)) };
    let definition = DEFINITION.find_subcommand(verb).expect("`known` found it among the subcommands");
    let line = arguments(verb, definition, rest, run)?;
    let matches = DEFINITION.clone().try_get_matches_from(line).and_then(|mut matches| {
        let verb = Verb::from_arg_matches_mut(&mut matches)?;
        Ok(Command::Verb(Box::new(verb)))
    });
    matches.or_else(|error| match error.kind() {
        ErrorKind::DisplayHelp => Ok(Command::Help(Some(verb.to_owned()))),
        _ => Err(refused(verb, &error)),
    })
}

fn unknown(typed: &str) -> Trouble {
    let near = nearest(typed);
    let shown = inert(typed, 60);
    let fix = match near {
        Some(near) => format!("did you mean `{near}`? `help` lists what there is"),
        None => "`help` lists what there is".to_owned(),
    };
    Trouble { message: format!("there is no verb `{shown}`"), fix, kind: Kind::Verb { typed: typed.to_owned(), near } }
}

/// The command line that these tokens mean: options before `--`, so that no word of a user is taken for one.
fn arguments(
    verb: &'static str,
    definition: &clap::Command,
    tokens: &[Token],
    run: Option<&str>,
) -> Result<Vec<OsString>, Trouble> {
    let option = |name: &str| definition.get_arguments().find(|argument| argument.get_long() == Some(name));
    let takes_inputs = definition.get_positionals().any(|argument| argument.get_id() == "inputs");
    let (mut options, mut words): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut tokens = tokens.iter().peekable();
    while let Some(token) = tokens.next() {
        let value = token.value.clone();
        match &token.shape {
            Shape::Word => words.push(value.unwrap_or_default()),
            Shape::Pair(key) if option(key).is_some() && !takes_inputs => {
                options.push(format!("--{key}={}", value.unwrap_or_default()));
            }
            Shape::Pair(key) => words.push(format!("{key}={}", value.unwrap_or_default())),
            Shape::Flag(name) => {
                let wants = option(name).is_some_and(|argument| argument.get_action().takes_values());
                let next = tokens.next_if(|next| wants && value.is_none() && next.shape == Shape::Word);
                match value.or_else(|| next.and_then(|next| next.value.clone())) {
                    Some(value) => options.push(format!("--{name}={value}")),
                    None => options.push(format!("--{name}")),
                }
            }
        }
    }
    // Inputs without an execution are for the one that asks, or the newest.
    let inputs_first = takes_inputs && words.first().is_some_and(|word| word.contains('='));
    if let Some(run) = run.or(inputs_first.then_some("last")).filter(|_| means_run(definition, &words)) {
        words.insert(0, run.to_owned());
    }
    // A picture of what was typed belongs to this room; a path of the server's disk never comes from a chat.
    let line = std::iter::once(verb.to_owned()).chain(options).chain(std::iter::once("--".to_owned())).chain(words);
    Ok(line.map(OsString::from).collect())
}

/// Whether an execution is meant and not named.
fn means_run(definition: &clap::Command, words: &[String]) -> bool {
    let first = definition.get_positionals().next().is_some_and(|argument| argument.get_id() == "execution");
    let several = definition.get_positionals().any(|argument| argument.get_id() == "wanted");
    let named = match words.first() {
        Some(word) if word.contains('=') => false,
        Some(word) if several => is_target(word) || words.len() > 1,
        Some(_) => true,
        None => false,
    };
    first && !named
}

/// Whether a word can only mean an execution.
#[must_use]
pub fn is_target(word: &str) -> bool {
    let numbered = word.strip_prefix('#').is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
    word == "last" || word.starts_with("exec_") || numbered
}

fn refused(verb: &'static str, error: &clap::Error) -> Trouble {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(inert(text, 200)),
        Some(ContextValue::Strings(texts)) => texts.first().map(|text| inert(text, 200)),
        _ => None,
    };
    let help = format!("`help {verb}` shows how it is used");
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::MissingRequiredArgument if matches!(verb, "run" | "plan" | "show") => {
            let message = format!("`{verb}` wants the name of a workflow");
            Trouble { message, fix: format!("as in `{verb} document_processing`"), kind: Kind::Unnamed(verb) }
        }
        ErrorKind::MissingRequiredArgument => {
            // Its name comes from the definition: `<QUERY>...`.
            let name = argument.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
            Trouble { message: format!("`{verb}` wants {name}"), fix: help, kind: Kind::Usage(verb) }
        }
        ErrorKind::UnknownArgument => {
            let near = context(ContextKind::SuggestedArg);
            let fix = near.map_or(help, |near| format!("did you mean `{near}`?"));
            Trouble { message: format!("`{verb}` does not take `{argument}`"), fix, kind: Kind::Usage(verb) }
        }
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
            let valid = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(valid)) => format!("it is one of {}", valid.join(", ")),
                _ => help,
            };
            // Its name comes from the definition: `--tail <TAIL>`.
            let argument = argument.split(' ').next().unwrap_or_default();
            let message = format!("`{value}` does not fit `{argument}`{why}");
            Trouble { message, fix: valid, kind: Kind::Usage(verb) }
        }
        _ => {
            let rendered = error.render().to_string();
            let first = rendered.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Trouble { message: inert(first, 300), fix: help, kind: Kind::Usage(verb) }
        }
    }
}
