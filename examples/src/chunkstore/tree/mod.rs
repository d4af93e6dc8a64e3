//! Trees of files as the store keeps them.
//!
//! What a file holds is cut into [chunks] where the content says so; a [block
//! reference](blockref) names a chunk, or a chunk of further [block references](blocks). A
//! [directory entry](dirent) is a name, a block reference and a [meta] text; a directory's data is its
//! entries back to back, chunked like a file. So the entry of a tree's root names all of it.

pub mod blockref;
pub mod blocks;
pub mod chunks;
pub mod dirent;
pub mod meta;

/// How deep directories may lie within directories; deeper trees are neither pushed nor pulled.
pub const MAX_DEPTH: usize = 256;
