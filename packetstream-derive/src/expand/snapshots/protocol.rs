/// Adds two numbers.
#[derive(Debug, Request)]
#[request(reply = u64)]
struct Add(u64, u64);

#[derive(Debug, Protocol)]
enum Calc {
    #[request(0)]
    Add(Add),
}
