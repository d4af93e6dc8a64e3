#[derive(Debug, Payload)]
#[payload(length, magic = b"S", assert(width < 10, "too wide"))]
pub struct Screen {
    #[payload(flag = 0)]
    on: bool,
    #[payload(big)]
    width: u16,
    #[payload(flag = !1)]
    title: Option<String>,
    #[payload(count = width)]
    pixels: Vec<u64>,
    #[payload(skip)]
    drawn: bool,
    #[payload(rest)]
    tail: bytes::Bytes,
}
