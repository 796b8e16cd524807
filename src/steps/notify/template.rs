//! Message templates: a file of YAML or Markdown in `messages/`, the shipped one, or a map in the step's config.
//!
//! The texts of a file are filled with variables by `${{ name }}`. Those of a map in the config were filled with the
//! rest of the config, and what stands in them now is data: it is not filled again.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::variables::{self, Given};
use crate::domain::card::Field;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::message::{Link, Message};
use crate::language::render;
use crate::steps::intake::{open_beneath, unreadable};

/// The name of the shipped template, and its text.
const SHIPPED: (&str, &str) = ("notification_template", include_str!("notification_template.yaml"));
/// A larger template is refused.
const LARGEST: u64 = 64 * 1024;
/// Beyond this a message is no message any more.
const LONGEST: usize = 256 * 1024;

/// A template as it is written in a config.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected the name of a message template, or a map with `title`, `text`, `fields`")]
pub enum Written {
    /// The name of a file in `messages/`, without its ending.
    Named(String),
    /// The message itself: `subject`, `title`, `text`, `fields`, `links`.
    Inline(Map<String, Value>),
}

/// What a template may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parts {
    subject: String,
    title: String,
    text: String,
    fields: Fields,
    links: Vec<Link>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected `variables`, a map of names and values, or a list of `{name, value}`")]
enum Fields {
    Word(String),
    Map(Map<String, Value>),
    List(Vec<Field>),
}

impl Default for Fields {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

/// A message as its template says it, filled with what was given.
///
/// # Errors
/// `WF2155` when there is no such template or it is none; `WF2002` when it names a variable that is not there.
pub fn message(written: Option<Written>, given: &Given<'_>, folders: &[PathBuf]) -> Result<Message, Fault> {
    let message = match written {
        Some(Written::Inline(map)) => {
            let parts: Result<Parts, _> = serde_json::from_value(Value::Object(map));
            parts.map_err(|error| unusable("the step's own template", &error.to_string()))?.said(given)?
        }
        Some(Written::Named(name)) => read(name.trim(), folders)?.filled(given)?,
        None => read(SHIPPED.0, folders)?.filled(given)?,
    };
    let length: usize = message.text.len() + message.fields.iter().map(|field| field.value.len()).sum::<usize>();
    if length > LONGEST {
        return Err(Fault::permanent(code::WF2155, format!("the message has {length} bytes; {LONGEST} are allowed")));
    }
    Ok(message)
}

/// A template and what to call it in front of people.
struct Template {
    name: String,
    parts: Parts,
}

fn read(name: &str, folders: &[PathBuf]) -> Result<Template, Fault> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if !plain {
        return Err(unusable(&format!("`{name}`"), "a name has letters, digits, `_`, `-` and `.`"));
    }
    for ending in ["yaml", "md"] {
        let file = format!("{name}.{ending}");
        match open_beneath(folders, Path::new(&file)) {
            Ok(found) => {
                let mut text = String::new();
                found.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
                let shown = format!("messages/{file}");
                if text.len() as u64 > LARGEST {
                    return Err(unusable(&format!("`{shown}`"), "it is larger than 64 KiB"));
                }
                let parts = if ending == "md" { Ok(of_markdown(&text)) } else { of_yaml(&text) };
                let parts = parts.map_err(|why| unusable(&format!("`{shown}`"), &why))?;
                return Ok(Template { name: shown, parts });
            }
            Err(fault) if fault.code == code::WF2102 || fault.code == code::WF2105 => {}
            Err(fault) => return Err(fault),
        }
    }
    if name == SHIPPED.0 {
        let parts = of_yaml(SHIPPED.1).map_err(|why| unusable(&format!("`{name}`"), &why))?;
        return Ok(Template { name: name.to_owned(), parts });
    }
    let near = crate::language::near(name, [SHIPPED.0]).map(|near| format!("; did you mean `{near}`?"));
    let why = format!("there is no such template{}", near.unwrap_or_default());
    let fix =
        format!("put `{name}.yaml` into `messages/` of the storage folder, or write the message under `template`");
    Err(unusable(&format!("`{name}`"), &why).fix(fix))
}

fn of_yaml(text: &str) -> Result<Parts, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// The first heading is the title, the rest the text.
fn of_markdown(text: &str) -> Parts {
    let text = text.trim_start();
    let (title, rest) = match text.strip_prefix("# ") {
        Some(headed) => headed.split_once('\n').unwrap_or((headed, "")),
        None => ("", text),
    };
    Parts { title: title.trim().to_owned(), text: rest.trim().to_owned(), ..Parts::default() }
}

impl Template {
    fn filled(self, given: &Given<'_>) -> Result<Message, Fault> {
        let Self { name, parts } = self;
        let Parts { subject, title, text, fields, links } = parts;
        let mut texts = vec![&subject, &title, &text];
        texts.extend(links.iter().flat_map(|link| [&link.text, &link.url]));
        let listed = match &fields {
            Fields::List(fields) => fields.iter().flat_map(|field| [&field.name, &field.value]).cloned().collect(),
            Fields::Map(map) => map.values().map(variables::told).collect(),
            Fields::Word(_) => Vec::new(),
        };
        texts.extend(&listed);
        let mut named: Vec<String> = texts.into_iter().flat_map(|text| render::named(text)).collect();
        named.sort_unstable();
        named.dedup();
        let known = given.all(&named);
        let fill = |text: &str| {
            render::filled(text, &known).map_err(|fault| {
                let fix = format!("give the variable, or write `${{{{ name | default('') }}}}` in `{name}`");
                fault.at(&name).fix(fix)
            })
        };
        let field = |name: &str, value: &str| Ok(Field { name: name.to_owned(), value: fill(value)? });
        let fields = match fields {
            Fields::Word(word) => listed_fields(&word, given, &named)?,
            Fields::Map(map) => {
                map.iter().map(|(name, value)| field(name, &variables::told(value))).collect::<Result<_, Fault>>()?
            }
            Fields::List(list) => {
                let filled = list.iter().map(|one| field(&fill(&one.name)?, &one.value));
                filled.collect::<Result<_, Fault>>()?
            }
        };
        let links = links.iter().map(|link| Ok(Link { text: fill(&link.text)?, url: fill(&link.url)? }));
        let links = links.collect::<Result<_, Fault>>()?;
        Ok(titled(Message {
            subject: fill(&subject)?,
            title: fill(&title)?,
            text: fill(&text)?,
            fields,
            links,
            ..Message::default()
        }))
    }
}

impl Parts {
    /// The message that these parts are, with nothing to be filled.
    fn said(self, given: &Given<'_>) -> Result<Message, Fault> {
        let Self { subject, title, text, fields, links } = self;
        let fields = match fields {
            Fields::Word(word) => listed_fields(&word, given, &[])?,
            Fields::Map(map) => {
                map.iter().map(|(name, value)| Field { name: name.clone(), value: variables::told(value) }).collect()
            }
            Fields::List(list) => list,
        };
        Ok(titled(Message { subject, title, text, fields, links, ..Message::default() }))
    }
}

fn listed_fields(word: &str, given: &Given<'_>, named: &[String]) -> Result<Vec<Field>, Fault> {
    if word == "variables" {
        return Ok(given.listed(named));
    }
    let why = format!("`fields` is `{word}`: it must be `variables`, a map, or a list of `{{name, value}}`");
    Err(Fault::permanent(code::WF2155, why))
}

/// Subject and title stand in for each other, and each is one line.
fn titled(mut message: Message) -> Message {
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    message.text.truncate(message.text.trim_end().len());
    let (subject, title) = (line(&message.subject), line(&message.title));
    message.subject = if subject.is_empty() { title.clone() } else { subject.clone() };
    message.title = if title.is_empty() { subject } else { title };
    message
}

fn unusable(what: &str, why: &str) -> Fault {
    Fault::permanent(code::WF2155, format!("{what} cannot be used: {why}"))
}
