//! The library against what Python makes of the same values and bytes, replayed from `tests/golden/` without
//! Python, and against the reference decoder, over all short byte strings and all damage to golden packets.
//!
//! `tests/python/golden.py` makes the files and says what is in them.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod damaged;
mod exhaustive;
mod fields;
mod floats;
mod malformed;
mod packets;
mod varints;
mod vectors;
