//! Why there is no TLS with a peer.

use super::super::stream::ConnectError;
use std::error::Error;
use std::io;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, InvalidMessage, OtherError};

/// Why there is no TLS with a peer. The first group is what this side finds wrong, [`Refused`](Self::Refused)
/// what the peer does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The peer's certificate was valid until some time ago.
    #[error("the peer's certificate has expired, {ago:?} ago")]
    Expired {
        /// By the clock of this machine, in whole seconds.
        ago: Duration,
    },
    /// The peer's certificate will be valid.
    #[error("the peer's certificate is not valid yet, but in {wait:?}")]
    NotYetValid {
        /// By the clock of this machine, in whole seconds.
        wait: Duration,
    },
    /// The peer's certificate leads to none that is trusted.
    #[error("the peer's certificate was issued by nobody who is trusted here")]
    UnknownIssuer,
    /// The server's certificate is for others.
    #[error("the peer's certificate is for {}, not for `{expected}`", list(presented))]
    WrongName {
        /// Whom we have asked for.
        expected: String,
        /// Whom the certificate is for.
        presented: Vec<String>,
    },
    /// The peer's certificate was issued by another of the name of one who is trusted, as when an authority was
    /// made anew; or the certificate is not the peer's own.
    #[error(
        "a signature of the peer's is wrong: its certificate was issued by another of that name, or is not its own"
    )]
    BadSignature,
    /// The peer shows a certificate that is meant to issue others (`CA:TRUE`), as `openssl req -x509` makes them unless
    /// told otherwise. It may be trusted, but not shown.
    #[error("the peer's certificate is one of an authority, not of a peer")]
    OfAuthority,
    /// Something else is wrong with the peer's certificate.
    #[error("the peer's certificate is not acceptable")]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    /// The client was asked for a certificate and has shown none.
    #[error("the peer has shown no certificate")]
    NoCertificate,
    /// Both sides have named the application protocols they speak, and none is the same.
    #[error("the peer speaks none of our application protocols")]
    NoCommonProtocol,
    /// What the peer sends is not TLS.
    #[error("the peer does not speak TLS")]
    NotTls,
    /// The peer broke TLS, or has no version or no cipher that we have.
    #[error("no TLS is possible with the peer")]
    Protocol(#[source] Box<dyn Error + Send + Sync>),

    /// The peer has found something wrong with us.
    #[error("the peer refuses us: {0}")]
    Refused(Refusal),

    /// The handshake was not finished in time; see
    /// [`Builder::handshake_timeout`](super::Builder::handshake_timeout).
    #[error("no handshake within {0:?}")]
    TimedOut(Duration),
    /// The stream ended within the handshake.
    #[error("the peer ended the stream within the handshake")]
    Ended,
    /// The stream ended after the handshake and not as TLS ends it. Bytes may be missing. Found in the
    /// [`io::Error`] of a read.
    #[error("the stream was cut short: it ended without `close_notify`")]
    CutShort,
    /// The stream failed within the handshake.
    #[error("the stream failed within the handshake")]
    Io(#[source] io::Error),
    /// There is no stream to the peer.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server's name is none that a certificate could be for.
    #[error("`{0}` is neither a host name nor an address")]
    ServerName(String),
}

/// What a peer finds wrong with us, as far as its alert tells.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It has asked for a certificate.
    #[error("it wants a certificate and was shown none")]
    NoCertificate,
    /// The time is not within that of our certificate, by the peer's clock.
    #[error("our certificate has expired, or is not valid yet")]
    Expired,
    /// Our certificate leads to none that it trusts.
    #[error("our certificate was issued by nobody whom it trusts")]
    UnknownIssuer,
    /// As [`TlsError::BadSignature`].
    #[error(
        "a signature of ours is wrong: our certificate was issued by another of that name, or is not our own"
    )]
    BadSignature,
    /// Something else is wrong with our certificate; for a client also, that it is for another name.
    #[error("our certificate is not acceptable to it")]
    Certificate,
    /// Both sides have named the application protocols they speak, and none is the same.
    #[error("it speaks none of our application protocols")]
    NoCommonProtocol,
    /// Any other alert, by its name in the standard.
    #[error("alert {0}")]
    Other(String),
}

impl TlsError {
    /// Why a handshake has failed.
    pub(super) fn of_handshake(error: io::Error) -> Self {
        match rustls_error(&error) {
            Some(found) => Self::of_rustls(found),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::Ended,
            None => Self::Io(error),
        }
    }

    /// The same error of a stream after the handshake, in the words of this enum if it is one of TLS.
    pub(super) fn of_stream(error: io::Error) -> io::Error {
        let kind = error.kind();
        match rustls_error(&error) {
            Some(found) => io::Error::new(kind, Self::of_rustls(found)),
            None if kind == io::ErrorKind::UnexpectedEof => io::Error::new(kind, Self::CutShort),
            None => error,
        }
    }

    fn of_rustls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::NoCertificatesPresented => Self::NoCertificate,
            rustls::Error::NoApplicationProtocol => Self::NoCommonProtocol,
            rustls::Error::AlertReceived(alert) => Self::Refused(Refusal::new(*alert)),
            // A record begins with its type and a version; what has neither is something else.
            rustls::Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => Self::NotTls,
            other => Self::Protocol(other.clone().into()),
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::ExpiredContext { time, not_after } => {
                Self::Expired { ago: between(*not_after, *time) }
            }
            CertificateError::NotValidYetContext { time, not_before } => {
                Self::NotYetValid { wait: between(*time, *not_before) }
            }
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::BadSignature => Self::BadSignature,
            CertificateError::NotValidForNameContext { expected, presented } => {
                let presented = presented.iter().map(|name| bare(name).to_owned()).collect();
                Self::WrongName { expected: expected.to_str().into_owned(), presented }
            }
            CertificateError::Other(OtherError(other)) => match other.downcast_ref() {
                Some(webpki::Error::CaUsedAsEndEntity) => Self::OfAuthority,
                _ => Self::Certificate(other.to_string().into()),
            },
            other => Self::Certificate(other.to_string().into()),
        }
    }
}

impl Refusal {
    fn new(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired | AlertDescription::NoCertificate => Self::NoCertificate,
            AlertDescription::CertificateExpired => Self::Expired,
            AlertDescription::UnknownCA => Self::UnknownIssuer,
            AlertDescription::DecryptError => Self::BadSignature,
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied => Self::Certificate,
            AlertDescription::NoApplicationProtocol => Self::NoCommonProtocol,
            other => Self::Other(format!("{other:?}")),
        }
    }
}

/// Whether it is about TLS, and not about what carries it.
pub(super) fn is_of_tls(error: &io::Error) -> bool {
    rustls_error(error).is_some()
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn between(earlier: UnixTime, later: UnixTime) -> Duration {
    Duration::from_secs(later.as_secs().saturating_sub(earlier.as_secs()))
}

/// The name in what rustls makes of it: `DnsName("a.example")`, `IpAddress(::1)`.
fn bare(presented: &str) -> &str {
    let (_, name) = presented.split_once('(').unwrap_or(("", presented));
    name.trim_end_matches(')').trim_matches('"')
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "no host".into() } else { names.join(", ") }
}
