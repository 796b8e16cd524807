//! What a machine does to a service short of killing it: full and slow disks, much that waits. What kills it is in
//! `crash/`.

mod gone;
mod inner;
mod memory;
mod slow;
mod space;

use std::io::Write as _;

/// Says on the terminal, past whoever captures what tests print, that a test could not be done here.
fn skipped(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}: {why}"); // nobody may be listening
}

/// Lets others work before something is looked at again.
async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
}
