use packetstream::{Protocol, Request};

#[derive(Request)]
struct A;
#[derive(Request)]
struct B;
#[derive(Request)]
struct C;
#[derive(Request)]
struct D;

#[derive(Protocol)]
enum Letters {
    #[request(18446744073709551615)]
    A(A),
    #[request(-1)]
    B(B),
    #[request("2")]
    C(C),
    #[request]
    D(D),
}

fn main() {}
