//! Where a limit does not hold, and why. The list may only shrink: a line that is no longer needed fails, and so does
//! a list that is longer than it was.

use super::source::Problem;

struct Exception {
    rule: &'static str,
    path: &'static str,
    /// What the problem's sentence contains.
    what: &'static str,
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] = &[];

/// How many exceptions there are. Lower it with the list, never raise it.
const CEILING: usize = 0;

impl Exception {
    fn covers(&self, problem: &Problem) -> bool {
        self.path == problem.path && problem.sentence.contains(self.what)
    }
}

/// Fails with every problem of this rule that no exception covers, and with every exception that covers none.
pub fn settle(rule: &str, problems: &[Problem]) {
    let complaints = complaints(rule, problems, EXCEPTIONS);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn complaints(rule: &str, problems: &[Problem], exceptions: &[Exception]) -> Vec<String> {
    let mine: Vec<_> = exceptions.iter().filter(|exception| exception.rule == rule).collect();
    let open = problems.iter().filter(|problem| !mine.iter().any(|exception| exception.covers(problem)));
    let outdated = mine.iter().filter(|exception| !problems.iter().any(|problem| exception.covers(problem)));
    let remove = |exception: &&Exception| {
        format!("the exception for {} ({}) is outdated: remove it", exception.path, exception.what)
    };
    open.map(ToString::to_string).chain(outdated.map(remove)).collect()
}

/// Every exception has a reason, and there are exactly as many as the ceiling says.
pub fn check() {
    assert_eq!(EXCEPTIONS.len(), CEILING, "the list of exceptions may only shrink, and the ceiling with it");
    for exception in EXCEPTIONS {
        assert!(exception.reason.split(' ').count() > 3, "{} needs a reason", exception.path);
    }
}

mod proofs {
    use super::*;

    #[test]
    fn an_exception_covers_its_problem_only_and_must_be_needed() {
        let problem = |sentence: &str| Problem { path: "src/a.rs".into(), line: 1, sentence: sentence.into() };
        let exception =
            Exception { rule: "sizes", path: "src/a.rs", what: "`f`", reason: "one table, read at a glance" };
        let exceptions = [exception];
        assert_eq!(complaints("sizes", &[problem("`f` is long")], &exceptions), [""; 0]);
        assert_eq!(complaints("sizes", &[problem("`f` is long"), problem("`g` is long")], &exceptions).len(), 1);
        assert_eq!(complaints("sizes", &[], &exceptions).len(), 1);
        assert_eq!(complaints("tree", &[problem("`f` is long")], &exceptions).len(), 1);
    }
}
