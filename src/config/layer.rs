//! The sources, each read into a layer of given values; the higher layer covers the lower one, key by key.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::code;
use crate::domain::fault::Fault;

use super::dotenv;
use super::settings::{CONFIG, PREFIX, SETTINGS, Setting, unknown_key, unknown_variable};
use super::surroundings::Surroundings;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `config/default.toml`, built in.
    Default,
    /// A line of a file: the configuration file or `.env`.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// From 1; 0 for the file as a whole.
        line: usize,
    },
    /// The environment.
    Environment,
    /// The command line.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment => f.write_str("environment"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// A value as it was given: one text, or several of a setting that takes several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub values: Vec<String>,
    pub source: Source,
}

impl Given {
    /// Nothing was given: only the name of the configuration file has no default.
    pub const fn nothing() -> Self {
        Self { values: Vec::new(), source: Source::Default }
    }

    /// One text as the command line or the environment holds it.
    fn text(setting: &Setting, text: &str, source: Source) -> Self {
        let values = match setting.separator {
            Some(separator) => text.split(separator).map(|part| part.trim().to_owned()).collect(),
            None => vec![text.to_owned()],
        };
        Self { values: values.into_iter().filter(|value| !value.is_empty()).collect(), source }
    }
}

pub(super) type Layer = BTreeMap<&'static str, Given>;

const DEFAULTS: &str = include_str!("../../config/default.toml");
const FILE: &str = "workflow.toml";
const DOT_ENV: &str = ".env";

/// What was given for each setting, the highest source first; faults go to `faults`.
pub(super) fn gather(surroundings: &Surroundings, faults: &mut Vec<Fault>) -> Layer {
    let mut given = command_line(&surroundings.overrides, faults);
    cover(&mut given, environment(&surroundings.environment, faults));
    cover(&mut given, dot_env(&surroundings.directory.join(DOT_ENV), faults));
    let named = given.get(CONFIG).and_then(|given| given.values.first()).cloned();
    cover(&mut given, file(named.as_deref(), &surroundings.directory, faults));
    cover(&mut given, table(DEFAULTS, |_| Source::Default, faults));
    given
}

fn cover(upper: &mut Layer, lower: Layer) {
    for (key, given) in lower {
        upper.entry(key).or_insert(given);
    }
}

fn command_line(overrides: &[String], faults: &mut Vec<Fault>) -> Layer {
    let mut layer = Layer::new();
    for text in overrides {
        let source = Source::CommandLine;
        match text.split_once('=').map(|(key, value)| (key.trim(), value)) {
            None => {
                let message = format!("`{text}` is no setting: it has no `=`");
                faults.push(Fault::permanent(code::WF6005, message).at(source.to_string()));
            }
            Some((key, value)) => match Setting::by_key(key) {
                None => faults.push(unknown_key(key, &source)),
                Some(setting) => drop(layer.insert(setting.key, Given::text(setting, value, source))),
            },
        }
    }
    layer
}

fn environment(variables: &[(OsString, OsString)], faults: &mut Vec<Fault>) -> Layer {
    let mut layer = Layer::new();
    for (name, value) in variables {
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || is_service_link(&name, &value.to_string_lossy()) {
            continue;
        }
        match value.to_str() {
            Some(value) => variable(&mut layer, (&name, value), Source::Environment, faults),
            None => faults.push(
                Fault::permanent(code::WF6002, format!("`{name}` is not UTF-8")).at(Source::Environment.to_string()),
            ),
        }
    }
    layer
}

/// Kubernetes and Docker links tell every neighbour of a service named `workflow` where it is, in variables that look
/// like ours (`WORKFLOW_PORT=tcp://10.0.0.7:80`, `WORKFLOW_SERVICE_HOST=10.0.0.7`). They are no slip of the operator.
fn is_service_link(name: &str, value: &str) -> bool {
    let rest = &name[PREFIX.len()..];
    let link = |rest: &str| rest == "PORT" || rest.starts_with("PORT_");
    rest.starts_with("SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
        || link(rest) && (rest.ends_with("_ADDR") || rest.ends_with("_PROTO") || rest.ends_with("_PORT"))
        || link(rest) && value.contains("://")
}

/// An empty variable counts as not set, as `docker run --env-file` and compose files write it.
fn variable(layer: &mut Layer, (name, value): (&str, &str), source: Source, faults: &mut Vec<Fault>) {
    match Setting::by_env(name) {
        None => faults.push(unknown_variable(name, &source)),
        Some(_) if value.is_empty() => {}
        Some(setting) => drop(layer.insert(setting.key, Given::text(setting, value, source))),
    }
}

fn dot_env(path: &Path, faults: &mut Vec<Fault>) -> Layer {
    let mut layer = Layer::new();
    for line in dotenv::lines(&read(path, false, faults)) {
        match line {
            Ok(line) => {
                let source = Source::File { path: path.to_owned(), line: line.number };
                variable(&mut layer, (&line.name, &line.value), source, faults);
            }
            Err((line, why)) => {
                let source = Source::File { path: path.to_owned(), line };
                faults.push(
                    Fault::permanent(code::WF6003, format!("a line cannot be read: {why}")).at(source.to_string()),
                );
            }
        }
    }
    layer
}

/// The configuration file: the one that was named and must exist, else `workflow.toml` if there is one.
fn file(named: Option<&str>, directory: &Path, faults: &mut Vec<Fault>) -> Layer {
    let path = directory.join(named.unwrap_or(FILE));
    let text = read(&path, named.is_some(), faults);
    let mut layer = table(&text, |line| Source::File { path: path.clone(), line }, faults);
    if named.is_none() && path.is_file() {
        let values = vec![path.display().to_string()];
        layer.insert(CONFIG, Given { values, source: Source::Default });
    }
    layer
}

/// The text of a file; empty when it is not there and need not be.
fn read(path: &Path, required: bool, faults: &mut Vec<Fault>) -> String {
    match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !required => String::new(),
        Err(error) => {
            let source = Source::File { path: path.to_owned(), line: 0 };
            faults.push(
                Fault::permanent(code::WF6003, format!("the file cannot be read: {error}")).at(source.to_string()),
            );
            String::new()
        }
    }
}

/// The settings of a TOML text.
fn table(text: &str, source: impl Fn(usize) -> Source, faults: &mut Vec<Fault>) -> Layer {
    let at = |offset: usize| source(text[..offset].matches('\n').count() + 1);
    let mut layer = Layer::new();
    let entries = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let place = at(error.span().map_or(0, |span| span.start));
            let message = format!("the file is not TOML: {}", error.message().replace('\n', "; "));
            faults.push(Fault::permanent(code::WF6003, message).at(place.to_string()));
            return layer;
        }
    };
    let mut flat = Vec::new();
    flatten("", entries, &mut flat);
    flat.sort_by_key(|(start, ..)| *start);
    for (start, key, value) in flat {
        let source = at(start);
        match Setting::by_key(&key).filter(|setting| setting.in_file) {
            None => faults.push(unknown_key(&key, &source)),
            Some(setting) => match values(setting, &value, text) {
                Ok(values) => drop(layer.insert(setting.key, Given { values, source })),
                Err(fault) => faults.push(fault.at(source.to_string())),
            },
        }
    }
    layer
}

/// The entries of a table and of the tables in it: `bot_token` under `[slack]` is `slack_bot_token`. A table with whose name
/// no setting begins stays what it is.
fn flatten<'t>(before: &str, table: DeTable<'t>, flat: &mut Vec<(usize, String, Spanned<DeValue<'t>>)>) {
    for (key, value) in table {
        let (start, name) = (key.span().start, format!("{before}{}", key.get_ref()));
        let (span, inside) = (value.span(), format!("{name}_"));
        match value.into_inner() {
            DeValue::Table(inner) if SETTINGS.iter().any(|setting| setting.key.starts_with(&inside)) => {
                flatten(&inside, inner, flat);
            }
            value => flat.push((start, name, Spanned::new(span, value))),
        }
    }
}

/// A TOML value as texts; an empty text counts as no value.
fn values(setting: &Setting, value: &Spanned<DeValue<'_>>, text: &str) -> Result<Vec<String>, Fault> {
    let scalar = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Integer(_) | DeValue::Float(_) => Some(text[value.span()].replace('_', "")),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    };
    let values: Option<Vec<_>> = match (value.get_ref(), setting.separator) {
        (DeValue::Array(values), Some(_)) => values.iter().map(scalar).collect(),
        // One alone needs no brackets, but for paths, of which a text could be several.
        (_, None | Some(',')) => scalar(value).map(|value| vec![value]),
        (_, Some(_)) => None,
    };
    let wanted = if setting.separator.is_some() { "a list of texts: [\"…\", \"…\"]" } else { "a single value" };
    let values = values.ok_or_else(|| Fault::permanent(code::WF6002, format!("`{}` must be {wanted}", setting.key)))?;
    Ok(values.into_iter().filter(|value| !value.is_empty()).collect())
}
