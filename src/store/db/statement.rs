//! Named statements out of the `.sql` files: picked by dialect, parameters counted, ranked by their place.
//!
//! A file is a sequence of `-- name: NAME` headers, each with comment lines and one SQL text; where the dialects
//! part, two texts under `-- sqlite:` and `-- postgres:`. The header comment says why they differ.

use std::collections::HashMap;

/// All statement files. Their order is the order in which a commit executes the statements of a write.
const FILES: &[&str] = &[
    include_str!("../sql/workflows.sql"),
    include_str!("../sql/files.sql"),
    include_str!("../sql/runs.sql"),
    include_str!("../sql/journal.sql"),
    include_str!("../sql/cache.sql"),
    include_str!("../sql/retention.sql"),
    include_str!("../sql/effects.sql"),
    include_str!("../sql/ends.sql"),
    include_str!("../sql/documents.sql"),
    include_str!("../sql/conversations.sql"),
    include_str!("../sql/cards.sql"),
    include_str!("../sql/outbox.sql"),
    include_str!("../sql/repeats.sql"),
    include_str!("../sql/people.sql"),
    include_str!("../sql/trail.sql"),
    include_str!("../sql/triggers.sql"),
    include_str!("../sql/asking.sql"),
    include_str!("../sql/audit.sql"),
];

/// One statement.
#[derive(Debug)]
pub struct Statement {
    /// Its SQL, with parameters `$1`, `$2`, ...
    pub text: &'static str,
    /// The same with `?1`, `?2`, ...: to SQLite itself `$1` is a name, and its number that of its first mention.
    pub numbered: String,
    /// How many parameters it has.
    pub params: usize,
    /// Its place among all statements.
    pub rank: usize,
}

/// All statements by name, for one dialect.
#[derive(Debug)]
pub struct Statements {
    by_name: HashMap<&'static str, Statement>,
}

impl Statements {
    /// The statements of all files. `dialect` is `sqlite` or `postgres`.
    pub fn load(dialect: &str) -> Self {
        let mut by_name = HashMap::new();
        for part in FILES.iter().flat_map(|file| file.split("-- name: ").skip(1)) {
            let (name, body) = part.split_once('\n').unwrap_or((part, ""));
            let text = pick(body, dialect);
            let rank = by_name.len();
            let numbered = text.replace('$', "?");
            by_name.insert(name.trim(), Statement { text, numbered, params: count_params(text), rank });
        }
        Self { by_name }
    }

    /// The statement of this name.
    pub fn get(&self, name: &str) -> Option<&Statement> {
        self.by_name.get(name)
    }

    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = (&&'static str, &Statement)> {
        self.by_name.iter()
    }
}

/// The text under the marker of this dialect, or the whole body where there is no marker.
fn pick(body: &'static str, dialect: &str) -> &'static str {
    let marker = format!("-- {dialect}:");
    let text = match body.split_once(marker.as_str()) {
        Some((_, text)) => text.split_once('\n').map_or("", |(_, text)| text),
        None => body,
    };
    let end = ["-- sqlite:", "-- postgres:"].iter().filter_map(|other| text.find(other)).min().unwrap_or(text.len());
    let text = skip_comments(&text[..end]);
    text.trim().trim_end_matches(';')
}

fn skip_comments(mut text: &'static str) -> &'static str {
    loop {
        text = text.trim_start();
        if !text.starts_with("--") {
            return text;
        }
        text = text.split_once('\n').map_or("", |(_, rest)| rest);
    }
}

/// The highest `$n` of a text.
fn count_params(text: &str) -> usize {
    text.split('$')
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_has_a_text_for_its_dialect() {
        for (name, statement) in Statements::load("sqlite").iter() {
            assert!(!statement.text.is_empty(), "{name}");
            assert!(!statement.text.contains(';'), "{name} must be one statement");
        }
    }

    #[test]
    fn the_dialect_decides_which_text_is_taken() {
        let body = "-- why they part\n-- sqlite: no arrays\nSELECT $1\n-- postgres: arrays\nSELECT $2\n";
        assert_eq!(pick(body, "sqlite"), "SELECT $1");
        assert_eq!(pick(body, "postgres"), "SELECT $2");
        assert_eq!(count_params("a $1 b $12 c $2"), 12);
    }
}
