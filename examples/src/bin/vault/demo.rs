//! A vault, its clients, and who is not let in.

use super::certificates::{Authority, Identity};
use super::protocol::{Fetch, Keep};
use super::{ALPN, Error, User, goodbye, open, serve_vault};
use packetstream::{Address, Listener, tls};
use packetstream_examples::error_line::one_line;
use tokio::sync::mpsc;

/// Who trusts `ours`, and shows `identity`.
fn tls_of(ours: &Authority, Identity { certificate, key }: Identity) -> tls::Builder {
    tls::builder().trust(ours.certificate()).identity(certificate, key).alpn([ALPN])
}

pub(super) async fn run() -> Result<(), Error> {
    let (ours, theirs) = (Authority::new("ours")?, Authority::new("theirs")?);
    let server = tls_of(&ours, ours.issue(["127.0.0.1"])?).server()?;
    let (report, mut reports) = mpsc::unbounded_channel();
    // Nobody listens when the demo is over.
    let server = server.on_failed(move |_, error| drop(report.send(one_line(error))));
    let address = Address::Tcp("127.0.0.1:0".into());
    let listener = Listener::bind(&address).await.map_err(|source| Error::Listen(address, source))?;
    let address = listener.local_address().to_string();
    let host_and_port = address.trim_start_matches("tcp://");
    tokio::spawn(serve_vault(server, listener));

    let alice = tls_of(&ours, ours.issue(["alice.example"])?).client()?;
    let alice = open(&alice, host_and_port, User { replace: true }).await?;
    let bob = tls_of(&ours, ours.issue(["bob.example"])?).client()?;
    let bob = open(&bob, host_and_port, User { replace: false }).await?;

    for (who, vault, secrets) in [("alice", &alice, ["1234", "5678"]), ("bob", &bob, ["cats", "dogs"])] {
        for secret in secrets {
            let keep = Keep { name: "door".into(), secret: secret.into() };
            match vault.keep(keep).await {
                Ok(()) => println!("{who} has `{secret}` kept for `door`"),
                Err(error) => println!("{who}: {}", one_line(&error)),
            }
        }
    }
    for (who, vault) in [("alice", &alice), ("bob", &bob)] {
        let secret = vault.fetch(Fetch { name: "door".into() }).await?.ok_or(Error::Nothing)?;
        println!("{who} gets `{secret}` back");
    }

    let mallory = tls_of(&ours, theirs.issue(["alice.example"])?).client()?;
    let nobody = tls::builder().trust(ours.certificate()).alpn([ALPN]).client()?;
    for (who, client) in [("mallory", mallory), ("nobody", nobody)] {
        // With TLS 1.3 the client is done before the server has seen its certificate.
        let vault = open(&client, host_and_port, User { replace: true }).await?;
        match vault.fetch(Fetch { name: "door".into() }).await {
            Ok(_) => println!("{who} got in"),
            Err(error) => println!("{who}: {}", one_line(&error)),
        }
        vault_tells(&mut reports).await;
    }
    let distrustful = tls_of(&theirs, theirs.issue(["carol.example"])?).client()?;
    if let Err(error) = open(&distrustful, host_and_port, User { replace: true }).await {
        println!("carol: {}", one_line(&error));
        vault_tells(&mut reports).await;
    }

    for vault in [alice, bob] {
        goodbye(&vault).await?;
    }
    Ok(())
}

/// Why the vault has not let somebody in.
async fn vault_tells(reports: &mut mpsc::UnboundedReceiver<String>) {
    if let Some(reason) = reports.recv().await {
        println!("  and the vault says: {reason}");
    }
}
