//! What a handshake has established.

use super::super::stream::Stream;
use std::fmt;
use std::sync::Arc;
use tokio_rustls::rustls::CommonState;
use tokio_rustls::rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// What the handshake has established of the peer. [`Server::serve`](super::Server::serve) puts it into the
/// connection, where handlers find it:
///
/// ```
/// use packetstream::{Context, tls};
///
/// fn is_alice(cx: &Context) -> bool {
///     let session = cx.extensions().get::<tls::Session>();
///     session.is_some_and(|session| session.names().iter().any(|name| name == "alice.example"))
/// }
/// ```
///
/// Elsewhere it takes [`Stream::tls`] and `.extension(session)` when the connection is built. Clones are of
/// the same session.
#[derive(Clone)]
pub struct Session {
    facts: Arc<Facts>,
}

struct Facts {
    certificates: Vec<CertificateDer<'static>>,
    alpn: Option<Vec<u8>>,
}

impl Session {
    pub(super) fn of(connection: &CommonState) -> Self {
        let certificates = connection.peer_certificates().unwrap_or_default().to_vec();
        let alpn = connection.alpn_protocol().map(<[u8]>::to_vec);
        Self { facts: Arc::new(Facts { certificates, alpn }) }
    }

    /// The peer's certificates in DER: its own, which has been verified, and then whatever it has sent to lead
    /// to one that is trusted. Empty if it was asked for none.
    #[must_use]
    pub fn certificates(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.facts.certificates.iter().map(|certificate| &certificate[..])
    }

    /// The DNS names that the peer's own certificate is for, each as it stands there: `*.example` stays so. Empty
    /// if there is no certificate, or none of its names is a DNS name.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let own = self.facts.certificates.first();
        let parsed = own.and_then(|certificate| EndEntityCert::try_from(certificate).ok());
        parsed.map(|own| own.valid_dns_names().map(str::to_owned).collect()).unwrap_or_default()
    }

    /// The application protocol that both sides speak. Nothing if either side has named none.
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.facts.alpn.as_deref()
    }
}

impl Stream {
    /// What TLS has established of the peer. Nothing if the stream is not of [`Client`](super::Client) or
    /// [`Server`](super::Server).
    #[must_use]
    pub const fn tls(&self) -> Option<&Session> {
        self.tls.as_ref()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alpn = self.alpn().map(|protocol| protocol.escape_ascii().to_string());
        f.debug_struct("Session").field("names", &self.names()).field("alpn", &alpn).finish_non_exhaustive()
    }
}
