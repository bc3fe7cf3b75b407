//! `cargo xtask test`: the host's tests, then those in QEMU, and a summary.

use crate::build::{self, Purpose, Special};
use crate::guest::{filter, terminal};
use crate::host;
use crate::image::System;
use crate::packages;
use crate::recipes;
use crate::workspace;
use anyhow::{Context, Result, bail};
use clap::Args;
use guest_tests::{Action, Built, Case, Kernel, Packaged, Way};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

mod case;
mod nightly;
mod peer;
pub mod stretch;
mod twin;
mod typist;

/// Which tests to run.
#[derive(Args)]
pub struct Options {
    /// Only tests in QEMU whose name contains one of these.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only the tests on the host.
    #[arg(long, conflicts_with = "guest")]
    host: bool,
    /// Only the tests in QEMU.
    #[arg(long)]
    guest: bool,
    /// Only the tests in QEMU that need one processor, with this many.
    #[arg(long, value_name = "N", requires = "guest",
          value_parser = clap::value_parser!(u32).range(2..=8))]
    cpus: Option<u32>,
    /// How many guests run at a time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Measures the longest stretch with interrupts off that each test in QEMU meets, and
    /// nothing else.
    #[arg(long, conflicts_with_all = ["host", "nightly"])]
    irqs_off: bool,
    /// Puts the table of `--irqs-off` into docs/benchmarks.md.
    #[arg(long, requires = "irqs_off")]
    accept: bool,
    /// The long form of the random tests, and nothing else: about half an hour.
    #[arg(long, conflicts_with_all = ["host", "guest", "names"])]
    nightly: bool,
    /// Where the random numbers of the long form begin; else each day begins elsewhere.
    #[arg(long, value_name = "N", requires = "nightly")]
    seed: Option<u64>,
    /// Shows what the tests in QEMU would be.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    filter: filter::Chosen,
}

/// How many tests passed and failed.
#[derive(Clone, Copy, Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

/// Performs the tests.
///
/// # Errors
/// Where the host lacks something or the build fails.
pub fn test(options: &Options) -> Result<ExitCode> {
    if options.nightly {
        return nightly::test(options.seed);
    }
    let cases = chosen(options);
    if cases.is_empty() {
        bail!("no test in QEMU has such a name; `cargo xtask test --list` tells all");
    }
    if options.list {
        cases.iter().for_each(|case| println!("{}", case.name));
        return Ok(ExitCode::SUCCESS);
    }
    if options.irqs_off {
        return stretch::test(cases, options.jobs.max(1), options.accept);
    }
    let mut tally = Tally::default();
    if !options.guest && options.names.is_empty() {
        tally.add(host_tests()?);
    }
    if !options.host {
        tally.add(guest_tests(cases, options.jobs.max(1))?);
    }
    Ok(tally.verdict())
}

fn chosen(options: &Options) -> Vec<Case> {
    let is_chosen = |case: &Case| {
        options.names.is_empty() || options.names.iter().any(|name| case.name.contains(name))
    };
    let cases = guest_tests::cases().into_iter().filter(is_chosen);
    let setting = options.filter.setting();
    let filtered = |mut case: Case| {
        case.settings.extend(setting.clone());
        case
    };
    match options.cpus {
        Some(cpus) => cases.filter_map(|case| case.moved_to(cpus)).map(filtered).collect(),
        None => cases.map(filtered).collect(),
    }
}

/// Runs `cargo test` over the workspace and counts its tests.
fn host_tests() -> Result<Tally> {
    eprintln!("test: on the host");
    let mut child = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace::root())
        .args(["test", "--workspace", "--no-fail-fast"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo can't be started")?;
    let stdout = child.stdout.take().context("cargo's stdout is a pipe")?;
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        tally.add(Tally::of_summary(&line).unwrap_or_default());
        // Binaries without tests say nothing worth reading.
        if !line.is_empty() && line != "running 0 tests" && !line.contains(" 0 passed; 0 failed") {
            println!("{line}");
        }
    }
    if !child.wait()?.success() && tally.failed == 0 {
        println!("test on the host ... FAILED (cargo test did not succeed)");
        tally.failed = 1;
    }
    Ok(tally)
}

/// Runs the cases in QEMU, several at a time.
fn guest_tests(cases: Vec<Case>, jobs: usize) -> Result<Tally> {
    provide(&cases)?;
    let system = System::build(Purpose::Test)?;
    let ending = match cases.iter().any(|case| case.kernel == Kernel::Ending) {
        true => system.clone().with_kernel(build::special_kernel(Special::Ending)?),
        false => system.clone(),
    };
    eprintln!("test: in QEMU, {} tests", cases.len());
    let tally = Mutex::new(Tally::default());
    for_each(cases, jobs, |case| {
        let started = Instant::now();
        let system = match case.kernel {
            Kernel::Usual => &system,
            Kernel::Ending => &ending,
        };
        let outcome = case::perform(system, &case);
        let mut tally = lock(&tally);
        report(&case, &outcome, started);
        tally.add(Tally::one(outcome.is_ok()));
    });
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Does something with each case, several at a time.
fn for_each(cases: Vec<Case>, jobs: usize, act: impl Fn(Case) + Sync) {
    let waiting = Mutex::new(VecDeque::from(cases));
    let next = || lock(&waiting).pop_front();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(case) = next() {
                    act(case);
                }
            });
        }
    });
}

fn provide(cases: &[Case]) -> Result<()> {
    let has = |way| cases.iter().any(|case| case.way == way);
    let mut needs = vec![host::RUN];
    if has(Way::Bios) || has(Way::Uefi) {
        needs.push(host::ISO);
    }
    if has(Way::Uefi) {
        needs.push(host::UEFI);
    }
    if cases.iter().any(|case| matches!(case.action, Action::Debugger { .. })) {
        needs.push(host::GDB);
    }
    host::provide(&needs)?;
    // One after the other, before several tests at a time want them.
    for Packaged { package, file, .. } in cases.iter().flat_map(|case| &case.packaged) {
        packages::file(package, file)?;
    }
    for Built { recipe, .. } in cases.iter().flat_map(|case| &case.built) {
        recipes::executable(*recipe)?;
    }
    Ok(())
}

fn report(case: &Case, outcome: &Result<String>, started: Instant) {
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!("test {} ... {verdict} ({:.1} s)", case.name, started.elapsed().as_secs_f32());
    match outcome {
        Ok(figures) => figures.lines().for_each(|line| println!("    {}", line.escape_debug())),
        Err(error) => {
            format!("{error:#}").lines().for_each(|line| terminal::say(&format!("    {line}")));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic in one test must not stop the others.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    fn one(passed: bool) -> Tally {
        Tally { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Tells the sum; returns our exit status.
    fn verdict(self) -> ExitCode {
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Returns what a line of `cargo test` says, where it is a summary:
    /// "test result: ok. 13 passed; 0 failed; …".
    fn of_summary(line: &str) -> Option<Tally> {
        let rest = line.strip_prefix("test result: ")?;
        let mut words = rest.split_whitespace().skip(1);
        let passed = words.next()?.parse().ok()?;
        let failed = words.nth(1)?.parse().ok()?;
        Some(Tally { passed, failed })
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn cargos_summary_is_understood() {
        let line =
            "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        let tally = Tally::of_summary(line).unwrap();
        assert_eq!((tally.passed, tally.failed), (12, 3));
        assert!(Tally::of_summary("test result ok").is_none());
        assert!(Tally::of_summary("test a::b ... ok").is_none());
    }
}
