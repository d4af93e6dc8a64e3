/// A page of a list.
#[derive(Debug, Payload)]
pub struct Page<T: std::fmt::Debug> {
    r#type: u64,
    /// What is on it.
    items: Vec<T>,
}

#[derive(Debug, Payload)]
pub struct Name(String);
