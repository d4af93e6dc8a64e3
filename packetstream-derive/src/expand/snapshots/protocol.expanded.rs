/// Adds two numbers.
#[derive(Debug)]
pub struct Add(pub u64, pub u64);
#[automatically_derived]
impl ::packetstream::Payload for Add {
    fn parse(
        reader: &mut ::packetstream::PayloadReader,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        let field_0 = <u64 as ::packetstream::Payload>::parse_field(reader, "Add.0")?;
        let field_1 = <u64 as ::packetstream::Payload>::parse_field(reader, "Add.1")?;
        ::core::result::Result::Ok(Self { 0: field_0, 1: field_1 })
    }
    fn transcribe(&self, out: &mut ::packetstream::PayloadWriter) {
        <u64 as ::packetstream::Payload>::transcribe_field(&self.0, out);
        <u64 as ::packetstream::Payload>::transcribe_field(&self.1, out);
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
                        "0",
                        &[],
                        <u64 as ::packetstream::Payload>::encoding,
                    ),
                    ::packetstream::description::Field::inline(
                        "1",
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
    type Error = ::packetstream::Failure;
}
#[derive(Debug)]
pub enum Calc {
    Add(Add),
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
        }
    }
}
impl ::packetstream::Protocol for Calc {
    const NAME: &'static str = "Calc";
    const REQUESTS: &'static [::packetstream::description::Request] = &[
        ::packetstream::description::Request::of::<Add>(0u64, "Add", &[]),
    ];
    const PARSERS: &'static [::packetstream::Parser<Self>] = &[
        ::packetstream::Parser::of::<Add>(),
    ];
}
impl<__S: ::packetstream::Fulfil<Add>> ::packetstream::Dispatch<__S> for Calc {
    async fn dispatch(
        arrival: ::packetstream::Arrival<'_, Self, __S>,
    ) -> ::packetstream::Outcome {
        match arrival.rq_type() {
            0u64 => arrival.fulfil::<Add>().await,
            _ => arrival.unknown(),
        }
    }
}
