//! Nothing: the tests of this package, which cross the workspace's crates, are in its folder `tests`.
