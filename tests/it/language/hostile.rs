//! Files made to hurt: each ends with a clear report, and none is given more than its share of work.

use proptest::prelude::*;
use workflow::language::source::MAX_BYTES;
use workflow::language::{Compiled, Options, Source, compile};

use super::stock;

fn codes(text: &str) -> Vec<&'static str> {
    let Compiled { plan, report } = compile(&Source::new("hostile.yaml", text), &stock::catalog(), &Options::default());
    assert_eq!(plan.is_none(), report.has_errors());
    report.problems.iter().map(|problem| problem.code.id()).collect()
}

const TAIL: &str = "steps:\n  - type: noop\n";

#[test]
fn a_file_beyond_the_limit_is_refused_unread() {
    let text = format!("name: Big\n# {}\n{TAIL}", "x".repeat(MAX_BYTES));
    assert_eq!(codes(&text), ["WF1002"]);
    let report = Source::from_bytes("big.yaml", text.as_bytes()).map(|source| source.text.len());
    assert!(report.is_ok_and(|length| length <= MAX_BYTES + 1), "no more than the limit is kept");
}

#[test]
fn a_hundred_thousand_brackets_are_refused() {
    for (start, open) in [(" ", "["), (" ", "{a: "), ("\n    ", "- ")] {
        let text = format!("name: Deep\nvars:\n  deep:{start}{}\n{TAIL}", open.repeat(60_000));
        assert_eq!(codes(&text), ["WF1002"], "{open}");
    }
    let deep: String = (0..60).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(codes(&format!("name: Deep\nvars:\n {}\n{TAIL}", deep.replace('\n', "\n "))), ["WF1002"]);
}

#[test]
fn a_scalar_repeated_to_gigabytes_is_refused() {
    let big = "x".repeat(100_000);
    let aliases = "*big, ".repeat(20_000);
    assert_eq!(codes(&format!("name: Wide\nvars:\n  big: &big {big}\n  all: [{aliases}]\n{TAIL}")), ["WF1002"]);
    let few = "*big, ".repeat(50);
    assert_eq!(codes(&format!("name: Wide\nvars:\n  big: &big {big}\n  all: [{few}]\n{TAIL}")), ["WF1002"]);
}

#[test]
fn many_small_values_are_refused() {
    let text = format!("name: Many\nvars:\n  all: [{}]\n{TAIL}", "1, ".repeat(25_000));
    assert_eq!(codes(&text), ["WF1002"]);
}

#[test]
fn a_report_stays_readable_however_much_is_wrong() {
    let keys: String = (0..5_000).map(|number| format!("key{number}: 1\n")).collect();
    assert_eq!(codes(&format!("{keys}name: Wrong\n{TAIL}")).len(), 200);
}

#[test]
fn bytes_that_are_no_utf8_are_told_with_their_place() {
    let told = |bytes: &[u8]| {
        let report = Source::from_bytes("bytes.yaml", bytes).expect_err("not UTF-8");
        let problem = &report.problems[0];
        (problem.code.id(), problem.line, problem.column)
    };
    assert_eq!(told(b"name: A\nlabels: \xe9t\xe9\n"), ("WF1003", 2, 9));
    assert_eq!(told(b"\xff\xfen\0a\0m\0e\0"), ("WF1003", 1, 1));
    assert_eq!(told(b"n\0a\0m\0e\0"), ("WF1003", 1, 1));
    assert_eq!(codes("name: A\nid: a\u{0}b\n"), ["WF1003"]);
}

#[test]
fn expressions_cannot_grow_without_end() {
    let nested = format!("{}1{}", "(".repeat(8_000), ")".repeat(8_000));
    assert_eq!(codes(&format!("name: Deep\nvars:\n  deep: \"${{{{ {nested} }}}}\"\n{TAIL}")), ["WF1031"]);
}

/// None of these takes room until somebody looks at it; together they would take all memory, or minutes.
#[test]
fn an_expression_that_repeats_a_list_does_no_work() {
    let home = crate::support::binary::Home::new();
    let text = format!("t={}", "a".repeat(100_000));
    for expression in [
        "([inputs.t] * 1000000) | join",
        "([inputs.t] * 1000000) ~ 'x'",
        "(1000000 * [inputs.t]) | last",
        "([1] * 100000000) == ([1] * 100000000)",
        "[inputs.t] == [[1] * 100000000, 2]",
        "2 in ([1] * 100000000)",
        "([inputs.t] * 100000) | max",
        "(([1, 2] | map('string') | list) * 100000000) is eq([1] * 100000000)",
        "([inputs.t] + [inputs.t] | list) * 1000000 | unique | first",
        "'x' ~ [inputs.t, inputs.t]",
        "{'a': inputs.t} ~ 'x'",
    ] {
        let step = format!("steps:\n  - type: test\n    config: {{ outputs: {{ n: \"${{{{ {expression} }}}}\" }} }}\n");
        home.write("bomb.yaml", &format!("name: Bomb\ninputs:\n  t: {{ type: string }}\n{step}"));
        let ended = home.run(&["run", "bomb.yaml", &text]);
        assert_eq!(ended.code, 1, "{expression}: {}", ended.stderr);
        assert!(ended.stdout.contains("WF2002"), "{expression}: {}", ended.stdout);
        let said = ended.stdout.contains("take numbers and texts, not a ");
        assert!(said, "{expression}: {}", ended.stdout);
    }
}

/// What is constant is computed while the file is read, so it must be small as well.
#[test]
fn a_text_that_is_repeated_is_not_made_while_the_file_is_read() {
    let bombs = "('x' * 100000000) ~ ".repeat(600);
    let text = format!("name: Bomb\nvars:\n  a: \"${{{{ {bombs}'x' }}}}\"\n{TAIL}");
    assert_eq!(codes(&text), [] as [&str; 0]);
}

#[test]
fn thousands_of_expressions_are_not_looked_at() {
    // The escape hides the expressions from a search in the file, which makes each search as long as it can be.
    let text = format!("name: Many\nvars:\n  a: \"\\x20{}\"\n{TAIL}", "${{inputs . x}}".repeat(10_000));
    assert_eq!(codes(&text), ["WF1014"]);
    let warnings: String = (0..200).map(|number| format!("  - {{ type: nothing{number}, id: s{number} }}\n")).collect();
    let text = format!("name: Warned\nsteps:\n{warnings}outputs:\n  wrong: ${{{{ steps.s }}}}\n");
    assert!(codes(&text).contains(&"WF1044"), "an error is told however many warnings came first");
}

/// Text that looks like a workflow often enough to get past the first reader.
fn almost_a_workflow() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "name",
        "steps",
        "type",
        "config",
        "when",
        "retry",
        "needs",
        "inputs",
        "vars",
        "outputs",
        "noop",
        "ocr",
        "upload",
        "timeout",
        "parallel_group",
        "ports",
        "&a",
        "*a",
        "<<",
        "!!str",
        "!x",
        "---",
        "...",
        "?",
        "|",
        ">",
        "~",
        "true",
        "0x1f",
        "1e9",
        "'",
        "\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "- ",
        "#",
        "\n",
        "\n  ",
        "\n    ",
        "\t",
        "${{",
        "}}",
        "{{",
        "$${{",
        "steps.a.outputs.b",
        "inputs.x",
        "|",
        "and",
        "not",
        "(",
        ")",
        "&&",
        "ä",
        "日本",
        "\u{1f600}",
        "\u{2028}",
        "%YAML 1.2",
    ]);
    let glue = prop::sample::select(vec!["", " ", ": ", "\n- ", ", "]);
    prop::collection::vec((words, glue), 0..60)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, glue)| [word, glue]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_compiler_panic(text in any::<String>()) {
        let report = compile(&Source::new("any.yaml", text), &stock::catalog(), &Options::default()).report;
        prop_assert!(!report.text(true).is_empty() || report.problems.is_empty());
    }

    #[test]
    fn no_almost_workflow_makes_the_compiler_panic(text in almost_a_workflow()) {
        let text = format!("name: Almost\nsteps:\n  - type: noop\n    config:\n      a: {text}\n");
        let compiled = compile(&Source::new("almost.yaml", text), &stock::catalog(), &Options::default());
        prop_assert_eq!(compiled.plan.is_some(), !compiled.report.has_errors());
        for problem in &compiled.report.problems {
            prop_assert!(problem.line >= 1 && problem.column >= 1 && problem.length >= 1);
        }
    }

    #[test]
    fn no_expression_makes_the_compiler_panic(expression in "[a-z.|()\\[\\]{}'\" 0-9=!<>&+*/%~,_-]{0,80}") {
        let quoted = expression.replace('\'', "''");
        let text = format!("name: Almost\nvars:\n  a: '${{{{ {quoted} }}}}'\nsteps:\n  - type: noop\n    when: '{quoted}'\n");
        let compiled = compile(&Source::new("almost.yaml", text), &stock::catalog(), &Options::default());
        prop_assert_eq!(compiled.plan.is_some(), !compiled.report.has_errors());
    }
}
