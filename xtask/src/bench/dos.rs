//! The rows of DOS programs: the machine's processor on this host and inside Kamen, beside its peers.
//!
//! ```text
//!   cargo run --release … --example speed ─► row SIEVE.COM BEST MEDIAN INSTRUCTIONS    the host
//!   /dos/SIEVE.COM, booted ─► two lines HHMMSScc, before and after                     Kamen
//! ```
//! Both execute the same .COM programs (`personalities/dos/samples/src/speed.rs`). On the host time is
//! the thread's own, inside Kamen it is instructions under QEMU's instruction clock, for each of the DOS
//! program's instructions, and nanoseconds on plain TCG.
//!
//! Peers were measured once, by programs of the same kind, on a host of the same kind, in
//! processor time: emu2, 8086tiny, and DOSBox with its interpreter and with its translator.

use super::boot;
use super::figure::Unit;
use crate::image::System;
use crate::workspace;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::process::{Command, Stdio};

/// The peers, in the order of each row's figures.
const PEERS: [&str; 4] = ["emu2", "8086tiny", "DOSBox", "DOSBox dynamic"];

/// What a row is.
struct Kind {
    /// Its program, which is its name.
    program: &'static str,
    title: &'static str,
    unit: &'static str,
    /// What the best must reach.
    must: f64,
    /// What the peers reach.
    peers: [f64; 4],
}

const ROWS: [Kind; 4] = [
    kind("SIEVE.COM", "sieve", "MIPS", 200.0, [163.0, 82.0, 180.0, 396.0]),
    kind("ALULOOP.COM", "arithmetic on registers", "MIPS", 200.0, [177.0, 76.0, 104.0, 267.0]),
    kind("CALLS.COM", "calls, MUL, DIV", "MIPS", 200.0, [207.0, 99.0, 149.0, 425.0]),
    kind("MOVES.COM", "REP MOVSW", "MB/s", 1000.0, [398.0, 1289.0, 841.0, 891.0]),
];

const fn kind(
    program: &'static str,
    title: &'static str,
    unit: &'static str,
    must: f64,
    peers: [f64; 4],
) -> Kind {
    Kind { program, title, unit, must, peers }
}

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DosRow {
    /// Its program.
    pub name: String,
    /// What the figures of the host are in.
    pub unit: String,
    /// The best run's rate on the host.
    pub best: f64,
    /// The middle one's.
    pub median: f64,
    /// How many instructions the program executes, a repeated one counted once.
    pub instructions: f64,
    /// Inside Kamen: instructions of the emulated machine for each of the program's.
    pub kamen_cost: Option<f64>,
    /// Inside Kamen on plain TCG: nanoseconds for each of the program's instructions.
    pub kamen_tcg_ns: Option<f64>,
}

impl DosRow {
    /// Returns the figures, to be rounded.
    pub fn figures(&mut self) -> impl Iterator<Item = &mut f64> {
        let kamen = self.kamen_cost.iter_mut().chain(&mut self.kamen_tcg_ns);
        [&mut self.best, &mut self.median].into_iter().chain(kamen)
    }

    /// Reads a line of the program that measures on the host.
    fn of_line(line: &str) -> Option<DosRow> {
        let mut words = line.strip_prefix("row ")?.split_whitespace();
        let kind = ROWS.iter().find(|kind| Some(kind.program) == words.clone().next())?;
        let name = words.next()?.to_owned();
        let values: Vec<f64> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
        let [best, median, instructions] = values[..] else { return None };
        let unit = kind.unit.to_owned();
        Some(DosRow { name, unit, best, median, instructions, ..DosRow::default() })
    }
}

/// Measures all rows on the host, and inside Kamen; what can't be had goes to `missing`.
///
/// # Errors
/// Where the host's program can't be built or tells other rows than it should.
pub fn measure(
    system: impl FnOnce() -> Result<System>,
    missing: &mut Vec<String>,
) -> Result<Vec<DosRow>> {
    let mut rows = on_host()?;
    match system() {
        Ok(system) => rows.iter_mut().for_each(|row| inside(&system, row, missing)),
        Err(error) => missing.push(format!("Kamen: {error:#}")),
    }
    Ok(rows)
}

fn on_host() -> Result<Vec<DosRow>> {
    eprintln!("bench: the DOS machine's processor on this host");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace::root())
        .args(["run", "--quiet", "--release", "--package", "kamen-dos-machine"])
        .args(["--example", "speed"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo can't be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rows: Vec<DosRow> = text.lines().filter_map(DosRow::of_line).collect();
    if !output.status.success() || rows.len() != ROWS.len() {
        bail!("the example `speed` told {} rows of {}: {text:?}", rows.len(), ROWS.len());
    }
    Ok(rows)
}

fn inside(system: &System, row: &mut DosRow, missing: &mut Vec<String>) {
    let mut taken = |unit: Unit| {
        eprintln!("bench: {} inside Kamen, {}", row.name, unit.name());
        let output = boot::output(system, &[&format!("/dos/{}", row.name)], unit);
        let time = output.and_then(|text| elapsed_ns(&text).with_context(|| format!("{text:?}")));
        time.map(|ns| ns / row.instructions)
            .inspect_err(|error| missing.push(format!("{} inside Kamen: {error:#}", row.name)))
            .ok()
    };
    let figures = (taken(Unit::Instructions), taken(Unit::Nanoseconds));
    (row.kamen_cost, row.kamen_tcg_ns) = figures;
}

/// Returns the time between the two lines that a program prints.
fn elapsed_ns(output: &str) -> Option<f64> {
    let mut times = output.lines().filter_map(|line| hundredths(line.trim()));
    let (from, to) = (times.next()?, times.next()?);
    /// Of a day.
    const DAY: u32 = 24 * 60 * 60 * 100;
    Some(f64::from((to + DAY - from) % DAY) * 1e7)
}

/// Reads hour, minute, second and hundredth, two digits each.
fn hundredths(line: &str) -> Option<u32> {
    let is_time = line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    let part = |at: usize| line.get(at..at + 2)?.parse::<u32>().ok();
    is_time.then_some(((part(0)? * 60 + part(2)?) * 60 + part(4)?) * 100 + part(6)?)
}

/// Returns the rows with what is known of each.
fn known(rows: &[DosRow]) -> impl Iterator<Item = (&DosRow, &'static Kind)> {
    rows.iter().filter_map(|row| Some((row, ROWS.iter().find(|kind| kind.program == row.name)?)))
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.1}"))
}

/// Returns the table for a person to read.
pub fn table(rows: &[DosRow]) -> String {
    let mut table =
        format!("{:<12} {:>5} {:>8} {:>8}  {:<14}", "row", "", "best", "median", "must");
    PEERS.iter().for_each(|peer| table += &format!(" {peer:>14}"));
    table += &format!(" {:>12} {:>12}\n", "Kamen instrs", "Kamen TCG ns");
    for (row, kind) in known(rows) {
        let verdict = if row.best >= kind.must { "met" } else { "NOT MET" };
        let must = format!("{:.0} {verdict}", kind.must);
        table += &format!(
            "{:<12} {:>5} {:>8.0} {:>8.0}  {must:<14}",
            row.name, row.unit, row.best, row.median
        );
        kind.peers.iter().for_each(|rate| table += &format!(" {rate:>14.0}"));
        let (cost, time) = (number(row.kamen_cost), number(row.kamen_tcg_ns));
        table += &format!(" {cost:>12} {time:>12}\n");
    }
    table
}

/// Returns the table for docs/benchmarks.md.
pub fn markdown(rows: &[DosRow]) -> String {
    let mut table = format!("| row | work | unit | best | must | {} |", PEERS.join(" | "));
    table += " Kamen: instructions for each | Kamen: TCG ns for each |\n";
    table += "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for (row, kind) in known(rows) {
        let peers = kind.peers.map(|rate| format!("{rate:.0}")).join(" | ");
        table += &format!(
            "| {} | {} | {} | {:.0} | {:.0} | {peers} | {} | {} |\n",
            row.name,
            kind.title,
            row.unit,
            row.best,
            kind.must,
            number(row.kamen_cost),
            number(row.kamen_tcg_ns)
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{DosRow, elapsed_ns, markdown, table};

    #[test]
    fn rows_of_the_host_are_read_and_judged() {
        let row = DosRow::of_line("row SIEVE.COM 199.0 150.5 31000000").unwrap();
        assert_eq!((row.unit.as_str(), row.median, row.kamen_cost), ("MIPS", 150.5, None));
        assert!(table(std::slice::from_ref(&row)).contains("200 NOT MET"));
        let better = DosRow { best: 200.0, kamen_cost: Some(12.34), ..row };
        assert!(table(std::slice::from_ref(&better)).contains("200 met"));
        assert!(markdown(&[better]).contains("| 200 | 200 | 163 | 82 | 180 | 396 | 12.3 | - |"));
        for line in ["SIEVE.COM 1 2 3", "row OTHER.COM 1 2 3", "row SIEVE.COM 1 2"] {
            assert_eq!(DosRow::of_line(line), None, "{line}");
        }
    }

    #[test]
    fn the_time_between_two_lines_passes_midnight() {
        assert_eq!(elapsed_ns("12595999\r\n13000001\r\n"), Some(2e7));
        assert_eq!(elapsed_ns("23595999\r\n00000000\r\n"), Some(1e7));
        assert_eq!(elapsed_ns("12595999\r\n"), None);
        assert_eq!(elapsed_ns("1259599x\r\n1259599\r\n"), None);
    }
}
