//! All contenders by name, with what each can be asked to do.

use crate::contenders::{by_hand::ByHand, packetstream};
#[cfg(feature = "peers")]
use crate::contenders::{capnp::Capnp, remoc::Remoc, tarpc::Tarpc, tonic::Tonic, ttrpc::Ttrpc};
use crate::idle::{self, Weigh};
use crate::overtake::{self, Overtake};
use crate::work::{self, Measure};

pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) measure: Measure,
    /// Nothing for what is no way to make calls at all.
    pub(crate) library: Option<Library>,
    /// Whether it can be on more than one thread.
    pub(crate) threads: bool,
}

pub(crate) struct Library {
    pub(crate) weigh: Weigh,
    pub(crate) overtake: Overtake,
}

macro_rules! library {
    ($name:literal, $contender:ty, $measure:path, threads: $threads:literal) => {
        Contestant {
            name: $name,
            measure: $measure,
            library: Some(Library {
                weigh: idle::weigh::<$contender>,
                overtake: overtake::overtake::<$contender>,
            }),
            threads: $threads,
        }
    };
}

const fn bare(name: &'static str, measure: Measure) -> Contestant {
    Contestant { name, measure, library: None, threads: true }
}

pub(crate) const RAW: &str = "raw tokio";
pub(crate) const LIMIT: &str = "limit";
pub(crate) const BY_HAND: &str = "by hand";
pub(crate) const OURS_RAW: &str = "packetstream raw";
/// What has to reach the goals.
pub(crate) const OURS: &str = "packetstream typed";

pub(crate) const CONTESTANTS: &[Contestant] = &[
    bare("raw tokio", work::raw),
    bare("raw blocking", work::raw_blocking),
    bare("limit", work::limit),
    library!("by hand", ByHand, work::either_way::<ByHand>, threads: true),
    library!("packetstream raw", packetstream::Raw, work::either_way::<packetstream::Raw>, threads: true),
    library!("packetstream typed", packetstream::Typed, work::either_way::<packetstream::Typed>, threads: true),
    #[cfg(feature = "peers")]
    library!("tarpc", Tarpc, work::one_way::<Tarpc>, threads: true),
    #[cfg(feature = "peers")]
    library!("ttrpc", Ttrpc, work::one_way::<Ttrpc>, threads: true),
    #[cfg(feature = "peers")]
    library!("capnp-rpc", Capnp, work::either_way::<Capnp>, threads: false),
    #[cfg(feature = "peers")]
    library!("tonic", Tonic, work::one_way::<Tonic>, threads: true),
    #[cfg(feature = "peers")]
    library!("remoc", Remoc, work::either_way::<Remoc>, threads: true),
];
