//! What is asked of a vault, and what it asks back.

use packetstream::{Context, Failure, Fulfil, Protocol, Request, tls};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a client asks the vault.
#[derive(Protocol)]
#[packetstream(client = Vault)]
pub(crate) enum VaultProtocol {
    /// Keeps a secret.
    #[request(0)]
    Keep(Keep),
    /// Gives a secret back.
    #[request(1)]
    Fetch(Fetch),
}

/// What the vault asks its client.
#[derive(Protocol)]
#[packetstream(client = Owner)]
pub(crate) enum OwnerProtocol {
    /// May a secret be replaced?
    #[request(0)]
    MayReplace(MayReplace),
}

// None of them has a debug format: a secret that can be shown ends in a log.

#[derive(Request)]
#[request(max_payload = 65_536)]
pub(crate) struct Keep {
    pub(crate) name: String,
    pub(crate) secret: String,
}

#[derive(Request)]
#[request(reply = Option<String>)]
pub(crate) struct Fetch {
    pub(crate) name: String,
}

#[derive(Request)]
#[request(reply = bool)]
pub(crate) struct MayReplace {
    pub(crate) name: String,
}

/// Secrets by owner and name. An owner is whoever shows a certificate of that name. Clones are the same secrets.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    kept: Arc<Mutex<BTreeMap<(String, String), String>>>,
}

impl Secrets {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), String>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever asks. TLS has verified that the certificate is its own.
fn owner(cx: &Context) -> Result<String, Failure> {
    let names = cx.extensions().get::<tls::Session>().map(|session| session.names());
    names.into_iter().flatten().next().ok_or_else(|| Failure::new("your certificate names nobody"))
}

impl Fulfil<Keep> for Secrets {
    async fn fulfil(&self, Keep { name, secret }: Keep, cx: Context) -> Result<(), Failure> {
        let place = (owner(&cx)?, name.clone());
        // At once, or two that are kept at the same time would replace each other and nobody be asked.
        if let Entry::Vacant(vacant) = self.lock().entry(place.clone()) {
            vacant.insert(secret);
            return Ok(());
        }
        if !cx.peer::<Owner>().may_replace(MayReplace { name }).await.is_ok_and(|yes| yes) {
            return Err(Failure::new("not replaced: its owner would not have it"));
        }
        self.lock().insert(place, secret);
        Ok(())
    }
}

impl Fulfil<Fetch> for Secrets {
    async fn fulfil(&self, Fetch { name }: Fetch, cx: Context) -> Result<Option<String>, Failure> {
        let place = (owner(&cx)?, name);
        Ok(self.lock().get(&place).cloned())
    }
}
