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
    WF1001 Config "the text is not valid YAML" "correct the place that the message names";
    WF1002 Resource "the file is too large or nests too deep" "split it into several workflows";
    WF1003 Config "the file is not plain UTF-8 text" "save it as UTF-8 without a byte order mark";
    WF1004 Config "a tab stands where YAML wants spaces" "indent with spaces";
    WF1005 Config "a key is written twice" "delete one of the two";
    WF1006 Config "the file holds several documents" "put each workflow into a file of its own";
    WF1007 Config "a YAML tag is not allowed" "delete the tag; quote the value if it is text";
    WF1008 Config "merge keys are not part of the language" "write the keys out, or use `defaults:`";
    WF1010 Config "something required is missing" "add what the message names";
    WF1011 Config "a value is of the wrong kind" "write the kind of value that the message names";
    WF1012 Config "an unknown key" "correct the key, or begin it with `x-`";
    WF1013 Config "a key that is not supported yet" "leave the key out";
    WF1014 Resource "too many steps, inputs or other items" "split it into several workflows";
    WF1015 Config "a value that is not one of those allowed" "use one of the values that the message lists";
    WF1016 Config "a duration cannot be read" "write seconds as a number (300, 2.5) or with a unit (500ms, 90s, 30m, 2h, 1d)";
    WF1018 Config "the file is written for a newer version" "upgrade, or write the file for this version";
    WF1020 Config "two steps have the same id" "give each step an id of its own";
    WF1021 Config "two steps have the same name" "give one of them an `id`";
    WF1022 Config "an unknown step type" "use one of the step types that `workflow templates --types` lists";
    WF1023 Config "`needs` names a step that does not exist" "name the id of a step of this workflow";
    WF1024 Config "steps wait for each other in a circle" "take one of the `needs` away";
    WF1025 Config "`needs` and `parallel_group` on one step" "keep one of the two";
    WF1026 Config "the list order contradicts the group numbers" "order the steps as their groups run";
    WF1027 Config "a port could be fed by several steps" "say which with `ports:`";
    WF1028 Config "an unknown port" "use one of the ports that the step type declares";
    WF1030 Config "double braces without a dollar sign" "write `${{ ... }}`";
    WF1031 Config "an expression cannot be read" "correct the place that the message names";
    WF1032 Config "an unknown function, filter or test" "use one of those that docs/templates.md lists";
    WF1033 Resource "an expression is too long" "compute part of it in `vars` or in a step";
    WF1040 Config "an unknown name in an expression" "begin with `inputs`, `vars`, `steps`, `prev` or `run`";
    WF1041 Config "an expression reads an input that is not declared" "declare it under `inputs`, or correct the name";
    WF1042 Config "an expression reads a var that is not there" "write it under `vars`, or correct the name";
    WF1044 Config "an expression reads a step that does not exist" "correct the step's id";
    WF1045 Config "an expression reads something that the step does not have" "read one of the outputs that the message lists";
    WF1046 Config "an expression reads a step that may not have run yet" "add the step to `needs`";
    WF1047 Config "a condition that is always true or always false" "let it read an input or an output, or leave it out";
    WF1048 Config "secrets are not supported yet" "pass the value as an input";
    WF1050 Config "an unknown key in a step's config" "use one of the keys that the message lists";
    WF1051 Config "a key is missing in a step's config" "add the key that the message names";
    WF1052 Config "a value in a step's config does not fit" "write a value that the message allows";
    WF1060 Config "an input's declaration contradicts itself" "correct the part that the message names";
    // 20xx: what every step can meet
    WF2001 Config "the step's config does not fit its type" "correct the key that the message names; `workflow show TYPE` lists them";
    WF2002 Config "an expression could not be evaluated" "correct the expression, or make the value it reads exist";
    WF2003 Config "unknown step type" "use one of the step types that `workflow templates --types` lists";
    WF2004 Timeout "a step took longer than its timeout" "raise the step's `timeout`, or WORKFLOW_STEP_TIMEOUT";
    WF2005 User "an input is missing or wrong" "give the input that the message names";
    WF2006 User "an assertion did not hold" "look at the values that the message names";
    // 21xx: documents coming in
    WF2101 User "no file was given" "pass a file: `workflow run NAME --file PATH`";
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
