//! Becoming ready.

use packetstream_core::NotSent;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What a service needs to be ready. A clone of the service begins anew.
#[derive(Default)]
pub(crate) enum Turn<T> {
    /// Nobody has asked for it.
    #[default]
    None,
    Awaited(Pin<Box<dyn Future<Output = Result<T, NotSent>> + Send + Sync>>),
    Here(T),
}

impl<T> Turn<T> {
    /// Waits until it is there and of use.
    pub(super) fn poll<F>(
        &mut self,
        cx: &mut Context<'_>,
        is_of_use: impl FnOnce(&T) -> bool,
        wait: impl FnOnce() -> F,
    ) -> Poll<Result<(), NotSent>>
    where
        F: Future<Output = Result<T, NotSent>> + Send + Sync + 'static,
    {
        let mut awaited = match std::mem::take(self) {
            Self::Here(value) if is_of_use(&value) => {
                *self = Self::Here(value);
                return Poll::Ready(Ok(()));
            }
            Self::Awaited(awaited) => awaited,
            Self::Here(_) | Self::None => Box::pin(wait()),
        };
        match awaited.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result.map(|value| *self = Self::Here(value))),
            Poll::Pending => {
                *self = Self::Awaited(awaited);
                Poll::Pending
            }
        }
    }

    /// What was there.
    pub(super) fn take(&mut self) -> Option<T> {
        match std::mem::take(self) {
            Self::Here(value) => Some(value),
            Self::Awaited(_) | Self::None => None,
        }
    }
}

impl<T> fmt::Debug for Turn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "Turn(none)",
            Self::Awaited(_) => "Turn(awaited)",
            Self::Here(_) => "Turn(here)",
        })
    }
}
