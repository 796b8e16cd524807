//! `/workflow` as Discord knows it: made of the verbs, so that a new verb needs no line here; and what was chosen read
//! back as the line that could have been typed. Pure.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use serenity::model::application::{CommandDataOption, CommandDataOptionValue};

use super::markup::cut;
use crate::chat::grammar::VERBS;
use crate::chat::grammar::command::{Positional, takes};

/// The command's name.
pub const NAME: &str = "workflow";
/// The option that takes a file.
pub const FILE: &str = "file";
/// The option that takes inputs.
pub const INPUTS: &str = "inputs";
/// The option that takes whatever else can be typed.
const ARGUMENTS: &str = "arguments";
/// The group of the verbs for which there is no place of their own.
const MORE: &str = "more";
/// Options, and sub-commands, of one command at the most.
const MOST: usize = 25;
/// Characters of a description.
const DESCRIPTION: usize = 100;
/// Verbs that give their place to others where there are not enough.
const SELDOM: [&str; 4] = ["bulk", "rollback", "skip", "signal"];
/// Kinds of options.
const SUB_COMMAND: u8 = 1;
const GROUP: u8 = 2;
const TEXT: u8 = 3;
const ATTACHMENT: u8 = 11;

static DEFINITION: LazyLock<Value> = LazyLock::new(|| {
    let help = option(TEXT, "verb", "The verb to tell about", false);
    let help =
        json!({ "type": SUB_COMMAND, "name": "help", "description": "What can be said here", "options": [help] });
    // Two places are kept: for help, and for the group of the rest.
    let mut verbs: Vec<_> = VERBS.iter().collect();
    verbs.sort_by_key(|(name, _)| SELDOM.contains(name));
    let first = if verbs.len() < MOST { verbs.len() } else { MOST - 2 };
    let mut options: Vec<Value> = verbs[..first].iter().map(|(name, about)| verb(name, about)).collect();
    options.push(help);
    if first < verbs.len() {
        let rest: Vec<Value> = verbs[first..].iter().take(MOST).map(|(name, about)| verb(name, about)).collect();
        options.push(json!({ "type": GROUP, "name": MORE, "description": "Further verbs", "options": rest }));
    }
    json!({
        "name": NAME,
        "type": 1,
        "description": "Start, watch and steer workflows",
        "integration_types": [0],
        "contexts": [0, 1],
        "options": options,
    })
});

/// The command, as it is registered.
#[must_use]
pub fn definition() -> &'static Value {
    &DEFINITION
}

fn option(kind: u8, name: &str, about: &str, required: bool) -> Value {
    let mut option = json!({ "type": kind, "name": name, "description": cut(about, DESCRIPTION) });
    if required {
        option["required"] = json!(true);
    }
    option
}

fn verb(name: &str, about: &str) -> Value {
    let takes = takes(name).unwrap_or(crate::chat::grammar::command::Takes { positionals: Vec::new(), files: false });
    let mut options: Vec<Value> = takes.positionals.iter().map(|positional| of_positional(name, positional)).collect();
    if takes.files {
        options.push(option(ATTACHMENT, FILE, "A file that comes along", false));
    }
    options.push(option(TEXT, ARGUMENTS, "Anything else, as it would be typed: --step=2", false));
    json!({ "type": SUB_COMMAND, "name": name, "description": cut(about, DESCRIPTION), "options": options })
}

fn of_positional(verb: &str, positional: &Positional) -> Value {
    let mut made = option(TEXT, positional.name, &positional.about, positional.required);
    if completes(verb, positional.name) {
        made["autocomplete"] = json!(true);
    }
    if !positional.choices.is_empty() {
        let choices = positional.choices.iter().take(MOST).map(|choice| json!({ "name": choice, "value": choice }));
        made["choices"] = choices.collect();
    }
    made
}

/// Whether somebody who types there is helped.
fn completes(verb: &str, option: &str) -> bool {
    matches!(option, "workflow" | "name") || (option == INPUTS && matches!(verb, "run" | "plan"))
}

/// Whether what is registered is the same as what would be, as far as it is ours to say.
#[must_use]
pub fn is_registered(registered: &Value) -> bool {
    let ours = registered.as_array().into_iter().flatten().find(|command| command["name"] == NAME);
    ours.is_some_and(|theirs| essence(theirs) == essence(definition()))
}

/// What we say of a command; Discord adds ids, versions and everything that is as usual.
fn essence(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let known = ["name", "type", "description", "required", "autocomplete", "options", "choices", "value"];
            let usual = |value: &Value| value.is_null() || *value == json!(false) || *value == json!([]);
            let kept = known.iter().filter_map(|key| Some((*key, map.get(*key)?)));
            let kept = kept.filter(|(_, value)| !usual(value)).map(|(key, value)| (key.to_owned(), essence(value)));
            Value::Object(kept.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(essence).collect(),
        other => other.clone(),
    }
}

/// What was chosen: the verb and its options.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen<'c> {
    /// The verb.
    pub verb: &'c str,
    options: &'c [CommandDataOption],
}

impl<'c> Chosen<'c> {
    /// Reads what was chosen; `None`: it is no command of ours.
    #[must_use]
    pub fn read(options: &'c [CommandDataOption]) -> Option<Self> {
        let first = options.first()?;
        match &first.value {
            CommandDataOptionValue::SubCommandGroup(inner) => Self::read(inner),
            CommandDataOptionValue::SubCommand(inner) => Some(Self { verb: &first.name, options: inner }),
            _ => None,
        }
    }

    /// What was typed into an option.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'c str> {
        let option = self.options.iter().find(|option| option.name == name)?;
        match &option.value {
            CommandDataOptionValue::String(text) => Some(text),
            CommandDataOptionValue::Autocomplete { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The option that is being typed, and what stands there.
    #[must_use]
    pub fn typing(&self) -> Option<(&'c str, &'c str)> {
        self.options.iter().find_map(|option| match &option.value {
            CommandDataOptionValue::Autocomplete { value, .. } => Some((option.name.as_str(), value.as_str())),
            _ => None,
        })
    }

    /// The files that came along.
    pub fn files(&self) -> impl Iterator<Item = serenity::model::id::AttachmentId> + use<'c> {
        self.options.iter().filter_map(|option| match option.value {
            CommandDataOptionValue::Attachment(id) => Some(id),
            _ => None,
        })
    }

    /// The line that could have been typed.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!("/workflow {}", self.verb);
        let mut say = |text: &str| {
            line.push(' ');
            line.push_str(text);
        };
        let positionals = takes(self.verb).map(|takes| takes.positionals).unwrap_or_default();
        let given = |name: &str| self.text(name).map(str::trim).filter(|text| !text.is_empty());
        for (place, positional) in positionals.iter().enumerate() {
            let later = || positionals[place + 1..].iter().any(|later| given(later.name).is_some());
            match (positional.name, given(positional.name)) {
                // Several words, or pairs: they stand there as they would be typed.
                (INPUTS | "payload" | "words", Some(text)) => say(text),
                (_, Some(text)) => say(&quoted(text)),
                // What comes after it must not be taken for it.
                ("execution", None) if later() => say("last"),
                (_, None) => {}
            }
        }
        [given("verb"), given(ARGUMENTS)].into_iter().flatten().for_each(say);
        line
    }
}

/// A word as it is typed where something in it would be read otherwise.
fn quoted(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '#'));
    if is_plain && !text.starts_with("--") {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The line whose continuation is looked for, and what stands before it on the way back; `None`: nothing is known there.
#[must_use]
pub fn typed(chosen: &Chosen<'_>) -> Option<(String, String)> {
    let (option, begun) = chosen.typing()?;
    match option {
        INPUTS => {
            let workflow = chosen.text("workflow")?;
            let before = format!("{} {workflow} ", chosen.verb);
            Some((format!("{before}{begun}"), before))
        }
        // The verbs with workflows all complete alike.
        _ => Some((format!("run {begun}"), "run ".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(json: &Value) -> Vec<CommandDataOption> {
        let data = json!({ "id": "1", "name": "workflow", "type": 1, "options": json });
        serde_json::from_value::<serenity::model::application::CommandData>(data).expect("a command").options
    }

    #[test]
    fn the_command_is_as_large_as_discord_takes_it_and_has_every_verb() {
        let definition = definition();
        let options = definition["options"].as_array().expect("a list");
        assert!(options.len() <= MOST);
        let mut names: Vec<&str> = Vec::new();
        let mut size = 0;
        let mut stack: Vec<&Value> = vec![definition];
        while let Some(value) = stack.pop() {
            let part = |key: &str| value[key].as_str().unwrap_or_default();
            assert!((1..=32).contains(&part("name").len()) && (1..=100).contains(&part("description").chars().count()));
            size += part("name").chars().count() + part("description").chars().count();
            let inner: Vec<&Value> = value["options"].as_array().into_iter().flatten().collect();
            assert!(inner.len() <= MOST);
            let mut optional = false;
            for option in &inner {
                let required = option["required"] == json!(true);
                assert!(!(optional && required), "what must be said stands first: {value}");
                optional |= !required;
            }
            if value["type"] == json!(SUB_COMMAND) && value["name"] != NAME {
                names.push(part("name"));
            }
            stack.extend(inner);
        }
        assert!(size <= 8_000, "{size} characters");
        for (name, _) in VERBS.iter() {
            assert!(names.contains(name), "{name}");
        }
        assert!(names.contains(&"help"));
        for name in ["run", "status", "list", "history", "cancel", "approve", "answer", "inbox", "whoami"] {
            assert!(options.iter().any(|option| option["name"] == name), "{name} is at hand");
        }
    }

    #[test]
    fn it_is_registered_anew_only_when_it_differs() {
        let mut theirs = definition().clone();
        theirs["id"] = json!("7");
        theirs["version"] = json!("8");
        theirs["options"][0]["options"][0]["required"] = json!(true);
        theirs["nsfw"] = json!(false);
        assert!(is_registered(&json!([{ "name": "other" }, theirs])));
        theirs["options"][0]["description"] = json!("other");
        assert!(!is_registered(&json!([theirs])));
        assert!(!is_registered(&json!([])));
    }

    #[test]
    fn what_was_chosen_reads_as_the_line_that_could_have_been_typed() {
        let text = |name: &str, value: &str| json!({ "type": 3, "name": name, "value": value });
        for (verb, options, line) in [
            (
                "run",
                json!([
                    text("workflow", "Invoice Intake"),
                    text("inputs", "a=1 b=\"x y\""),
                    text("arguments", "--fresh")
                ]),
                "/workflow run \"Invoice Intake\" a=1 b=\"x y\" --fresh",
            ),
            ("answer", json!([text("inputs", "n=3")]), "/workflow answer last n=3"),
            ("status", json!([]), "/workflow status"),
            ("output", json!([text("wanted", "total")]), "/workflow output last total"),
            ("search", json!([text("words", "late fee")]), "/workflow search late fee"),
            ("help", json!([text("verb", "run")]), "/workflow help run"),
            ("run", json!([text("workflow", "--file=/etc/passwd")]), "/workflow run \"--file=/etc/passwd\""),
        ] {
            let options = chosen(&json!([{ "type": 1, "name": verb, "options": options }]));
            assert_eq!(Chosen::read(&options).expect("ours").line(), line);
        }
        let grouped = json!([{ "type": 2, "name": "more", "options": [
            { "type": 1, "name": "plan", "options": [text("workflow", "x")] }] }]);
        let options = chosen(&grouped);
        assert_eq!(Chosen::read(&options).expect("ours").line(), "/workflow plan x");
    }

    #[test]
    fn what_is_being_typed_is_completed_as_a_line() {
        let options = chosen(&json!([{ "type": 1, "name": "run", "options": [
            { "type": 3, "name": "workflow", "value": "data" },
            { "type": 3, "name": "inputs", "value": "sou", "focused": true }] }]));
        let chosen = Chosen::read(&options).expect("ours");
        assert_eq!(typed(&chosen), Some(("run data sou".to_owned(), "run data ".to_owned())));
    }
}
