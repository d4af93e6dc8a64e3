//! Which protocol is spoken within TLS.

use crate::support::{Authority, shake, shaken, why};
use packetstream::tls::{Refusal, TlsError};

#[tokio::test]
async fn the_server_picks_what_both_speak() {
    let authority = Authority::new();
    let client = authority.client().alpn(["vault/1", "vault/2"]).client().unwrap();
    let server = authority.server().alpn(["vault/3", "vault/2", "vault/1"]).server().unwrap();
    let (here, there) = shaken(&client, &server).await;
    for stream in [here, there] {
        assert_eq!(stream.tls().unwrap().alpn(), Some(&b"vault/2"[..]));
    }
}

#[tokio::test]
async fn who_has_no_protocol_in_common_is_refused() {
    let authority = Authority::new();
    let client = authority.client().alpn(["http/1.1"]).client().unwrap();
    let server = authority.server().server().unwrap();
    let (client, server) = shake(&client, &server).await;
    assert!(matches!(client, Err(TlsError::Refused(Refusal::NoCommonProtocol))), "{client:?}");
    assert_eq!(why(client), "the peer refuses us: it speaks none of our application protocols");
    assert_eq!(why(server), "the peer speaks none of our application protocols");
}

#[tokio::test]
async fn who_names_no_protocol_is_served() {
    let authority = Authority::new();
    for (client, server) in [
        (authority.client().alpn([""; 0]), authority.server()),
        (authority.client(), authority.server().alpn([""; 0])),
    ] {
        let (here, there) = shaken(&client.client().unwrap(), &server.server().unwrap()).await;
        assert_eq!((here.tls().unwrap().alpn(), there.tls().unwrap().alpn()), (None, None));
    }
}
