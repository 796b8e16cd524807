//! Tokens as a line that reads back as the same tokens.

use super::lexer::{Shape, Token};

/// The line.
#[must_use]
pub fn print(tokens: &[Token]) -> String {
    let parts: Vec<String> = tokens.iter().map(one).collect();
    parts.join(" ")
}

fn one(token: &Token) -> String {
    let value = token.value.as_deref();
    match &token.shape {
        Shape::Word => quoted(value.unwrap_or_default()),
        Shape::Pair(key) => format!("{key}={}", quoted(value.unwrap_or_default())),
        Shape::Flag(name) => value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={}", quoted(value))),
    }
}

/// Bare where nothing in it could be read otherwise.
pub(super) fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./#@,+".contains(c);
    let flag = value.starts_with("--");
    if !value.is_empty() && !flag && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
