//! Certificates that are not good enough, and what both ends are told.

use crate::common::in_time;
use crate::support::{Authority, DAY, Identity, listener, shake, why};
use packetstream::tls::{self, Client, Refusal, Server, TlsError};
use packetstream::{CallError, PacketConnection};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use std::time::SystemTime;
use tokio::sync::mpsc;

/// A client's and a server's error where the client refuses the server.
async fn server_refused(client: tls::Builder, server: tls::Builder) -> (TlsError, Refusal) {
    let (client, server) = shake(&client.client().unwrap(), &server.server().unwrap()).await;
    match (client, server) {
        (Err(client), Err(TlsError::Refused(refusal))) => (client, refusal),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_whose_certificate_has_expired_is_refused() {
    let authority = Authority::new();
    let now = SystemTime::now();
    let Identity { chain, key } = authority.issue_for("server.example", now - 3 * DAY, now - DAY);
    let (error, refusal) = server_refused(authority.client(), tls::builder().identity(chain, key)).await;
    let TlsError::Expired { ago } = error else { panic!("{error:?}") };
    assert!(ago >= DAY && ago < 2 * DAY, "{ago:?}");
    assert_eq!(error.to_string(), format!("the peer's certificate has expired, {ago:?} ago"));
    assert_eq!(refusal, Refusal::Expired);
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_valid_yet_is_refused() {
    let authority = Authority::new();
    let now = SystemTime::now();
    let Identity { chain, key } = authority.issue_for("server.example", now + DAY, now + 2 * DAY);
    let (error, refusal) = server_refused(authority.client(), tls::builder().identity(chain, key)).await;
    let TlsError::NotYetValid { wait } = error else { panic!("{error:?}") };
    assert!(wait <= DAY && wait > DAY / 2, "{wait:?}");
    assert_eq!(error.to_string(), format!("the peer's certificate is not valid yet, but in {wait:?}"));
    assert_eq!(refusal, Refusal::Expired);
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let foreign = Authority::named("another authority").server();
    let (error, refusal) = server_refused(Authority::new().client(), foreign).await;
    assert_eq!(error.to_string(), "the peer's certificate was issued by nobody who is trusted here");
    assert_eq!(refusal, Refusal::UnknownIssuer);
}

#[tokio::test]
async fn a_server_of_an_authority_that_was_made_anew_is_refused() {
    let (error, refusal) = server_refused(Authority::new().client(), Authority::new().server()).await;
    assert_eq!(
        error.to_string(),
        "a signature of the peer's is wrong: its certificate was issued by another of that name, or is not its own"
    );
    assert_eq!(refusal, Refusal::BadSignature);
}

#[tokio::test]
async fn a_server_of_another_name_is_refused() {
    let authority = Authority::new();
    let server = authority.shown_by("other.example", tls::builder());
    let (error, refusal) = server_refused(authority.client(), server).await;
    let TlsError::WrongName { expected, presented } = &error else { panic!("{error:?}") };
    assert_eq!((&expected[..], &presented[..]), ("server.example", &["other.example".to_owned()][..]));
    assert_eq!(error.to_string(), "the peer's certificate is for other.example, not for `server.example`");
    assert_eq!(refusal.to_string(), "our certificate is not acceptable to it");
}

/// What the server says of a client over TCP, and what a call of the client ends with: with TLS 1.3 its handshake
/// has succeeded.
async fn client_refused(client: Client, server: Server) -> (String, String) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = server.on_failed(move |_, error| tell.send(error.to_string()).unwrap());
    let (listener, address) = listener().await;
    tokio::spawn(server.serve(listener, PacketConnection::builder));
    let stream = packetstream::Stream::connect(&address).await.unwrap();
    let stream = in_time(client.connect(stream, "server.example")).await.unwrap();
    let connection = PacketConnection::builder().spawn(stream);
    let error = in_time(connection.submit(0, 0, "let me in")).await.unwrap_err();
    assert!(matches!(error, CallError::Lost(_) | CallError::NotSent(_)), "{error:?}");
    let ended = why(in_time(connection.closed()).await.result);
    assert!(why::<()>(Err(error)).ends_with(&ended));
    (in_time(told.recv()).await.unwrap(), ended)
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let authority = Authority::new();
    let server = authority.server().trust(authority.pem()).server().unwrap();
    let (at_server, at_client) = client_refused(authority.client().client().unwrap(), server).await;
    assert_eq!(at_server, "the peer has shown no certificate");
    assert_eq!(
        at_client,
        "cannot read from the peer: the peer refuses us: it wants a certificate and was shown none"
    );
}

#[tokio::test]
async fn a_client_of_another_authority_is_refused() {
    let authority = Authority::new();
    let server = authority.server().trust(authority.pem()).server().unwrap();
    let foreign = Authority::named("another authority").shown_by("client.example", authority.client());
    let (at_server, at_client) = client_refused(foreign.client().unwrap(), server).await;
    assert_eq!(at_server, "the peer's certificate was issued by nobody who is trusted here");
    assert_eq!(
        at_client,
        "cannot read from the peer: the peer refuses us: our certificate was issued by nobody whom it trusts"
    );
}

#[tokio::test]
async fn a_client_whose_certificate_has_expired_is_refused() {
    let authority = Authority::new();
    let server = authority.server().trust(authority.pem()).server().unwrap();
    let now = SystemTime::now();
    let Identity { chain, key } = authority.issue_for("client.example", now - 3 * DAY, now - DAY);
    let expired = authority.client().identity(chain, key).client().unwrap();
    let (at_server, at_client) = client_refused(expired, server).await;
    assert!(at_server.starts_with("the peer's certificate has expired, "), "{at_server}");
    assert_eq!(
        at_client,
        "cannot read from the peer: the peer refuses us: our certificate has expired, or is not valid yet"
    );
}

/// Who shows a certificate that is its own authority to a client that trusts just that one.
async fn self_signed(is_ca: IsCa) -> Result<(), String> {
    let mut params = CertificateParams::new(["server.example".to_owned()]).unwrap();
    params.is_ca = is_ca;
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let server = tls::builder().identity(&certificate, key.serialize_pem()).server().unwrap();
    let (client, _) = shake(&tls::builder().trust(&certificate).client().unwrap(), &server).await;
    match client {
        Ok(_) => Ok(()),
        Err(error) => Err(why::<()>(Err(error))),
    }
}

#[tokio::test]
async fn a_certificate_that_is_its_own_authority_is_accepted_unless_it_may_issue_others() {
    self_signed(IsCa::NoCa).await.unwrap();
    self_signed(IsCa::ExplicitNoCa).await.unwrap();
    let error = self_signed(IsCa::Ca(BasicConstraints::Unconstrained)).await.unwrap_err();
    assert_eq!(error, "the peer's certificate is one of an authority, not of a peer");
}
