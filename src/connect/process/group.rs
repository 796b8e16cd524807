//! A running child with all that it started: fed, listened to, and killed as one.

use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use super::job::Output;
use super::strays;

const STDERR_BYTES: usize = 64 * 1024;

/// Why listening ended early.
pub(super) enum Attended {
    TooLarge,
    Io(std::io::Error),
}

/// A running child and all that it started.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    leader: Option<Pid>,
    /// What all of them carry.
    mark: String,
}

impl Group {
    pub(super) fn new(child: Child, mark: String) -> Self {
        let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Self { child, leader, mark }
    }

    /// Feeds it, listens to it, waits for it. When the leader has ended, whatever it left running is killed,
    /// which also closes the pipes that we read to their end.
    pub(super) async fn attend(
        &mut self,
        stdin: Option<Vec<u8>>,
        cap: usize,
    ) -> Result<(ExitStatus, Output), Attended> {
        let (pipe, out, err) = (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take());
        let feed = async {
            if let (Some(mut pipe), Some(bytes)) = (pipe, stdin) {
                let _ = pipe.write_all(&bytes).await; // a child need not read all that it is given
            }
            Ok(())
        };
        let (leader, mark) = (self.leader, self.mark.clone());
        let wait = async {
            let status = self.child.wait().await;
            kill(leader);
            kill_strays(mark).await;
            status.map_err(Attended::Io)
        };
        let ((), stdout, stderr, status) = tokio::try_join!(feed, read_all(out, cap), read_head(err), wait)?;
        Ok((status, Output { stdout, stderr }))
    }

    /// Kills what is left and takes the leader off the process table.
    pub(super) async fn end(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            self.leader = None; // it was waited for, and its group killed then: the number may be somebody else's
            return;
        }
        kill(self.leader.take());
        kill_strays(self.mark.clone()).await;
        let _ = self.child.wait().await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The runtime takes the leader off the process table (kill_on_drop).
        if let Some(leader) = self.leader.take() {
            kill(Some(leader));
            strays::kill(&self.mark);
        }
    }
}

fn kill(leader: Option<Pid>) {
    if let Some(leader) = leader {
        let _ = kill_process_group(leader, Signal::KILL); // no such group: nothing is left to kill
    }
}

/// Looking through all processes takes milliseconds, and files in memory: not for a thread that others wait for.
async fn kill_strays(mark: String) {
    let _ = tokio::task::spawn_blocking(move || strays::kill(&mark)).await; // it ends unless the runtime does
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>, cap: usize) -> Result<Vec<u8>, Attended> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(cap as u64 + 1).read_to_end(&mut bytes).await.map_err(Attended::Io)?;
    }
    if bytes.len() > cap { Err(Attended::TooLarge) } else { Ok(bytes) }
}

/// The beginning of stderr; the rest is read and forgotten, so that the child does not block on it.
async fn read_head(pipe: Option<impl AsyncRead + Unpin>) -> Result<String, Attended> {
    let mut head = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe).take(STDERR_BYTES as u64).read_to_end(&mut head).await.map_err(Attended::Io)?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await.map_err(Attended::Io)?;
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
