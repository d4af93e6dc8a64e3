//! What the tests of this package share; they cross the workspace's crates, and are in its folder `tests`.

pub mod reference;
