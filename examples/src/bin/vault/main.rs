//! A vault for secrets, with mutual TLS: the vault knows its clients by their certificates, and they it by its
//! own; it asks back before it replaces anything.
//!
//! `vault demo` shows it all in one process. To have it in several:
//!
//! ```sh
//! vault certify /tmp/vault
//! vault serve --listen tcp://localhost:4000 --certificates /tmp/vault --name server &
//! vault ask --connect localhost:4000 --certificates /tmp/vault --name alice keep door 1234
//! ```

mod certificates;
mod demo;
mod protocol;

use certificates::Authority;
use clap::{Args, Parser, Subcommand};
use packetstream::{
    Address, ConnectionError, Context, Failure, Fulfil, HasPacketConnection, Listener, PacketConnection,
    Peer, RequestError, ServeError, serve, tls,
};
use packetstream_examples::error_line::{one_line, printable};
use protocol::{Fetch, Keep, MayReplace, OwnerProtocol, Secrets, Vault, VaultProtocol};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};
use tokio::signal::unix::{SignalKind, signal};

/// What both sides call the protocol: whoever speaks another one is refused before the first packet.
const ALPN: &str = "vault/1";

/// Keeps secrets for whoever shows a certificate.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows a vault, two clients and two intruders in one process.
    Demo,
    /// Makes certificates to try it with: `ca.pem`, and those of `server`, `alice` and `bob`.
    Certify {
        /// Where they are put; it has to exist.
        directory: PathBuf,
    },
    /// Serves.
    Serve {
        /// Where: `tcp://host:port` or `unix:/path`.
        #[arg(long, value_name = "ADDRESS")]
        listen: Address,
        #[command(flatten)]
        files: Files,
    },
    /// Asks a vault.
    Ask {
        /// Which one: `host:port`.
        #[arg(long, value_name = "HOST:PORT")]
        connect: String,
        #[command(flatten)]
        files: Files,
        /// Lets the vault replace what it has.
        #[arg(long)]
        replace: bool,
        #[command(subcommand)]
        question: Question,
    },
}

/// Which certificates.
#[derive(Debug, Args)]
struct Files {
    /// Where `ca.pem` is, and the rest.
    #[arg(long, value_name = "DIRECTORY")]
    certificates: PathBuf,
    /// Whose, of `NAME.pem` and `NAME.key`, is shown.
    #[arg(long)]
    name: String,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Has a secret kept.
    Keep { name: String, secret: String },
    /// Gets one back.
    Fetch { name: String },
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot make certificates")]
    Certify(#[from] rcgen::Error),
    #[error("cannot write to {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Build(#[from] tls::BuildError),
    #[error("cannot listen on {0}")]
    Listen(Address, #[source] io::Error),
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    #[error(transparent)]
    Ask(#[from] RequestError),
    #[error("the vault keeps nothing of that name for us")]
    Nothing,
    #[error("the connection did not end well")]
    Goodbye(#[from] ConnectionError),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match Options::parse().command {
        Command::Demo => demo::run().await,
        Command::Certify { directory } => certify(&directory),
        Command::Serve { listen, files } => listen_at(listen, &files).await,
        Command::Ask { connect, files, replace, question } => {
            ask(&connect, &files, User { replace }, question).await
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vault: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn certify(directory: &Path) -> Result<(), Error> {
    let authority = Authority::new("the vault's authority")?;
    let identities = [
        ("server", authority.issue(["localhost", "127.0.0.1", "::1"])?),
        ("alice", authority.issue(["alice.example"])?),
        ("bob", authority.issue(["bob.example"])?),
    ];
    let written = identities.iter().try_for_each(|(name, identity)| identity.write(directory, name));
    written
        .and_then(|()| fs::write(directory.join("ca.pem"), authority.certificate()))
        .map_err(|source| Error::Write(directory.into(), source))
}

impl Files {
    /// Shows the certificate, and trusts what the authority has issued.
    fn tls(&self) -> Result<tls::Builder, Error> {
        let read = |name: &str| {
            let path = self.certificates.join(name);
            fs::read(&path).map_err(|source| Error::Read(path, source))
        };
        let (chain, key) = (read(&format!("{}.pem", self.name))?, read(&format!("{}.key", self.name))?);
        Ok(tls::builder().trust(read("ca.pem")?).identity(chain, key).alpn([ALPN]))
    }
}

async fn listen_at(address: Address, files: &Files) -> Result<(), Error> {
    let server = files.tls()?.server()?.on_failed(|peer, error| {
        eprintln!("not let in: {}: {}", from(peer), one_line(error));
    });
    let listener = match Listener::bind(&address).await {
        Ok(listener) => listener,
        Err(source) => return Err(Error::Listen(address, source)),
    };
    // Before anybody is told that it can be interrupted.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    eprintln!("listening on {}", listener.local_address());
    tokio::select! {
        result = serve_vault(server, listener) => result,
        _ = interrupt.recv() => Ok(()),
    }
}

fn from(peer: Peer) -> String {
    match peer {
        Peer::Tcp(address) => address.ip().to_string(),
        Peer::Unix(Some(credentials)) => format!("user {}", credentials.uid),
        other => format!("{other:?}"),
    }
}

async fn serve_vault(server: tls::Server, listener: Listener) -> Result<(), Error> {
    let secrets = Secrets::default();
    let builder = || PacketConnection::builder().handler(serve::<VaultProtocol, _>(secrets.clone()));
    Ok(server.serve(listener, builder).await?)
}

/// Whoever asks the vault, and is asked back.
struct User {
    replace: bool,
}

impl Fulfil<MayReplace> for User {
    async fn fulfil(&self, MayReplace { name }: MayReplace, _: Context) -> Result<bool, Failure> {
        let answer = if self.replace { "yes" } else { "no" };
        println!("the vault asks: replace `{}`? {answer}", printable(&name));
        Ok(self.replace)
    }
}

/// Opens a connection to a vault.
async fn open(client: &tls::Client, host_and_port: &str, user: User) -> Result<Vault, Error> {
    let stream = client.connect_to(host_and_port).await?;
    Ok(PacketConnection::builder().handler(serve::<OwnerProtocol, _>(user)).spawn(stream).into())
}

async fn ask(host_and_port: &str, files: &Files, user: User, question: Question) -> Result<(), Error> {
    let vault = open(&files.tls()?.client()?, host_and_port, user).await?;
    match question {
        Question::Keep { name, secret } => {
            vault.keep(Keep { name, secret }).await?;
            println!("kept");
        }
        Question::Fetch { name } => {
            let secret = vault.fetch(Fetch { name }).await?.ok_or(Error::Nothing)?;
            println!("{}", printable(&secret));
        }
    }
    goodbye(&vault).await
}

async fn goodbye(vault: &Vault) -> Result<(), Error> {
    vault.connection().close();
    Ok(vault.connection().closed().await.result?)
}
