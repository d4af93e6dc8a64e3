//! Who answers everything, and each request without its type: random ones, and what this side makes of any packet.

use super::values::{
    chosen, containers, counted, data, delimited, fixed, flagged, forward, kind, list, maps, names, numbers,
    query, seat, shape, spelled, tail, text, tree, why,
};
use super::{AllFlags, Echo, Everything, FlaggedTail, Forward, Measured, Newtype, Query, Reset, Shape, Why};
use packetstream::{
    BaseRequest, Bytes, Carries, Context, ErrorResponse, Failure, Fulfil, Payload, Reply, Response,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};

/// Answers all of it; every other echo is a failure.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    fails: AtomicBool,
}

impl<T: Payload + Response + Send + 'static> Fulfil<Echo<T>> for Echoes {
    async fn fulfil(&self, Echo(value): Echo<T>, _: Context) -> Result<T, T> {
        if self.fails.fetch_xor(true, Ordering::Relaxed) { Err(value) } else { Ok(value) }
    }
}

impl Fulfil<Query> for Echoes {
    async fn fulfil(&self, query: Query, _: Context) -> Result<Shape, Why> {
        if query.first { Err(Why::First) } else { Ok(query.shape) }
    }
}

impl Fulfil<Forward> for Echoes {
    async fn fulfil(&self, Forward(flags, _, rest): Forward, _: Context) -> Result<Reply, Failure> {
        Ok(Reply { flags, payload: rest })
    }
}

impl Fulfil<Reset> for Echoes {
    async fn fulfil(&self, Reset: Reset, _: Context) -> Result<(), Failure> {
        Ok(())
    }
}

/// What a packet carries.
pub(crate) type Content = (u64, Bytes);

/// What a packet is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    Request,
    Reply,
    Failure,
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Request, Self::Reply, Self::Failure];
}

/// One request of the protocol, without its type.
pub(crate) struct Class {
    pub(crate) number: u64,
    /// Whether what was read is written as it was spelled.
    pub(crate) is_verbatim: bool,
    sample: Sample,
    read: fn(Role, Content) -> Option<Content>,
}

/// Makes a request, and the reply and the failure for it.
type Sample = Box<dyn Fn(&mut TestRunner) -> [Content; 3]>;

impl Class {
    /// A random request, its reply, a failure.
    pub(crate) fn sample(&self, runner: &mut TestRunner) -> [Content; 3] {
        (self.sample)(runner)
    }

    /// What this side makes of a packet when it writes again what it has read; nothing if it refuses that.
    pub(crate) fn read(&self, role: Role, content: Content) -> Option<Content> {
        (self.read)(role, content)
    }
}

fn class<R>(values: impl Strategy<Value = (R, R::Reply, R::Error)> + 'static) -> Class
where
    R: BaseRequest,
    Everything: Carries<R>,
{
    let sample = move |runner: &mut TestRunner| {
        let (request, reply, error) = values.new_tree(runner).unwrap().current();
        [request.transcribe_request(), content(reply.into_reply()), failure(error)]
    };
    let number = <Everything as Carries<R>>::REQUEST_TYPE;
    Class { number, is_verbatim: false, sample: Box::new(sample), read: read::<R> }
}

fn echo<T>(values: impl Strategy<Value = T> + 'static) -> Class
where
    T: Payload + Response + Clone + Debug + 'static,
    Everything: Carries<Echo<T>>,
{
    class(values.prop_map(|value| (Echo(value.clone()), value.clone(), value)))
}

fn content(reply: Reply) -> Content {
    (reply.flags, reply.payload)
}

fn failure(error: impl ErrorResponse) -> Content {
    let Failure { flags, payload } = error.into_failure();
    (flags, payload)
}

fn read<R: BaseRequest>(role: Role, (flags, payload): Content) -> Option<Content> {
    match role {
        Role::Request => {
            R::from_request_payload(flags, payload).ok().map(|request| request.transcribe_request())
        }
        Role::Reply => {
            R::Reply::from_reply(Reply { flags, payload }).ok().map(|reply| content(reply.into_reply()))
        }
        Role::Failure => match R::Error::from_failure(&Failure { flags, payload: payload.clone() }) {
            // Words, whatever they are.
            None => Some((flags, payload)),
            Some(error) => error.ok().map(failure),
        },
    }
}

/// All requests of the protocol.
pub(crate) fn classes() -> Vec<Class> {
    let query = (query(), shape(), why());
    let forward = forward().prop_map(|Forward(flags, kinds, rest)| {
        let reply = Reply { flags, payload: rest.clone() };
        (Forward(flags, kinds, rest), reply, Failure::new("no"))
    });
    vec![
        echo(numbers()),
        echo(fixed()),
        echo(containers()),
        echo(maps()),
        echo(counted()),
        echo(vec(delimited(), 0..3)),
        echo(flagged()),
        echo((any::<bool>(), option::of(list())).prop_map(|(a, b)| FlaggedTail(a, b))),
        echo((0..1_u64 << 60, any::<Option<bool>>()).prop_map(|(a, b)| AllFlags(a, b))),
        echo(flagged().prop_map(|flagged| Newtype(Newtype(flagged)))),
        echo(kind()),
        echo(shape()),
        echo(chosen()),
        echo(tree()),
        echo(tail(data())),
        echo(tail(text())),
        echo(tail(vec(delimited(), 0..3))),
        echo(tail(option::of(flagged()))),
        echo(seat()),
        echo(names()),
        echo(Just(())),
        echo(any::<bool>()),
        echo(0..1_u64 << 60),
        echo((0..1_u64 << 60, data().prop_map(Bytes::from))),
        echo(data().prop_map(Bytes::from)),
        echo(text()),
        echo(option::of(shape())),
        echo(any::<Option<Option<bool>>>()),
        echo(any::<Option<bool>>().prop_map(|some| some.map(|_| ()))),
        echo(vec(kind(), 0..4)),
        Class { is_verbatim: true, ..echo(spelled()) },
        echo(Just(Vec::<()>::new())),
        echo(vec(any::<u64>().prop_map(Measured), 0..3)),
        class(query),
        class(forward),
        class(Just((Reset, (), Failure::new("no")))),
    ]
}
