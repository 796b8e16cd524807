//! How a command that owns the storage path ends: in good order, or at once when the disk fails under it.

use super::{DISK_FAILED, Ended, print};
use crate::app::App;

/// Does what was asked, then stops in good order. Where the disk fails meanwhile it ends at once: whoever waits for a
/// commit would wait for ever.
pub async fn to_the_end(app: App, work: impl Future<Output = Ended>) -> Ended {
    let ended = tokio::select! {
        biased;
        () = app.service.engine().broken() => return Ok(disk_failed()),
        ended = work => ended,
    };
    app.close().await;
    ended
}

/// Says so, and gives the exit code for it.
pub fn disk_failed() -> u8 {
    print::aside("the store failed; nothing that was reported is lost, and the next start carries on");
    DISK_FAILED
}
