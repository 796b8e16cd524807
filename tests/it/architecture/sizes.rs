//! How large things may grow before they want to be two things. Test code is not counted.

use super::source::{Kind, Problem, Source, Token, closing, tests, tokens};

const FILE: usize = 400;
const WIRING: usize = 120;
const FUNCTION: usize = 60;
const PARAMETERS: usize = 5;
const NESTING: usize = 4;
const METHODS: usize = 8;

/// Everything in this source that has outgrown its limit.
pub fn check(source: &Source) -> Vec<Problem> {
    let all = tokens(&source.text);
    if source.path.ends_with("/tests.rs") || source.path.contains("/tests/") {
        return Vec::new();
    }
    let ranges = tests(&all);
    let counted: Vec<_> =
        all.iter().enumerate().filter(|(at, _)| !ranges.iter().any(|r| r.contains(at))).map(|(_, t)| *t).collect();
    let uncounted: usize = ranges.iter().map(|range| all[range.end - 1].line - all[range.start].line + 1).sum();
    let mut problems = Vec::new();
    let limit = if source.path.ends_with("/mod.rs") { WIRING } else { FILE };
    let lines = source.text.lines().count() - uncounted;
    if lines > limit {
        problems.push(source.problem(1, format!("has {lines} lines without its tests: at most {limit}")));
    }
    for at in 0..counted.len() {
        let named = counted.get(at + 1).is_some_and(|token| token.kind == Kind::Word);
        if counted[at].is("fn") && named {
            problems.extend(function(source, &counted, at));
        } else if counted[at].is("trait") && named {
            problems.extend(methods(source, &counted, at));
        }
    }
    problems
}

/// The function whose `fn` stands at `start`: its length, its parameters, its nesting.
fn function(source: &Source, tokens: &[Token<'_>], start: usize) -> Vec<Problem> {
    let (name, line) = (tokens[start + 1].text, tokens[start].line);
    let mut problems = Vec::new();
    let Some(open) = (start..tokens.len()).find(|at| tokens[*at].is("(") && angles(&tokens[start..*at]) == 0) else {
        return problems;
    };
    let close = closing(tokens, open);
    let count = parameters(&tokens[open + 1..close]);
    if count > PARAMETERS {
        problems.push(
            source.problem(line, format!("`{name}` takes {count} parameters: at most {PARAMETERS}, then a struct")),
        );
    }
    let Some(body) = (close..tokens.len()).find(|at| tokens[*at].is("{") || tokens[*at].is(";")) else {
        return problems;
    };
    if tokens[body].is(";") {
        return problems;
    }
    let end = closing(tokens, body);
    let lines = tokens[end].line - line + 1;
    if lines > FUNCTION {
        problems.push(source.problem(line, format!("`{name}` has {lines} lines: at most {FUNCTION}")));
    }
    let depth = nesting(&tokens[body + 1..end]);
    if depth > NESTING {
        problems.push(source.problem(line, format!("`{name}` is nested {depth} deep: at most {NESTING}")));
    }
    problems
}

/// How many angle brackets are open; the arrows are marks of their own and do not count.
fn angles(tokens: &[Token<'_>]) -> usize {
    let count = |mark: &str| tokens.iter().filter(|token| token.is(mark)).count();
    count("<").saturating_sub(count(">"))
}

/// Parameters beside `self`.
fn parameters(tokens: &[Token<'_>]) -> usize {
    let (mut count, mut at, mut start) = (0, 0, 0);
    while at <= tokens.len() {
        let ends = at == tokens.len() || tokens[at].is(",") && angles(&tokens[start..at]) == 0;
        if ends {
            let own = tokens[start..at].iter().take(4).any(|token| token.is("self"));
            count += usize::from(at > start && !own);
            start = at + 1;
        }
        let opens = at < tokens.len() && ["(", "[", "{"].iter().any(|mark| tokens[at].is(mark));
        at = if opens { closing(tokens, at) + 1 } else { at + 1 };
    }
    count
}

/// How deep conditions, loops and matches stand in each other.
fn nesting(tokens: &[Token<'_>]) -> usize {
    let (mut blocks, mut deepest) = (Vec::new(), 0);
    let mut begun = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            _ if token.kind == Kind::Literal => {}
            "if" | "else" | "for" | "while" | "loop" | "match" => begun = true,
            "=>" | ";" => begun = false,
            "(" | "[" | "{" => {
                blocks.push((token.text == "{" && begun, begun));
                begun = false;
            }
            ")" | "]" | "}" => {
                let (control, before) = blocks.pop().unwrap_or_default();
                // `if f(x) {` and `if let Struct { a } = b {`: the head goes on behind the bracket.
                let goes_on = token.text != "}" || tokens.get(at + 1).is_some_and(|next| next.is("="));
                begun = (before || control) && goes_on;
            }
            _ => {}
        }
        deepest = deepest.max(blocks.iter().filter(|(control, _)| *control).count());
    }
    deepest
}

/// The trait whose `trait` stands at `start`: its methods.
fn methods(source: &Source, tokens: &[Token<'_>], start: usize) -> Option<Problem> {
    let open = (start..tokens.len()).find(|at| tokens[*at].is("{") || tokens[*at].is(";"))?;
    let end = closing(tokens, open);
    let (mut count, mut at) = (0, open + 1);
    while at < end {
        count += usize::from(tokens[at].is("fn"));
        at = if tokens[at].is("{") || tokens[at].is("(") { closing(tokens, at) + 1 } else { at + 1 };
    }
    let name = tokens[start + 1].text;
    let sentence = format!("trait `{name}` has {count} methods: at most {METHODS}");
    (count > METHODS).then(|| source.problem(tokens[start].line, sentence))
}

mod proofs {
    use super::*;

    fn sentences(path: &str, text: &str) -> Vec<String> {
        check(&Source::new(path, text)).into_iter().map(|problem| problem.sentence).collect()
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_are_not_counted() {
        let lines = |count| "// a line\n".repeat(count);
        assert_eq!(sentences("src/store/runs.rs", &lines(401)), ["has 401 lines without its tests: at most 400"]);
        assert_eq!(sentences("src/store/mod.rs", &lines(121)), ["has 121 lines without its tests: at most 120"]);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(399), lines(300));
        assert_eq!(sentences("src/store/runs.rs", &tested), [""; 0]);
        assert_eq!(sentences("src/store/tests.rs", &lines(500)), [""; 0]);
    }

    #[test]
    fn a_long_function_is_found() {
        let body = |count| {
            format!("impl X {{ fn f<T: Fn(u8) -> u8>(&self, t: T) -> u8 {{\n{}}} }}", "call();\n".repeat(count))
        };
        assert_eq!(sentences("src/a.rs", &body(60)), ["`f` has 62 lines: at most 60"]);
        assert_eq!(sentences("src/a.rs", &body(58)), [""; 0]);
    }

    #[test]
    fn many_parameters_are_found_and_self_is_none() {
        let text = "fn f(&mut self, a: u8, b: HashMap<K, V>, c: (u8, u8), d: [u8; 2], e: impl Fn(u8, u8) -> u8) {}";
        assert_eq!(sentences("src/a.rs", text), [""; 0]);
        let text = "fn f<'a>(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8);";
        assert_eq!(sentences("src/a.rs", text), ["`f` takes 6 parameters: at most 5, then a struct"]);
    }

    #[test]
    fn deep_nesting_is_found() {
        let five = "fn f() { for a in b { if g(a) { match a { X { y } if z => { while let S { q } = y { loop { h() } } } } } } }";
        assert_eq!(sentences("src/a.rs", five), ["`f` is nested 5 deep: at most 4"]);
        let flat =
            "fn f() { if a { S { x: T { y: U { z: V { w: 1 } } } } } else if b { c() } else { match d { _ => {} } } }";
        assert_eq!(sentences("src/a.rs", flat), [""; 0]);
    }

    #[test]
    fn a_wide_trait_is_found() {
        let of =
            |count| format!("pub trait T: Send {{ {} }}", "fn m(&self, f: fn(u8)) { fn inner() {} }\n".repeat(count));
        assert_eq!(sentences("src/a.rs", &of(9)), ["trait `T` has 9 methods: at most 8"]);
        assert_eq!(sentences("src/a.rs", &of(8)), [""; 0]);
    }
}
