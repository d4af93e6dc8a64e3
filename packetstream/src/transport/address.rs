//! Where a peer is.

use super::ssh::Ssh;
use std::fmt;
use std::num::ParseIntError;
use std::path::PathBuf;
use std::str::FromStr;

/// What an address can begin with.
const KINDS: &str =
    "tcp://host:port, unix:/path, stdio:, exec:command, ssh://host/command, fd:number or systemd:name";

/// Where a peer is, or where to wait for one.
///
/// | written | connecting | listening |
/// |---|---|---|
/// | `tcp://host:port` | opens a TCP connection, without delay for small packets | any number of connections; port 0 picks a free one |
/// | `unix:/path` | opens a Unix socket | any number of connections; the socket is removed afterwards |
/// | `stdio:` | this program's standard input and output, which nothing else can touch meanwhile | the same, one connection |
/// | `exec:command args` | starts a program and talks to its standard input and output | not possible |
/// | `ssh://user@host:port/command args` | the same on another machine, by the system's `ssh`; `user@` and `:port` may be left out. See [`Ssh`] | not possible |
/// | `fd:3` or `fd:3,4` | a descriptor that this program was started with, or one to receive from and one to send to | the same, one connection |
/// | `systemd:` or `systemd:name` | not possible | at the socket that systemd has passed, or the one of this name (`FileDescriptorName=`): any number of connections |
///
/// The words of a command are split and quoted as a shell does; no shell is run, but by `ssh` on the other machine.
///
/// `stdio:` takes standard input and output away from everything else in this program and its children, so that no
/// stray print corrupts the stream: until the stream is dropped, what is printed goes to standard error, and input is
/// empty. What code in C prints into a buffer may come out later than that; and where standard error is the same pipe or socket as
/// standard output (`2>&1`), what is printed reaches the stream all the same. There is one such stream at a time;
/// [`Stream::from_fds`](super::Stream::from_fds) takes nothing away.
///
/// The descriptors of `fd:` are duplicated, and stay open for as long as this program runs; children that it starts
/// have them, too. It takes Linux 5.6, and a system that allows `pidfd_getfd`.
///
/// The sockets of systemd are those that `LISTEN_FDS` tells of, if `LISTEN_PID` is this process or not set. The
/// first use of `systemd:` removes both from the environment. Each socket is taken once.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Address {
    /// Host name or address, and port.
    Tcp(String),
    /// Path of a socket.
    Unix(PathBuf),
    /// Descriptors 0 and 1 of this program.
    Stdio,
    /// A program and its arguments; never empty.
    Exec(Vec<String>),
    /// A program on another machine.
    Ssh(Ssh),
    /// Descriptors of this program, by number; maybe one for both.
    Fd {
        /// To read from.
        recv: u32,
        /// To write to.
        send: u32,
    },
    /// A socket passed by systemd: the first, or the first of this name.
    Systemd(Option<String>),
}

/// What is wrong with the text of an address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// It begins like no address.
    #[error("unknown kind of address `{0}`: expected {kinds}", kinds = KINDS)]
    Kind(String),
    /// There is no `:port`.
    #[error("missing port in `{0}`: expected tcp://host:port")]
    MissingPort(String),
    /// There is nothing before `:port`.
    #[error("missing host in `{0}`: expected tcp://host:port")]
    MissingHost(String),
    /// The port is not one.
    #[error("bad port `{port}` in `{address}`")]
    Port {
        /// The whole address.
        address: String,
        /// The part that is wrong.
        port: String,
        /// What is wrong with it.
        source: ParseIntError,
    },
    /// There is no path.
    #[error("missing path in `{0}`: expected unix:/path")]
    MissingPath(String),
    /// There is no command.
    #[error("missing command in `{0}`: expected exec:command args")]
    MissingCommand(String),
    /// A quote in the command is not closed.
    #[error("unclosed quote in `{0}`")]
    UnclosedQuote(String),
    /// There is something behind `stdio:`.
    #[error("unexpected text behind `stdio:` in `{0}`")]
    Trailing(String),
    /// A part of an `ssh:` address is missing.
    #[error("missing {part} in `{address}`: expected ssh://user@host:port/command args")]
    MissingSsh {
        /// The whole address.
        address: String,
        /// `user`, `host` or `command`.
        part: &'static str,
    },
    /// A part of an `ssh:` address is none: it begins with a dash, or has characters that `ssh` would not take.
    #[error("bad {part} `{found}` in `{address}`")]
    Ssh {
        /// The whole address.
        address: String,
        /// `user` or `host`.
        part: &'static str,
        /// The part that is wrong.
        found: String,
    },
    /// What should be the number of a descriptor is none.
    #[error("bad descriptor `{descriptor}` in `{address}`: expected fd:number or fd:number,number")]
    Descriptor {
        /// The whole address.
        address: String,
        /// The part that is wrong.
        descriptor: String,
        /// What is wrong with it.
        source: ParseIntError,
    },
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(host_and_port) = text.strip_prefix("tcp://") {
            return tcp(text, host_and_port);
        }
        if let Some(remote) = text.strip_prefix("ssh://") {
            return Ssh::parse(text, remote).map(Self::Ssh);
        }
        match text.split_once(':') {
            Some(("unix", "")) => Err(AddressError::MissingPath(text.into())),
            Some(("unix", path)) => Ok(Self::Unix(path.into())),
            Some(("stdio", "")) => Ok(Self::Stdio),
            Some(("stdio", _)) => Err(AddressError::Trailing(text.into())),
            Some(("exec", command)) => exec(text, command),
            Some(("fd", numbers)) => fd(text, numbers),
            Some(("systemd", "")) => Ok(Self::Systemd(None)),
            Some(("systemd", name)) => Ok(Self::Systemd(Some(name.into()))),
            _ => Err(AddressError::Kind(text.into())),
        }
    }
}

fn tcp(text: &str, host_and_port: &str) -> Result<Address, AddressError> {
    let Some((host, port)) = host_and_port.rsplit_once(':') else {
        return Err(AddressError::MissingPort(text.into()));
    };
    if host.is_empty() {
        return Err(AddressError::MissingHost(text.into()));
    }
    match port.parse::<u16>() {
        Ok(_) => Ok(Address::Tcp(host_and_port.into())),
        Err(source) => Err(AddressError::Port { address: text.into(), port: port.into(), source }),
    }
}

fn exec(text: &str, command: &str) -> Result<Address, AddressError> {
    match shlex::split(command) {
        None => Err(AddressError::UnclosedQuote(text.into())),
        Some(words) if words.is_empty() => Err(AddressError::MissingCommand(text.into())),
        Some(words) => Ok(Address::Exec(words)),
    }
}

fn fd(text: &str, numbers: &str) -> Result<Address, AddressError> {
    let number = |descriptor: &str| {
        descriptor.parse::<u32>().map_err(|source| AddressError::Descriptor {
            address: text.into(),
            descriptor: descriptor.into(),
            source,
        })
    };
    let (recv, send) = numbers.split_once(',').unwrap_or((numbers, numbers));
    Ok(Address::Fd { recv: number(recv)?, send: number(send)? })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host_and_port) => write!(f, "tcp://{host_and_port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Stdio => f.write_str("stdio:"),
            Self::Exec(words) => match shlex::try_join(words.iter().map(String::as_str)) {
                Ok(command) => write!(f, "exec:{command}"),
                Err(_) => write!(f, "exec:{words:?}"),
            },
            Self::Ssh(ssh) => ssh.fmt(f),
            Self::Fd { recv, send } if recv == send => write!(f, "fd:{recv}"),
            Self::Fd { recv, send } => write!(f, "fd:{recv},{send}"),
            Self::Systemd(name) => write!(f, "systemd:{}", name.as_deref().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_is_written() {
        for text in [
            "tcp://127.0.0.1:4000",
            "tcp://[::1]:0",
            "tcp://host.example:65535",
            "unix:/run/a.sock",
            "unix:relative",
            "stdio:",
            "exec:prog --flag 'two words'",
            "ssh://host/prog",
            "ssh://me@host.example:2222/prog --flag 'two words' '$HOME'",
            "ssh://[::1]:22//usr/bin/prog",
            "fd:3",
            "fd:3,4",
            "systemd:",
            "systemd:web",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let words = ["prog", "two words"].map(String::from).to_vec();
        assert_eq!("exec: prog \"two words\"".parse(), Ok(Address::Exec(words)));
        assert_eq!("fd:3".parse(), Ok(Address::Fd { recv: 3, send: 3 }));
        let ssh = Ssh::new("::1").user("me").port(22).command(["prog", "two words"]);
        assert_eq!("ssh://me@[::1]:22/prog  \"two words\"".parse(), Ok(Address::Ssh(ssh)));
    }

    #[test]
    fn an_error_names_the_part_that_is_wrong() {
        let kinds = |text| format!("unknown kind of address `{text}`: expected {KINDS}");
        for text in ["localhost:4000", "", "ssh:host/prog"] {
            assert_eq!(text.parse::<Address>().unwrap_err().to_string(), kinds(text));
        }
        let usage = "expected ssh://user@host:port/command args";
        for (text, error) in [
            ("tcp://localhost", "missing port in `tcp://localhost`: expected tcp://host:port"),
            ("tcp://:80", "missing host in `tcp://:80`: expected tcp://host:port"),
            ("tcp://localhost:http", "bad port `http` in `tcp://localhost:http`"),
            ("tcp://localhost:65536", "bad port `65536` in `tcp://localhost:65536`"),
            ("unix:", "missing path in `unix:`: expected unix:/path"),
            ("exec: ", "missing command in `exec: `: expected exec:command args"),
            ("exec:a 'b", "unclosed quote in `exec:a 'b`"),
            ("stdio:0", "unexpected text behind `stdio:` in `stdio:0`"),
            ("ssh://@host/a", &format!("missing user in `ssh://@host/a`: {usage}")),
            ("ssh:///a", &format!("missing host in `ssh:///a`: {usage}")),
            ("ssh://me@:22/a", &format!("missing host in `ssh://me@:22/a`: {usage}")),
            ("ssh://host", &format!("missing command in `ssh://host`: {usage}")),
            ("ssh://host/ ", &format!("missing command in `ssh://host/ `: {usage}")),
            ("ssh://host/a 'b", "unclosed quote in `ssh://host/a 'b`"),
            ("ssh://host:/a", "bad port `` in `ssh://host:/a`"),
            ("ssh://host:ssh/a", "bad port `ssh` in `ssh://host:ssh/a`"),
            ("ssh://host:65536/a", "bad port `65536` in `ssh://host:65536/a`"),
            ("ssh://-oProxyCommand=id/a", "bad host `-oProxyCommand=id` in `ssh://-oProxyCommand=id/a`"),
            ("ssh://two words/a", "bad host `two words` in `ssh://two words/a`"),
            ("ssh://::1/a", "bad host `:` in `ssh://::1/a`"),
            ("ssh://[::1/a", "bad host `[:` in `ssh://[::1/a`"),
            ("ssh://-l@host/a", "bad user `-l` in `ssh://-l@host/a`"),
            ("ssh://a b@host/a", "bad user `a b` in `ssh://a b@host/a`"),
            ("fd:", "bad descriptor `` in `fd:`: expected fd:number or fd:number,number"),
            ("fd:3,x", "bad descriptor `x` in `fd:3,x`: expected fd:number or fd:number,number"),
            ("fd:-1", "bad descriptor `-1` in `fd:-1`: expected fd:number or fd:number,number"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap_err().to_string(), error);
        }
    }
}
