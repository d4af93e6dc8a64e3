//! A protocol that is declared here, and in Python in the manner of its documentation: `tests/python/clerk.py`.

use crate::Trials;
use crate::party::{Medium, Party, Side};
use packetstream::{
    Bytes, CallError, Client, Context, Failure, Fulfil, Limits, PacketConnection, Payload, Protocol, Request,
    serve,
};
use std::collections::HashMap;
use std::sync::Mutex;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: P-1, P-2, P-3, P-4, P-7, R-5, R-18
    trials.everywhere("a declared protocol", Side::Rust, asks);
    trials.everywhere("a declared protocol", Side::Python, is_asked);
}

/// A sum.
#[derive(Debug, Request)]
#[request(reply = u64)]
struct Add {
    a: u64,
    b: u64,
}

/// Words for somebody.
#[derive(Debug, Request)]
#[request(reply = String)]
struct Greet {
    name: String,
}

/// Keeps data.
#[derive(Debug, Request)]
struct Store {
    key: String,
    data: Bytes,
}

/// Data that were kept.
#[derive(Debug, Request)]
#[request(reply = Option<Bytes>)]
struct Fetch {
    key: String,
}

/// A float, larger.
#[derive(Debug, Request)]
#[request(reply = Scaled)]
struct Scale {
    value: f64,
    by: u64,
}

#[derive(Debug, PartialEq, Payload)]
struct Scaled(f64);

/// Never done.
#[derive(Debug, Request)]
struct Fail;

/// Has the asker greet somebody, and says what that said.
#[derive(Debug, Request)]
#[request(reply = String)]
struct Introduce {
    name: String,
}

/// What both sides serve and ask.
#[derive(Debug, Protocol)]
#[packetstream(client = ClerkClient)]
enum Clerk {
    #[request(0)]
    Add(Add),
    #[request(1)]
    Greet(Greet),
    #[request(2)]
    Store(Store),
    #[request(3)]
    Fetch(Fetch),
    #[request(4)]
    Scale(Scale),
    #[request(5)]
    Fail(Fail),
    #[request(6)]
    Introduce(Introduce),
}

#[derive(Default)]
struct Desk {
    kept: Mutex<HashMap<String, Bytes>>,
}

impl Fulfil<Add> for Desk {
    async fn fulfil(&self, Add { a, b }: Add, _: Context) -> Result<u64, Failure> {
        a.checked_add(b).ok_or_else(|| Failure::new("too large"))
    }
}

impl Fulfil<Greet> for Desk {
    async fn fulfil(&self, Greet { name }: Greet, _: Context) -> Result<String, Failure> {
        Ok(format!("Gr\u{fc}\u{df}e, {name}"))
    }
}

impl Fulfil<Store> for Desk {
    async fn fulfil(&self, Store { key, data }: Store, _: Context) -> Result<(), Failure> {
        self.kept.lock().unwrap().insert(key, data);
        Ok(())
    }
}

impl Fulfil<Fetch> for Desk {
    async fn fulfil(&self, Fetch { key }: Fetch, _: Context) -> Result<Option<Bytes>, Failure> {
        Ok(self.kept.lock().unwrap().get(&key).cloned())
    }
}

impl Fulfil<Scale> for Desk {
    async fn fulfil(&self, Scale { value, by }: Scale, _: Context) -> Result<Scaled, Failure> {
        #[allow(clippy::cast_precision_loss, reason = "it is what Python does")]
        Ok(Scaled(value * by as f64))
    }
}

impl Fulfil<Fail> for Desk {
    async fn fulfil(&self, Fail: Fail, _: Context) -> Result<(), Failure> {
        Err(Failure::new("not today"))
    }
}

impl Fulfil<Introduce> for Desk {
    async fn fulfil(&self, Introduce { name }: Introduce, context: Context) -> Result<String, Failure> {
        let asker: Client<Clerk> = context.peer();
        asker.call(Greet { name }).await.map_err(|error| Failure::new(error.to_string()))
    }
}

/// We ask a Python server for everything.
async fn asks(medium: Medium) {
    let (stream, process) = Party::start("clerk.py", &["serve", "{}"], medium).await.into_parts();
    let connection = PacketConnection::builder()
        .limits(Limits::python())
        .handler(serve::<Clerk, _>(Desk::default()))
        .spawn(stream);
    let clerk = ClerkClient::from(connection.clone());

    assert_eq!(clerk.add(Add { a: 300, b: 1 << 40 }).await.unwrap(), 300 + (1 << 40));
    assert_eq!(
        clerk.greet(Greet { name: "Bj\u{f6}rn".into() }).await.unwrap(),
        "Gr\u{fc}\u{df}e, Bj\u{f6}rn"
    );
    let data = Bytes::from(vec![0xfe; 100_000]);
    clerk.store(Store { key: "k".into(), data: data.clone() }).await.unwrap();
    assert_eq!(clerk.fetch(Fetch { key: "k".into() }).await.unwrap(), Some(data));
    assert_eq!(clerk.fetch(Fetch { key: "other".into() }).await.unwrap(), None);
    assert_eq!(clerk.scale(Scale { value: 0.1, by: 3 }).await.unwrap(), Scaled(0.1 * 3.0));
    let calls: Vec<_> = (0..100).map(|number| clerk.add(Add { a: number, b: 1 })).collect();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), number as u64 + 1);
    }
    let error = clerk.fail(Fail).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().reason(), "exception during handler");
    assert_eq!(clerk.introduce(Introduce { name: "Tor".into() }).await.unwrap(), "Gr\u{fc}\u{df}e, Tor");
    for (rq_type, payload) in [(99, &b""[..]), (0, b"\x01"), (0, b"\x01\x02\x03"), (1, b"\x02\xff\xfe")] {
        let answer = connection.submit(rq_type, 0, payload).await;
        let Err(CallError::Failed(refused)) = answer else { panic!("{answer:?}") };
        assert_eq!(refused.reason(), "exception during handler", "{payload:?}");
        assert_eq!(clerk.add(Add { a: 1, b: 1 }).await.unwrap(), 2);
    }

    connection.close();
    let report = connection.closed().await;
    assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
    process.ends_well().await;
}

/// A Python client asks us for everything.
async fn is_asked(medium: Medium) {
    let (stream, process) = Party::start("clerk.py", &["ask", "{}"], medium).await.into_parts();
    let connection = PacketConnection::builder().handler(serve::<Clerk, _>(Desk::default())).spawn(stream);
    let report = connection.closed().await;
    process.ends_well().await;
    assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
    assert_eq!(report.stats.requests_answered, report.stats.requests);
}
