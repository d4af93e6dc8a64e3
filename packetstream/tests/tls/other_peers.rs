//! Peers that are not this library, or not TLS at all.

use crate::common::in_time;
use crate::support::{Authority, Identity, why};
use packetstream::tls::{Refusal, TlsError};
use packetstream::{Incoming, PacketConnection, Reply, Stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, ServerConfig, SupportedProtocolVersion,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    roots
}

fn der(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::from_pem_slice(identity.chain.as_bytes()).unwrap();
    (vec![chain], PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap())
}

/// A client that has one version of TLS and knows nothing of ours.
async fn raw_client(
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
    stream: DuplexStream,
) -> client::TlsStream<DuplexStream> {
    let (chain, key) = der(&authority.issue("raw.example"));
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots(authority))
        .with_client_auth_cert(chain, key)
        .unwrap();
    let name = ServerName::try_from("server.example").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// A server that has one version of TLS, knows nothing of ours, and wants certificates.
async fn raw_server(
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
    stream: DuplexStream,
) -> std::io::Result<server::TlsStream<DuplexStream>> {
    let (chain, key) = der(&authority.issue("server.example"));
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots(authority).into(), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config)).accept(stream).await
}

const VERSIONS: [(&SupportedProtocolVersion, ProtocolVersion); 2] =
    [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)];

#[tokio::test]
async fn clients_with_either_version_are_served() {
    let authority = Authority::new();
    let (_, server) = authority.mutual();
    for (version, name) in VERSIONS {
        let (near, far) = tokio::io::duplex(1 << 16);
        let handshakes =
            async { tokio::join!(raw_client(&authority, version, near), server.accept(Stream::new(far))) };
        let (client, stream) = in_time(handshakes).await;
        assert_eq!(client.get_ref().1.protocol_version(), Some(name));
        let stream = stream.unwrap();
        assert_eq!(stream.tls().unwrap().names(), ["raw.example"]);
        assert_eq!(stream.tls().unwrap().alpn(), None);

        let echo = async |request: Incoming| Ok(Reply::from(request.payload));
        let server = PacketConnection::builder().handler(echo).spawn(stream);
        let client = PacketConnection::builder().spawn(client);
        assert_eq!(in_time(client.submit(0, 0, "ping")).await.unwrap().payload, "ping");
        client.close();
        in_time(client.closed()).await.result.unwrap();
        in_time(server.closed()).await.result.unwrap();
    }
}

#[tokio::test]
async fn servers_with_either_version_are_talked_to() {
    let authority = Authority::new();
    let (client, _) = authority.mutual();
    for (version, name) in VERSIONS {
        let (near, far) = tokio::io::duplex(1 << 16);
        let handshakes = async {
            let connecting = client.connect(Stream::new(near), "server.example");
            tokio::join!(connecting, raw_server(&authority, version, far))
        };
        let (stream, server) = in_time(handshakes).await;
        let (mut stream, mut server) = (stream.unwrap(), server.unwrap());
        assert_eq!(server.get_ref().1.protocol_version(), Some(name));
        in_time(stream.write_all(b"ping")).await.unwrap();
        in_time(stream.shutdown()).await.unwrap();
        let mut got = String::new();
        in_time(server.read_to_string(&mut got)).await.unwrap();
        assert_eq!(got, "ping");
    }
}

#[tokio::test]
async fn with_tls_1_2_a_client_is_refused_within_its_handshake() {
    let authority = Authority::new();
    let client = authority.client().client().unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let handshakes = async {
        let connecting = client.connect(Stream::new(near), "server.example");
        tokio::join!(connecting, raw_server(&authority, &TLS12, far))
    };
    let (client, server) = in_time(handshakes).await;
    assert!(matches!(client, Err(TlsError::Refused(Refusal::NoCertificate))), "{client:?}");
    server.unwrap_err();
}

#[tokio::test]
async fn what_a_server_has_said_is_worth_more_than_that_it_is_gone() {
    let authority = Authority::new();
    let client = authority.client().client().unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let handshakes = async {
        let connecting = client.connect(Stream::new(near), "server.example");
        tokio::join!(connecting, raw_server(&authority, &TLS13, far))
    };
    let (stream, server) = in_time(handshakes).await;
    server.unwrap_err();
    let mut stream = stream.unwrap();
    for _ in 0..2 {
        let error = in_time(stream.write_all(b"a request")).await;
        assert_eq!(why(error), "the peer refuses us: it wants a certificate and was shown none");
    }
    let error = in_time(stream.read_u8()).await;
    assert_eq!(why(error), "the peer refuses us: it wants a certificate and was shown none");
}

#[tokio::test]
async fn a_client_in_plain_text_is_told_from_one_that_speaks_tls() {
    let server = Authority::new().server().server().unwrap();
    for begins in [
        // What Python sends first, a long request, text, and a length that looks like the type of a record.
        &b"\x03\x01\x02\x00\x03\x00\x02\x00"[..],
        b"\x81\x00\x02\x02\x01 and so on",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x02\x02\x01 and so on, and so on",
    ] {
        let (mut near, far) = tokio::io::duplex(1 << 16);
        near.write_all(begins).await.unwrap();
        near.shutdown().await.unwrap();
        let result = in_time(server.accept(Stream::new(far))).await;
        assert!(matches!(result, Err(TlsError::NotTls)), "{begins:?}: {result:?}");
        assert_eq!(why(result), "the peer does not speak TLS");
    }
}

#[tokio::test]
async fn a_server_in_plain_text_is_told_from_one_that_speaks_tls() {
    let client = Authority::new().client().client().unwrap();
    for greeting in ["SSH-2.0-OpenSSH_9.2\r\n", "\x03\x01\x02\x00\x03\x00\x02\x00"] {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        far.write_all(greeting.as_bytes()).await.unwrap();
        far.shutdown().await.unwrap();
        let result = in_time(client.connect(Stream::new(near), "server.example")).await;
        assert!(matches!(result, Err(TlsError::NotTls)), "{greeting:?}: {result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_packet_stream_without_tls_is_no_server_for_a_client_with_it() {
    let client = Authority::new().client().client().unwrap();
    let (near, far) = Stream::pair(1 << 16);
    let server = PacketConnection::builder().spawn(far);
    let result = in_time(client.connect(near, "server.example")).await;
    // It takes the handshake for packets, or for the beginning of one.
    assert!(matches!(result, Err(TlsError::NotTls | TlsError::TimedOut(_))), "{result:?}");
    in_time(server.closed()).await.result.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_not_finished_ends_in_time() {
    let authority = Authority::new();
    let limit = Duration::from_secs(2);
    let (client, server) = authority.mutual();
    let hasty_client = authority.client().handshake_timeout(limit).client().unwrap();
    let hasty_server = authority.server().handshake_timeout(limit).server().unwrap();
    for (client, server, limit) in
        [(client, server, Duration::from_secs(10)), (hasty_client, hasty_server, limit)]
    {
        let (near, _far) = Stream::pair(1 << 16);
        let began = Instant::now();
        let error = in_time(client.connect(near, "server.example")).await;
        assert_eq!(why(error), format!("no handshake within {limit:?}"));
        assert_eq!(began.elapsed().as_secs(), limit.as_secs());

        let (near, mut far) = Stream::pair(1 << 16);
        // One is announced, and does not come.
        far.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
        let began = Instant::now();
        assert_eq!(why(in_time(server.accept(near)).await), format!("no handshake within {limit:?}"));
        assert_eq!(began.elapsed().as_secs(), limit.as_secs());
    }
}

/// While a peer that was refused may still write: less than 1 s after.
const MEANWHILE: Duration = Duration::from_millis(500);

#[tokio::test(start_paused = true)]
async fn a_client_that_still_writes_when_it_is_refused_reads_why() {
    let authority = Authority::new();
    let (_, server) = authority.mutual();
    let client = authority.client().client().unwrap();
    let (near, far) = Stream::pair(1 << 16);
    let serving = tokio::spawn(async move { server.accept(far).await });
    let mut stream = in_time(client.connect(near, "server.example")).await.unwrap();
    tokio::time::sleep(MEANWHILE).await;
    stream.write_all(b"a request").await.unwrap();
    stream.flush().await.unwrap();
    let error = in_time(stream.read_u8()).await;
    assert_eq!(why(error), "the peer refuses us: it wants a certificate and was shown none");
    assert_eq!(why(in_time(serving).await.unwrap()), "the peer has shown no certificate");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_still_writes_when_it_is_refused_reads_why() {
    let client = Authority::new().client().client().unwrap();
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let connecting = tokio::spawn(async move { client.connect(Stream::new(near), "server.example").await });
    far.write_all(b"220 ready").await.unwrap();
    tokio::time::sleep(MEANWHILE).await;
    far.write_all(b"to serve").await.unwrap();
    let mut got = Vec::new();
    in_time(far.read_to_end(&mut got)).await.unwrap();
    // A record of type 21, an alert, of 2 bytes.
    assert_eq!((got[got.len() - 7], got[got.len() - 3]), (21, 2), "{got:?}");
    assert_eq!(why(in_time(connecting).await.unwrap()), "the peer does not speak TLS");
}
