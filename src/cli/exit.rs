//! What a command ends with, as a number: the same for every verb.

use super::print;
use crate::service::ServiceError;

/// Everything went well.
pub const DONE: u8 = 0;
/// It was tried and failed.
pub const FAILED: u8 = 1;
/// It could not be tried: wrong words, no such thing, a file with errors.
pub const WRONG_USE: u8 = 2;
/// There is no room for it now; try again later.
pub const NO_ROOM: u8 = 75;
/// The disk failed under the store; the next start carries on.
pub const DISK_FAILED: u8 = 74;

/// The exit code for an execution's status.
pub fn exit_code(status: &str) -> u8 {
    match status {
        "completed" => DONE,
        "cancelled" => 3,
        "timed_out" => 4,
        _ => FAILED,
    }
}

/// The exit code for a refusal of the front desk.
pub fn refusal_code(error: &ServiceError) -> u8 {
    match error {
        ServiceError::NotFound { .. }
        | ServiceError::Ambiguous { .. }
        | ServiceError::Definition(_)
        | ServiceError::Inputs(_)
        | ServiceError::Denied(_)
        | ServiceError::Refused(_) => WRONG_USE,
        ServiceError::Full(_) | ServiceError::NoDisk { .. } => NO_ROOM,
        ServiceError::Disk(_) => DISK_FAILED,
        ServiceError::Stopping | ServiceError::Internal(_) => FAILED,
    }
}

/// Says so, and gives the exit code for it.
pub fn disk_failed() -> u8 {
    print::aside("the store failed; nothing that was reported is lost, and the next start carries on");
    DISK_FAILED
}
