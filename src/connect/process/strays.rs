//! What has left the group of its job, as daemons do: found by a mark in the environment that all of a job inherit.

use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The variable that carries the mark.
pub(super) const MARK: &str = "WORKFLOW_JOB";
/// Who forks while we look is found when we look again; whoever still does so after so many looks is beyond us.
const LOOKS: u32 = 50;

/// A mark that no other job has.
pub(super) fn mark() -> String {
    static JOBS: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), JOBS.fetch_add(1, Ordering::Relaxed))
}

/// Kills whoever carries this mark.
pub(super) fn kill(mark: &str) {
    let wanted = format!("{MARK}={mark}");
    for _ in 0..LOOKS {
        if !kill_found(&wanted) {
            return;
        }
    }
    tracing::warn!(mark, "a program's children multiply faster than they can be killed");
}

fn kill_found(wanted: &str) -> bool {
    let names = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = names.filter_map(|name| Pid::from_raw(name.file_name().to_str()?.parse().ok()?));
    let mut found = false;
    for pid in pids.filter(|pid| carries(*pid, wanted)) {
        // A handle, and then a second look: the number may have become somebody else's.
        if let Ok(handle) = pidfd_open(pid, PidfdFlags::empty())
            && carries(pid, wanted)
        {
            found |= pidfd_send_signal(handle, Signal::KILL).is_ok();
        }
    }
    found
}

/// Processes of others cannot be read, and are none of ours.
fn carries(pid: Pid, wanted: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
}
