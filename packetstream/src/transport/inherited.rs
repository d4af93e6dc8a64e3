//! What whoever has started this program has opened for it: descriptors by number, sockets by systemd.

use listenfd::ListenFd;
use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{LazyLock, Mutex, PoisonError};

/// A descriptor that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot duplicate descriptor {number}")]
struct DuplicateError {
    number: u32,
    source: io::Error,
}

/// A duplicate of the descriptor with this number, which stays open.
pub(crate) fn duplicate(number: u32) -> io::Result<OwnedFd> {
    by_number(number).map_err(|source| io::Error::new(source.kind(), DuplicateError { number, source }))
}

/// Without unsafe code a number is made a descriptor by the system only, as one of another process that happens
/// to be this one.
#[cfg(target_os = "linux")]
fn by_number(number: u32) -> io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let number = i32::try_from(number).map_err(|_| rustix::io::Errno::BADF)?;
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(&this, number, PidfdGetfdFlags::empty())?)
}

#[cfg(not(target_os = "linux"))]
fn by_number(_: u32) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The sockets that systemd has passed and nobody has taken.
struct Passed {
    sockets: ListenFd,
    /// By the sockets' places; there may be fewer.
    names: Vec<String>,
}

/// Known once: reading it changes the environment, so that no child takes it for its own.
static PASSED: LazyLock<Mutex<Passed>> = LazyLock::new(|| {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.split(':').map(String::from).collect();
    Mutex::new(Passed { sockets: ListenFd::from_env(), names })
});

/// Takes the first socket, or the first of this name, that was passed and not taken yet.
pub(crate) fn listening_socket(name: Option<&str>) -> io::Result<OwnedFd> {
    PASSED.lock().unwrap_or_else(PoisonError::into_inner).take(name)
}

impl Passed {
    fn take(&mut self, name: Option<&str>) -> io::Result<OwnedFd> {
        for place in 0..self.sockets.len() {
            if name.is_none_or(|name| self.names.get(place).is_some_and(|other| other == name))
                && let Some(socket) = self.take_place(place)?
            {
                return Ok(socket);
            }
        }
        Err(io::Error::new(io::ErrorKind::NotFound, self.without(name)))
    }

    /// Nothing if it was taken before.
    fn take_place(&mut self, place: usize) -> io::Result<Option<OwnedFd>> {
        if let Ok(socket) = self.sockets.take_tcp_listener(place) {
            return Ok(socket.map(OwnedFd::from));
        }
        Ok(self.sockets.take_unix_listener(place)?.map(OwnedFd::from))
    }

    fn without(&self, name: Option<&str>) -> String {
        let named = name.map(|name| format!(" named `{name}`")).unwrap_or_default();
        match self.sockets.len() {
            0 => format!("systemd has passed no socket{named}"),
            count => {
                let all = self.names.join("`, `");
                format!("none is left of the sockets{named}: systemd has passed {count}, `{all}`")
            }
        }
    }
}
