//! The longest stretch with interrupts off that each test met, as the kernel for it told.
//!
//! ```text
//!   kernel (feature `stretch`) ── "kernel: stretch INSTRUCTIONS KIND NUMBER RIP" ──> log
//! ```
//! Every test runs under the instruction clock, on one processor: that clock counts for all
//! processors together. A test that depends on time may end otherwise than it should; what counts
//! here is how long the kernel kept interrupts off meanwhile.

use super::{case, for_each, lock, provide};
use crate::bench::page;
use crate::build::{self, Purpose, Special};
use crate::image::System;
use anyhow::Result;
use guest_tests::{Action, Case, Kernel, Step};
use kamen_abi::Operation;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// Most instructions that a stretch may take.
pub const MOST: u64 = 10_000;

/// Paths that are shown, the longest first.
const SHOWN: usize = 16;
/// How many times as long a test may take under the instruction clock.
const SLOWER: u32 = 4;

/// Runs the cases of one processor on the kernel that measures, and judges the stretches; they
/// become those of docs/benchmarks.md where they are to be accepted.
///
/// # Errors
/// Where the host lacks something or a build fails.
pub fn test(mut cases: Vec<Case>, jobs: usize, accept: bool) -> Result<ExitCode> {
    cases.retain(|case| {
        let is_usual = case.kernel == Kernel::Usual;
        is_usual && case.cpus == 1 && !case.is_of_tool()
    });
    provide(&cases)?;
    let system = System::build(Purpose::Test)?;
    let system = system.with_kernel(build::special_kernel(Special::Stretch)?);
    eprintln!("test: interrupts off, {} tests", cases.len());
    let stretches = Mutex::new(Stretches::default());
    for_each(cases, jobs, |case| {
        let met = measure(&system, &case);
        lock(&stretches).add(&case.name, met);
    });
    let stretches = stretches.into_inner().unwrap_or_else(PoisonError::into_inner);
    print!("{}", stretches.table());
    if accept {
        page::replace("stretches", &stretches.markdown())?;
    }
    let failures = stretches.failures();
    println!("{failures} tests with more than {MOST} instructions, or not known");
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the longest stretch of each path that a test met; `system` has the kernel that tells
/// them.
pub fn measure(system: &System, case: &Case) -> Vec<Stretch> {
    let mut case = Case { limit: case.limit * SLOWER, ..case.clone().counted() };
    if let Action::Terminal { steps } = &mut case.action {
        // This clock runs as fast as it can: a guest that rests takes all of the host's time.
        for step in steps {
            if let Step::Rest { percent, .. } = step {
                *percent = u32::MAX;
            }
        }
    }
    let report = case::run(system, &case).map(|(report, _)| report);
    report.map_or(Vec::new(), |report| of_log(&report.log.text()))
}

/// The longest stretch of a path, and what that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Instructions.
    pub instructions: u64,
    /// What the kernel was entered for.
    pub path: String,
    /// Where from.
    pub rip: String,
}

/// Returns the longest stretches of all paths that a log tells; none where it tells none.
fn of_log(log: &str) -> Vec<Stretch> {
    log.lines().filter_map(|line| of_line(line.split_once("kernel: stretch ")?.1)).collect()
}

fn of_line(told: &str) -> Option<Stretch> {
    let words: Vec<&str> = told.split_whitespace().collect();
    let [instructions, kind, number, rip] = words[..] else { return None };
    let path = entry(kind, number.parse().ok()?)?;
    Some(Stretch { instructions: instructions.parse().ok()?, path, rip: rip.to_owned() })
}

/// Returns what an entry into the kernel is, for a person to read.
fn entry(kind: &str, number: u64) -> Option<String> {
    Some(match (kind, number) {
        ("operation", _) => match Operation::from_number(number) {
            Some(operation) => format!("{operation:?}"),
            None => format!("operation {number}"),
        },
        ("foreign", _) => format!("foreign system call {number}"),
        ("vector", 14) => "page fault".to_owned(),
        ("vector", 0..32) => format!("exception {number}"),
        ("vector", _) => format!("interrupt {number}"),
        _ => return None,
    })
}

/// What each test met; nothing where the kernel did not come to tell.
#[derive(Default)]
pub struct Stretches(Vec<(String, Vec<Stretch>)>);

/// Returns the longest of some.
fn longest(stretches: &[Stretch]) -> Option<&Stretch> {
    stretches.iter().max_by_key(|stretch| stretch.instructions)
}

impl Stretches {
    /// Adds what a test met.
    pub fn add(&mut self, test: &str, stretches: Vec<Stretch>) {
        self.0.push((test.to_owned(), stretches));
    }

    /// Returns how many tests met too long a stretch, or one not known.
    pub fn failures(&self) -> usize {
        let is_short = |all: &[Stretch]| longest(all).is_some_and(|one| one.instructions <= MOST);
        self.0.iter().filter(|(_, stretches)| !is_short(stretches)).count()
    }

    /// Returns the longest stretch of each path with its test, the longest first.
    pub fn by_path(&self) -> Vec<(&Stretch, &str)> {
        let mut paths: Vec<(&Stretch, &str)> = Vec::new();
        for (test, stretches) in &self.0 {
            for stretch in stretches {
                match paths.iter_mut().find(|(known, _)| known.path == stretch.path) {
                    Some(known) if known.0.instructions < stretch.instructions => {
                        *known = (stretch, test);
                    }
                    Some(_) => {}
                    None => paths.push((stretch, test)),
                }
            }
        }
        paths.sort_by_key(|(stretch, _)| std::cmp::Reverse(stretch.instructions));
        paths
    }

    /// Returns the table of paths for docs/benchmarks.md.
    fn markdown(&self) -> String {
        let mut table = "| path | instructions | test |\n|---|--:|---|\n".to_owned();
        for (Stretch { instructions, path, .. }, test) in self.by_path().into_iter().take(SHOWN) {
            table += &format!("| {path} | {instructions} | {test} |\n");
        }
        table
    }

    /// Returns the tables for a person to read: by test, and by path.
    pub fn table(&self) -> String {
        let mut rows: Vec<(&str, Option<&Stretch>)> =
            self.0.iter().map(|(test, stretches)| (&**test, longest(stretches))).collect();
        rows.sort_by_key(|(_, stretch)| {
            std::cmp::Reverse(stretch.map_or(u64::MAX, |stretch| stretch.instructions))
        });
        let line = |test: &str, stretch: &Stretch| {
            let Stretch { instructions, path, rip } = stretch;
            format!("{instructions:>12}  {path:<24} {rip:<18} {test}\n")
        };
        let mut table = format!("{:>12}  {:<24} {:<18} test\n", "instructions", "path", "from");
        for (test, stretch) in rows {
            table += &match stretch {
                Some(stretch) => line(test, stretch),
                None => format!("{:>12}  {:<43} {test}\n", "-", "not told: it was ended"),
            };
        }
        table += "the longest of each path:\n";
        for (stretch, test) in self.by_path().into_iter().take(SHOWN) {
            table += &line(test, stretch);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::{Stretch, Stretches, of_log};

    fn stretch(path: &str, instructions: u64) -> Stretch {
        Stretch { instructions, path: path.to_owned(), rip: "0x40".to_owned() }
    }

    #[test]
    fn stretches_are_read_from_the_log() {
        let log = "\u{1}exit 0\nkernel: stretch 812 operation 0 0x40\nrest\n\
                   kernel: stretch 9 vector 14 0x40\nkernel: stretch 8 dream 0 0x40";
        assert_eq!(of_log(log), [stretch("Null", 812), stretch("page fault", 9)]);
        assert_eq!(of_log("nothing"), []);
    }

    #[test]
    fn what_is_too_long_or_unknown_fails() {
        let mut stretches = Stretches::default();
        stretches.add("short", vec![stretch("Null", 10_000)]);
        assert_eq!(stretches.failures(), 0);
        stretches.add("long", vec![stretch("Null", 10_001), stretch("Call", 2000)]);
        stretches.add("unknown", vec![]);
        assert_eq!(stretches.failures(), 2);
        let paths = stretches.by_path();
        assert_eq!(paths.len(), 2);
        assert_eq!((paths[0].0.instructions, paths[0].1), (10_001, "long"));
    }
}
