//! The Python original at both ends, as a program of its own.

use std::path::Path;
use std::process::Command;

pub(crate) const NAME: &str = "cs.packetstream";

const SECONDS: &str = "1";

/// Calls a second with so many in flight, where `tests/python/setup` has been run.
pub(crate) fn rate(in_flight: usize) -> Option<f64> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../target/python/bin/python");
    if !python.is_file() {
        return None;
    }
    let program = here.join("python_echo.py");
    let child = Command::new(python).arg(program).args([&in_flight.to_string(), SECONDS]).output();
    let output = child.expect("Python runs");
    let rate = String::from_utf8_lossy(&output.stdout).trim().parse();
    Some(rate.unwrap_or_else(|_| panic!("no rate, but: {}", String::from_utf8_lossy(&output.stderr))))
}
