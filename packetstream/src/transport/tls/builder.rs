//! Making clients and servers.

use super::PROTOCOL;
use super::client::Client;
use super::server::Server;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::{ClientConfig, DEFAULT_VERSIONS, RootCertStore, ServerConfig};

/// Makes a [`Client`] or a [`Server`]: whom it trusts and who it is, as PEM. The same value can make both.
#[derive(Clone)]
#[must_use = "a builder does nothing until it makes a client or a server"]
pub struct Builder {
    trusted: Vec<Trusted>,
    identity: Option<Identity>,
    alpn: Vec<Vec<u8>>,
    handshake_timeout: Duration,
}

#[derive(Clone)]
enum Trusted {
    Pem(Vec<u8>),
    System,
}

/// A certificate with those that lead to a trusted one, and its key, as PEM.
#[derive(Clone)]
struct Identity {
    chain: Vec<u8>,
    key: Vec<u8>,
}

/// Why there is no client or no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Nobody is trusted, so no server could be talked to.
    #[error("nobody is trusted: a client needs the certificate of who issues those of its servers")]
    NobodyTrusted,
    /// What was given to [`Builder::trust`] is not PEM, or holds no certificate that could be trusted.
    #[error("bad trusted certificates")]
    Trusted(#[source] Cause),
    /// The system has no trusted certificates, or they cannot be read.
    #[error("no trusted certificates of the system")]
    System(#[source] Option<Cause>),
    /// A server has to show a certificate.
    #[error("a server needs a certificate of its own")]
    NoIdentity,
    /// The certificate of our own is not PEM, or holds no certificate.
    #[error("bad certificate of our own")]
    Chain(#[source] Cause),
    /// The key of our own is not PEM, or holds no key.
    #[error("bad private key")]
    Key(#[source] Cause),
    /// The key is of an unknown kind, or another one's than the certificate's.
    #[error("the private key cannot be used with the certificate")]
    KeyOfAnother(#[source] Cause),
    /// The name of a protocol is too long, or empty.
    #[error("protocol name of {0} bytes: expected 1 to 255")]
    ProtocolName(usize),
    /// Something else the configuration lacks.
    #[error("no TLS is possible")]
    Other(#[source] Cause),
}

type Cause = Box<dyn Error + Send + Sync>;

impl Default for Builder {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            identity: None,
            alpn: vec![PROTOCOL.into()],
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

impl Builder {
    /// Trusts who shows one of these certificates (PEM, one or more), or one that leads to them. Can be called
    /// more than once. One that may issue others (`CA:TRUE`) is trusted, but refused from whoever shows it as their own:
    /// [`TlsError::OfAuthority`](super::TlsError::OfAuthority). A server that trusts somebody serves no client without a certificate. Default: nobody.
    pub fn trust(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.trusted.push(Trusted::Pem(pem.as_ref().to_vec()));
        self
    }

    /// Trusts whom this machine trusts, as a browser would. They are read when the client is built. Hardly what a
    /// server wants: there are many who get a certificate from them.
    pub fn trust_system(mut self) -> Self {
        self.trusted.push(Trusted::System);
        self
    }

    /// Shows this certificate, which those follow, in PEM, that lead to one that the peer trusts; and uses its
    /// private key, PEM too. A server has to have one, a client if the server asks for it.
    pub fn identity(self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        let identity = Identity { chain: chain.as_ref().to_vec(), key: key.as_ref().to_vec() };
        Self { identity: Some(identity), ..self }
    }

    /// Names the application protocols that this side speaks, the best first, each of 1 to 255 bytes; with none,
    /// any peer is right. Default: [`PROTOCOL`].
    pub fn alpn(self, protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self { alpn: protocols.into_iter().map(Into::into).collect(), ..self }
    }

    /// Limits how long a handshake may take, from the first byte to the last. Default: 10 s.
    pub fn handshake_timeout(self, limit: Duration) -> Self {
        Self { handshake_timeout: limit, ..self }
    }

    /// Makes the side that asks for TLS. It has to trust somebody.
    pub fn client(self) -> Result<Client, BuildError> {
        let roots = self.roots()?;
        if roots.is_empty() {
            return Err(BuildError::NobodyTrusted);
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(DEFAULT_VERSIONS)
            .map_err(other)?
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            Some(identity) => {
                config.with_client_auth_cert(identity.chain()?, identity.key()?).map_err(key_of_another)?
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = self.protocols()?;
        config.resumption = Resumption::disabled();
        Ok(Client::new(config, self.handshake_timeout))
    }

    /// Makes the side that grants TLS. It has to have an [`identity`](Self::identity).
    pub fn server(self) -> Result<Server, BuildError> {
        let identity = self.identity.as_ref().ok_or(BuildError::NoIdentity)?;
        let roots = self.roots()?;
        let verifier = if roots.is_empty() {
            WebPkiClientVerifier::no_client_auth()
        } else {
            WebPkiClientVerifier::builder_with_provider(roots.into(), provider()).build().map_err(other)?
        };
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(DEFAULT_VERSIONS)
            .map_err(other)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(identity.chain()?, identity.key()?)
            .map_err(key_of_another)?;
        config.alpn_protocols = self.protocols()?;
        // A certificate that has expired since would be taken for good.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Server::new(config, self.handshake_timeout))
    }

    fn roots(&self) -> Result<RootCertStore, BuildError> {
        let mut roots = RootCertStore::empty();
        for trusted in &self.trusted {
            match trusted {
                Trusted::Pem(pem) => {
                    for certificate in certificates(pem).map_err(BuildError::Trusted)? {
                        roots.add(certificate).map_err(|error| BuildError::Trusted(error.into()))?;
                    }
                }
                Trusted::System => {
                    let found = rustls_native_certs::load_native_certs();
                    // Some of the system's are always odd; what counts is that there are others.
                    if roots.add_parsable_certificates(found.certs).0 == 0 {
                        return Err(BuildError::System(found.errors.into_iter().next().map(Into::into)));
                    }
                }
            }
        }
        Ok(roots)
    }

    fn protocols(&self) -> Result<Vec<Vec<u8>>, BuildError> {
        match self.alpn.iter().find(|name| name.is_empty() || name.len() > 255) {
            Some(name) => Err(BuildError::ProtocolName(name.len())),
            None => Ok(self.alpn.clone()),
        }
    }
}

impl Identity {
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, BuildError> {
        certificates(&self.chain).map_err(BuildError::Chain)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, BuildError> {
        PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| BuildError::Key(error.into()))
    }
}

/// At least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Cause> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() { Err(pem::Error::NoItemsFound.into()) } else { Ok(certificates) }
}

/// Given to everything, so that what the process has installed does not matter.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn key_of_another(error: tokio_rustls::rustls::Error) -> BuildError {
    BuildError::KeyOfAnother(error.into())
}

fn other(error: impl Error + Send + Sync + 'static) -> BuildError {
    BuildError::Other(error.into())
}

/// Shows neither certificates nor the key.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alpn = self.alpn.iter().map(|name| name.escape_ascii().to_string()).collect::<Vec<_>>();
        f.debug_struct("Builder")
            .field("has_identity", &self.identity.is_some())
            .field("alpn", &alpn)
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}
