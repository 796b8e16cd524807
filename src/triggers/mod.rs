//! What listens so that runs start by themselves: the clock, the ends of runs, watched folders, and addresses of triggers.
//! Holds no rule: what comes of anything is decided by [`service::triggers`](crate::service::triggers).

mod clock;
mod folder;
mod hooks;
mod relay;

use std::path::Path;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::http::Room;
use crate::service::Service;

/// Everything that listens; [`Triggers::close`] ends it in good order.
pub struct Triggers {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Triggers {
    /// Begins to listen.
    #[must_use]
    pub fn start(service: &Service, storage_path: &Path) -> Self {
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        tasks.spawn(clock::keep_time(service.clone(), stop.clone()));
        tasks.spawn(relay::tell_of_ends(service.clone(), stop.clone()));
        tasks.spawn(folder::watch(service.clone(), storage_path.join("inbox"), stop.clone()));
        Self { tasks, stop }
    }

    /// Listens no longer; what is being started is started.
    pub async fn close(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// The addresses of triggers.
#[must_use]
pub fn room(service: Service) -> Room {
    Room { routes: hooks::routes(service), topic: None }
}
