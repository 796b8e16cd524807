//! How folders and files are named and filled.

use std::collections::BTreeMap;

use super::source::{Problem, Source};

const FILES: usize = 20;
const FORBIDDEN: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "manager", "core", "base", "types"];

/// Every folder or name that does not follow the house.
pub fn check(sources: &[Source]) -> Vec<Problem> {
    let mut problems: Vec<_> = sources.iter().filter_map(name).collect();
    let mut folders: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        let (folder, _) = source.path.rsplit_once('/').unwrap_or_default();
        folders.entry(folder).or_default().push(source);
    }
    for (folder, files) in &folders {
        let first = files[0];
        if files.len() > FILES {
            let sentence = format!("is one of {} files in `{folder}`: at most {FILES}, then a sub-room", files.len());
            problems.push(first.problem(1, sentence));
        }
        let inner = folders.keys().any(|other| other.starts_with(&format!("{folder}/")));
        if files.len() == 1 && !inner && *folder != "src" {
            problems.push(first.problem(1, format!("is alone in `{folder}`: a folder with one file is a file")));
        }
        if sources.iter().any(|source| source.path == format!("{folder}.rs")) {
            problems.push(first.problem(1, format!("lies in a folder that has a twin `{folder}.rs`: use mod.rs")));
        }
    }
    problems
}

/// Names that say nothing, and names of time.
fn name(source: &Source) -> Option<Problem> {
    for part in source.path.split('/').map(|part| part.trim_end_matches(".rs")) {
        let timely = part.starts_with("new_") || part.ends_with("_old") || part.ends_with('2');
        if FORBIDDEN.contains(&part) || timely {
            return Some(source.problem(1, format!("is named `{part}`: say what it is about")));
        }
    }
    None
}

mod proofs {
    use super::*;

    fn sentences(paths: &[&str]) -> Vec<String> {
        let sources: Vec<_> = paths.iter().map(|path| Source::new(path, "")).collect();
        check(&sources).into_iter().map(|problem| problem.sentence).collect()
    }

    #[test]
    fn empty_words_and_names_of_time_are_found() {
        for path in ["src/store/util.rs", "src/store/common/x.rs", "src/engine/new_queue.rs", "src/engine/worker_v2.rs"]
        {
            let found = sentences(&["src/store/a.rs", "src/engine/a.rs", "src/store/common/y.rs", path]);
            assert!(found.iter().any(|sentence| sentence.ends_with("say what it is about")), "{path}: {found:?}");
        }
    }

    #[test]
    fn lonely_files_twins_and_crowds_are_found() {
        assert_eq!(
            sentences(&["src/a/x/y.rs", "src/a/z.rs"]),
            ["is alone in `src/a/x`: a folder with one file is a file"]
        );
        assert_eq!(
            sentences(&["src/a.rs", "src/a/b.rs", "src/a/c.rs"]),
            ["lies in a folder that has a twin `src/a.rs`: use mod.rs"]
        );
        let many: Vec<_> = (0..21).map(|n| format!("src/a/file_{n}x.rs")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(sentences(&many), ["is one of 21 files in `src/a`: at most 20, then a sub-room"]);
    }

    #[test]
    fn a_tidy_tree_is_left_alone() {
        assert_eq!(sentences(&["src/lib.rs", "src/a/mod.rs", "src/a/b/mod.rs", "src/a/b/c.rs"]), [""; 0]);
    }
}
