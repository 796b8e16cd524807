//! One process owns a store: an operating system lock on a file beside the database, gone when the process is.
//!
//! The file also remembers what a database cannot say of itself: that there was one, and that it was closed in good order.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::failure::StoreError;

/// The line that says that a database was made here.
const MADE: &str = "made";
/// The line that says that it was closed in good order.
const CLOSED: &str = "closed";

/// The lock, held until dropped.
#[derive(Debug)]
pub struct OwnerLock {
    file: File,
    before: Before,
}

/// What the owner before us left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// There was a database.
    pub made: bool,
    /// It was closed in good order.
    pub closed: bool,
}

impl OwnerLock {
    /// Takes the lock of this database file.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with what the owner wrote about itself.
    pub fn take(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let failed = |error: std::io::Error| StoreError::Failed {
            action: "lock",
            path: path.clone(),
            message: error.to_string(),
        };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let locked = file.try_lock();
        let mut note = String::new();
        let _ = file.read_to_string(&mut note); // an unreadable note still is a lock
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let owner = note.lines().next().unwrap_or_default().trim();
                let owner = if owner.is_empty() { "unknown".to_owned() } else { owner.to_owned() };
                return Err(StoreError::Locked { path: database.to_owned(), owner });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let says = |word: &str| note.lines().skip(1).any(|line| line == word);
        let before = Before { made: says(MADE), closed: says(CLOSED) };
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        let command = std::env::args().take(2).collect::<Vec<_>>().join(" ");
        let made = if before.made { format!("{MADE}\n") } else { String::new() };
        write!(file, "process {}, `{command}`\n{made}", std::process::id()).map_err(failed)?;
        Ok(Self { file, before })
    }

    /// What the owner before us left.
    pub const fn before(&self) -> Before {
        self.before
    }

    /// Notes that there is a database from now on.
    pub fn note_made(&mut self) {
        if !self.before.made {
            self.note(MADE);
        }
    }

    /// Notes that the database was closed in good order.
    pub fn note_closed(&mut self) {
        self.note(CLOSED);
    }

    fn note(&mut self, word: &str) {
        // Without the note the next start looks closer than it has to.
        let _ = writeln!(self.file, "{word}");
    }
}

impl Drop for OwnerLock {
    fn drop(&mut self) {
        let _ = self.file.unlock(); // closing the file releases it anyway
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}
