//! What can go wrong with the database, by what the caller must do about it.

use std::path::PathBuf;

/// A refusal or failure of the store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process owns this store.
    #[error(
        "`{path}` is in use by another `workflow` process ({owner}); stop that one, \
         or give this one its own WORKFLOW_STORAGE_PATH"
    )]
    Locked {
        /// The database file.
        path: PathBuf,
        /// What the owner wrote about itself.
        owner: String,
    },
    /// There is nothing to read yet.
    #[error("there is no store at `{0}` yet; run a workflow first")]
    Absent(PathBuf),
    /// There was a database, and it is gone.
    #[error(
        "`{path}` was here and is gone or empty; put it back, or delete `{path}.lock` if you want to begin with nothing"
    )]
    Gone {
        /// The database file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "`{path}` is damaged: {found}; put a backup in its place, or save what can be saved with \
         `sqlite3 {path} .recover` into a new file"
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What is wrong with it first.
        found: String,
    },
    /// The file was written by a newer version of this program.
    #[error("`{path}` was written by a newer version of workflow (schema {found}); use that version or newer")]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The newest migration found in it.
        found: i64,
    },
    /// A guard of the schema refused the write; nothing of it was kept.
    #[error("the store refused the write: {0}")]
    Conflict(String),
    /// A row does not have the shape that its reader expects.
    #[error("row of `{statement}`: column `{column}` {problem}")]
    Shape {
        /// The statement that gave the row.
        statement: &'static str,
        /// The column.
        column: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A statement was used wrongly; a fault of this program.
    #[error("statement `{0}` {1}")]
    Statement(&'static str, String),
    /// The database or the disk failed.
    #[error("{action} `{path}`: {message}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// The database file.
        path: PathBuf,
        /// What the database said.
        message: String,
    },
    /// The writer has ended; what was asked is not written.
    #[error("the store is closed")]
    Closed,
}
