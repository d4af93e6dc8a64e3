#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
//! The stub adds no warning to the strictest crate.

use packetstream::{HasPacketConnection, PacketConnection, Protocol, Request, RequestError};

/// Adds.
#[derive(Debug, Request)]
#[request(reply = u64)]
pub struct Add(pub u64, pub u64);

/// Moves.
#[derive(Debug, Request)]
pub struct Move;

/// Calculates.
#[derive(Debug, Protocol)]
#[packetstream(client = CalcClient)]
pub enum Calc {
    /// Adds two numbers.
    #[request(0)]
    Add(Add),
    #[allow(missing_docs, reason = "to see whether the method has one")]
    #[request(1)]
    Move(Move),
    /// Never compiled, so its number is free.
    #[cfg(any())]
    #[request(1)]
    Jump(Jump),
}

mod private {
    #[derive(Debug, packetstream::Protocol)]
    #[packetstream(client = Stub)]
    enum Unused {
        #[request(0)]
        HashCodes(super::Add),
    }

    pub(super) fn all_its_own(connection: packetstream::PacketConnection) -> impl Send {
        let _ = Unused::from(super::Add(1, 2));
        async move { Stub::from(connection).hash_codes(super::Add(1, 2)).await }
    }
}

async fn ask(connection: PacketConnection) -> Result<u64, RequestError> {
    let client = CalcClient::from(connection);
    let (): () = client.clone().r#move(Move).await?;
    let _: &PacketConnection = client.connection();
    client.add(Add(1, 2)).await
}

fn main() {
    let _ = (ask, private::all_its_own);
    assert_eq!(Calc::REQUESTS.iter().map(|request| request.rq_type).collect::<Vec<_>>(), [0, 1]);
}
