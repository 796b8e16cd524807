//! Every error code in one table: class, title, remedy. A code's page is `docs/errors/WFnnnn.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of trouble a code names; decides who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    WF1061 Config "a schedule that cannot be read or never happens" "write cron (`0 2 * * *`), `every`, `at`, or plain words (`weekdays 9am`)";
    WF1062 Config "a trigger contradicts itself" "correct the part that the message names";
    // 20xx: what every step can meet
    WF2001 Config "the step's config does not fit its type" "correct the key that the message names; `workflow show TYPE` lists them";
    WF2002 Config "an expression could not be evaluated" "correct the expression, or make the value it reads exist";
    WF2003 Config "unknown step type" "use one of the step types that `workflow templates --types` lists";
    WF2004 Timeout "a step took longer than its timeout" "raise the step's `timeout`, or WORKFLOW_STEP_TIMEOUT";
    WF2005 User "an input is missing or wrong" "give the input that the message names";
    WF2006 User "an assertion did not hold" "look at the values that the message names";
    // 21xx: documents coming in
    WF2007 User "steps that were made at run time cannot be run" "look at the output that makes them";
    WF2008 User "what a step did cannot be taken back" "look at what the execution has done: `workflow rollback EXECUTION --dry-run`";
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
    // 215x: what is told to people
    WF2150 Config "a message has no channel" "name a channel that is there, or make an alias for it with WORKFLOW_CHANNELS";
    WF2151 Refused "a message could not be delivered" "look at why with `workflow outbox`; then `workflow outbox retry` or `workflow outbox drop`";
    WF2152 Timeout "a message was not delivered in time" "look at why with `workflow outbox`; it stays there and goes out by itself";
    WF2153 Config "nothing is connected that could carry a message" "connect the platform, or let messages be written to `outbox/` with WORKFLOW_REQUIRE_DELIVERY=false";
    WF2154 User "a message says nothing" "put a `prepare` step before this one, or give it a `text`";
    WF2155 Config "a message template cannot be used" "correct the place that the message names";
    WF2156 Resource "a message could not be kept" "look at the disk: its space, its permissions, its health";
    // 22xx: what is in documents, and keeping it
    WF2201 User "there is no text to work on" "bind the step's `text` port to the `text` of an `ocr` step, or give the input `text`";
    WF2202 User "there is nothing to store" "bind at least one of the step's ports: `document`, `text`, `pages` or `analysis`";
    WF2204 User "there is nothing to search for" "give words to search for";
    WF2205 Resource "the text is too long to store" "split the document";
    WF2206 Resource "the store could not keep or find documents" "look at the disk: its space, its permissions, its health";
    // 23xx: other programs
    WF2301 Internal "a program failed" "look at what it said (`workflow logs`), then retry";
    WF2302 Timeout "a program took too long" "give it less: fewer pages, smaller pictures";
    WF2303 Resource "a program wrote too much" "give it less: fewer pages, smaller pictures";
    WF2304 Timeout "a program was stopped because its work was cancelled" "retry the step if the work is wanted after all";
    WF2305 Internal "a program could not be started" "look at the limits on processes and memory of this machine";
    WF2310 Config "a program or a language of it is not installed" "install what the message names";
    // 24xx: rows
    WF2401 User "there are no rows to work on" "put a step that gives `records` before this one, such as `extract`";
    WF2402 User "there is no list of rows" "say with `records_path` where the rows stand";
    WF2403 User "the source cannot be read as rows" "correct the line that the message names, or the step's `format`, `delimiter` or `encoding`";
    WF2404 Resource "there are too many rows" "take fewer at a time";
    WF2405 Refused "the next page cannot be followed" "take fewer pages with `max_pages`";
    WF2410 User "two columns have one name, or one has none" "give each column a name of its own";
    WF2411 User "a cell does not hold what its column shall hold" "correct the cell that the message names, or the step's `types`";
    WF2420 Config "the schema cannot be used" "correct the place that the message names";
    WF2421 User "rows do not fit the schema" "correct the rows that the message names, or put them aside with `strict: false`";
    WF2430 User "a table or a column has a name that cannot be used" "rename it; `normalize` makes plain names";
    WF2431 User "rows do not fit the table" "load them into another table, or let `types` make them what the table holds";
    WF2432 User "rows have no key, or several have the same" "deduplicate by the key before loading";
    WF2433 Resource "the warehouse failed" "look at the disk: its space, its permissions, its health";
    // 30xx-35xx: the outside world
    WF3002 User "a `test` step failed as it was told to" "remove `fail` from the step's config, or let `retry` outlast `times`";
    WF3101 Config "the address is not one that can be fetched" "write a full address that begins with `https://` or `http://`, without user name and password";
    WF3102 Permission "the address may not be reached from here" "use a public address, or let the operator add the address and port to the `allow` list";
    WF3103 Remote "a name could not be resolved" "look for a typing error in the host name, and whether this machine has a name server";
    WF3104 Refused "a redirect was not followed" "write the address where the redirect leads into the step's `url`";
    WF3105 Config "a reserved example name is never contacted" "replace the example address by the real one";
    WF3201 Remote "no connection to the other side" "find out whether the other side is up and reachable from this machine";
    WF3202 Remote "the other side could not prove who it is" "renew the certificate of the other side, or install its authority on this machine (package `ca-certificates`)";
    WF3203 Timeout "the other side did not answer in time" "raise the step's `timeout`, or find out why the other side is slow";
    WF3204 Resource "the answer is too large" "ask for less, or raise the step's `max_size`";
    WF3205 Remote "the answer broke off or could not be read" "look at what the other side sends; the message says how far it got";
    WF3401 Refused "the other side refused the request" "correct the request: address, credentials or content, as the status says";
    WF3402 Refused "the other side answered with another status than expected" "correct the request, or the step's `expect_status`";
    WF3429 Refused "the other side asks to come back later" "wait, or ask less often; retries wait as long as the other side asks";
    WF3503 Remote "the other side failed" "retry later; when it lasts, tell the people who run the other side";
    // 4xxx: the engine
    WF4001 Internal "a step handler broke" "report it with the execution id; other runs are not affected";
    WF4002 Uncertain "a step was interrupted again and again" "look at what the step does to the machine, then retry it";
    WF4003 Uncertain "a step was interrupted and must not be repeated" "find out whether its effect happened, then retry or skip it";
    WF4004 Timeout "the run took longer than its timeout" "raise the workflow's `timeout`";
    WF4005 Resource "a value is too large to keep" "let the step write it to a file instead";
    WF4006 Internal "a kept value could not be written or read" "check the disk and the `files` folder of the storage path";
    WF4007 User "a step was stopped before it was done" "retry the step when it is wanted again";
    WF4008 User "a question was not answered in time" "retry it, and answer within the time that it gives";
    WF4009 User "an item of a list failed" "look at the item's own error, then retry the step: only what is missing runs again";
    WF4010 User "a `foreach` has no list, or one that is too long" "give it a list; `limit` says how long it may be";
    WF4011 User "an approval was refused" "talk to who refused it; then retry the step, which asks again";
    WF4012 User "an event did not come in time" "retry it, and send the event within the time that it gives";
    WF4013 User "a workflow cannot be begun inside another one" "look at which workflow calls which";
    WF4014 Resource "a concurrency group has no room" "try again later, or raise `limit` or `queue_max` of its `concurrency`";
    // 50xx: what is asked of the front desk
    WF5001 User "a request is incomplete or contradicts itself" "correct the request as the message says";
    WF5002 Refused "workflows are switched off" "set WORKFLOW_ENABLED to true and start the service again";
    // 51xx: requests over HTTP
    WF5100 Internal "the service failed to answer" "look for the request's id in the log of the service";
    WF5101 User "the body is not JSON" "correct the place that the message names";
    WF5102 User "the body is of the wrong type" "send the content type that the message names";
    WF5103 User "a value of the request does not fit" "send the kind of value that the message names";
    WF5104 Resource "the body is too large" "send less: the message names the limit";
    WF5105 User "a value would not be kept exactly" "send it as a text";
    WF5106 Timeout "the request did not arrive in time" "send it again";
    WF5110 Config "the workflow's definition has errors" "correct the places that the errors name";
    WF5111 User "there is no such thing" "look for the right name or id in a list";
    WF5112 User "a short name could mean several things" "write the name out";
    WF5113 User "the execution is in another state" "look at its status first";
    WF5114 User "there is no such address" "see docs/api.md, or /api/openapi.json";
    WF5115 User "the address does not take this method" "use one of those that the `allow` header names";
    WF5116 User "an idempotency key was used for another request" "use a new key for each request that is new";
    WF5117 User "a request with this idempotency key is still being answered" "send it again in a moment";
    WF5120 Permission "not signed in" "send `Authorization: Bearer TOKEN`, or sign in on the page";
    WF5121 Permission "the request comes from another site's page" "call from a page of this service, or add the page's host to `allowed_hosts`";
    WF5122 Permission "this host name is not served here" "use the address that the service printed, or add the name to `allowed_hosts`";
    WF5123 Permission "this is not for you to decide" "ask somebody who may: the message says who";
    WF5124 Resource "the concurrency group of the workflow is full" "try again later, or raise `limit` or `queue_max` of its `concurrency`";
    WF5125 Permission "this is not for you to do" "ask whom the message names, or an admin for a role";
    WF5126 Permission "a code does not count" "ask an admin for a new code, and say `link CODE` to the bot alone";
    WF5130 Resource "the service is shutting down" "try again when it is back";
    WF5131 Resource "the disk or the database failed" "look at the disk of the machine; the next start carries on";
    WF5132 Resource "too many requests at once" "send it again in a moment";
    WF5133 Resource "the disk is nearly full, so nothing new is taken in" "make room, or lower `min_free_disk`; what is under way goes on, and new work is taken in again as soon as there is room";
    WF5150 User "a request is not genuine" "sign the body with the trigger's secret; `workflow trigger show` names the header";
    WF5151 User "a signed time is too old or too far ahead" "set the sender's clock, or raise `tolerance`";
    WF5152 Config "a trigger's `run_as` names nobody" "name a person whom `workflow people` lists, or take the person in with `workflow people add`";
    // 60xx: the configuration
    WF6001 Config "unknown setting" "take the name out, or see the table in docs/configuration.md";
    WF6002 Config "a setting has a value that is not allowed" "give it one of the values that the message names";
    WF6003 Config "a configuration file cannot be read" "correct the line that the message names, or the file's name";
    WF6004 Config "this database is not supported yet" "leave WORKFLOW_DATABASE_URL unset: workflow.db in the storage folder is used";
    WF6005 User "a setting on the command line is not written as key=value" "write it as `max_concurrent=3`";
    WF6006 Permission "listening beyond this machine without a token" "set WORKFLOW_API_TOKEN to a long secret, or listen on 127.0.0.1";
    WF6007 Config "the address cannot be listened on" "choose another port with WORKFLOW_LISTEN, or stop the program that uses it";
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
