//! A program on another machine, by the system's `ssh`.

use super::address::AddressError;
use super::child::Child;
use super::stream::{CONNECT_TIMEOUT, Stream};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use tokio::process::Command;

/// A program on another machine whose standard input and output are a stream, carried by the system's `ssh`.
///
/// `ssh` runs as a [`Child`] without a terminal and never asks: without a key that is accepted, or with a host that is not
/// known, it fails. Its own configuration holds. Setting a connection up may take 20 s. When the remote program ends with a
/// status, so does `ssh`, with the same; 255 is that of its own failures. It tells what failed on standard error only:
/// [`Stderr::Keep`](super::Stderr::Keep) makes that a part of the error.
///
/// ```no_run
/// use packetstream::{Child, PacketConnection, Ssh, Stderr};
///
/// # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
/// let ssh = Ssh::new("host.example").user("backup").option("-i").option("/etc/backup/key");
/// let command = ssh.command(["chunkstore", "serve", "stdio:"]).to_command()?;
/// let (stream, _child) = Child::spawn_with(command, Stderr::Keep(4096))?;
/// let connection = PacketConnection::builder().spawn(stream);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[must_use = "it does nothing until it is spawned"]
pub struct Ssh {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    options: Vec<OsString>,
    command: Vec<String>,
}

impl Ssh {
    /// A host by its name, its address, or what the configuration of `ssh` calls it. It needs a
    /// [`command`](Self::command).
    pub fn new(host: impl Into<String>) -> Self {
        let host = host.into();
        Self { user: None, host, port: None, options: Vec::new(), command: Vec::new() }
    }

    /// Sets the user on the other machine. Default: what the configuration of `ssh` says, or the user here.
    pub fn user(self, user: impl Into<String>) -> Self {
        Self { user: Some(user.into()), ..self }
    }

    /// Sets the port. Default: what the configuration of `ssh` says, or 22.
    pub fn port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// Adds an argument to those of `ssh` itself, such as `-F` and then a file. They are no part of the address that
    /// [`Display`](fmt::Display) writes.
    pub fn option(mut self, argument: impl Into<OsString>) -> Self {
        self.options.push(argument.into());
        self
    }

    /// Sets the program and its arguments. The shell of the other machine is given them quoted, and so expands nothing
    /// in them.
    pub fn command(self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { command: words.into_iter().map(Into::into).collect(), ..self }
    }

    /// The command line, for [`Child::spawn_with`] or to be changed before.
    ///
    /// # Errors
    ///
    /// When the host or the user is empty, begins with a dash or has characters that none has, or the command is
    /// empty or contains a NUL: of the kind [`InvalidInput`](io::ErrorKind::InvalidInput), with an
    /// [`AddressError`] in it.
    pub fn to_command(&self) -> io::Result<Command> {
        let remote = self.check(&self.to_string()).map_err(invalid)?;
        let mut command = Command::new("ssh");
        // What comes first holds. There is nobody to be asked; the rest may be said otherwise.
        command.args(["-T", "-o", "BatchMode=yes"]).args(&self.options);
        command.arg("-o").arg(format!("ConnectTimeout={}", CONNECT_TIMEOUT.as_secs()));
        if let Some(user) = &self.user {
            command.args(["-l", user]);
        }
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        command.args([OsStr::new("--"), self.host.as_ref(), remote.as_ref()]);
        Ok(command)
    }

    /// Starts `ssh`, whose standard error is that of this program.
    ///
    /// # Errors
    ///
    /// As [`to_command`](Self::to_command), and when there is no `ssh`. That it cannot reach the host is an error of
    /// the stream.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn(&self) -> io::Result<(Stream, Child)> {
        Child::spawn(self.to_command()?)
    }

    /// Reads what stands behind `ssh://` in the address `text`.
    pub(super) fn parse(text: &str, remote: &str) -> Result<Self, AddressError> {
        let (place, command) = remote.split_once('/').unwrap_or((remote, ""));
        let (user, host_and_port) = match place.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, place),
        };
        let (host, port) = split_port(host_and_port);
        let port = match port.map(str::parse).transpose() {
            Ok(port) => port,
            Err(source) => {
                let port = port.unwrap_or_default().into();
                return Err(AddressError::Port { address: text.into(), port, source });
            }
        };
        let Some(command) = shlex::split(command) else {
            return Err(AddressError::UnclosedQuote(text.into()));
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bare.is_none() && host.contains([':', '[', ']']) {
            return Err(AddressError::Ssh { address: text.into(), part: "host", found: host.into() });
        }
        let ssh = Self { user, host: bare.unwrap_or(host).into(), port, options: Vec::new(), command };
        ssh.check(text)?;
        Ok(ssh)
    }

    /// The command as the remote shell is given it, if all parts of the address `text` can be what they should.
    fn check(&self, text: &str) -> Result<String, AddressError> {
        let missing = |part| Err(AddressError::MissingSsh { address: text.into(), part });
        for (part, found) in [("user", self.user.as_deref()), ("host", Some(&*self.host))] {
            match found {
                Some("") => return missing(part),
                Some(found) if !is_name(found) => {
                    return Err(AddressError::Ssh { address: text.into(), part, found: found.into() });
                }
                _ => {}
            }
        }
        if self.command.is_empty() {
            return missing("command");
        }
        quote(&self.command).ok_or_else(|| AddressError::Ssh {
            address: text.into(),
            part: "command",
            found: self.command.join(" ").escape_debug().to_string(),
        })
    }
}

/// The port is behind the last colon, unless that is within brackets.
fn split_port(host_and_port: &str) -> (&str, Option<&str>) {
    match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (host_and_port, None),
    }
}

/// Whether `ssh` may be given it as a user or a host, which it then looks at more closely.
fn is_name(text: &str) -> bool {
    // What means something to a shell: the configuration of `ssh` may hand both to one, as in a `ProxyCommand`, and
    // versions before 9.6 let it.
    const STRANGE: &str = "@/'\"`$;&|<>(){}";
    let is_strange = |c: char| c.is_whitespace() || c.is_control() || STRANGE.contains(c);
    !text.starts_with('-') && !text.contains(is_strange)
}

/// Nothing if there is a NUL in it.
fn quote(words: &[String]) -> Option<String> {
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

fn invalid(error: AddressError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match quote(&self.command) {
            Some(command) => write!(f, "/{command}"),
            None => write!(f, "/{:?}", self.command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(ssh: &Ssh) -> Vec<String> {
        let command = ssh.to_command().unwrap();
        let arguments = command.as_std().get_args();
        arguments.map(|argument| argument.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn ssh_never_asks_and_takes_no_host_for_an_option() {
        let ssh = Ssh::new("host").command(["prog"]);
        let expected = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "--", "host", "prog"];
        assert_eq!(arguments(&ssh), expected);
    }

    #[test]
    fn the_options_of_a_program_come_before_those_that_it_may_say_otherwise() {
        let ssh = Ssh::new("::1").user("me").port(2222).option("-F").option("none").command(["a b", "$HOME"]);
        let expected = "-T -o BatchMode=yes -F none -o ConnectTimeout=20 -l me -p 2222 -- ::1";
        let (remote, rest) =
            arguments(&ssh).split_last().map(|(last, rest)| (last.clone(), rest.join(" "))).unwrap();
        assert_eq!((rest.as_str(), remote.as_str()), (expected, "'a b' '$HOME'"));
        assert_eq!(ssh.to_string(), "ssh://me@[::1]:2222/'a b' '$HOME'");
    }

    #[test]
    fn what_ssh_could_take_for_something_else_is_refused_however_it_came_in() {
        let prog = ["prog"];
        for (ssh, error) in [
            (
                Ssh::new("-oProxyCommand=id").command(prog),
                "bad host `-oProxyCommand=id` in `ssh://-oProxyCommand=id/prog`",
            ),
            (Ssh::new("a@b").command(prog), "bad host `a@b` in `ssh://a@b/prog`"),
            // A `ProxyCommand` hands the host to a shell.
            (Ssh::new("a;id").command(prog), "bad host `a;id` in `ssh://a;id/prog`"),
            (Ssh::new("a|id").command(prog), "bad host `a|id` in `ssh://a|id/prog`"),
            (Ssh::new("a&id").command(prog), "bad host `a&id` in `ssh://a&id/prog`"),
            (Ssh::new("host").user("<(id)").command(prog), "bad user `<(id)` in `ssh://<(id)@host/prog`"),
            (Ssh::new("host").user("-l").command(prog), "bad user `-l` in `ssh://-l@host/prog`"),
            (
                Ssh::new("host"),
                "missing command in `ssh://host/`: expected ssh://user@host:port/command args",
            ),
            (Ssh::new("host").command(["\0"]), "bad command `\\0` in `ssh://host/[\"\\0\"]`"),
        ] {
            let found = ssh.to_command().unwrap_err();
            assert_eq!((found.kind(), found.to_string().as_str()), (io::ErrorKind::InvalidInput, error));
        }
    }
}
