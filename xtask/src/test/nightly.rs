//! `cargo xtask test --nightly`: the random tests in their long form, one after the other.
//!
//! They are tests like all others, of `kamen-core`, `kamen-unix` and `kamen-dos-machine` on the host,
//! `chaos`, the campaign of kills and `fuzz` in QEMU, told to go on for longer
//! (microkernel/core/src/tests/dice.rs). Their output is shown as it comes: how far they are, and the
//! seed that repeats a failure.

use super::{Tally, guest_tests};
use crate::workspace;
use anyhow::{Context, Result};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Instant, SystemTime};

/// The package of the kernel's tests on the host, and where they lie.
const CORE: (&str, &str) = ("kamen-core", "microkernel/core/src/tests");
/// The same of the UNIX personality's.
const UNIX: (&str, &str) = ("kamen-unix", "personalities/unix/src/unix/tests");
/// The same of the DOS machine's processor.
const DOS: (&str, &str) = ("kamen-dos-machine", "personalities/dos/machine/src/cpu");

/// The tests on the host by packages and names, and what makes them long.
const LONG: &[((&str, &str), &str, &str, u64)] = &[
    (CORE, "the_kernel_does_what_the_model_does", "KAMEN_OPERATIONS", 10_000_000),
    (CORE, "the_kernel_on_two_processors_does_what_the_model_does", "KAMEN_OPERATIONS", 2_000_000),
    (CORE, "no_register_contents_break_the_kernel", "KAMEN_OPERATIONS", 10_000_000),
    (CORE, "whatever_programs_do_the_kernel_s_state_makes_sense", "KAMEN_CASES", 5_000),
    (
        CORE,
        "whatever_programs_do_on_two_processors_the_kernel_s_state_makes_sense",
        "KAMEN_CASES",
        5_000,
    ),
    (CORE, "the_fast_path_leaves_the_state_that_the_slow_path_leaves", "KAMEN_CASES", 20_000),
    (CORE, "in_steps_or_at_once_the_outcome_is_the_same", "KAMEN_CASES", 20_000),
    (
        UNIX,
        "whatever_programs_call_the_tables_agree_and_nothing_is_lost",
        "KAMEN_OPERATIONS",
        10_000_000,
    ),
    (DOS, "whatever_bytes_are_executed_the_machine_goes_on", "KAMEN_STREAMS", 100_000),
    (DOS, "code_that_changes_itself_runs_as_without_the_cache", "KAMEN_STREAMS", 100_000),
];
/// Random system calls in QEMU, of the kernel and of the UNIX personality.
const CALLS: u64 = 1_000_000;
/// Linux processes in QEMU, one after the other.
const CYCLES: u64 = 10_000;
/// Kills of servers in QEMU.
const KILLS: u64 = 10_000;
/// Seeds between two days: more than one night takes.
const DAY: u64 = 100_000;

/// Performs the tests; each day begins with another seed, where none is given.
///
/// # Errors
/// Where cargo or QEMU can't be started.
pub fn test(seed: Option<u64>) -> Result<ExitCode> {
    let days = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs() / 86_400);
    let seed = seed.unwrap_or(days * DAY);
    println!("test: the long form; --seed {seed} repeats it");
    let mut tally = Tally::default();
    for ((package, _), name, setting, count) in LONG {
        let started = Instant::now();
        println!("test {name}: {setting}={count}");
        let passed = command(package, name)
            .env(setting, count.to_string())
            .env("KAMEN_SEED", seed.to_string())
            .status()
            .context("cargo can't be started")?
            .success();
        let verdict = if passed { "ok" } else { "FAILED" };
        println!("test {name} ... {verdict} ({} s)", started.elapsed().as_secs());
        tally.add(Tally::one(passed));
    }
    let cases = vec![
        ::guest_tests::chaos(CALLS, seed),
        ::guest_tests::campaign(KILLS, seed),
        ::guest_tests::calls(CALLS, seed),
        ::guest_tests::cycles(CYCLES),
    ];
    tally.add(guest_tests(cases, 1)?);
    Ok(tally.verdict())
}

fn command(package: &str, test: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace::root())
        .args(["test", "--quiet", "--profile", "nightly", "--package", package, "--lib"])
        .args(["--", "--nocapture", test])
        .stdin(Stdio::null());
    cargo
}

#[cfg(test)]
mod tests {
    use super::LONG;
    use crate::workspace;
    use std::path::Path;

    fn sources(folder: &Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| match path.is_dir() {
                true => sources(&path),
                false => std::fs::read_to_string(&path).unwrap(),
            })
            .collect()
    }

    /// A filter that meets no test would pass.
    #[test]
    fn each_long_test_is_there_and_takes_its_setting() {
        for ((_, folder), name, setting, _) in LONG {
            let sources = sources(&workspace::root().join(folder));
            assert!(sources.contains(&format!("fn {name}(")), "no test {name}");
            assert!(sources.contains(setting), "nobody reads {setting}");
        }
    }
}
