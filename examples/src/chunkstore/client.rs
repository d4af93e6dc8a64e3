//! Reaching a store.

use super::protocol::ChunkClient;
use super::tree::chunks::MAX_CHUNK;
use packetstream::{Address, ConnectError, HasPacketConnection, Limits, PacketConnection, Stream};

/// The longest packet either way: a chunk and what it takes to say so. A store cannot make this side hold more.
const MAX_PACKET: usize = MAX_CHUNK + 1024;

/// Connects to the store at an address.
///
/// # Errors
///
/// When it cannot be reached.
pub async fn connect(address: &Address) -> Result<ChunkClient, ConnectError> {
    Stream::connect(address).await.map(over)
}

/// Speaks with the store at the other end of `stream`.
#[must_use]
pub fn over(stream: Stream) -> ChunkClient {
    let limits = Limits { max_packet: MAX_PACKET, ..Limits::default() };
    PacketConnection::builder().limits(limits).spawn(stream).into()
}

/// Says goodbye and waits for the store's. By then everything asked was answered, so it does not matter if
/// none comes.
pub async fn leave(client: &ChunkClient) {
    client.connection().close();
    let _ = client.connection().closed().await;
}
