//! Has the simulator look for each of the defects that the library can be built with; `tests/seeded-bugs` builds it so.
//! Prints how soon it found each, and by which invariant. Ends with status 1 when one was not found in 60 s.

use std::process::ExitCode;

#[cfg(not(seeded_bugs))]
fn main() -> ExitCode {
    eprintln!("this is for a build with `--cfg seeded_bugs`: run tests/seeded-bugs");
    ExitCode::FAILURE
}

#[cfg(seeded_bugs)]
fn main() -> std::io::Result<ExitCode> {
    hunt::all()
}

#[cfg(seeded_bugs)]
mod hunt {
    use packetstream_core::SeededBug as Bug;
    use std::io;
    use std::process::{Command, ExitCode};

    /// How long one may stay hidden.
    const SECONDS: &str = "60";

    pub(super) fn all() -> io::Result<ExitCode> {
        let sane = simulate("", "2")?;
        println!("without a bug: {sane}");
        if !sane.ends_with("all is well") {
            return Ok(ExitCode::FAILURE);
        }
        println!("| bug | what is wrong | scenarios | ms | found by |\n|---|---|---|---|---|");
        let mut missed = 0;
        for bug in Bug::ALL {
            let name = format!("{bug:?}");
            let found = simulate(&name, SECONDS)?;
            let cells: Vec<&str> = found.split(' ').collect();
            if let [scenarios, ms, invariant] = cells[..] {
                println!("| {name} | {} | {scenarios} | {ms} | {invariant} |", bug.what());
            } else {
                println!("| {name} | {} | not found: {found} | | |", bug.what());
                missed += 1;
            }
        }
        println!("{} of {} found", Bug::ALL.len() - missed, Bug::ALL.len());
        Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// What the simulator says with this bug.
    fn simulate(bug: &str, seconds: &str) -> io::Result<String> {
        let simulator = std::env::current_exe()?.with_file_name("simulate");
        let output = Command::new(simulator)
            .args(["--brief", "--seconds", seconds])
            .env(Bug::VARIABLE, bug)
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
