//! Step configs against the schema that schemars makes of a config struct, as the real step types declare it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use workflow::domain::plan::EffectClass;
use workflow::language::catalog::{Catalog, StepType, Undo};
use workflow::language::{Options, Source, compile};

/// How to send.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// Reads.
    Get,
    /// Writes.
    Post,
    /// Replaces.
    Put,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is read")]
struct Page {
    /// First page.
    from: u16,
    to: Option<u16>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is read")]
enum Auth {
    Basic { user: String },
    Token { token: String, header: Option<String> },
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is read")]
enum Recipients {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is read")]
struct Config {
    url: String,
    #[serde(default)]
    method: Option<Method>,
    #[serde(default)]
    pages: Vec<Page>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    auth: Option<Auth>,
    #[serde(default)]
    to: Option<Recipients>,
    #[serde(default)]
    ratio: f64,
    #[schemars(range(min = 1, max = 10))]
    #[serde(default)]
    count: Option<u32>,
    #[schemars(length(min = 2), regex(pattern = "^[a-z]+$"))]
    #[serde(default)]
    word: Option<String>,
    #[serde(default)]
    anything: serde_json::Value,
}

fn told(config: &str) -> Vec<String> {
    let step = StepType {
        name: "send",
        summary: "a step of the tests",
        config: schemars::schema_for!(Config).to_value(),
        consumes: Vec::new(),
        produces: Vec::new(),
        outputs: &[],
        effect: EffectClass::Pure,
        cacheable: false,
        undo: Undo::Nothing,
        overridable: &[],
    };
    let catalog = Catalog::new([step]).expect("one type");
    let text = format!("name: A\nsteps:\n  - type: send\n    config: {config}\n");
    let report = compile(&Source::new("a.yaml", text), &catalog, &Options::default()).report;
    let tell = |problem: &workflow::language::report::Problem| match &problem.suggestion {
        Some(word) => format!("{} {}? {word}", problem.code, problem.message),
        None => format!("{} {}", problem.code, problem.message),
    };
    report.problems.iter().map(tell).collect()
}

#[test]
fn a_config_that_fits_its_struct_is_fine() {
    for config in [
        "{ url: x }",
        "{ url: x, method: put, pages: [{ from: 1, to: ~ }, { from: 2 }], headers: { A: b }, auth: { kind: basic, user: ana }, to: [a, b], ratio: 1, count: 10, word: ab, anything: { a: [1] } }",
        "{ url: x, to: ana, auth: { kind: token, token: t, header: h }, method: ~, ratio: 0.5 }",
        "{ url: \"${{ inputs.url }}\", count: \"${{ inputs.count }}\", auth: \"${{ inputs.auth }}\", pages: [\"${{ inputs.page }}\"] }",
    ] {
        assert_eq!(told(config), Vec::<String>::new(), "{config}");
    }
}

#[test]
fn a_config_that_does_not_fit_is_told_by_key() {
    let mut wrong = Vec::new();
    for (config, message) in [
        ("{}", "WF1051 the config of the `send` step has no `url`"),
        ("{ url: 3 }", "WF1052 `url` of the `send` step must be a text, not the number `3`"),
        ("{ url: x, methd: get }", "WF1050 unknown key `methd` in the config of the `send` step? method"),
        (
            "{ url: x, method: gte }",
            "WF1052 `method` of the `send` step must be one of `get`, `post`, `put`, not the text `gte`? get",
        ),
        (
            "{ url: x, pages: [{ from: 1, too: 2 }] }",
            "WF1050 unknown key `too` in `pages[0]` in the config of the `send` step? to",
        ),
        ("{ url: x, pages: [{ to: 2 }] }", "WF1051 the config of the `send` step has no `from` in `pages[0]`"),
        (
            "{ url: x, pages: [{ from: 70000 }] }",
            "WF1052 `pages[0].from` of the `send` step must be at most 65535, not 70000",
        ),
        ("{ url: x, pages: [{ from: -1 }] }", "WF1052 `pages[0].from` of the `send` step must be at least 0, not -1"),
        ("{ url: x, headers: { A: 3 } }", "WF1052 `headers.A` of the `send` step must be a text, not the number `3`"),
        ("{ url: x, auth: { kind: token, tokn: t } }", "WF1051 the config of the `send` step has no `token` in `auth`"),
        (
            "{ url: x, auth: { kind: tokn, token: t } }",
            "WF1052 `auth.kind` of the `send` step must be one of `basic`, `token`, not the text `tokn`? token",
        ),
        ("{ url: x, to: 3 }", "WF1052 `to` of the `send` step must be a text or a list, not the number `3`"),
        ("{ url: x, to: [3] }", "WF1052 `to[0]` of the `send` step must be a text, not the number `3`"),
        ("{ url: x, ratio: much }", "WF1052 `ratio` of the `send` step must be a number, not the text `much`"),
        ("{ url: x, count: 11 }", "WF1052 `count` of the `send` step must be at most 10, not 11"),
        ("{ url: x, count: 1.5 }", "WF1052 `count` of the `send` step must be a whole number, not the number `1.5`"),
        ("{ url: x, word: a }", "WF1052 `word` of the `send` step must have at least 2 characters, not 1"),
        ("{ url: x, word: A1 }", "WF1052 `word` of the `send` step must match `^[a-z]+$`, and `A1` does not"),
    ] {
        wrong.extend(
            told(config).first().filter(|told| *told != message).map(|told| format!("{config}\n{told}\n{message}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
