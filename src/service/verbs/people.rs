//! What can be said about people, and asked about what they did.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::domain::role::Role;

/// `link`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Link {
    /// The code that an admin gave you
    #[arg(required = true)]
    pub code: Vec<String>,
}

/// What to do with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PeopleAct {
    /// Show everybody.
    List,
    /// Take a person in.
    Add,
    /// Give a person another role.
    Role,
    /// Make a code with which a person says who they are on a platform.
    Code,
    /// Take back what platforms call a person.
    Unlink,
    /// Take a person away.
    Remove,
}

/// `people`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct People {
    /// What to do
    #[arg(value_enum, default_value = "list")]
    pub act: PeopleAct,
    /// The person's name
    pub name: Option<String>,
    /// The role (`role`), or what a platform calls them (`unlink`)
    pub value: Option<String>,
    /// The role: none, viewer, runner, operator, editor or admin
    #[arg(long)]
    pub role: Option<Role>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What is wanted of `people`, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleWish {
    /// Everybody.
    List,
    /// A new person.
    Add {
        /// The name.
        name: String,
        /// What they may do.
        role: Role,
    },
    /// Another role.
    Role {
        /// Whose.
        name: String,
        /// Which.
        role: Role,
    },
    /// A code.
    Code {
        /// For whom.
        name: String,
    },
    /// Take back what platforms call somebody.
    Unlink {
        /// Whom.
        name: String,
        /// Only this.
        identity: Option<String>,
    },
    /// Take a person away.
    Remove {
        /// Whom.
        name: String,
    },
}

impl People {
    /// What is wanted.
    ///
    /// # Errors
    /// Something is missing or too much; the sentence says what.
    pub fn wish(&self) -> Result<PeopleWish, String> {
        let word = self.act.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let name = || {
            // In a chat people are written with the sign of a mention.
            let name = self.name.as_deref().map(|name| name.trim_start_matches('@').to_owned());
            name.ok_or_else(|| format!("`people {word}` wants the name of a person"))
        };
        let role = || match (self.role, &self.value) {
            (Some(role), None) => Ok(role),
            (None, Some(value)) => value.parse(),
            (None, None) => Err(format!("`people {word}` wants a role, as in `--role operator`")),
            (Some(_), Some(_)) => Err("the role is said twice".to_owned()),
        };
        match (self.act, &self.value) {
            (PeopleAct::List, _) => Ok(PeopleWish::List),
            (PeopleAct::Add, _) => Ok(PeopleWish::Add { name: name()?, role: role()? }),
            (PeopleAct::Role, _) => Ok(PeopleWish::Role { name: name()?, role: role()? }),
            (PeopleAct::Unlink, identity) => Ok(PeopleWish::Unlink { name: name()?, identity: identity.clone() }),
            (PeopleAct::Code | PeopleAct::Remove, Some(more)) => Err(format!("`people {word}` does not take `{more}`")),
            (PeopleAct::Code, None) => Ok(PeopleWish::Code { name: name()? }),
            (PeopleAct::Remove, None) => Ok(PeopleWish::Remove { name: name()? }),
        }
    }
}

/// `audit`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Audit {
    /// Only what this one did: a person's name, or what a platform calls them
    #[arg(long, value_name = "IDENTITY")]
    pub by: Option<String>,
    /// Only what was refused
    #[arg(long)]
    pub denied: bool,
    /// How many lines at the most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
