#[repr(u8)]
#[derive(Debug)]
pub enum Shape {
    Point = 1,
    Circle(u64),
    Polygon { corners: Vec<(u64, u64)> },
}
#[automatically_derived]
impl ::packetstream::Payload for Shape {
    fn parse(
        reader: &mut ::packetstream::PayloadReader,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        reader.variant("Shape")
    }
    fn transcribe(&self, out: &mut ::packetstream::PayloadWriter) {
        out.uint(::packetstream::Variants::id(self));
        ::packetstream::Variants::transcribe_variant(self, out);
    }
    fn encoding() -> ::packetstream::description::Encoding {
        ::packetstream::description::Encoding::Enum(const {
            &::packetstream::description::Enum {
                name: "Shape",
                docs: &[],
                variants: &[
                    ::packetstream::description::Variant {
                        id: 1u64,
                        name: "Point",
                        docs: &[],
                        fields: &[],
                    },
                    ::packetstream::description::Variant {
                        id: 2u64,
                        name: "Circle",
                        docs: &[],
                        fields: &[
                            ::packetstream::description::Field::inline(
                                "0",
                                &[],
                                <u64 as ::packetstream::Payload>::encoding,
                            ),
                        ],
                    },
                    ::packetstream::description::Variant {
                        id: 3u64,
                        name: "Polygon",
                        docs: &[],
                        fields: &[
                            ::packetstream::description::Field::inline(
                                "corners",
                                &[],
                                <Vec<(u64, u64)> as ::packetstream::Payload>::encoding,
                            ),
                        ],
                    },
                ],
            }
        })
    }
}
#[automatically_derived]
impl ::packetstream::Variants for Shape {
    fn parse_variant(
        id: u64,
        reader: &mut ::packetstream::PayloadReader,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        match id {
            1u64 => ::core::result::Result::Ok(Self::Point {}),
            2u64 => {
                let field_0 = <u64 as ::packetstream::Payload>::parse_field(
                    reader,
                    "Shape::Circle.0",
                )?;
                ::core::result::Result::Ok(Self::Circle { 0: field_0 })
            }
            3u64 => {
                let corners = <Vec<
                    (u64, u64),
                > as ::packetstream::Payload>::parse_field(
                    reader,
                    "Shape::Polygon.corners",
                )?;
                ::core::result::Result::Ok(Self::Polygon { corners })
            }
            _ => ::core::result::Result::Err(reader.unknown_variant(id, "Shape")),
        }
    }
    fn transcribe_variant(&self, out: &mut ::packetstream::PayloadWriter) {
        match self {
            Self::Point { .. } => {}
            Self::Circle { 0: field_0, .. } => {
                <u64 as ::packetstream::Payload>::transcribe_field(field_0, out);
            }
            Self::Polygon { corners, .. } => {
                <Vec<
                    (u64, u64),
                > as ::packetstream::Payload>::transcribe_field(corners, out);
            }
        }
    }
    fn id(&self) -> u64 {
        match self {
            Self::Point { .. } => 1u64,
            Self::Circle { .. } => 2u64,
            Self::Polygon { .. } => 3u64,
        }
    }
}
#[automatically_derived]
impl ::packetstream::Response for Shape {
    fn into_reply(self) -> ::packetstream::Reply {
        ::packetstream::Reply::of(&self)
    }
    fn from_reply(
        reply: ::packetstream::Reply,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        reply.value()
    }
    fn reply_encoding() -> ::packetstream::description::Reply {
        ::packetstream::description::Reply::Value(
            <Self as ::packetstream::Payload>::encoding,
        )
    }
}
