//! Papers that stay true: every error code has its page, and no page or comment names a file that is gone.

use super::source::{Kind, Problem, Source, tokens};

/// Codes of the table without a page, and pages without a code.
pub fn pages(table: &Source, pages: &[Source]) -> Vec<Problem> {
    let is_code =
        |word: &str| word.len() == 6 && word.starts_with("WF") && word[2..].bytes().all(|b| b.is_ascii_digit());
    let all = tokens(&table.text);
    let mut codes: Vec<_> = all.iter().filter(|token| token.kind == Kind::Word && is_code(token.text)).collect();
    codes.sort_by_key(|code| code.text);
    codes.dedup_by_key(|code| code.text);
    let page = |id: &str| format!("docs/errors/{id}.md");
    let mut problems = Vec::new();
    for code in &codes {
        match pages.iter().find(|paper| paper.path == page(code.text)) {
            None => {
                problems.push(table.problem(code.line, format!("`{}` has no page `{}`", code.text, page(code.text))));
            }
            Some(paper) if !paper.text.starts_with(&format!("# {}", code.text)) => {
                problems.push(paper.problem(1, format!("does not begin with `# {}`", code.text)));
            }
            Some(_) => {}
        }
    }
    let orphan = |paper: &&Source| !codes.iter().any(|code| page(code.text) == paper.path);
    problems
        .extend(pages.iter().filter(orphan).map(|paper| paper.problem(1, "explains a code that is not in the table")));
    problems
}

/// The targets of a Makefile.
pub fn targets(make: &Source) -> Vec<String> {
    let rules = make.text.lines().filter_map(|line| line.split_once(':'));
    let words = rules.filter(|(names, _)| !names.starts_with(['\t', '#', '.'])).flat_map(|(names, _)| names.split(' '));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Files and `make` commands that this paper names in backticks and that do not exist. Of a Rust source the comments.
pub fn mentions(paper: &Source, exists: &dyn Fn(&str) -> bool, make: &[String]) -> Vec<Problem> {
    let is_source = paper.path.ends_with(".rs");
    // What was, may be gone.
    if paper.path == "CHANGELOG.md" {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (number, line) in paper.text.lines().enumerate() {
        if is_source && !line.trim_start().starts_with("//") {
            continue;
        }
        for word in line.split('`').skip(1).step_by(2) {
            let command = word.strip_prefix("make ").filter(|target| !target.contains([' ', '=']));
            if command.is_some_and(|target| !make.iter().any(|known| known == target)) {
                problems.push(paper.problem(number + 1, format!("names `{word}`, which the Makefile does not know")));
            } else if is_file(word, exists) && !found(word, &paper.path, exists) {
                problems.push(paper.problem(number + 1, format!("names `{word}`, which does not exist")));
            }
        }
    }
    problems
}

/// Whether a word can only mean a file or folder of this repository.
fn is_file(word: &str, exists: &dyn Fn(&str) -> bool) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    // Templates of names, such as docs/errors/WFnnnn.md.
    let pattern = word.contains("nnnn") || word.contains("NNNN");
    let Some((first, _)) = word.split_once('/') else { return false };
    let known = !first.is_empty() && first != "." && (exists(first) || exists(&format!("src/{first}")));
    plain && !pattern && (word.ends_with(".rs") || known && last_is_file_or_folder(word))
}

fn last_is_file_or_folder(word: &str) -> bool {
    word.ends_with('/') || word.rsplit('/').next().is_some_and(|last| last.contains('.'))
}

/// From the root, from `src/`, or from where the paper lies.
fn found(word: &str, paper: &str, exists: &dyn Fn(&str) -> bool) -> bool {
    let beside = paper.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    ["", "src/", beside.as_str()].iter().any(|folder| exists(&format!("{folder}{word}")))
}

mod proofs {
    use super::*;

    #[test]
    fn a_code_without_a_page_and_a_page_without_a_code_are_found() {
        let table =
            Source::new("src/domain/code.rs", "/// WF9999\ncodes! { WF1001 User \"WF8888\" \"x\";\nWF1002 User; }");
        let page = |id: &str, text: &str| Source::new(&format!("docs/errors/{id}.md"), text);
        let good = [page("WF1001", "# WF1001: a title"), page("WF1002", "# WF1002")];
        assert_eq!(super::pages(&table, &good), []);
        let found = super::pages(&table, &[page("WF1001", "# WF1002"), page("WF1003", "# WF1003")]);
        let sentences: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            sentences,
            [
                "docs/errors/WF1001.md:1 does not begin with `# WF1001`",
                "src/domain/code.rs:3 `WF1002` has no page `docs/errors/WF1002.md`",
                "docs/errors/WF1003.md:1 explains a code that is not in the table",
            ]
        );
    }

    #[test]
    fn a_file_or_command_that_is_gone_is_found() {
        let exists = |path: &str| ["src", "docs", "src/store", "src/store/runs.rs", "docs/a.md"].contains(&path);
        let make = targets(&Source::new("Makefile", ".PHONY: x\ntest lint: setup ## all\n\tcargo test: x\n"));
        assert_eq!(make, ["test", "lint"]);
        let sentences = |path: &str, text: &str| mentions(&Source::new(path, text), &exists, &make).len();
        assert_eq!(sentences("README.md", "see `store/gone.rs`, `docs/b.md` and `make bench`"), 3);
        assert_eq!(
            sentences("README.md", "see `store/runs.rs`, `docs/a.md`, `make lint`, `docs/NNNN-x.md`, `a/b.txt`"),
            0
        );
        assert_eq!(sentences("src/a.rs", "//! `src/gone.rs`\nlet x = \"`src/gone.rs`\";"), 1);
        assert_eq!(sentences("CHANGELOG.md", "`src/gone.rs` was removed"), 0);
    }
}
