#[derive(Debug)]
pub struct Screen {
    on: bool,
    width: u16,
    title: Option<String>,
    pixels: Vec<u64>,
    drawn: bool,
    tail: bytes::Bytes,
}
#[automatically_derived]
impl ::packetstream::Payload for Screen {
    fn parse(
        reader: &mut ::packetstream::PayloadReader,
    ) -> ::core::result::Result<Self, ::packetstream::PayloadError> {
        reader
            .delimited(
                "Screen",
                |reader| {
                    let start = reader.offset();
                    reader.magic(b"S", "Screen")?;
                    let flags = reader.flags(3u64, "Screen")?;
                    let on = <bool as ::packetstream::Flagged>::parse_flagged(
                        flags & 1u64 != 0,
                        "Screen.on",
                        reader,
                    )?;
                    let width = reader
                        .field_with(
                            "Screen.width",
                            |reader| <u16 as ::packetstream::Fixed>::parse_big(reader),
                        )?;
                    let title = <Option<
                        String,
                    > as ::packetstream::Flagged>::parse_flagged(
                        flags & 2u64 == 0,
                        "Screen.title",
                        reader,
                    )?;
                    let pixels = reader
                        .field_with(
                            "Screen.pixels",
                            |reader| <Vec<
                                u64,
                            > as ::packetstream::Counted>::parse_counted(
                                <u16 as ::packetstream::Count>::number(&width),
                                reader,
                            ),
                        )?;
                    let drawn = <bool as ::core::default::Default>::default();
                    let tail = reader
                        .field_with(
                            "Screen.tail",
                            |reader| <bytes::Bytes as ::packetstream::Rest>::parse_rest(
                                reader,
                            ),
                        )?;
                    reader.check(width < 10, start, "Screen", "too wide")?;
                    ::core::result::Result::Ok(Self {
                        on,
                        width,
                        title,
                        pixels,
                        drawn,
                        tail,
                    })
                },
            )
    }
    fn transcribe(&self, out: &mut ::packetstream::PayloadWriter) {
        out.delimited(|out| {
            out.bytes(b"S");
            let told_width = &<u16 as ::packetstream::Count>::told(
                <Vec<u64> as ::packetstream::Counted>::count(&self.pixels),
                out,
            );
            out.flags(
                ::packetstream::__private::bit(
                    0u32,
                    <bool as ::packetstream::Flagged>::is_set(&self.on),
                )
                    | ::packetstream::__private::bit(
                        1u32,
                        !<Option<String> as ::packetstream::Flagged>::is_set(&self.title),
                    ),
            );
            <bool as ::packetstream::Flagged>::transcribe_flagged(&self.on, out);
            out.part(|out| <u16 as ::packetstream::Fixed>::transcribe_big(
                told_width,
                out,
            ));
            <Option<
                String,
            > as ::packetstream::Flagged>::transcribe_flagged(&self.title, out);
            out.part(|out| <Vec<
                u64,
            > as ::packetstream::Counted>::transcribe_counted(&self.pixels, out));
            out.part(|out| <bytes::Bytes as ::packetstream::Rest>::transcribe_rest(
                &self.tail,
                out,
            ));
        });
    }
    fn encoding() -> ::packetstream::description::Encoding {
        ::packetstream::description::Encoding::Struct(const {
            &::packetstream::description::Struct {
                name: "Screen",
                docs: &[],
                is_delimited: true,
                magic: b"S",
                fields: &[
                    ::packetstream::description::Field::flag(
                        "on",
                        &[],
                        ::packetstream::description::Flag::set(0u32),
                        <bool as ::packetstream::Flagged>::VALUE,
                    ),
                    ::packetstream::description::Field::inline(
                        "width",
                        &[],
                        <u16 as ::packetstream::Fixed>::big_encoding,
                    ),
                    ::packetstream::description::Field::flag(
                        "title",
                        &[],
                        ::packetstream::description::Flag::clear(1u32),
                        <Option<String> as ::packetstream::Flagged>::VALUE,
                    ),
                    ::packetstream::description::Field::counted(
                        "pixels",
                        &[],
                        "width",
                        <Vec<u64> as ::packetstream::Counted>::counted_encoding,
                    ),
                    ::packetstream::description::Field::inline(
                        "tail",
                        &[],
                        <bytes::Bytes as ::packetstream::Rest>::rest_encoding,
                    ),
                ],
            }
        })
    }
}
#[automatically_derived]
impl ::packetstream::Response for Screen {
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
