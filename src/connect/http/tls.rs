//! TLS: rustls with ring, and the certificate authorities of this machine, read when first needed.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

use super::error::HttpError;

/// The TLS settings that all connections share, session cache included.
#[derive(Default)]
pub(super) struct Tls {
    trusting: OnceCell<ClientConfig>,
}

impl Tls {
    /// Settings that trust these authorities instead of the machine's.
    pub(super) fn trusting(roots: RootCertStore) -> Self {
        Self { trusting: OnceCell::new_with(Some(config(roots))) }
    }

    /// For a connection that uses no TLS: trusts nobody, reads nothing.
    pub(super) fn unused() -> ClientConfig {
        config(RootCertStore::empty())
    }

    /// The settings for a connection that does. A machine without authorities is asked again the next time.
    pub(super) async fn config(&self) -> Result<ClientConfig, HttpError> {
        let config = self.trusting.get_or_try_init(|| async {
            let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
            let mut roots = RootCertStore::empty();
            // Old certificates that nobody can parse any more are left out, as every browser does.
            let (added, _) = roots.add_parsable_certificates(found.map(|found| found.certs).unwrap_or_default());
            if added == 0 { Err(HttpError::NoAuthorities) } else { Ok(config(roots)) }
        });
        config.await.cloned()
    }
}

fn config(roots: RootCertStore) -> ClientConfig {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}
