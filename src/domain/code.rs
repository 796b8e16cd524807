//! Every error code in one table: class, title, remedy. A code's page is `docs/errors/WFnnnn.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of trouble a code names; decides who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// What was asked for or sent is wrong.
    User,
    /// A workflow file or the configuration is wrong.
    Config,
    /// Not allowed.
    Permission,
    /// The other side refused.
    #[serde(rename = "remote_4xx")]
    Refused,
    /// The other side failed.
    #[serde(rename = "remote_5xx")]
    Remote,
    /// It took too long.
    Timeout,
    /// Too large, too many, no room.
    Resource,
    /// Our own fault.
    Internal,
    /// Nobody can know whether it happened.
    Uncertain,
}

struct Entry {
    id: &'static str,
    class: Class,
    title: &'static str,
    remedy: &'static str,
}

/// A stable error code such as `WF2103`.
#[derive(Clone, Copy)]
pub struct Code(&'static Entry);

impl Code {
    /// The code as it is printed.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.0.id
    }

    /// What kind of trouble it names.
    #[must_use]
    pub const fn class(self) -> Class {
        self.0.class
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.0.title
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.0.remedy
    }

    /// Every code there is, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().copied()
    }

    /// The code with this id.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        Self::all().find(|code| code.id() == id)
    }
}

macro_rules! codes {
    ($($name:ident $class:ident $title:literal $remedy:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(&Entry {
                id: stringify!($name), class: Class::$class, title: $title, remedy: $remedy,
            });
        )*
        const TABLE: &[Code] = &[$($name),*];
    };
}

codes! {
    // 1xxx: a workflow file
    // 20xx: what every step can meet
    WF2001 Config "the step's config does not fit its type" "correct the key that the message names; `workflow show TYPE` lists them";
    WF2002 Config "an expression could not be evaluated" "correct the expression, or make the value it reads exist";
    WF2003 Config "unknown step type" "use one of the step types that `workflow templates --types` lists";
    WF2004 Timeout "a step took longer than its timeout" "raise the step's `timeout`, or WORKFLOW_STEP_TIMEOUT";
    WF2005 User "an input is missing or wrong" "give the input that the message names";
    WF2006 User "an assertion did not hold" "look at the values that the message names";
    // 21xx: documents coming in
    WF2101 User "no file was given" "pass a file: `workflow run NAME --file PATH`";
    // 22xx: what is in documents, and keeping it
    WF2201 User "there is no text to work on" "bind the step's `text` port to the `text` of an `ocr` step, or give the input `text`";
    WF2202 User "there is nothing to store" "bind at least one of the step's ports: `document`, `text`, `pages` or `analysis`";
    WF2203 Config "the destination is not known" "write `destination: database`";
    WF2204 User "there is nothing to search for" "give words to search for";
    WF2205 Resource "the text is too long to store" "split the document";
    WF2206 Resource "the store could not keep or find documents" "look at the disk: its space, its permissions, its health";
    // 4xxx: the engine
    WF4001 Internal "a step handler broke" "report it with the execution id; other runs are not affected";
    WF4002 Uncertain "a step was interrupted again and again" "look at what the step does to the machine, then retry it";
    WF4003 Uncertain "a step was interrupted and must not be repeated" "find out whether its effect happened, then retry or skip it";
    WF4004 Timeout "the run took longer than its timeout" "raise the workflow's `timeout`";
    WF4005 Resource "a value is too large to keep" "let the step write it to a file instead";
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Code {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Code {
    /// A code that this version does not know (written by a newer one) reads as our own fault, never as a failure to load.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Ok(Self::find(&id).unwrap_or(WF4001))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        let ids: Vec<_> = Code::all().map(Code::id).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted);
    }
}
