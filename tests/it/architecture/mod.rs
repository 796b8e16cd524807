//! The wall between the rooms, and the other limits of the house, held by tests that read the sources.
//!
//! Each rule is a pure function from sources to problems and is proved to fail on small made-up sources beside it.
//! A problem is a sentence that says what is wrong and what is allowed. Start reading at [`floors`].

mod exceptions;
mod floors;
mod names;
mod papers;
mod sizes;
mod source;
mod tree;

use exceptions::settle;
use source::{Source, below};

fn rust() -> Vec<Source> {
    let mut sources = below("src", "rs");
    assert!(sources.len() > 20, "the sources of the house were not found: {} files", sources.len());
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn everything() -> Vec<Source> {
    ["src", "tests", "benches", "examples"].iter().flat_map(|folder| below(folder, "rs")).collect()
}

#[test]
fn a_room_uses_only_what_its_floor_allows() {
    settle("floors", &rust().iter().flat_map(floors::check).collect::<Vec<_>>());
}

#[test]
fn a_name_stands_only_where_it_belongs() {
    settle("names", &everything().iter().flat_map(names::check).collect::<Vec<_>>());
}

#[test]
fn files_functions_and_traits_stay_small() {
    settle("sizes", &rust().iter().flat_map(sizes::check).collect::<Vec<_>>());
}

#[test]
fn folders_and_file_names_follow_the_house() {
    settle("tree", &tree::check(&rust()));
}

#[test]
fn every_error_code_has_its_page_and_every_page_its_code() {
    let table = rust().into_iter().find(|source| source.path == "src/domain/code.rs").expect("the table of codes");
    settle("pages", &papers::pages(&table, &below("docs/errors", "md")));
}

#[test]
fn papers_name_only_files_and_commands_that_exist() {
    let papers: Vec<_> = [".", "docs"].iter().flat_map(|folder| below(folder, "md")).collect();
    let make = papers::targets(&source::read("Makefile"));
    let sources = everything();
    let problems: Vec<_> =
        papers.iter().chain(&sources).flat_map(|paper| papers::mentions(paper, &source::exists, &make)).collect();
    settle("papers", &problems);
}

#[test]
fn no_exception_is_older_than_its_reason() {
    exceptions::check();
}
