//! The chunk store's protocol as deployed peers know it, its page in the documentation, its module for Python.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream::{Protocol, lock, page, twin};
use packetstream_examples::chunkstore::protocol::ChunkStore;
use std::{env, fs};

#[test]
fn deployed_peers_are_understood() {
    lock::assert_locked(ChunkStore::DESCRIPTION, "chunkstore.lock");
}

/// `PACKETSTREAM_PAGE=write cargo test -p packetstream-examples --test protocol` writes it anew.
#[test]
fn the_page_tells_of_the_protocol_as_it_is() {
    let page = page::markdown(ChunkStore::DESCRIPTION);
    if env::var_os("PACKETSTREAM_PAGE").is_some_and(|mode| mode == "write") {
        fs::write("docs/chunkstore.md", &page).unwrap();
    }
    assert_eq!(page, fs::read_to_string("docs/chunkstore.md").unwrap_or_default());
}

/// `PACKETSTREAM_TWIN=write cargo test -p packetstream-examples --test protocol` writes it anew.
#[test]
fn the_python_module_is_of_the_protocol_as_it_is() {
    twin::assert_written(ChunkStore::DESCRIPTION, "python/chunkstore.py");
}
