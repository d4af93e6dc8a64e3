//! All byte strings of up to 3 bytes, as streams and as bodies of packets, against the reference decoder.
