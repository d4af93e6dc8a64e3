//! The types that are replies: what each is on the wire.

use super::{Response, shifted};
use crate::description;
use crate::outcome::Reply;
use crate::payload::{Payload, PayloadError, PayloadWriter, Rest, Verbatim};
use bytes::Bytes;

impl Response for Reply {
    fn into_reply(self) -> Reply {
        self
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        Ok(reply)
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::FlagsAndData
    }
}

impl Response for () {
    fn into_reply(self) -> Reply {
        Reply::default()
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.read(|_| Ok(()))
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Nothing
    }
}

impl Response for bool {
    fn into_reply(self) -> Reply {
        Reply::from(u64::from(self))
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.read(|reader| Ok(reader.flags(1, "")? == 1))
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Bool
    }
}

impl Response for u64 {
    fn into_reply(self) -> Reply {
        Reply::from(self)
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.read(|reader| reader.flags(u64::MAX, ""))
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Flags
    }
}

impl Response for Bytes {
    fn into_reply(self) -> Reply {
        Reply::from(self)
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.read(Self::parse_rest)
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Value(Self::rest_encoding)
    }
}

impl Response for Vec<u8> {
    fn into_reply(self) -> Reply {
        Reply::from(Bytes::from(self))
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.read(Self::parse_rest)
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Value(Self::rest_encoding)
    }
}

impl Response for String {
    fn into_reply(self) -> Reply {
        Reply::from(self)
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.read(Self::parse_rest)
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Value(Self::rest_encoding)
    }
}

impl Response for (u64, Bytes) {
    fn into_reply(self) -> Reply {
        Reply::from(self)
    }

    fn from_reply(Reply { flags, payload }: Reply) -> Result<Self, PayloadError> {
        Ok((flags, payload))
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::FlagsAndData
    }
}

impl<T: Response> Response for Option<T> {
    fn into_reply(self) -> Reply {
        self.map_or_else(Reply::default, |value| {
            let Reply { flags, payload } = value.into_reply();
            Reply { flags: shifted(flags) | 1, payload }
        })
    }

    fn from_reply(Reply { flags, payload }: Reply) -> Result<Self, PayloadError> {
        if flags & 1 == 1 {
            return T::from_reply(Reply { flags: flags >> 1, payload }).map(Some);
        }
        <()>::from_reply(Reply { flags, payload }).map(|()| None)
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Option(T::reply_encoding)
    }
}

impl<T: Payload> Response for Vec<T> {
    fn into_reply(self) -> Reply {
        Reply::from(PayloadWriter::payload(|out| self.transcribe_rest(out)))
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.read(Self::parse_rest)
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Value(Self::rest_encoding)
    }
}

impl<T: Payload> Response for Verbatim<T> {
    fn into_reply(self) -> Reply {
        Reply::from(self.bytes().clone())
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.value()
    }

    fn reply_encoding() -> description::Reply {
        description::Reply::Value(Self::encoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Be;
    use std::fmt::Debug;

    fn travels<T: Response + Clone + Debug + PartialEq>(value: T, flags: u64, payload: &[u8]) {
        let reply = Reply { flags, payload: Bytes::copy_from_slice(payload) };
        assert_eq!(value.clone().into_reply(), reply);
        assert_eq!(T::from_reply(reply), Ok(value));
    }

    fn refused<T: Response + Debug>(flags: u64, payload: &[u8]) {
        T::from_reply(Reply { flags, payload: Bytes::copy_from_slice(payload) }).unwrap_err();
    }

    // Rules: R-5, P-25
    #[test]
    fn replies_travel_in_the_result_forms_of_python_handlers() {
        travels((), 0, b"");
        travels(true, 1, b"");
        travels(false, 0, b"");
        travels(300_u64, 300, b"");
        travels(Bytes::from_static(b"bare"), 0, b"bare");
        travels(b"bare".to_vec(), 0, b"bare");
        travels("text".to_owned(), 0, b"text");
        travels((7_u64, Bytes::from_static(b"both")), 7, b"both");
        travels(Reply { flags: 7, payload: Bytes::from_static(b"both") }, 7, b"both");
    }

    // Rules: P-23
    #[test]
    fn an_option_is_flag_bit_0_and_the_value() {
        travels(Some(Bytes::from_static(b"found")), 1, b"found");
        travels(Some(Bytes::new()), 1, b"");
        travels(None::<Bytes>, 0, b"");
        travels(Some(true), 3, b"");
    }

    // Rules: P-25
    #[test]
    fn a_list_is_its_values_back_to_back() {
        travels(vec![Be(1_u16), Be(2)], 0, &[0, 1, 0, 2]);
        travels(Vec::<Be<u16>>::new(), 0, b"");
        refused::<Vec<Be<u16>>>(0, &[0, 1, 0]);
        refused::<Vec<[u8; 0]>>(0, &[0]);
    }

    // Rules: P-1, P-25
    #[test]
    fn a_spelling_that_is_kept_is_the_payload() {
        travels(Verbatim::<u64>::trusted(Bytes::from_static(&[0x80, 5])), 0, &[0x80, 5]);
        refused::<Verbatim<u64>>(0, &[5, 5]);
        refused::<Verbatim<u64>>(1, &[5]);
    }

    // Rules: P-20, P-23, P-25
    #[test]
    fn flags_and_bytes_without_a_meaning_are_errors() {
        refused::<()>(1, b"");
        refused::<()>(0, b"x");
        refused::<bool>(2, b"");
        refused::<bool>(1, b"x");
        refused::<u64>(1, b"x");
        refused::<Bytes>(1, b"x");
        refused::<String>(0, &[0xff]);
        refused::<Option<Bytes>>(2, b"");
        refused::<Option<Bytes>>(0, b"x");
        refused::<Option<Bytes>>(3, b"x");
    }
}
