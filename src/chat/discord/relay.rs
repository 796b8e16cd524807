//! The way to the gateway where further authorities are trusted. serenity opens its connection by itself and trusts the
//! public authorities alone (serenity 0.12.5, its client of the gateway). So it connects to a port of this machine, and what goes
//! through there is encrypted for the gateway here, under the same authorities as requests.
//!
//! Whoever else of this machine finds the port reaches Discord's gateway by it, and nothing else: no token is in here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;
use url::Url;

/// How long the gateway may take to be reached, and whoever comes to say what they want.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of the first request; serenity's has some two hundred.
const HEAD: usize = 8 << 10;

/// A relay. It ends when this is dropped.
pub struct Relay {
    /// The address in the place of the gateway's.
    pub url: String,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// A relay to this gateway, `wss://…`, which trusts the authorities of this machine and those in the file.
    ///
    /// # Errors
    /// The file cannot be read, or the system gives no port.
    pub async fn open(gateway: &str, ca_file: &Path) -> Result<Self, String> {
        let gateway = Url::parse(gateway).map_err(|error| format!("the gateway's address cannot be read: {error}"))?;
        let tls =
            tls(ca_file).map_err(|why| format!("`discord_ca_file` `{}` cannot be read: {why}", ca_file.display()))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
        let here = listener.local_addr().map_err(|error| error.to_string())?;
        let url = format!("ws://{here}{}", gateway.path());
        let way = Arc::new(Way::new(&gateway, tls)?);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let way = Arc::clone(&way);
                tokio::spawn(async move {
                    if let Err(error) = way.carry(socket).await {
                        tracing::debug!(%error, "a connection to the gateway is over");
                    }
                });
            }
        });
        Ok(Self { url, task })
    }
}

struct Way {
    connector: HttpsConnector<HttpConnector>,
    uri: Uri,
    /// What the gateway is called, with its port where that is not the usual one.
    host: String,
}

impl Way {
    fn new(gateway: &Url, tls: ClientConfig) -> Result<Self, String> {
        let name = gateway.host_str().ok_or("the gateway's address names no host")?;
        let host = gateway.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let uri = format!("https://{host}/").parse().map_err(|_| "the gateway's address cannot be read".to_owned())?;
        // Only that one protocol is spoken: a WebSocket begins as HTTP/1.1.
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
        Ok(Self { connector, uri, host })
    }

    async fn carry(&self, mut here: TcpStream) -> std::io::Result<()> {
        let head = tokio::time::timeout(PATIENCE, head(&mut here)).await??;
        let there = self.connector.clone().oneshot(self.uri.clone());
        let there = tokio::time::timeout(PATIENCE, there).await?.map_err(std::io::Error::other)?;
        let mut there = TokioIo::new(there);
        there.write_all(named(&head, &self.host).as_bytes()).await?;
        tokio::io::copy_bidirectional(&mut here, &mut there).await.map(drop)
    }
}

/// The first request, up to its empty line. Whoever begins a WebSocket sends nothing more before the answer.
async fn head(socket: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD || socket.read_buf(&mut head).await? == 0 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
    String::from_utf8(head).map_err(|_| std::io::ErrorKind::InvalidData.into())
}

/// The request as the gateway is to read it: for its own name.
fn named(head: &str, host: &str) -> String {
    let is_host = |line: &str| line.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("host:"));
    let lines = head.split("\r\n").map(|line| if is_host(line) { format!("Host: {host}") } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\r\n")
}

fn tls(ca_file: &Path) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let further = CertificateDer::pem_file_iter(ca_file).map_err(|error| error.to_string())?;
    for certificate in further {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_asked_under_its_own_name() {
        let head = "GET /?v=10 HTTP/1.1\r\nhost: 127.0.0.1:4711\r\nUpgrade: websocket\r\n\r\n";
        let asked = named(head, "gateway.discord.gg");
        assert_eq!(asked, "GET /?v=10 HTTP/1.1\r\nHost: gateway.discord.gg\r\nUpgrade: websocket\r\n\r\n");
        let way = |url: &str| Way::new(&Url::parse(url).expect("an address"), plain());
        assert_eq!(way("wss://gateway.discord.gg/").expect("a way").host, "gateway.discord.gg");
        assert_eq!(way("wss://127.0.0.1:9443").expect("a way").host, "127.0.0.1:9443");
    }

    fn plain() -> ClientConfig {
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
        builder.expect("versions").with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    }
}
