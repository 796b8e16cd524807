//! The warehouse: tables of the user's own data, in a database file of their own beside ours.
//!
//! Here stand the plain types and what a name may be; `db/warehouse.rs` speaks to the database. Invariant: what a step
//! of a run loaded is there once, however often the step is repeated.

use std::fmt;

pub use super::db::Warehouse;

/// Columns that every table has beside those of the data: which run and step brought a row, and which row it was.
pub const OWN: [&str; 3] = ["_run", "_step", "_row"];

/// A longer name is refused.
const LONGEST_TABLE: usize = 63;
const LONGEST_COLUMN: usize = 128;
/// The database allows 2,000.
const MOST_COLUMNS: usize = 1_000;

/// What a column holds. Nothing is ever converted to fit: a table refuses what it does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Whole numbers of 64 bits; true and false as 1 and 0.
    Integer,
    /// Numbers.
    Real,
    /// Text.
    Text,
    /// Each value as it came.
    Any,
}

impl Holds {
    /// The word of the database.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
            Self::Text => "TEXT",
            Self::Any => "ANY",
        }
    }

    /// What this word of the database means.
    #[must_use]
    pub fn of(word: &str) -> Self {
        [Self::Integer, Self::Real, Self::Text].into_iter().find(|holds| holds.word() == word).unwrap_or(Self::Any)
    }

    /// Whether the value can stand in such a column and still be the same value.
    #[must_use]
    pub fn takes(self, cell: &Cell) -> bool {
        /// Every whole number up to here is a `f64` too.
        const EXACT: u64 = 1 << 53;
        match (self, cell) {
            (_, Cell::Null)
            | (Self::Any, _)
            | (Self::Integer, Cell::Int(_))
            | (Self::Real, Cell::Real(_))
            | (Self::Text, Cell::Text(_)) => true,
            (Self::Real, Cell::Int(number)) => number.unsigned_abs() <= EXACT,
            _ => false,
        }
    }
}

/// One value on its way into a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A number; never NaN, which no JSON holds.
    Real(f64),
    /// Text.
    Text(String),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Int(number) => write!(f, "the whole number {number}"),
            Self::Real(number) => write!(f, "the number {number}"),
            Self::Text(text) => {
                let cut: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
                write!(f, "the text `{cut}`{}", if text.chars().nth(60).is_some() { "…" } else { "" })
            }
        }
    }
}

/// A column of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What a new column of this name holds.
    pub holds: Holds,
}

/// What happens to the rows that are there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// They stay; those that this step of this run brought before are replaced.
    Append,
    /// They go.
    Replace,
    /// Those with the same values in these columns are replaced.
    Upsert(Vec<String>),
}

impl Mode {
    /// The word for it.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Upsert(_) => "upsert",
        }
    }
}

/// Rows for a table, all of them or none.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The table.
    pub table: String,
    /// What happens to the rows that are there.
    pub mode: Mode,
    /// The run that brings them.
    pub run: String,
    /// Its step.
    pub step: String,
    /// When.
    pub at: String,
    /// The columns, in the order of the cells.
    pub columns: Vec<Column>,
    /// The columns are all that the table shall have, also when there are no rows.
    pub declared: bool,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// What was taken away of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The table.
    pub table: String,
    /// How many rows; `None`: the load had put them in the place of others, which are gone.
    pub rows: Option<u64>,
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Rows brought.
    pub rows: u64,
    /// Rows of an earlier attempt that were replaced.
    pub repeated: u64,
    /// Rows in the table now.
    pub total: u64,
    /// The table is new.
    pub created: bool,
    /// Columns that the table did not have before.
    pub added: Vec<String>,
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// A name that cannot be used.
    #[error("{0}")]
    Name(String),
    /// The rows do not fit the table.
    #[error("{0}")]
    Unfit(String),
    /// Rows without a key, or with the same.
    #[error("{0}")]
    Key(String),
    /// The database or the disk failed; another attempt may succeed.
    #[error("{action} `{path}`: {message}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// The database file.
        path: std::path::PathBuf,
        /// What the database said.
        message: String,
    },
}

/// Refuses a table name that is not plain.
///
/// # Errors
/// Says what a name may be.
pub fn check_table(name: &str) -> Result<(), WarehouseError> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    if plain && begins && name.len() <= LONGEST_TABLE && !name.to_ascii_lowercase().starts_with("sqlite_") {
        return Ok(());
    }
    Err(WarehouseError::Name(format!(
        "`{}` is no name of a table: it begins with a letter and has at most {LONGEST_TABLE} letters, digits and `_`",
        cut(name)
    )))
}

/// Refuses columns whose names cannot stand beside each other.
///
/// # Errors
/// Names the first column that cannot be used, and why.
pub fn check_columns(columns: &[Column]) -> Result<(), WarehouseError> {
    let refuse = |name: &str, why: &str| Err(WarehouseError::Name(format!("the column `{}` {why}", cut(name))));
    if columns.len() > MOST_COLUMNS {
        let message = format!("the rows have {} columns; a table has at most {MOST_COLUMNS}", columns.len());
        return Err(WarehouseError::Name(message));
    }
    let mut seen = std::collections::HashMap::with_capacity(columns.len());
    for Column { name, .. } in columns {
        if name.trim().is_empty() {
            return refuse(name, "has no name");
        }
        if name.chars().any(char::is_control) {
            return refuse(name, "has a control character in its name");
        }
        if name.len() > LONGEST_COLUMN {
            return refuse(name, &format!("has a name of more than {LONGEST_COLUMN} bytes"));
        }
        if OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return refuse(name, "is one of those in which a load says where a row came from");
        }
        // The database does not tell `Name` from `name`.
        if let Some(other) = seen.insert(name.to_ascii_lowercase(), name) {
            return refuse(name, &format!("differs from `{}` only in the size of letters", cut(other)));
        }
    }
    Ok(())
}

/// A name as SQL: in double quotes, those inside doubled. With that no text can end it.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn cut(name: &str) -> String {
    name.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Column {
        Column { name: name.to_owned(), holds: Holds::Any }
    }

    #[test]
    fn names_of_tables_are_plain() {
        for fine in ["processed_data", "T1", "a"] {
            assert!(check_table(fine).is_ok(), "{fine}");
        }
        for bad in ["", "_loads", "1a", "a b", "a;DROP TABLE b", "a\"", "größe", "sqlite_master", &"x".repeat(64)] {
            assert!(check_table(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_text_can_name_a_column_but_for_those_that_would_be_mistaken() {
        let fine = [column("id"), column("Größe (cm)"), column("x\"); DROP TABLE y; --")];
        assert!(check_columns(&fine).is_ok());
        for bad in ["", "  ", "a\0b", "_RUN", &"x".repeat(129)] {
            assert!(check_columns(&[column(bad)]).is_err(), "{bad}");
        }
        let error = check_columns(&[column("Name"), column("name")]).expect_err("one name");
        assert_eq!(error.to_string(), "the column `name` differs from `Name` only in the size of letters");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn a_column_takes_only_what_stays_the_same_in_it() {
        assert!(!Holds::Integer.takes(&Cell::Text("007".to_owned())), "it would become 7");
        assert!(!Holds::Integer.takes(&Cell::Real(7.0)));
        assert!(Holds::Real.takes(&Cell::Int(1 << 53)));
        assert!(!Holds::Real.takes(&Cell::Int((1 << 53) + 1)));
        assert!(!Holds::Text.takes(&Cell::Int(7)));
        assert!(Holds::Any.takes(&Cell::Int(7)) && Holds::Text.takes(&Cell::Null));
    }
}
