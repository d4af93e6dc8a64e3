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
            .delimited(|reader| {
                let start = reader.offset();
                reader.magic(b"S", "Screen")?;
                let flags = reader.flags(3u64, "Screen")?;
                let on = reader.flagged::<bool>(flags & 1u64 != 0, "Screen.on")?;
                let width = reader
                    .field::<::packetstream::Be<u16>>("Screen.width")
                    .map(|::packetstream::Be(number)| number)?;
                let title = reader
                    .flagged::<Option<String>>(flags & 2u64 == 0, "Screen.title")?;
                let pixels = reader
                    .field_with(
                        "Screen.pixels",
                        |reader| <Vec<
                            u64,
                        > as ::packetstream::Counted>::parse_counted(
                            ::packetstream::Count::number(&width),
                            reader,
                        ),
                    )?;
                let drawn: bool = ::core::default::Default::default();
                let tail = reader
                    .field_with(
                        "Screen.tail",
                        <bytes::Bytes as ::packetstream::Rest>::parse_rest,
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
            })
    }
    fn transcribe(&self, out: &mut ::packetstream::PayloadWriter) {
        out.delimited(|out| {
            out.bytes(b"S");
            let width = &<u16 as ::packetstream::Count>::from_number(
                ::packetstream::Counted::count(&self.pixels),
            );
            out.flags(
                ::packetstream::__private::bit(
                    0u32,
                    ::packetstream::Flagged::is_set(&self.on),
                )
                    | ::packetstream::__private::bit(
                        1u32,
                        !::packetstream::Flagged::is_set(&self.title),
                    ),
            );
            ::packetstream::Flagged::transcribe_flagged(&self.on, out);
            out.field(&::packetstream::Be(*width));
            ::packetstream::Flagged::transcribe_flagged(&self.title, out);
            out.part(|out| ::packetstream::Rest::transcribe_rest(&self.pixels, out));
            out.part(|out| ::packetstream::Rest::transcribe_rest(&self.tail, out));
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
                    ::packetstream::description::Field::flag::<
                        bool,
                    >("on", &[], ::packetstream::description::Flag::set(0u32)),
                    ::packetstream::description::Field::inline(
                        "width",
                        &[],
                        <::packetstream::Be<u16> as ::packetstream::Payload>::encoding,
                    ),
                    ::packetstream::description::Field::flag::<
                        Option<String>,
                    >("title", &[], ::packetstream::description::Flag::clear(1u32)),
                    ::packetstream::description::Field::counted::<
                        Vec<u64>,
                    >("pixels", &[], "width"),
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
