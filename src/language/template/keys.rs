//! The keys of the language: those that work, and those that are refused by name until they do.

/// The keys of one kind of map.
pub(super) struct Keys {
    /// What the map is, for messages: `at the top level`.
    pub place: &'static str,
    /// Keys that are read.
    pub known: &'static [&'static str],
    /// Keys of the language that are not built yet. Never ignored: a file must not mean less than it says.
    pub later: &'static [&'static str],
}

pub(super) const TOP: Keys = Keys {
    place: "at the top level",
    known: &[
        "name",
        "description",
        "id",
        "spec",
        "version",
        "labels",
        "owner",
        "inputs",
        "vars",
        "defaults",
        "timeout",
        "concurrency",
        "priority",
        "triggers",
        "steps",
        "on_error",
        "finally",
        "outputs",
        "cache",
        "permissions",
    ],
    later: &["chat", "retention", "experiment", "capabilities", "connections", "secrets"],
};

pub(super) const STEP: Keys = Keys {
    place: "in a step",
    known: &[
        "type",
        "name",
        "id",
        "config",
        "parallel_group",
        "needs",
        "when",
        "foreach",
        "cache",
        "concurrency",
        "retry",
        "timeout",
        "on_error",
        "critical",
        "outputs",
        "ports",
        "rollback",
        "disabled",
        "label",
    ],
    later: &["idempotency_key", "progress"],
};

pub(super) const CONCURRENCY: Keys =
    Keys { place: "in `concurrency`", known: &["group", "limit", "overflow", "queue_max", "order"], later: &[] };

pub(super) const PERMISSIONS: Keys =
    Keys { place: "in `permissions`", known: &["run", "approve", "edit", "view", "cancel"], later: &[] };

pub(super) const FOREACH: Keys = Keys {
    place: "in `foreach`",
    known: &["in", "as", "key", "max_parallel", "batch", "on_item_error", "limit"],
    later: &[],
};

pub(super) const GROUP: Keys = Keys { place: "in a group", known: &["steps", "mode"], later: &[] };

pub(super) const SWITCH: Keys = Keys { place: "in a switch", known: &["on", "cases", "else"], later: &[] };

pub(super) const CACHE: Keys =
    Keys { place: "in `cache`", known: &["ttl", "key", "scope", "ignore", "force"], later: &[] };

pub(super) const ON_ERROR: Keys = Keys { place: "in `on_error`", known: &["goto"], later: &[] };

pub(super) const DEFAULTS: Keys =
    Keys { place: "in `defaults`", known: &["retry", "timeout", "on_error"], later: &["types"] };

pub(super) const RETRY: Keys = Keys {
    place: "in `retry`",
    known: &["count", "delay", "backoff", "factor", "max_delay", "jitter", "on", "not_on"],
    later: &[],
};

pub(super) const TIMEOUT: Keys =
    Keys { place: "in `timeout`", known: &["attempt", "total", "queue", "heartbeat"], later: &[] };

pub(super) const RUN_TIMEOUT: Keys =
    Keys { place: "in the top-level `timeout`", known: &["total", "queue", "include_waits"], later: &[] };

pub(super) const ROOM: Keys = Keys {
    place: "in the `concurrency` of a step",
    known: &["group", "limit"],
    later: &["overflow", "queue_max", "order"],
};

pub(super) const INPUT: Keys = Keys {
    place: "in an input",
    known: &["type", "required", "default", "options", "pattern", "min", "max", "label", "description", "sensitive"],
    later: &["accept", "max_size", "ask", "remember"],
};

pub(super) const OUTPUT: Keys =
    Keys { place: "in an output", known: &["value"], later: &["type", "sensitive", "trim"] };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_tells_every_key() {
        let manual = include_str!("../../../docs/templates.md");
        for keys in [
            TOP,
            STEP,
            CONCURRENCY,
            PERMISSIONS,
            ROOM,
            FOREACH,
            GROUP,
            SWITCH,
            CACHE,
            ON_ERROR,
            DEFAULTS,
            RETRY,
            TIMEOUT,
            RUN_TIMEOUT,
            INPUT,
            OUTPUT,
        ] {
            for key in keys.known.iter().chain(keys.later) {
                let told = [format!("`{key}`"), format!("`{key}:"), format!("  {key}: "), format!("{{ {key}: ")];
                assert!(
                    told.iter().any(|form| manual.contains(form)),
                    "docs/templates.md does not tell `{key}` {}",
                    keys.place
                );
            }
        }
    }
}
