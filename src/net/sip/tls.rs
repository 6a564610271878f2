//! TLS for SIP with rustls and ring: our certificate, from files or self-signed, and verification of peers'
//! certificates. `tcp` holds the connections.

use super::SipSocketError;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Our certificate chain and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl TlsConfig {
    /// A self-signed certificate for trials: created once for these host names and addresses, stored as
    /// `sip-cert.pem` and `sip-key.pem` in `dir`, and reused.
    pub fn self_signed(dir: &Path, names: &[String]) -> Result<TlsConfig, SipSocketError> {
        let made = TlsConfig { cert: dir.join("sip-cert.pem"), key: dir.join("sip-key.pem") };
        if made.cert.exists() && made.key.exists() {
            return Ok(made);
        }
        let fault = |why: String| SipSocketError::Certificate { file: made.cert.clone(), why };
        let certified =
            rcgen::generate_simple_self_signed(names.to_vec()).map_err(|error| fault(error.to_string()))?;
        std::fs::create_dir_all(dir).map_err(|error| fault(error.to_string()))?;
        write_private(&made.key, &certified.signing_key.serialize_pem())
            .map_err(|error| fault(error.to_string()))?;
        std::fs::write(&made.cert, certified.cert.pem()).map_err(|error| fault(error.to_string()))?;
        Ok(made)
    }

    /// Checks that the files are usable, without binding a socket.
    pub fn check(&self) -> Result<(), SipSocketError> {
        self.acceptor().map(drop)
    }

    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, SipSocketError> {
        let chain = certificates(&self.cert)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| SipSocketError::Certificate {
            file: self.key.clone(),
            why: error.to_string(),
        })?;
        let fault = |error: tokio_rustls::rustls::Error| SipSocketError::Certificate {
            file: self.cert.clone(),
            why: error.to_string(),
        };
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(fault)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(fault)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create(true).truncate(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, SipSocketError> {
    let fault = |why: String| SipSocketError::Certificate { file: file.into(), why };
    let all = CertificateDer::pem_file_iter(file).map_err(|error| fault(error.to_string()))?;
    let all: Result<Vec<_>, _> = all.collect();
    let all = all.map_err(|error| fault(error.to_string()))?;
    if all.is_empty() { Err(fault("no certificate in it".into())) } else { Ok(all) }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// TLS server and client settings for the connections.
#[derive(Clone)]
pub(super) struct Tls {
    /// `None` = no certificate of our own: incoming TLS is refused.
    pub acceptor: Option<TlsAcceptor>,
    connector: TlsConnector,
    /// Peers whose certificates are signed by authorities of their own.
    connectors: Arc<RwLock<BTreeMap<SocketAddr, TlsConnector>>>,
    /// Expected certificate name by peer address; without an entry, the address itself.
    names: Arc<RwLock<BTreeMap<SocketAddr, ServerName<'static>>>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("listens", &self.acceptor.is_some()).finish_non_exhaustive()
    }
}

impl Tls {
    /// `authorities` = PEM file with the certificate authorities for trunks; `None` = the public ones.
    pub fn new(own: Option<&TlsConfig>, authorities: Option<&Path>) -> Result<Tls, SipSocketError> {
        Ok(Tls {
            acceptor: own.map(TlsConfig::acceptor).transpose()?,
            connector: connector(authorities)?,
            connectors: Arc::default(),
            names: Arc::default(),
        })
    }

    /// Sets the authorities that may sign the certificate of this peer, instead of the others.
    pub fn believe(&self, address: SocketAddr, authorities: &Path) -> Result<(), SipSocketError> {
        let connector = connector(Some(authorities))?;
        self.connectors.write().unwrap_or_else(PoisonError::into_inner).insert(address, connector);
        Ok(())
    }

    /// Sets the expected certificate name of a peer. An invalid name is ignored: the address is expected
    /// then.
    pub fn expect(&self, address: SocketAddr, name: &str) {
        if let Ok(name) = ServerName::try_from(name.to_string()) {
            // A poisoned lock still guards a valid table: no code panics while holding it.
            self.names.write().unwrap_or_else(PoisonError::into_inner).insert(address, name);
        }
    }

    pub fn client(&self, to: SocketAddr) -> (TlsConnector, ServerName<'static>) {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let name = names.get(&to).cloned().unwrap_or_else(|| ServerName::from(to.ip()));
        let own = self.connectors.read().unwrap_or_else(PoisonError::into_inner);
        (own.get(&to).unwrap_or(&self.connector).clone(), name)
    }
}

/// A client that believes these authorities (a PEM file); `None` = the public ones.
fn connector(authorities: Option<&Path>) -> Result<TlsConnector, SipSocketError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| SipSocketError::Certificate {
                    file: file.into(),
                    why: error.to_string(),
                })?;
            }
        }
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| SipSocketError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
