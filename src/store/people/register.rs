//! People, what platforms call them, and the codes with which they say so. A code is here as its digest alone.

use super::super::Store;
use super::super::db::{Cell, Db, Row, StoreError, Write};
use crate::contract::blob::Digest;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name; nobody else has it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

/// What a platform calls somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// The platform.
    pub platform: String,
    /// The workspace there; empty where the platform's ids are the same everywhere.
    pub workspace: String,
    /// The id there.
    pub user: String,
}

/// An account and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The account.
    pub account: Account,
    /// The person.
    pub person: String,
    /// What the platform showed as their name then.
    pub shown: String,
    /// Since when.
    pub linked_at: Timestamp,
}

/// How often codes were guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guesses {
    /// By this one.
    pub own: i64,
    /// By all.
    pub everybody: i64,
}

/// The people's place in the store.
pub struct People<'s> {
    db: &'s Db,
}

impl Store {
    /// People.
    #[must_use]
    pub const fn people(&self) -> People<'_> {
        People { db: &self.db }
    }
}

impl People<'_> {
    /// Takes a person in. `false`: the name is taken, and nothing is written.
    ///
    /// # Errors
    /// The store fails.
    pub async fn add(&self, person: &Person) -> Result<bool, StoreError> {
        let row: [&dyn Cell; 3] = [&person.name, &person.role.word(), &person.created_at];
        match self.one("insert_person", &row).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives a person another role.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set_role(&self, name: &str, role: Role) -> Result<(), StoreError> {
        self.one("update_person", &[&name, &role.word()]).await
    }

    /// Takes a person away, with their accounts and their code.
    ///
    /// # Errors
    /// The store fails.
    pub async fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.one("delete_person", &[&name]).await
    }

    /// One person.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn find(&self, name: &str) -> Result<Option<Person>, StoreError> {
        self.db.read_one("select_person", vec![name.into()]).await?.as_ref().map(read_person).transpose()
    }

    /// Everybody, by name.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn all(&self) -> Result<Vec<Person>, StoreError> {
        self.db.read("select_people", Vec::new()).await?.iter().map(read_person).collect()
    }

    /// All accounts, by person.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn links(&self) -> Result<Vec<Link>, StoreError> {
        let read = |row: &Row| {
            Ok(Link {
                account: Account {
                    platform: row.text("platform")?,
                    workspace: row.text("workspace")?,
                    user: row.text("user_id")?,
                },
                person: row.text("person")?,
                shown: row.text("shown")?,
                linked_at: Timestamp::from_micros(row.int("linked_at")?),
            })
        };
        self.db.read("select_links", Vec::new()).await?.iter().map(read).collect()
    }

    /// Whose account this is.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn of_account(&self, account: &Account) -> Result<Option<Person>, StoreError> {
        let Account { platform, workspace, user } = account;
        let args = vec![platform.as_str().into(), workspace.as_str().into(), user.as_str().into()];
        self.db.read_one("select_linked", args).await?.as_ref().map(read_person).transpose()
    }

    /// Whose account this became by a code.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn linked_by(&self, account: &Account, code: &Digest) -> Result<Option<String>, StoreError> {
        let Account { platform, workspace, user } = account;
        let args =
            vec![platform.as_str().into(), workspace.as_str().into(), user.as_str().into(), code.to_string().into()];
        self.db.read_one("select_linked_by", args).await?.map(|row| row.text("person")).transpose()
    }

    /// Notes whose account this is, and spends the code that said so: both or neither.
    ///
    /// # Errors
    /// The store fails.
    pub async fn link(&self, link: &Link, code: &Digest) -> Result<(), StoreError> {
        let Link { account: Account { platform, workspace, user }, person, shown, linked_at } = link;
        let mut write = Write::new();
        write.row("upsert_link", &[platform, workspace, user, person, shown, code, linked_at]);
        write.row("delete_code", &[code]);
        self.db.write(write).await
    }

    /// Takes an account back.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unlink(&self, account: &Account) -> Result<(), StoreError> {
        self.one("delete_link", &[&account.platform, &account.workspace, &account.user]).await
    }

    /// Takes all accounts of a person back, and their code.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unlink_all(&self, name: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("delete_links", &[&name]);
        write.row("delete_code_of", &[&name]);
        self.db.write(write).await
    }

    /// Gives a person a code, in place of the one that they had.
    ///
    /// # Errors
    /// The store fails.
    pub async fn give_code(&self, name: &str, code: &Digest, expires_at: Timestamp) -> Result<(), StoreError> {
        self.one("upsert_code", &[&name, code, &expires_at]).await
    }

    /// Whose code this is, and until when it counts.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn of_code(&self, code: &Digest) -> Result<Option<(String, Timestamp)>, StoreError> {
        let row = self.db.read_one("select_code", vec![code.to_string().into()]).await?;
        row.map(|row| Ok((row.text("person")?, Timestamp::from_micros(row.int("expires_at")?)))).transpose()
    }

    /// A code counts no more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn spend(&self, code: &Digest) -> Result<(), StoreError> {
        self.one("delete_code", &[code]).await
    }

    /// Notes that somebody said a code that was none; forgets what was guessed before `forget`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn guessed(&self, identity: &str, at: Timestamp, forget: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("insert_guess", &[&identity, &at]);
        write.row("expire_guesses", &[&forget]);
        self.db.write(write).await
    }

    /// How often codes were guessed since a time.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn guesses(&self, identity: &str, since: Timestamp) -> Result<Guesses, StoreError> {
        let row = self.db.read_one("count_guesses", vec![identity.into(), since.micros().into()]).await?;
        let int = |column: &str| row.as_ref().map_or(Ok(0), |row| row.int(column));
        Ok(Guesses { own: int("own")?, everybody: int("everybody")? })
    }

    async fn one(&self, statement: &'static str, row: &[&dyn Cell]) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row(statement, row);
        self.db.write(write).await
    }
}

fn read_person(row: &Row) -> Result<Person, StoreError> {
    Ok(Person {
        name: row.text("name")?,
        role: row.parse("role")?,
        created_at: Timestamp::from_micros(row.int("created_at")?),
    })
}
