//! Reaching a store.

use super::protocol::ChunkClient;
use super::store::MAX_LIST;
use super::tree::chunks::MAX_CHUNK;
use packetstream::{Address, ConnectError, HasPacketConnection, Limits, PacketConnection, Stream};

/// The longest packet either way: a chunk and what it takes to say so. A store cannot make this side hold more.
const MAX_PACKET: usize = MAX_CHUNK + 1024;
/// The longest packet either way when lists are asked for: the longest that a server makes.
///
/// The protocol has no pages for an archive's entries, they come as one answer; and the limit is a
/// connection's, because how long a packet is stands before what it answers. Where there can be 256 answers at
/// a time, as in a pull, so many would take 4 GiB; whoever asks for lists asks for one at a time, and pays for
/// one: 16 MiB, and up to 128 for entries of a few bytes.
const MAX_LIST_PACKET: usize = MAX_LIST + 1024;

/// Connects to the store at an address.
///
/// # Errors
///
/// When it cannot be reached.
pub async fn connect(address: &Address) -> Result<ChunkClient, ConnectError> {
    Stream::connect(address).await.map(over)
}

/// Connects to the store at an address, to ask for an archive's entries, all of them in one answer.
///
/// # Errors
///
/// When it cannot be reached.
pub async fn connect_for_lists(address: &Address) -> Result<ChunkClient, ConnectError> {
    Stream::connect(address).await.map(over_for_lists)
}

/// Speaks with the store at the other end of `stream`.
#[must_use]
pub fn over(stream: Stream) -> ChunkClient {
    speak(stream, MAX_PACKET)
}

/// Speaks with the store at the other end of `stream`; answers may be as long as the list of an archive's
/// entries.
#[must_use]
pub fn over_for_lists(stream: Stream) -> ChunkClient {
    speak(stream, MAX_LIST_PACKET)
}

fn speak(stream: Stream, max_packet: usize) -> ChunkClient {
    let limits = Limits { max_packet, ..Limits::default() };
    PacketConnection::builder().limits(limits).spawn(stream).into()
}

/// Says goodbye and waits for the store's. By then everything asked was answered, so it does not matter if
/// none comes.
pub async fn leave(client: &ChunkClient) {
    client.connection().close();
    let _ = client.connection().closed().await;
}
