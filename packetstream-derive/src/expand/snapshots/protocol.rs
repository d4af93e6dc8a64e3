/// Adds two numbers.
#[derive(Debug, Request)]
#[request(reply = u64)]
pub struct Add(pub u64, pub u64);

#[derive(Debug, Protocol)]
pub enum Calc {
    #[request(0)]
    Add(Add),
}
