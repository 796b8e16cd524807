//! Values on their way in and rows on their way out. A column that does not fit names its statement.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, ValueRef as _};

use super::failure::StoreError;

/// An argument of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing.
    Null,
}

impl ToSql for Arg {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Null => ValueRef::Null,
        }))
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl<T: Into<Self>> From<Option<T>> for Arg {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

pub(super) type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

pub(super) fn bind(query: Query<'_>, arg: Arg) -> Query<'_> {
    match arg {
        Arg::Text(text) => query.bind(text),
        Arg::Int(number) => query.bind(number),
        Arg::Bytes(bytes) => query.bind(bytes),
        Arg::Null => query.bind(None::<i64>),
    }
}

/// One row of an answer.
pub struct Row {
    row: SqliteRow,
    statement: &'static str,
}

impl Row {
    pub(super) const fn new(row: SqliteRow, statement: &'static str) -> Self {
        Self { row, statement }
    }

    /// A text column.
    ///
    /// # Errors
    /// Absent, null, or not a text.
    pub fn text(&self, column: &str) -> Result<String, StoreError> {
        self.get(column)
    }

    /// A text column that may be null.
    ///
    /// # Errors
    /// Absent or not a text.
    pub fn text_or_null(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    /// A column of whole numbers.
    ///
    /// # Errors
    /// Absent, null, or not a whole number.
    pub fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.get(column)
    }

    /// A column of whole numbers that may be null.
    ///
    /// # Errors
    /// Absent or not a whole number.
    pub fn int_or_null(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    /// A column of numbers with fractions.
    ///
    /// # Errors
    /// Absent, null, or not a number.
    pub fn float(&self, column: &str) -> Result<f64, StoreError> {
        self.get(column)
    }

    /// A column of bytes.
    ///
    /// # Errors
    /// Absent, null, or not bytes.
    pub fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        self.get(column)
    }

    /// A text column read as some other type.
    ///
    /// # Errors
    /// Absent, null, or a text that `T` refuses; says why.
    pub fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|error: T::Err| self.shape(column, error.to_string()))
    }

    /// A text column read as JSON.
    ///
    /// # Errors
    /// Absent, null, or not the JSON that `T` expects.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.shape(column, error.to_string()))
    }

    /// A text column read as JSON, which may be null.
    ///
    /// # Errors
    /// Absent, or not the JSON that `T` expects.
    pub fn json_or_null<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<Option<T>, StoreError> {
        let text = self.text_or_null(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| self.shape(column, error.to_string()))).transpose()
    }

    fn get<'r, T>(&'r self, column: &str) -> Result<T, StoreError>
    where
        T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
    {
        self.row.try_get(column).map_err(|error| {
            let found = self.row.try_get_raw(column).map(|raw| raw.type_info().to_string());
            self.shape(column, format!("{error} (it holds {})", found.unwrap_or_else(|_| "nothing".to_owned())))
        })
    }

    fn shape(&self, column: &str, problem: String) -> StoreError {
        StoreError::Shape { statement: self.statement, column: column.to_owned(), problem }
    }
}
