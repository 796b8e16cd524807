//! Everything that is wrong with a configuration, told at once.

use std::fmt;

use crate::domain::fault::Fault;

/// A configuration that cannot be used: at least one fault, in the order of the sources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    faults: Vec<Fault>,
}

impl ConfigError {
    pub(super) const fn new(faults: Vec<Fault>) -> Self {
        Self { faults }
    }

    /// What is wrong; never empty.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            let line = if number == 0 { "" } else { "\n" };
            write!(f, "{line}{fault}\n  {}", fault.remedy())?;
        }
        Ok(())
    }
}
