/// A page of a list.
#[derive(Debug)]
pub struct Page<T: std::fmt::Debug> {
    r#type: u64,
    /// What is on it.
    items: Vec<T>,
}
#[automatically_derived]
impl<T: std::fmt::Debug> ::packetstream::Payload for Page<T>
where
    T: ::packetstream::Payload,
{
    fn parse(
        reader: &mut ::packetstream::PayloadReader,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        let r#type = <u64 as ::packetstream::Payload>::parse_field(reader, "Page.type")?;
        let items = <Vec<
            T,
        > as ::packetstream::Payload>::parse_field(reader, "Page.items")?;
        ::core::result::Result::Ok(Self { r#type, items })
    }
    fn transcribe(&self, out: &mut ::packetstream::PayloadWriter) {
        <u64 as ::packetstream::Payload>::transcribe_field(&self.r#type, out);
        <Vec<T> as ::packetstream::Payload>::transcribe_field(&self.items, out);
    }
    fn encoding() -> ::packetstream::description::Encoding {
        ::packetstream::description::Encoding::Struct(const {
            &::packetstream::description::Struct {
                name: "Page",
                docs: &[" A page of a list."],
                is_delimited: false,
                magic: b"",
                fields: &[
                    ::packetstream::description::Field::inline(
                        "type",
                        &[],
                        <u64 as ::packetstream::Payload>::encoding,
                    ),
                    ::packetstream::description::Field::inline(
                        "items",
                        &[" What is on it."],
                        <Vec<T> as ::packetstream::Payload>::encoding,
                    ),
                ],
            }
        })
    }
}
#[automatically_derived]
impl<T: std::fmt::Debug> ::packetstream::Response for Page<T>
where
    T: ::packetstream::Payload,
{
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
#[derive(Debug)]
pub struct Name(String);
#[automatically_derived]
impl ::packetstream::Payload for Name {
    fn parse(
        reader: &mut ::packetstream::PayloadReader,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        let field_0 = reader
            .newtype(
                "Name.0",
                |reader| <String as ::packetstream::Payload>::parse(reader),
            )?;
        ::core::result::Result::Ok(Self { 0: field_0 })
    }
    fn transcribe(&self, out: &mut ::packetstream::PayloadWriter) {
        <String as ::packetstream::Payload>::transcribe(&self.0, out);
    }
    fn encoding() -> ::packetstream::description::Encoding {
        ::packetstream::description::Encoding::Struct(const {
            &::packetstream::description::Struct {
                name: "Name",
                docs: &[],
                is_delimited: false,
                magic: b"",
                fields: &[
                    ::packetstream::description::Field::whole(
                        "0",
                        &[],
                        <String as ::packetstream::Payload>::encoding,
                    ),
                ],
            }
        })
    }
}
#[automatically_derived]
impl ::packetstream::Response for Name {
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
