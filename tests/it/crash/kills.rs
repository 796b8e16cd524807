//! SIGKILL at moments of chance.

use super::audit;
use super::lives::{Life, log, until_log};
use crate::support::binary::Home;
use crate::support::dice::Dice;

const DOCUMENTS: &[&str] = &["invoice.pdf", "scan-de.png", "tables.docx", "footnotes.docx", "page-breaks.docx"];
const KILLS: u32 = 4;

#[test]
fn killed_at_any_moment_everything_is_completed_and_nothing_is_done_twice() {
    let home = Home::new();
    let mut dice = Dice::new(1911);
    let mut life = Life::run(&home, DOCUMENTS);
    life.hear_started(DOCUMENTS.len());
    for _ in 0..dice.roll(6) {
        life.hear();
    }
    let started = life.kill();
    for _ in 1..KILLS {
        if dice.roll(2) == 0 {
            let mut life = Life::begin(&home, &["resume"]);
            for _ in 0..=dice.roll(5) {
                life.hear();
            }
            life.kill();
        } else {
            let one = &started[usize::try_from(dice.roll(started.len() as u64)).expect("few")];
            let more = log(&home, one).len() + usize::try_from(dice.roll(5)).expect("few");
            let mut life = Life::begin(&home, &["serve"]);
            life.hear();
            until_log(&home, one, more);
            life.kill();
        }
    }
    let end = home.run(&["resume"]);
    assert_eq!(end.code, 0, "{}", end.stderr);
    let totals = audit::check(&home, &started, KILLS);
    assert_eq!(totals.executions, DOCUMENTS.len());
    assert!(totals.lost > 0, "the kills hit nothing: they are no test");
    let again = home.run(&["resume"]);
    assert_eq!((again.code, again.stderr.trim()), (0, "nothing is open"));
}

#[test]
fn what_was_accepted_before_a_kill_is_there_after_it() {
    for heard in 1..=3 {
        let home = Home::new();
        let mut life = Life::run(&home, &["tables.docx", "footnotes.docx", "page-breaks.docx"]);
        life.hear_started(heard);
        let started = life.kill();
        assert!(started.len() >= heard, "{started:?}");
        let end = home.run(&["resume"]);
        assert_eq!(end.code, 0, "{}", end.stderr);
        let totals = audit::check(&home, &started, 1);
        assert!((started.len()..=3).contains(&totals.executions), "accepted, perhaps without a word, never twice");
    }
}
