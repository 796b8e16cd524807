//! Who may do what: roles, the rules that a workflow and a channel have of their own, and the one function that decides,
//! [`may`]. Start reading there.

mod parties;
mod policy;
mod roles;
#[cfg(test)]
mod tests;

pub use parties::{Channel, Party, Permissions, Place};
pub use policy::{Denial, Resource, Subject, Verdict, may};
pub use roles::{Action, Role, Standing};
