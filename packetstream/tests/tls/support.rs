//! Certificates made for one test, and both ends of a handshake.

use crate::common::in_time;
use packetstream::tls::{self, Client, Server, TlsError};
use packetstream::{Address, Listener, Stream};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::error::Error;
use std::iter::successors;
use std::time::{Duration, SystemTime};

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// Who issues certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
pub(crate) struct Identity {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("the authority")
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// What those trust who trust it.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `name` that is valid now.
    pub(crate) fn issue(&self, name: &str) -> Identity {
        let now = SystemTime::now();
        self.issue_for(name, now - DAY, now + DAY)
    }

    pub(crate) fn issue_for(&self, name: &str, from: SystemTime, until: SystemTime) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (from.into(), until.into());
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { chain: certificate.pem(), key: key.serialize_pem() }
    }

    /// A server `server.example` that asks for no certificate.
    pub(crate) fn server(&self) -> tls::Builder {
        let Identity { chain, key } = self.issue("server.example");
        tls::builder().identity(chain, key)
    }

    /// A client that shows none.
    pub(crate) fn client(&self) -> tls::Builder {
        tls::builder().trust(self.pem())
    }

    /// The certificate of this side.
    pub(crate) fn shown_by(&self, name: &str, builder: tls::Builder) -> tls::Builder {
        let Identity { chain, key } = self.issue(name);
        builder.identity(chain, key)
    }

    /// A client `client.example` and a server `server.example`, which trust it and each other.
    pub(crate) fn mutual(&self) -> (Client, Server) {
        let client = self.shown_by("client.example", self.client()).client().unwrap();
        (client, self.server().trust(self.pem()).server().unwrap())
    }
}

/// What both ends say of a handshake in memory, for a server that is to be `server.example`.
pub(crate) async fn shake(
    client: &Client,
    server: &Server,
) -> (Result<Stream, TlsError>, Result<Stream, TlsError>) {
    let (here, there) = Stream::pair(1 << 16);
    in_time(async { tokio::join!(client.connect(here, "server.example"), server.accept(there)) }).await
}

/// Both ends of a stream within TLS.
pub(crate) async fn shaken(client: &Client, server: &Server) -> (Stream, Stream) {
    let (client, server) = shake(client, server).await;
    (client.unwrap(), server.unwrap())
}

/// Why there is no stream, and all causes of that.
pub(crate) fn why<T>(result: Result<T, impl Error + 'static>) -> String {
    let Err(error) = result else { panic!("it did not fail") };
    let causes = successors(Some(&error as &dyn Error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

pub(crate) async fn listener() -> (Listener, Address) {
    let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_address();
    (listener, address)
}
