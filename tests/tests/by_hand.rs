//! Everything that the derives write can be written by hand with public traits: the same protocol twice, compared
//! in its bytes, its descriptions, its answers and its refusals.

use packetstream::{
    BaseRequest, Bytes, Context, ErrorResponse, Failure, Fulfil, HasPacketConnection, PacketConnection,
    ParseRequestError, Payload, Protocol, Reply, RequestError, Response, Stream, TypedCall, lock, page,
    serve,
};
use std::fmt::Debug;

/// With the derives.
mod derived {
    use packetstream::{Payload, Protocol, Request};

    /// A length in some unit.
    #[derive(Clone, Debug, PartialEq, Payload)]
    pub(super) enum Length {
        /// Nobody knows.
        Unknown,
        /// In metres.
        Metres(u64),
    }

    /// Moves.
    #[derive(Debug, PartialEq, Request)]
    #[request(reply = Moved, error = Stuck, concurrency = 2, timeout = "5s")]
    pub(super) struct Move {
        /// At full speed.
        #[request(flag = 0)]
        pub(super) fast: bool,
        pub(super) by: Length,
        #[request(flag = 1)]
        pub(super) towards: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, Payload)]
    pub(super) struct Moved {
        #[payload(big)]
        pub(super) position: u32,
        #[payload(rest)]
        pub(super) log: String,
    }

    #[derive(Clone, Debug, PartialEq, Payload)]
    pub(super) struct Stuck {
        pub(super) at: u64,
    }

    #[derive(Debug, PartialEq, Request)]
    pub(super) struct Stop;

    /// What a robot does.
    #[derive(Debug, PartialEq, Protocol)]
    #[packetstream(client = RobotClient)]
    pub(super) enum Robot {
        /// Moves the robot.
        #[request(0)]
        Move(Move),
        #[request(5)]
        Stop(Stop),
    }
}

/// The same without.
mod by_hand {
    use packetstream::description::{self, Encoding, Field, Flag, Variant};
    use packetstream::{
        Arrival, BaseRequest, Be, Carries, Contract, Dispatch, Failure, Flagged, Fulfil, HasPacketConnection,
        Outcome, PacketConnection, Parser, Payload, PayloadError, PayloadReader, PayloadWriter, Protocol,
        Reply, Response, Rest, TypedCall, Variants,
    };
    use std::time::Duration;

    #[derive(Clone, Debug, PartialEq)]
    pub(super) enum Length {
        Unknown,
        Metres(u64),
    }

    impl Payload for Length {
        fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
            reader.variant("Length")
        }

        fn transcribe(&self, out: &mut PayloadWriter) {
            out.uint(self.id());
            self.transcribe_variant(out);
        }

        fn encoding() -> Encoding {
            Encoding::Enum(
                const {
                    &description::Enum {
                        name: "Length",
                        docs: &[" A length in some unit."],
                        variants: &[
                            Variant { id: 0, name: "Unknown", docs: &[" Nobody knows."], fields: &[] },
                            Variant {
                                id: 1,
                                name: "Metres",
                                docs: &[" In metres."],
                                fields: &[Field::inline("0", &[], u64::encoding)],
                            },
                        ],
                    }
                },
            )
        }
    }

    impl Variants for Length {
        fn parse_variant(id: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError> {
            match id {
                0 => Ok(Self::Unknown),
                1 => reader.field("Length::Metres.0").map(Self::Metres),
                _ => Err(reader.unknown_variant(id, "Length")),
            }
        }

        fn transcribe_variant(&self, out: &mut PayloadWriter) {
            if let Self::Metres(metres) = self {
                out.field(metres);
            }
        }

        fn id(&self) -> u64 {
            u64::from(*self != Self::Unknown)
        }
    }

    #[derive(Debug, PartialEq)]
    pub(super) struct Move {
        pub(super) fast: bool,
        pub(super) by: Length,
        pub(super) towards: Option<String>,
    }

    impl Payload for Move {
        fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
            let flags = reader.flags(0b11, "Move")?;
            Ok(Self {
                fast: flags & 0b01 != 0,
                by: reader.field("Move.by")?,
                towards: reader.flagged(flags & 0b10 != 0, "Move.towards")?,
            })
        }

        fn transcribe(&self, out: &mut PayloadWriter) {
            out.flags(u64::from(self.fast) | u64::from(self.towards.is_some()) << 1);
            out.field(&self.by);
            self.towards.transcribe_flagged(out);
        }

        fn encoding() -> Encoding {
            Encoding::Struct(
                const {
                    &description::Struct {
                        name: "Move",
                        docs: &[" Moves."],
                        is_delimited: false,
                        magic: b"",
                        fields: &[
                            Field::flag("fast", &[" At full speed."], Flag::set(0), bool::VALUE),
                            Field::inline("by", &[], Length::encoding),
                            Field::flag("towards", &[], Flag::set(1), Option::<String>::VALUE),
                        ],
                    }
                },
            )
        }
    }

    impl BaseRequest for Move {
        type Reply = Moved;
        type Error = Stuck;
        const CONTRACT: Contract =
            Contract { concurrency: Some(2), timeout: Some(Duration::from_secs(5)), ..Contract::NONE };
    }

    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Moved {
        pub(super) position: u32,
        pub(super) log: String,
    }

    impl Payload for Moved {
        fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
            let Be(position) = reader.field("Moved.position")?;
            Ok(Self { position, log: reader.field_with("Moved.log", String::parse_rest)? })
        }

        fn transcribe(&self, out: &mut PayloadWriter) {
            out.field(&Be(self.position));
            self.log.transcribe_rest(out);
        }

        fn encoding() -> Encoding {
            Encoding::Struct(
                const {
                    &description::Struct {
                        name: "Moved",
                        docs: &[],
                        is_delimited: false,
                        magic: b"",
                        fields: &[
                            Field::inline("position", &[], Be::<u32>::encoding),
                            Field::inline("log", &[], String::rest_encoding),
                        ],
                    }
                },
            )
        }
    }

    impl Response for Moved {
        fn into_reply(self) -> Reply {
            Reply::of(&self)
        }

        fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
            reply.value()
        }

        fn reply_encoding() -> description::Reply {
            description::Reply::Value(Self::encoding)
        }
    }

    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Stuck {
        pub(super) at: u64,
    }

    impl Payload for Stuck {
        fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
            Ok(Self { at: reader.field("Stuck.at")? })
        }

        fn transcribe(&self, out: &mut PayloadWriter) {
            out.field(&self.at);
        }

        fn encoding() -> Encoding {
            Encoding::Struct(
                const {
                    &description::Struct {
                        name: "Stuck",
                        docs: &[],
                        is_delimited: false,
                        magic: b"",
                        fields: &[Field::inline("at", &[], u64::encoding)],
                    }
                },
            )
        }
    }

    #[derive(Debug, PartialEq)]
    pub(super) struct Stop;

    impl Payload for Stop {
        fn parse(_: &mut PayloadReader) -> Result<Self, PayloadError> {
            Ok(Self)
        }

        fn transcribe(&self, _: &mut PayloadWriter) {}

        fn encoding() -> Encoding {
            Encoding::Struct(
                const {
                    &description::Struct {
                        name: "Stop",
                        docs: &[],
                        is_delimited: false,
                        magic: b"",
                        fields: &[],
                    }
                },
            )
        }
    }

    impl BaseRequest for Stop {
        type Reply = ();
        type Error = Failure;
    }

    #[derive(Debug, PartialEq)]
    pub(super) enum Robot {
        Move(Move),
        Stop(Stop),
    }

    impl Carries<Move> for Robot {
        const REQUEST_TYPE: u64 = 0;
    }

    impl Carries<Stop> for Robot {
        const REQUEST_TYPE: u64 = 5;
    }

    impl From<Move> for Robot {
        fn from(request: Move) -> Self {
            Self::Move(request)
        }
    }

    impl From<Stop> for Robot {
        fn from(request: Stop) -> Self {
            Self::Stop(request)
        }
    }

    impl Protocol for Robot {
        const NAME: &'static str = "Robot";
        const DOCS: description::Docs = &[" What a robot does."];
        const REQUESTS: &'static [description::Request] = &[
            description::Request::of::<Move>(0, "Move", &[" Moves the robot."]),
            description::Request::of::<Stop>(5, "Stop", &[]),
        ];
        const PARSERS: &'static [Parser<Self>] = &[Parser::of::<Move>(), Parser::of::<Stop>()];
    }

    impl<S: Fulfil<Move> + Fulfil<Stop>> Dispatch<S> for Robot {
        async fn dispatch(arrival: Arrival<'_, Self, S>) -> Outcome {
            match arrival.rq_type() {
                0 => arrival.fulfil::<Move>().await,
                5 => arrival.fulfil::<Stop>().await,
                _ => arrival.unknown(),
            }
        }
    }

    #[derive(Clone, Debug)]
    pub(super) struct RobotClient(PacketConnection);

    impl From<PacketConnection> for RobotClient {
        fn from(connection: PacketConnection) -> Self {
            Self(connection)
        }
    }

    impl HasPacketConnection for RobotClient {
        type Protocol = Robot;

        fn connection(&self) -> &PacketConnection {
            &self.0
        }
    }

    impl RobotClient {
        pub(super) fn r#move(&self, request: Move) -> TypedCall<Move> {
            self.conn_submit(request)
        }

        pub(super) fn stop(&self, request: Stop) -> TypedCall<Stop> {
            self.conn_submit(request)
        }
    }
}

/// The same code for either, which it cannot tell apart; its values are compared.
macro_rules! in_both {
    ($name:ident, $module:ident => $value:expr) => {
        #[test]
        fn $name() {
            let derived = {
                use derived as $module;
                $value
            };
            let by_hand = {
                use by_hand as $module;
                $value
            };
            assert_eq!(derived, by_hand);
        }
    };
}

/// What becomes of bytes: the value that is read and its bytes, or why none is.
fn read<T: Payload + Debug>(bytes: &[u8]) -> String {
    let value = T::from_bytes(Bytes::copy_from_slice(bytes));
    let again = value.as_ref().map(Payload::to_bytes);
    format!("{value:?} {again:?}")
}

/// All byte strings that are short and have small numbers in them.
fn strings() -> impl Iterator<Item = Vec<u8>> {
    let longer = |strings: &Vec<Vec<u8>>| {
        let longer = strings
            .iter()
            .flat_map(|string| [0, 1, 2, 3, 0x80, 0xff].map(|byte| [&string[..], &[byte]].concat()));
        Some(longer.collect())
    };
    std::iter::successors(Some(vec![Vec::new()]), longer).take(6).flatten()
}

in_both!(pages_and_lock_files_are_the_same, robot => {
    lock::assert_locked(robot::Robot::DESCRIPTION, "robot.lock");
    page::markdown(robot::Robot::DESCRIPTION)
});

in_both!(the_same_bytes_are_read_and_written_and_refused_for_the_same_reason, robot => {
    let read = |bytes: Vec<u8>| {
        [
            read::<robot::Length>(&bytes),
            read::<robot::Move>(&bytes),
            read::<robot::Moved>(&bytes),
            read::<robot::Stuck>(&bytes),
            read::<robot::Stop>(&bytes),
        ]
    };
    strings().map(read).collect::<Vec<_>>()
});

in_both!(the_same_requests_are_read_and_written, robot => {
    let read = |bytes: Vec<u8>| {
        [(0, 0), (0, 1), (0, 3), (0, 4), (5, 0), (5, 7), (1, 0)].map(|(rq_type, flags)| {
            match robot::Robot::from_request(rq_type, flags, bytes.clone().into()) {
                Ok(request) => format!("{request:?}"),
                Err(error @ (ParseRequestError::UnknownType(_) | ParseRequestError::Payload(_))) => {
                    error.to_string()
                }
            }
        })
    };
    let move_ = robot::Move { fast: true, by: robot::Length::Metres(300), towards: Some("x".into()) };
    (move_.transcribe_request(), strings().take(300).map(read).collect::<Vec<_>>())
});

in_both!(the_same_replies_and_failures_are_read_and_written, robot => {
    let read = |bytes: Vec<u8>| {
        let payload = Bytes::from(bytes);
        [0, 1, 2].map(|flags| {
            let reply = robot::Moved::from_reply(Reply { flags, payload: payload.clone() });
            let failure = robot::Stuck::from_failure(&Failure { flags, payload: payload.clone() });
            format!("{reply:?} {failure:?}")
        })
    };
    let reply = robot::Moved { position: 9, log: "moved".into() }.into_reply();
    (reply, robot::Stuck { at: 300 }.into_failure(), strings().take(300).map(read).collect::<Vec<_>>())
});

/// Performs the requests of either, moving at most 100 metres.
struct Service;

macro_rules! serve_robot {
    ($module:ident) => {
        impl Fulfil<$module::Move> for Service {
            async fn fulfil(
                &self,
                $module::Move { by, towards, .. }: $module::Move,
                _: Context,
            ) -> Result<$module::Moved, $module::Stuck> {
                match by {
                    $module::Length::Metres(at @ ..=100) => Ok($module::Moved {
                        position: u32::try_from(at).unwrap(),
                        log: format!("{towards:?}"),
                    }),
                    $module::Length::Metres(_) => Err($module::Stuck { at: 100 }),
                    $module::Length::Unknown => std::future::pending().await,
                }
            }
        }

        impl Fulfil<$module::Stop> for Service {
            async fn fulfil(&self, _: $module::Stop, _: Context) -> Result<(), Failure> {
                Err(Failure::new("cannot stop"))
            }
        }
    };
}

serve_robot!(derived);
serve_robot!(by_hand);

/// What becomes of a call, in words.
async fn came_of<R: BaseRequest<Reply: Debug, Error: Debug>>(call: TypedCall<R>) -> String {
    format!("{:?}", call.await)
}

macro_rules! conversation {
    ($module:ident) => {{
        use $module as robot;
        let (here, there) = Stream::pair(64);
        let _server = PacketConnection::builder().handler(serve::<robot::Robot, _>(Service)).spawn(there);
        let client = robot::RobotClient::from(PacketConnection::builder().spawn(here));
        let towards = |by| robot::Move { fast: true, by, towards: Some("the wall".into()) };
        let unknown = || came_of(client.r#move(towards(robot::Length::Unknown)));
        // Two take all places, so that the third is refused; then the time is over.
        let (first, second, third) = tokio::join!(unknown(), unknown(), unknown());
        let near = came_of(client.r#move(towards(robot::Length::Metres(7)))).await;
        let far = came_of(client.r#move(towards(robot::Length::Metres(300)))).await;
        let stop = came_of(client.stop(robot::Stop)).await;
        let raw = client.connection().submit(1, 0, "").await.map_err(RequestError::<Failure>::from);
        [first, second, third, near, far, stop, format!("{raw:?}")]
    }};
}

#[tokio::test(start_paused = true)]
async fn they_converse_alike_and_keep_the_same_contracts() {
    let derived = conversation!(derived);
    assert_eq!(derived, conversation!(by_hand));
    // That there was something to compare.
    assert!(derived[3].starts_with("Ok(Moved { position: 7,"), "{derived:?}");
    assert!(derived[4].starts_with("Err(Failed(Stuck { at: 100 }"), "{derived:?}");
}
