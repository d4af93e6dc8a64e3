/// A page of a list.
#[derive(Debug, Payload)]
struct Page<T: std::fmt::Debug> {
    r#type: u64,
    /// What is on it.
    items: Vec<T>,
}

#[derive(Debug, Payload)]
struct Name(String);
