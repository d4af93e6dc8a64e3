//! What a client or a server is not made of.

use crate::common::in_time;
use crate::support::{Authority, Identity, shaken, why};
use packetstream::tls::{self, BuildError};
use std::path::Path;
use std::{env, fs};
use tokio::process::Command;

#[test]
fn a_client_has_to_trust_somebody_and_a_server_to_be_somebody() {
    assert_eq!(
        why(tls::builder().client()),
        "nobody is trusted: a client needs the certificate of who issues those of its servers"
    );
    assert_eq!(
        why(tls::builder().trust(Authority::new().pem()).server()),
        "a server needs a certificate of its own"
    );
}

#[test]
fn what_is_wrong_with_pem_is_told_by_what_it_was_for() {
    let authority = Authority::new();
    let Identity { chain, key } = authority.issue("server.example");
    let Identity { key: another, .. } = authority.issue("server.example");
    let server = |chain: &str, key: &str| why(tls::builder().identity(chain, key).server());
    assert_eq!(server(&key, &key), "bad certificate of our own: no items found");
    assert_eq!(server(&chain, "no key"), "bad private key: no items found");
    assert_eq!(server(&chain, &chain), "bad private key: no items found");
    let mismatch = server(&chain, &another);
    assert!(mismatch.starts_with("the private key cannot be used with the certificate: "), "{mismatch}");

    assert_eq!(why(tls::builder().trust(&key).client()), "bad trusted certificates: no items found");
    let cut = &authority.pem()[..100];
    let error = why(tls::builder().trust(cut).client());
    assert!(error.starts_with("bad trusted certificates: "), "{error}");
    assert!(tls::builder().trust(cut).identity(&chain, &key).server().is_err());
}

#[test]
fn names_of_protocols_have_1_to_255_bytes() {
    for (name, length) in [(String::new(), 0), ("x".repeat(256), 256)] {
        let error = why(Authority::new().client().alpn([name]).client());
        assert_eq!(error, format!("protocol name of {length} bytes: expected 1 to 255"));
    }
    Authority::new().client().alpn(["x".repeat(255)]).client().unwrap();
}

#[test]
fn nothing_of_a_key_is_shown() {
    let Identity { chain, key } = Authority::new().issue("server.example");
    let builder = tls::builder().identity(&chain, &key);
    let secret = key.lines().nth(1).unwrap();
    assert!(!format!("{builder:?} {:?}", builder.clone().server().unwrap()).contains(secret));
    // A certificate where the key should be, and the reverse.
    assert!(!why(tls::builder().identity(&key, &chain).server()).contains(secret));
}

/// Where the system's certificates are, for a process that is asked to look elsewhere.
const SYSTEM: &str = "SSL_CERT_FILE";

#[tokio::test]
async fn whom_the_system_trusts_is_trusted_if_one_likes() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let Identity { chain, key } = authority.issue("server.example");
    for (name, content) in [("system.pem", authority.pem()), ("chain.pem", chain), ("key.pem", key)] {
        fs::write(dir.path().join(name), content).unwrap();
    }
    // The variable is read by the process that does what follows.
    let mut itself = Command::new(env::current_exe().unwrap());
    itself.args(["--exact", "building::within_a_process_with_a_system_of_its_own", "--ignored"]);
    itself.env(SYSTEM, dir.path().join("system.pem")).env_remove("SSL_CERT_DIR").kill_on_drop(true);
    let output = in_time(itself.output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
}

#[tokio::test]
#[ignore = "run by the test above, as a process"]
async fn within_a_process_with_a_system_of_its_own() {
    let system = env::var_os(SYSTEM).expect("run by the test above");
    let read = |name| fs::read(Path::new(&system).with_file_name(name)).unwrap();
    let server = tls::builder().identity(read("chain.pem"), read("key.pem")).server().unwrap();
    let client = tls::builder().trust_system().client().unwrap();
    shaken(&client, &server).await;

    fs::remove_file(&system).unwrap();
    let error = tls::builder().trust_system().client();
    assert!(matches!(error, Err(BuildError::System(_))), "{error:?}");
}
