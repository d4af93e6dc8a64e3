//! Runs an attack on a connection in this process, and fails if memory grew beyond its bound.
//!
//! Usage: `attack NAME [TIMES]`; without arguments, lists them.

use packetstream_tests::attack::ATTACKS;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, times) = match &arguments[..] {
        [] => {
            for attack in ATTACKS {
                println!("{}", attack.name);
            }
            return ExitCode::SUCCESS;
        }
        [name] => (name, None),
        [name, times] => match times.parse() {
            Ok(times) => (name, Some(times)),
            Err(_) => return fail(&format!("`{times}` is no number of times")),
        },
        _ => return fail("usage: attack NAME [TIMES]"),
    };
    let Some(attack) = ATTACKS.iter().find(|attack| attack.name == name) else {
        return fail(&format!("there is no attack `{name}`"));
    };
    let outcome = attack.run(times);
    println!("{outcome}");
    if outcome.is_bounded() { ExitCode::SUCCESS } else { fail("memory grew beyond its bound") }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("attack: {why}");
    ExitCode::FAILURE
}
