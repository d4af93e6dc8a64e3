use packetstream::{Protocol, Request};

#[derive(Request)]
struct GetURL;
#[derive(Request)]
struct GetUrl;
#[derive(Request)]
struct Crate;
#[derive(Request)]
struct Clone;

#[derive(Protocol)]
#[packetstream(client = Stub)]
enum Web {
    #[request(0)]
    GetURL(GetURL),
    #[request(1)]
    GetUrl(GetUrl),
    #[request(2)]
    Crate(Crate),
    #[request(3)]
    Clone(Clone),
}

fn main() {}
