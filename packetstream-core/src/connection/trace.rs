//! What a connection tells `tracing`: with the feature of that name, `spans`; without it nothing, in the same shape,
//! so that nobody else has to ask for the feature.
//!
//! No payload is told, nor anything made of one: not the words of a failure, not the text of a panic. The exception
//! is what `Builder::trace_payloads` asks for. Events name their connection only where its span may be off.

#[cfg(not(feature = "tracing"))]
mod silent;
#[cfg(feature = "tracing")]
mod spans;

#[cfg(not(feature = "tracing"))]
pub(super) use silent::{CallSpan, RequestSpan, Settings, Tracer};
#[cfg(feature = "tracing")]
pub(super) use spans::{CallSpan, RequestSpan, Settings, Tracer};
