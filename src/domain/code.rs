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
    WF2102 User "the file is not there" "check the path, or upload the file and pass its id";
    WF2103 User "a file of the wrong size or type" "give a file that the step's `max_size` and `allowed_types` allow, or change them";
    WF2104 User "the file is empty" "give a file with content";
    WF2105 Permission "the file lies outside the folders that workflows may read" "upload it, or put it beneath a folder of WORKFLOW_FILE_ROOTS";
    WF2106 Resource "a picture or page has too many pixels" "scan or save it smaller: at most 40 megapixels a page";
    WF2107 User "the document is encrypted" "save it without a password and give it again";
    WF2108 User "the document is damaged" "open and save it again in the program that made it";
    WF2109 User "the document has no pages" "give a document with at least one page";
    WF2110 User "this type of document cannot be read" "save it as PDF, docx, JPEG, PNG or TIFF";
    WF2111 Resource "the document unpacks to too much" "nothing: an honest document does not do this";
    WF2112 User "the document declares its own entities" "nothing: an honest document does not do this";
    WF2113 Resource "the file could not be read or kept" "look at the disk: its space, its permissions, its health";
    WF2114 Resource "the document has too many pages" "split it, or raise the step's `max_pages`";
    // 23xx: other programs
    WF2301 Internal "a program failed" "look at what it said (`workflow logs`), then retry";
    WF2302 Timeout "a program took too long" "give it less: fewer pages, smaller pictures";
    WF2303 Resource "a program wrote too much" "give it less: fewer pages, smaller pictures";
    WF2304 Timeout "a program was stopped because its work was cancelled" "retry the step if the work is wanted after all";
    WF2305 Internal "a program could not be started" "look at the limits on processes and memory of this machine";
    WF2310 Config "a program or a language of it is not installed" "install what the message names";
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
