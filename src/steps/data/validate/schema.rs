//! Which schema, and how it is read: draft 2020-12 unless it says otherwise, formats asserted, nothing fetched.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use jsonschema::{Draft, PatternOptions, Validator};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::code;
use crate::domain::fault::Fault;
use crate::steps::intake::{open_beneath, unreadable};

/// The name of the shipped schema, and its text.
const SHIPPED: (&str, &str) = ("data_schema.json", include_str!("../../../../templates/data_schema.json"));
/// A larger schema is refused.
const LARGEST: u64 = 1024 * 1024;

/// A schema as it is written in a config.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected the name of a schema file, or a schema")]
pub enum Written {
    /// The name of a file.
    Named(String),
    /// The schema itself.
    Inline(Map<String, Value>),
}

/// A schema, ready to be asked.
pub struct Schema {
    /// What to call it in front of people.
    pub name: String,
    /// It is the one that was made for the sample set.
    pub shipped: bool,
    /// The schema as it was written.
    pub text: Value,
    /// The same, compiled.
    pub validator: Validator,
}

impl Schema {
    /// The schema that a config means: itself, a file of one of these folders, or the shipped one.
    ///
    /// # Errors
    /// `WF2420` when there is none, or it is none.
    pub fn find(written: Option<Written>, folders: &[PathBuf]) -> Result<Self, Fault> {
        let (name, shipped, text) = match written {
            Some(Written::Inline(schema)) => ("the schema of the step".to_owned(), false, Value::Object(schema)),
            Some(Written::Named(name)) => read(name.trim(), folders)?,
            None => read(SHIPPED.0, folders)?,
        };
        let validator = compile(&text).map_err(|why| unusable(&name, &why))?;
        Ok(Self { name, shipped, text, validator })
    }
}

fn read(name: &str, folders: &[PathBuf]) -> Result<(String, bool, Value), Fault> {
    let parse =
        |text: &str| serde_json::from_str(text).map_err(|error| unusable(&format!("`{name}`"), &error.to_string()));
    let shown = format!("`{name}`");
    match open_beneath(folders, Path::new(name)) {
        Ok(file) => {
            let mut text = String::new();
            file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
            if text.len() as u64 > LARGEST {
                return Err(unusable(&shown, "it is larger than 1 MiB"));
            }
            Ok((shown, false, parse(&text)?))
        }
        Err(_) if name == SHIPPED.0 => Ok((shown, true, parse(SHIPPED.1)?)),
        Err(fault) if fault.code == code::WF2102 || fault.code == code::WF2105 => {
            let folders: Vec<_> = folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
            Err(unusable(&shown, "there is no such file")
                .fix(format!("put it into {}, or write the schema into the step's config", folders.join(" or "))))
        }
        Err(fault) => Err(fault),
    }
}

/// The schema, compiled. Patterns run in time that grows with the text only: no look-around, no back-references.
pub fn compile(schema: &Value) -> Result<Validator, String> {
    let mut options = jsonschema::options().should_validate_formats(true).with_pattern_options(PatternOptions::regex());
    if schema.get("$schema").is_none() {
        options = options.with_draft(Draft::Draft202012);
    }
    options.build(schema).map_err(|error| {
        let place = error.instance_path().to_string();
        let why: String = error.to_string().chars().take(300).collect();
        if place.is_empty() { why } else { format!("{place}: {why}") }
    })
}

fn unusable(name: &str, why: &str) -> Fault {
    Fault::permanent(code::WF2420, format!("{name} cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shipped_schema_is_one() {
        let schema = Schema::find(None, &[]).expect("a schema");
        assert!(schema.shipped);
        assert_eq!(schema.validator.draft(), Draft::Draft202012);
    }

    #[test]
    fn no_schema_is_fetched_from_anywhere() {
        for reference in ["http://127.0.0.1:1/s.json", "https://example.com/s.json", "file:///etc/passwd", "other.json"]
        {
            assert!(compile(&json!({"$ref": reference})).is_err(), "{reference}");
        }
        assert!(compile(&json!({"$defs": {"n": {"type": "number"}}, "items": {"$ref": "#/$defs/n"}})).is_ok());
    }

    #[test]
    fn what_is_no_schema_is_told_with_its_place() {
        let why = compile(&json!({"properties": {"a": {"type": "strnig"}}})).expect_err("no type");
        assert!(why.contains("/properties/a/type") && why.contains("strnig"), "{why}");
        assert!(compile(&json!({"pattern": "(?=a)b"})).is_err(), "look-around could take for ever");
    }

    #[test]
    fn formats_are_asserted() {
        let validator = compile(&json!({"format": "date"})).expect("a schema");
        assert!(validator.is_valid(&json!("2026-02-28")) && !validator.is_valid(&json!("2026-02-30")));
    }
}
