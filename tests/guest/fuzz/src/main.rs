//! `fuzz`: a Linux program that does its worst to the UNIX personality.
//!
//! ```text
//!   fuzz calls=N seed=S   random calls of several processes
//!   fuzz cycles=N         fork, exec, exit
//!   fuzz storms           bombs and hogs of all kinds, while another shell goes on
//!   fuzz kills            kill -9, whatever state who is killed is in
//! ```
//! The verdict is the last line.

mod calls;
mod cycles;
mod kills;
mod numbers;
mod raw;
mod state;
mod storms;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| -> Option<u64> {
        let value = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
        value.parse().ok()
    };
    let good = match words.first().map(String::as_str) {
        Some("storms") => storms::run(),
        Some("kills") => kills::run(),
        // Executed by a storm.
        Some("keep") => {
            storms::keep();
            true
        }
        Some(_) => match (number("calls"), number("cycles")) {
            (Some(calls), _) => calls::run(calls, number("seed").unwrap_or(1)),
            (None, Some(cycles)) => cycles::run(cycles),
            // Executed by a cycle, or by a random call.
            (None, None) => return ExitCode::SUCCESS,
        },
        None => return ExitCode::SUCCESS,
    };
    println!("verdict: {}", if good { "good" } else { "bad" });
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
