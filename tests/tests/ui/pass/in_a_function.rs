//! Types that only one function knows.

use packetstream::{Carries, Payload, Protocol, Request};

fn main() {
    mod milliseconds {
        use packetstream::{PayloadError, PayloadReader, PayloadWriter};

        pub(crate) fn parse(reader: &mut PayloadReader) -> Result<std::time::Duration, PayloadError> {
            reader.uint().map(std::time::Duration::from_millis)
        }

        pub(crate) fn transcribe(time: &std::time::Duration, out: &mut PayloadWriter) {
            out.uint(time.as_millis() as u64);
        }
    }

    const LIMIT: u64 = 10;

    #[derive(Debug, PartialEq, Payload)]
    struct Inner {
        #[payload(assert(number < LIMIT, "too large"))]
        number: u64,
    }

    #[derive(Debug, PartialEq, Payload)]
    enum Choice<T> {
        Inner(T),
        Other,
    }

    #[derive(Debug, PartialEq, Request)]
    #[request(reply = Inner, concurrency = LIMIT as usize)]
    struct Ask(Choice<Inner>);

    #[derive(Debug, PartialEq, Protocol)]
    #[packetstream(client = Client)]
    enum Local {
        #[request(5)]
        Ask(Ask),
    }

    let ask = Ask(Choice::Inner(Inner { number: 7 }));
    assert_eq!(ask.to_bytes()[..], [0, 7]);
    assert_eq!(Local::from_request(5, 0, ask.to_bytes()), Ok(Local::Ask(ask)));
    assert_eq!(Choice::<Inner>::Other.to_bytes()[..], [1]);
    assert_eq!(<Local as Carries<Ask>>::REQUEST_TYPE, 5);
    let _ = Client::ask;

    let in_a_closure = || {
        #[derive(Debug, PartialEq, Payload)]
        struct Wait(#[payload(with = milliseconds)] std::time::Duration);
        Wait(std::time::Duration::from_millis(7)).to_bytes()
    };
    assert_eq!(in_a_closure()[..], [7]);
}
