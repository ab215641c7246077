//! How we ask others by HTTPS.

use std::sync::Arc;

use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto::ring};

/// Returns the public authorities.
pub fn public() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots
}

/// Returns a way to ask those whom these authorities know.
///
/// # Errors
/// When the system cannot speak TLS.
pub fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
