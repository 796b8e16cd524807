//! A store that is not as it was left: refused with what is wrong, or read without ever inventing anything.

use std::fs;
use std::path::PathBuf;

use crate::support::binary::Home;
use crate::support::dice::Dice;

/// Bits that are turned around, one at a time.
const FLIPS: u32 = 40;

struct Damaged {
    home: Home,
    whole: Vec<u8>,
}

impl Damaged {
    /// A home in which something has been done, and whose owner was killed since.
    fn new() -> Self {
        let home = Home::new();
        home.write("work.yaml", "name: Work\nsteps:\n  - { type: test, config: { outputs: { n: 1 } } }\n");
        for _ in 0..20 {
            assert_eq!(home.run(&["run", "work.yaml"]).code, 0);
        }
        let whole = fs::read(home.path().join("workflows/workflow.db")).expect("a database");
        let this = Self { home, whole };
        this.forget_the_good_end();
        this
    }

    fn database(&self) -> PathBuf {
        self.home.path().join("workflows/workflow.db")
    }

    /// As after a kill: the note that it was closed in good order is not there.
    fn forget_the_good_end(&self) {
        let lock = self.home.path().join("workflows/workflow.db.lock");
        let note = fs::read_to_string(&lock).expect("a note");
        assert!(note.contains("\nmade\n"), "{note}");
        fs::write(&lock, note.replace("closed\n", "")).expect("written");
    }

    /// Another content of the database.
    fn holds(&self, content: &[u8]) {
        for beside in ["workflow.db-wal", "workflow.db-shm"] {
            let _ = fs::remove_file(self.home.path().join("workflows").join(beside)); // may not be there
        }
        fs::write(self.database(), content).expect("written");
        self.forget_the_good_end();
    }

    /// Starting is refused for this reason, and nothing was changed by trying.
    fn is_refused(&self, what: &str, why: &str) {
        let before = fs::read(self.database()).ok();
        let ended = self.home.run(&["run", "work.yaml"]);
        assert_eq!(ended.code, 74, "{what}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(why) && ended.stderr.contains("workflow.db"), "{what}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{what}: {}", ended.stderr);
        assert!(fs::read(self.database()).ok() == before, "{what}: the file was touched");
    }

    fn is_whole_again(&self) {
        self.holds(&self.whole);
        let ended = self.home.run(&["run", "work.yaml"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(self.home.run(&["history", "--json"]).stdout.contains("exec_"));
    }
}

#[test]
fn a_database_that_is_cut_empty_or_something_else_is_refused_and_left_as_it_is() {
    let store = Damaged::new();
    let half = store.whole.len() / 2;
    store.holds(&store.whole[..half]);
    store.is_refused("cut in half", "is damaged");
    let mut torn = store.whole.clone();
    torn[half..half + 4_096].fill(0);
    torn[4_096..8_192].fill(0);
    store.holds(&torn);
    store.is_refused("pages of zeros", "is damaged");
    store.holds(b"this is a letter and no database at all, however long it may be; it goes on and on and on");
    store.is_refused("a letter", "not a database");
    store.holds(b"");
    store.is_refused("empty", "was here and is gone or empty");
    fs::remove_file(store.database()).expect("there");
    store.is_refused("deleted", "was here and is gone or empty");
    assert!(!store.database().exists(), "a fresh one over missing data");
    store.is_whole_again();
}

#[test]
fn with_the_note_deleted_too_there_is_a_new_beginning() {
    let store = Damaged::new();
    fs::remove_file(store.database()).expect("there");
    fs::remove_file(store.home.path().join("workflows/workflow.db.lock")).expect("there");
    let ended = store.home.run(&["run", "work.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn a_single_bit_that_is_turned_around_makes_no_command_break() {
    let store = Damaged::new();
    let mut dice = Dice::new(7);
    let mut refused = 0;
    for _ in 0..FLIPS {
        let (byte, bit) = (dice.roll(store.whole.len() as u64) as usize, dice.roll(8));
        let mut flipped = store.whole.clone();
        flipped[byte] ^= 1 << bit;
        store.holds(&flipped);
        for args in [&["history", "--json"] as &[&str], &["run", "work.yaml"]] {
            let ended = store.home.run(args);
            let said = format!("byte {byte} bit {bit}, {args:?}: {}{}", ended.stdout, ended.stderr);
            assert!(!said.contains("panicked") && (0..=74).contains(&ended.code), "{said}");
            assert!(ended.code == 0 || !ended.stderr.trim().is_empty(), "refused without a word: {said}");
            refused += u32::from(ended.code != 0);
        }
    }
    println!("{refused} of {} commands were refused", 2 * FLIPS);
    store.is_whole_again();
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let store = Damaged::new();
    let database = rusqlite::Connection::open(store.database()).expect("it opens");
    let text = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                VALUES (9999, 'from tomorrow', 1, x'00', 0)";
    database.execute_batch(text).expect("written");
    drop(database);
    let ended = store.home.run(&["run", "work.yaml"]);
    assert_ne!(ended.code, 0);
    assert!(ended.stderr.contains("written by a newer version"), "{}", ended.stderr);
}
