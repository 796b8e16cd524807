//! Golden reports: what is said about broken files, word for word.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use workflow::domain::code::Code;
use workflow::language::{Compiled, Options, Source, compile};

use super::stock;

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/language").join(folder);
    let files = fs::read_dir(&folder).expect("the fixtures are there").map(|entry| entry.expect("readable").path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

fn compiled(path: &PathBuf) -> Compiled {
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let bytes = fs::read(path).expect("readable");
    match Source::from_bytes(name, &bytes) {
        Ok(source) => compile(&source, &stock::catalog(), &Options::default()),
        Err(report) => Compiled { plan: None, report },
    }
}

#[test]
fn every_broken_file_is_told_as_its_report_says() {
    let mut differing = Vec::new();
    for path in fixtures("broken") {
        let told = compiled(&path).report.text(false);
        let report = path.with_extension("report");
        let Ok(expected) = fs::read_to_string(&report) else {
            // A new fixture writes its own report; somebody has to read it before it is kept.
            fs::write(&report, &told).expect("writable");
            differing.push(format!("{} was missing and is written: read it", report.display()));
            continue;
        };
        if told != expected {
            differing.push(format!("{}\n--- expected\n{expected}\n--- told\n{told}", path.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn every_code_of_the_language_is_told_by_some_file_and_has_its_page() {
    let told: BTreeSet<&str> = fixtures("broken")
        .iter()
        .flat_map(|path| compiled(path).report.problems)
        .map(|problem| problem.code.id())
        .collect();
    let all: BTreeSet<&str> = Code::all().map(Code::id).filter(|id| id.starts_with("WF1")).collect();
    assert_eq!(told, all);
    for id in all {
        let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("docs/errors/{id}.md"));
        let text = fs::read_to_string(&page).unwrap_or_default();
        assert!(text.starts_with(&format!("# {id}")), "{} is missing or begins otherwise", page.display());
    }
}

#[test]
fn a_file_with_errors_has_no_plan_and_one_without_has() {
    for path in fixtures("broken") {
        let Compiled { plan, report } = compiled(&path);
        assert_eq!(plan.is_some(), !report.has_errors(), "{}", path.display());
        assert!(!report.problems.is_empty(), "{}", path.display());
    }
}

#[test]
fn every_fine_file_compiles_without_a_remark() {
    for path in fixtures("fine") {
        let Compiled { plan, report } = compiled(&path);
        assert!(plan.is_some() && report.problems.is_empty(), "{}\n{}", path.display(), report.text(false));
    }
}
