//! The socket: bound before anything is promised, limited in headers, time and connections, drained at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::caller::Ends;

/// Connections at once; further ones wait to be accepted.
const CONNECTIONS: usize = 4_096;
/// How long the head of a request may take, and a connection may lie idle between two.
const HEAD: Duration = Duration::from_secs(20);
const MOST_HEADERS: usize = 64;
/// The head of a request at the most, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;
/// How long a stop waits for requests that are being answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// The end, as seen from within: told to whoever holds a connection open, and waited for.
#[derive(Clone, Default)]
pub struct Door {
    /// The service is about to stop: say goodbye.
    pub closing: CancellationToken,
    /// Whoever holds a connection open after its request was answered (WebSockets).
    pub guests: TaskTracker,
}

/// A socket on which the service listens; closes with its drop.
pub struct Listening {
    /// The address, with the real port.
    pub address: SocketAddr,
    door: Door,
    task: JoinHandle<()>,
}

impl Listening {
    /// Serves these routes on this listener until drained. `door` is the one that the routes know.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn start(listener: TcpListener, routes: Router, door: Door) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, routes, door.clone()));
        Ok(Self { address, door, task })
    }

    /// Takes no new connection and no new request; what is being answered may finish within ten seconds.
    pub async fn drain(mut self) {
        self.door.closing.cancel();
        self.door.guests.close();
        let done = async {
            let _ = (&mut self.task).await; // it cannot be told from outside to end otherwise
            self.door.guests.wait().await;
        };
        if tokio::time::timeout(PATIENCE, done).await.is_err() {
            tracing::warn!("requests that were still being answered are cut off");
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.door.closing.cancel();
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, routes: Router, door: Door) {
    let open = TaskTracker::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &places) => accepted,
            () = door.closing.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let served = serve(stream, peer, routes.clone(), door.closing.clone());
                open.spawn(async move {
                    if let Err(error) = served.await {
                        tracing::debug!(%error, %peer, "a connection broke off");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await; // mostly: too many open files
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    closing: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let here = stream.local_addr()?;
    stream.set_nodelay(true)?;
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Ends { peer, here });
        routes.clone().oneshot(request.map(Body::new))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(MOST_HEADERS).max_buf_size(LARGEST_HEAD);
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        done = connection.as_mut() => return Ok(done?),
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}
