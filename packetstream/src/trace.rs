//! What the typed layer adds to the spans of a connection, with the feature `tracing`.

#![cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nothing is told"))]

use crate::transport::Peer;
use packetstream_core::{BaseRequest, Builder, Call};

/// One of our requests is on its way: names it.
pub(crate) fn asks<R: BaseRequest>(call: &Call) {
    #[cfg(feature = "tracing")]
    named::<R>(call.span());
}

/// One of the peer's requests is about to be performed, in its span: names it.
pub(crate) fn fulfils<R: BaseRequest>() {
    #[cfg(feature = "tracing")]
    if tracing::level_filters::LevelFilter::current() >= tracing::Level::DEBUG {
        named::<R>(&tracing::Span::current());
    }
}

/// Has what runs on another thread lie in this one's span.
pub(crate) fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    #[cfg(feature = "tracing")]
    let work = {
        let span = tracing::Span::current();
        move || span.in_scope(work)
    };
    work
}

/// Says who is at the other end.
pub(crate) fn peer(builder: Builder, peer: Peer) -> Builder {
    #[cfg(feature = "tracing")]
    let builder = builder.peer(format_args!("{peer:?}"));
    builder
}

#[cfg(feature = "tracing")]
fn named<R: BaseRequest>(span: &tracing::Span) {
    use packetstream_core::description::Encoding;

    if span.is_disabled() {
        return;
    }
    let name = match R::encoding() {
        Encoding::Struct(found) => found.name,
        Encoding::Enum(found) => found.name,
        _ => std::any::type_name::<R>(),
    };
    span.record("request", name);
}
