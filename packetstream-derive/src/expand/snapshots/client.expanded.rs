/// Adds two numbers.
#[derive(Debug)]
pub struct Add {
    a: u64,
    b: u64,
}
#[automatically_derived]
impl ::packetstream::Payload for Add {
    fn parse(
        reader: &mut ::packetstream::PayloadReader,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        let a = <u64 as ::packetstream::Payload>::parse_field(reader, "Add.a")?;
        let b = <u64 as ::packetstream::Payload>::parse_field(reader, "Add.b")?;
        ::core::result::Result::Ok(Self { a, b })
    }
    fn transcribe(&self, out: &mut ::packetstream::PayloadWriter) {
        <u64 as ::packetstream::Payload>::transcribe_field(&self.a, out);
        <u64 as ::packetstream::Payload>::transcribe_field(&self.b, out);
    }
    fn encoding() -> ::packetstream::description::Encoding {
        ::packetstream::description::Encoding::Struct(const {
            &::packetstream::description::Struct {
                name: "Add",
                docs: &[" Adds two numbers."],
                is_delimited: false,
                magic: b"",
                fields: &[
                    ::packetstream::description::Field::inline(
                        "a",
                        &[],
                        <u64 as ::packetstream::Payload>::encoding,
                    ),
                    ::packetstream::description::Field::inline(
                        "b",
                        &[],
                        <u64 as ::packetstream::Payload>::encoding,
                    ),
                ],
            }
        })
    }
}
#[automatically_derived]
impl ::packetstream::BaseRequest for Add {
    type Reply = u64;
    type Error = String;
    const CONTRACT: ::packetstream::Contract = ::packetstream::Contract {
        max_payload: ::core::option::Option::Some(64),
        timeout: ::core::option::Option::Some(
            ::core::time::Duration::from_millis(5000u64),
        ),
        ordered: true,
        ..::packetstream::Contract::NONE
    };
}
#[derive(Debug)]
pub struct Reset;
#[automatically_derived]
impl ::packetstream::Payload for Reset {
    fn parse(
        reader: &mut ::packetstream::PayloadReader,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        ::core::result::Result::Ok(Self {})
    }
    fn transcribe(&self, out: &mut ::packetstream::PayloadWriter) {}
    fn encoding() -> ::packetstream::description::Encoding {
        ::packetstream::description::Encoding::Struct(const {
            &::packetstream::description::Struct {
                name: "Reset",
                docs: &[],
                is_delimited: false,
                magic: b"",
                fields: &[],
            }
        })
    }
}
#[automatically_derived]
impl ::packetstream::BaseRequest for Reset {
    type Reply = ();
    type Error = ::packetstream::Failure;
}
/// What a calculator does.
#[derive(Debug)]
pub enum Calc {
    /// Adds two numbers.
    Add(Add),
    Move(Reset),
}
impl ::packetstream::Carries<Add> for Calc {
    const REQUEST_TYPE: u64 = 0u64;
}
impl ::core::convert::From<Add> for Calc {
    fn from(request: Add) -> Self {
        Self::Add(request)
    }
}
impl ::core::convert::TryFrom<Calc> for Add {
    type Error = Calc;
    fn try_from(protocol: Calc) -> ::core::result::Result<Self, Calc> {
        match protocol {
            Calc::Add(request) => ::core::result::Result::Ok(request),
            other => ::core::result::Result::Err(other),
        }
    }
}
impl ::packetstream::Carries<Reset> for Calc {
    const REQUEST_TYPE: u64 = 7u64;
}
impl ::core::convert::From<Reset> for Calc {
    fn from(request: Reset) -> Self {
        Self::Move(request)
    }
}
impl ::core::convert::TryFrom<Calc> for Reset {
    type Error = Calc;
    fn try_from(protocol: Calc) -> ::core::result::Result<Self, Calc> {
        match protocol {
            Calc::Move(request) => ::core::result::Result::Ok(request),
            other => ::core::result::Result::Err(other),
        }
    }
}
impl ::packetstream::Protocol for Calc {
    const NAME: &'static str = "Calc";
    const DOCS: ::packetstream::description::Docs = &[" What a calculator does."];
    const REQUESTS: &'static [::packetstream::description::Request] = &[
        ::packetstream::description::Request::of::<
            Add,
        >(0u64, "Add", &[" Adds two numbers."]),
        ::packetstream::description::Request::of::<Reset>(7u64, "Move", &[]),
    ];
    const PARSERS: &'static [::packetstream::Parser<Self>] = &[
        ::packetstream::Parser::of::<Add>(),
        ::packetstream::Parser::of::<Reset>(),
    ];
}
impl<
    __S: ::packetstream::Fulfil<Add> + ::packetstream::Fulfil<Reset>,
> ::packetstream::Dispatch<__S> for Calc {
    async fn dispatch(
        arrival: ::packetstream::Arrival<'_, Self, __S>,
    ) -> ::packetstream::Outcome {
        match arrival.rq_type() {
            0u64 => arrival.fulfil::<Add>().await,
            7u64 => arrival.fulfil::<Reset>().await,
            _ => arrival.unknown(),
        }
    }
}
/// Asks the requests of [`Calc`] over a connection, each with a method.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct CalcClient(::packetstream::PacketConnection);
#[automatically_derived]
impl ::core::convert::From<::packetstream::PacketConnection> for CalcClient {
    fn from(connection: ::packetstream::PacketConnection) -> Self {
        Self(connection)
    }
}
#[automatically_derived]
impl ::packetstream::HasPacketConnection for CalcClient {
    type Protocol = Calc;
    fn connection(&self) -> &::packetstream::PacketConnection {
        &self.0
    }
}
#[allow(dead_code, reason = "not every program asks everything")]
impl CalcClient {
    /// Adds two numbers.
    pub fn add(&self, request: Add) -> ::packetstream::TypedCall<Add> {
        ::packetstream::HasPacketConnection::conn_submit(self, request)
    }
    /// Sends the request [`Move`](Calc::Move); await the call for its reply.
    pub fn r#move(&self, request: Reset) -> ::packetstream::TypedCall<Reset> {
        ::packetstream::HasPacketConnection::conn_submit(self, request)
    }
}
