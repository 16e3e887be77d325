//! TLS for connections that the server opens: to issuers of tokens, and to
//! hosts that a tool fetches from.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// The instruction for the operator if [`trusted_roots`] is empty.
pub(crate) const NO_ROOTS: &str =
    "no certificates are trusted here; install the package ca-certificates";

/// Returns the authorities that the operating system trusts. It reads files.
pub(crate) fn trusted_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// Creates a client configuration that verifies servers against `roots`.
pub(crate) fn client_config(roots: RootCertStore) -> Result<ClientConfig, &'static str> {
    // Named here, since the process's default provider is the application's
    // choice.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "TLS cannot be set up")?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
