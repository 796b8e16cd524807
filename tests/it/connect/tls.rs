//! TLS: the name is checked, although the connection goes to an address.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use workflow::connect::http::{Answer, Client, HttpError, Method, Request, Url};
use workflow::domain::code;
use workflow::domain::fault::{Again, Fault};

use crate::support::names::{Names, egress};

const CA: &[u8] = include_bytes!("../../fixtures/http/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/http/secure.pem");
const KEY: &[u8] = include_bytes!("../../fixtures/http/secure.key");

/// A server that answers each connection with the name that the client asked for in its greeting.
fn server() -> SocketAddr {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("ring has TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key fits the certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut tls = StreamOwned::new(session, stream);
            if tls.read(&mut [0; 4_096]).is_err() {
                continue; // the client did not like the certificate
            }
            let name = tls.conn.server_name().unwrap_or("nobody").to_owned();
            let length = name.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{name}");
            let _ = tls.write_all(answer.as_bytes()); // a client that left is no failure of the server
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
    address
}

async fn ask(host: &str, roots: RootCertStore) -> Result<Answer, HttpError> {
    let address = server();
    let names = Names::new(&[("secure.internal", &["127.0.0.1"]), ("other.internal", &["127.0.0.1"])]);
    let rule = format!("127.0.0.1/32:{}", address.port()).parse().expect("a rule");
    let url: Url = format!("https://{host}:{}/", address.port()).parse().expect("an address");
    Client::new(egress(&names, &[rule])).trusting(roots).send(Request::new(Method::GET, url)).await
}

fn authority() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA).expect("a certificate")).expect("an authority");
    roots
}

#[tokio::test]
async fn a_trusted_server_is_asked_by_its_name() {
    let answer = ask("secure.internal", authority()).await.expect("the authority signed this name");
    assert_eq!(answer.body, b"secure.internal");
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_refused_for_good() {
    for (host, roots) in
        [("secure.internal", RootCertStore::empty()), ("other.internal", authority()), ("127.0.0.1", authority())]
    {
        let error = ask(host, roots).await.expect_err(host);
        assert!(matches!(error, HttpError::Certificate { .. }), "{host}: {error:?}");
        let fault = Fault::from(error);
        assert_eq!((fault.code, fault.again), (code::WF3202, Again::Permanent), "{fault}");
    }
}
