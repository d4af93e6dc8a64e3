//! Where a peer is.

use std::fmt;
use std::num::ParseIntError;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a peer is, or where to wait for one.
///
/// | written | connecting | listening |
/// |---|---|---|
/// | `tcp://host:port` | opens a TCP connection, without delay for small packets | any number of connections; port 0 picks a free one |
/// | `unix:/path` | opens a Unix socket | any number of connections; the socket is removed afterwards |
/// | `stdio:` | this program's standard input and output | the same, one connection |
/// | `exec:command args` | starts a program and talks to its standard input and output | not possible |
///
/// The words of a command are split and quoted as a shell does; no shell is run.
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
}

/// What is wrong with the text of an address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// It begins like no address.
    #[error("unknown kind of address `{0}`: expected tcp://host:port, unix:/path, stdio: or exec:command")]
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
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(host_and_port) = text.strip_prefix("tcp://") {
            return tcp(text, host_and_port);
        }
        match text.split_once(':') {
            Some(("unix", "")) => Err(AddressError::MissingPath(text.into())),
            Some(("unix", path)) => Ok(Self::Unix(path.into())),
            Some(("stdio", "")) => Ok(Self::Stdio),
            Some(("stdio", _)) => Err(AddressError::Trailing(text.into())),
            Some(("exec", command)) => exec(text, command),
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
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let words = ["prog", "two words"].map(String::from).to_vec();
        assert_eq!("exec: prog \"two words\"".parse(), Ok(Address::Exec(words)));
    }

    #[test]
    fn an_error_names_the_part_that_is_wrong() {
        for (text, error) in [
            (
                "localhost:4000",
                "unknown kind of address `localhost:4000`: expected tcp://host:port, unix:/path, stdio: or exec:command",
            ),
            ("tcp://localhost", "missing port in `tcp://localhost`: expected tcp://host:port"),
            ("tcp://:80", "missing host in `tcp://:80`: expected tcp://host:port"),
            ("tcp://localhost:http", "bad port `http` in `tcp://localhost:http`"),
            ("tcp://localhost:65536", "bad port `65536` in `tcp://localhost:65536`"),
            ("unix:", "missing path in `unix:`: expected unix:/path"),
            ("exec: ", "missing command in `exec: `: expected exec:command args"),
            ("exec:a 'b", "unclosed quote in `exec:a 'b`"),
            ("stdio:0", "unexpected text behind `stdio:` in `stdio:0`"),
            ("", "unknown kind of address ``: expected tcp://host:port, unix:/path, stdio: or exec:command"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap_err().to_string(), error);
        }
    }
}
