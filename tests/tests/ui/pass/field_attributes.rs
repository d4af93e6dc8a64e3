//! Each attribute on a field, alone and with those that go with it.

use packetstream::{BaseRequest, Bytes, Payload, Request};
use std::time::Duration;

mod seconds {
    use packetstream::{PayloadError, PayloadReader, PayloadWriter};
    use std::time::Duration;

    pub(crate) fn parse(reader: &mut PayloadReader) -> Result<Duration, PayloadError> {
        reader.uint().map(Duration::from_secs)
    }

    pub(crate) fn transcribe(time: &Duration, out: &mut PayloadWriter) {
        out.uint(time.as_secs());
    }
}

#[derive(Debug, PartialEq, Payload)]
enum Body {
    Text(String),
    Number(u64),
}

#[derive(Debug, PartialEq, Payload)]
#[payload(length, magic = b"M", assert(width > 0, "no width"), assert(height < 1000, "too high"))]
struct All {
    #[payload(big)]
    width: u16,
    #[payload(little, assert(height != 7, "seven"))]
    height: i32,
    #[payload(flag = 0)]
    bold: bool,
    #[payload(flag = !5)]
    title: Option<String>,
    #[payload(flag = 2, big)]
    angle: Option<f32>,
    #[payload(flag = 3, with = crate::seconds)]
    age: Option<Duration>,
    #[payload(with = seconds)]
    time: Duration,
    rows: Option<u16>,
    #[payload(count = rows)]
    cells: Vec<u64>,
    #[payload(flag = 1)]
    kind: Option<u64>,
    #[payload(id = kind)]
    body: Body,
    #[payload(skip)]
    seen: bool,
    #[payload(skip, default = "d".to_owned())]
    note: String,
    #[payload(flag = 6, rest)]
    tail: Option<Bytes>,
}

#[derive(Debug, PartialEq, Request)]
struct Tuple(
    #[request(big)] u16,
    #[request(flags)] u64,
    #[request(count = 0)] String,
    #[request(skip)] u8,
    #[request(rest, assert(field_4.len() < 3, "too long"))] Vec<u16>,
);

fn main() {
    let all = All {
        width: 5,
        height: -2,
        bold: true,
        title: None,
        angle: Some(0.5),
        age: Some(Duration::from_secs(3)),
        time: Duration::from_secs(300),
        rows: None,
        cells: vec![],
        kind: Some(1),
        body: Body::Number(9),
        seen: false,
        note: "d".into(),
        tail: Some(Bytes::from_static(b"tail")),
    };
    let bytes = all.to_bytes();
    let expected = b"\x16M\x00\x05\xfe\xff\xff\xff\x6f\x3f\x00\x00\x00\x03\x82\x2c\x00\x01\x09tail";
    assert_eq!(bytes[..], expected[..]);
    assert_eq!(All::from_bytes(bytes), Ok(all));

    let tuple = Tuple(2, 0x55, "ab".into(), 0, vec![300]);
    assert_eq!(tuple.transcribe_request(), (0x55, Bytes::from_static(b"\x00\x02ab\x82\x2c")));
    assert_eq!(Tuple::from_request_payload(0x55, Bytes::from_static(b"\x00\x02ab\x82\x2c")), Ok(tuple));
    let error = Tuple::from_request_payload(0, Bytes::from_static(b"\x00\x01a\x01\x01\x01")).unwrap_err();
    assert_eq!(error.to_string(), "Tuple.4: at byte 3 of the payload: too long");
}
