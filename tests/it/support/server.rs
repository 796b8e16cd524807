//! A small HTTP server on loopback that can misbehave in every way that a real one might.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use workflow::connect::egress::AllowRule;

/// What the server does with a request.
pub enum Reply {
    /// Sends these bytes and closes.
    Whole(Vec<u8>),
    /// Sends these bytes and says nothing more.
    Hang(Vec<u8>),
    /// Sends these bytes, then one byte at a time, for ever.
    Drip(Vec<u8>),
    /// Sends the first bytes, then the others again and again, as fast as they are taken.
    Flood(Vec<u8>, Vec<u8>),
}

/// An answer with this status line, these header lines and this body; its length is added.
pub fn answer(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Reply::Whole(bytes)
}

type Script = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

/// A running server; it ends with its last mention.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// A server on a free port of 127.0.0.1. The script gets the whole request as text.
    pub async fn start(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::on(listener, Arc::new(script))
    }

    /// A server that nobody should ever reach, on this address.
    pub async fn forbidden(address: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self::on(listener, Arc::new(|_| answer("200 OK", &[], "the secret of the metadata service"))))
    }

    fn on(listener: TcpListener, script: Script) -> Self {
        let address = listener.local_addr().expect("a bound listener has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (count, seen) = (Arc::clone(&connections), Arc::clone(&requests));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { address, connections, requests, task }
    }

    /// An address of this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The rule that opens exactly this server.
    pub fn rule(&self) -> AllowRule {
        format!("{}/32:{}", self.address.ip(), self.address.port()).parse().expect("a rule")
    }

    /// How many connections came in.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far, headers and body, names in lower case as they were sent.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panics while it holds the requests").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, script: Script, seen: Arc<Mutex<Vec<String>>>) {
    let Some(request) = read_request(&mut stream).await else { return };
    let reply = script(&request);
    seen.lock().expect("no test panics while it holds the requests").push(request);
    // The peer may leave at any moment; that ends the task, and is no failure of the server.
    let _ = write_reply(&mut stream, reply).await;
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            return Some(text.into_owned());
        }
    }
}

async fn write_reply(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Whole(bytes) => stream.write_all(&bytes).await?,
        Reply::Hang(bytes) => {
            stream.write_all(&bytes).await?;
            while stream.read(&mut [0; 64]).await? > 0 {}
        }
        Reply::Drip(bytes) => {
            stream.write_all(&bytes).await?;
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            loop {
                ticks.tick().await;
                stream.write_all(b".").await?;
            }
        }
        Reply::Flood(first, again) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(&again).await?;
            }
        }
    }
    stream.shutdown().await
}
