//! The rows of UNIX programs: one static program, here and on Linux, in the same emulator.

use super::boot;
use super::draw::{self, Bars};
use super::figure::Unit;
use super::first::Told;
use super::linux::{Linux, Processor};
use crate::image::System;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The program that measures, on both.
const PROGRAM: &str = "unix-bench";

/// What a row must not exceed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Must {
    /// So many instructions.
    Instructions(f64),
    /// So many times what Linux takes.
    TimesLinux(f64),
}

/// Name, what is measured, what it must not exceed; the aim of all is what Linux takes.
const ROWS: [(&str, &str, Must); 16] = [
    ("getppid", "getppid", Must::Instructions(600.0)),
    ("read", "read, 1 byte of /dev/zero", NO_MUST),
    ("write", "write, 1 byte to /dev/null", NO_MUST),
    ("open_close", "open + close", AS_LINUX),
    ("stat", "stat", AS_LINUX),
    ("pread_4k", "pread, 4 KiB", AS_LINUX),
    ("pread_64k", "pread, 64 KiB", NO_MUST),
    ("pipe_pingpong", "pipe ping-pong, two processes", Must::Instructions(8000.0)),
    ("unix_pingpong", "AF_UNIX ping-pong, two processes", Must::Instructions(10_000.0)),
    ("futex_pingpong", "futex ping-pong, two threads", NO_MUST),
    ("signal", "signal to self, handled", NO_MUST),
    ("fork_exit_wait", "fork + exit + wait", Must::Instructions(120_000.0)),
    ("fork_exec_wait", "fork + exec + wait", Must::Instructions(350_000.0)),
    ("mmap_touch_munmap", "mmap + touch + munmap, 1 page", Must::Instructions(12_000.0)),
    ("poll_16", "poll of 16 pipes", NO_MUST),
    ("read_8m", "sequential read of 8 MiB, 64 KiB at once", NO_MUST),
];

/// Close to Linux, where the issue of speed asks for that.
const AS_LINUX: Must = Must::TimesLinux(1.3);
/// Nothing is asked for but the aim.
const NO_MUST: Must = Must::TimesLinux(f64::INFINITY);

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnixRow {
    /// Its name.
    pub name: String,
    /// The median of all samples, under the instruction clock; nothing where it is missing.
    pub instructions: Option<f64>,
    /// The least of all samples, in instructions.
    pub min: Option<f64>,
    /// What 99 of 100 samples do not exceed, in instructions.
    pub p99: Option<f64>,
    /// The median in nanoseconds on plain TCG.
    pub tcg_ns: Option<f64>,
    /// Why it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// The better of Linux' two figures, in instructions.
    pub linux_instructions: Option<f64>,
    /// Linux' figure where the processor has ERMS.
    pub linux_erms: Option<f64>,
    /// Linux' figure where it has not.
    pub linux_no_erms: Option<f64>,
    /// Linux' median in nanoseconds on plain TCG, without ERMS.
    pub linux_tcg_ns: Option<f64>,
}

impl UnixRow {
    /// Returns the figures, to be rounded.
    pub fn figures(&mut self) -> impl Iterator<Item = &mut f64> {
        let own = [&mut self.instructions, &mut self.min, &mut self.p99, &mut self.tcg_ns];
        let linux = [
            &mut self.linux_instructions,
            &mut self.linux_erms,
            &mut self.linux_no_erms,
            &mut self.linux_tcg_ns,
        ];
        own.into_iter().chain(linux).flatten()
    }

    /// Returns how many times Linux' instructions it takes.
    fn ratio(&self) -> Option<f64> {
        Some(self.instructions? / self.linux_instructions?)
    }

    fn verdict(&self, must: Must) -> &'static str {
        let Some(taken) = self.instructions else { return "MISSING" };
        let most = match must {
            Must::Instructions(most) => most,
            Must::TimesLinux(times) => self.linux_instructions.map_or(f64::MAX, |one| one * times),
        };
        match must {
            _ if taken > most => "NOT MET",
            _ if self.ratio().is_some_and(|ratio| ratio <= 1.0) => "aim met",
            NO_MUST => "-",
            Must::Instructions(_) | Must::TimesLinux(_) => "met",
        }
    }
}

/// What Linux told, where it could be had.
struct Peer {
    erms: Told,
    no_erms: Told,
    times: Told,
}

/// Measures all rows here and on Linux; what can't be had goes to `missing`, and Linux' figures are
/// then the committed ones.
///
/// # Errors
/// Where a boot of Kamen fails.
pub fn measure(
    system: &System,
    committed: &[UnixRow],
    missing: &mut Vec<String>,
) -> Result<Vec<UnixRow>> {
    let counted = here(system, &[], Unit::Instructions)?;
    let times = here(system, &[], Unit::Nanoseconds)?;
    let peer = linux(system).inspect_err(|error| missing.push(format!("Linux: {error:#}"))).ok();
    let mut rows = Vec::new();
    for (name, _, _) in ROWS {
        let known = committed.iter().find(|row| row.name == name);
        let row = row(name, &counted, &times, peer.as_ref(), known);
        missing.extend(row.missing.iter().map(|why| format!("{name}: {why}")));
        rows.push(row);
    }
    Ok(rows)
}

/// Counts the instructions of some rows here, and returns them as a table beside the committed
/// figures.
///
/// # Errors
/// Where the boot fails, or a row can't be measured.
pub fn glance(system: &System, rows: &[String], committed: &[UnixRow]) -> Result<String> {
    let told = here(system, rows, Unit::Instructions)?;
    let mut table = format!("{:<18} {:>10} {:>10} {:>10}\n", "row", "committed", "now", "Linux");
    for name in rows {
        let figure = told.find(name).with_context(|| told.reason(name).to_owned())?;
        let known = committed.iter().find(|row| row.name == *name);
        let before = number(known.and_then(|row| row.instructions));
        let linux = number(known.and_then(|row| row.linux_instructions));
        table += &format!("{name:<18} {before:>10} {:>10.0} {linux:>10}\n", figure.median);
    }
    Ok(table)
}

fn here(system: &System, rows: &[String], unit: Unit) -> Result<Told> {
    eprintln!("bench: {PROGRAM}, {}", unit.name());
    let words: Vec<&str> = [PROGRAM].into_iter().chain(rows.iter().map(String::as_str)).collect();
    let output = boot::output(system, &words, unit)?;
    Told::of_log(&output, unit).with_context(|| format!("{PROGRAM} did not end: {output:?}"))
}

fn linux(system: &System) -> Result<Peer> {
    let linux = Linux::new(&system.linux_program(PROGRAM)?)?;
    let run = |processor, unit: Unit| {
        eprintln!("bench: {PROGRAM} on Linux, {processor:?}, {}", unit.name());
        linux.run(processor, unit)
    };
    Ok(Peer {
        erms: run(Processor::Max, Unit::Instructions)?,
        no_erms: run(Processor::WithoutErms, Unit::Instructions)?,
        times: run(Processor::WithoutErms, Unit::Nanoseconds)?,
    })
}

fn row(
    name: &str,
    counted: &Told,
    times: &Told,
    peer: Option<&Peer>,
    known: Option<&UnixRow>,
) -> UnixRow {
    let figure = counted.find(name);
    let median = |told: &Told| told.find(name).map(|figure| figure.median);
    let of_linux = match (peer, known) {
        (Some(peer), _) => [median(&peer.erms), median(&peer.no_erms), median(&peer.times)],
        (None, Some(known)) => [known.linux_erms, known.linux_no_erms, known.linux_tcg_ns],
        (None, None) => [None; 3],
    };
    let [linux_erms, linux_no_erms, linux_tcg_ns] = of_linux;
    UnixRow {
        name: name.to_owned(),
        instructions: figure.map(|figure| figure.median),
        min: figure.map(|figure| figure.min),
        p99: figure.map(|figure| figure.p99),
        tcg_ns: median(times),
        missing: figure.is_none().then(|| counted.reason(name).to_owned()),
        linux_instructions: linux_erms.into_iter().chain(linux_no_erms).reduce(f64::min),
        linux_erms,
        linux_no_erms,
        linux_tcg_ns,
    }
}

/// Returns the rows with what is known of each.
fn known(rows: &[UnixRow]) -> impl Iterator<Item = (&UnixRow, &'static str, Must)> {
    rows.iter().filter_map(|row| {
        let (_, title, must) = ROWS.iter().find(|(name, _, _)| *name == row.name)?;
        Some((row, *title, *must))
    })
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.0}"))
}

fn ratio(row: &UnixRow) -> String {
    row.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn asked(must: Must) -> String {
    match must {
        NO_MUST => String::new(),
        Must::Instructions(most) => format!("{most:.0}"),
        Must::TimesLinux(times) => format!("{times} × Linux"),
    }
}

/// Returns the table for a person to read.
pub fn table(rows: &[UnixRow]) -> String {
    let mut table = format!(
        "{:<18} {:>10} {:>10} {:>10} {:>8} {:>11}  {:>10} {:>10} {:>6} {:>10} {:>10}\n",
        "row",
        "min",
        "instrs",
        "p99",
        "verdict",
        "must",
        "Linux",
        "-erms",
        "ratio",
        "TCG ns",
        "Linux ns"
    );
    for (row, _, must) in known(rows) {
        table += &format!(
            "{:<18} {:>10} {:>10} {:>10} {:>8} {:>11}  {:>10} {:>10} {:>6} {:>10} {:>10}\n",
            row.name,
            number(row.min),
            number(row.instructions),
            number(row.p99),
            row.verdict(must),
            asked(must),
            number(row.linux_erms),
            number(row.linux_no_erms),
            ratio(row),
            number(row.tcg_ns),
            number(row.linux_tcg_ns)
        );
        table += &row.missing.as_ref().map_or(String::new(), |why| format!("{:<18} {why}\n", ""));
    }
    table
}

/// Returns the table for docs/benchmarks.md.
pub fn markdown(rows: &[UnixRow]) -> String {
    let mut table =
        "| row | operation | instructions | must | Linux | Linux, ERMS | ratio | TCG ns \
                     | Linux TCG ns |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for (row, title, must) in known(rows) {
        let taken = row.missing.clone().unwrap_or_else(|| number(row.instructions));
        table += &format!(
            "| {} | {title} | {taken} | {} | {} | {} | {} | {} | {} |\n",
            row.name,
            asked(must),
            number(row.linux_no_erms),
            number(row.linux_erms),
            ratio(row),
            number(row.tcg_ns),
            number(row.linux_tcg_ns)
        );
    }
    table
}

/// Returns the picture of the rows beside Linux'.
pub fn picture(rows: &[UnixRow]) -> String {
    let bars = known(rows).map(|(row, title, _)| Bars {
        label: title.to_owned(),
        values: vec![row.instructions, row.linux_instructions],
    });
    let title = "Instructions of a Linux program's calls, on the same emulator (fewer is better)";
    draw::svg(title, &["Kamen", "Linux 6.1"], &bars.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::{Told, UnixRow, markdown, row, table};
    use crate::bench::figure::Unit;

    fn told(log: &str) -> Told {
        Told::of_log(&format!("clock 1 1\n{log}"), Unit::Instructions).unwrap()
    }

    fn taken(name: &str, instructions: f64, linux: f64) -> UnixRow {
        let (instructions, linux_instructions) = (Some(instructions), Some(linux));
        UnixRow { name: name.into(), instructions, linux_instructions, ..UnixRow::default() }
    }

    #[test]
    fn rows_are_judged_by_their_number_or_by_linux() {
        let verdict = |name, taken_here, linux| {
            let table = table(&[taken(name, taken_here, linux)]);
            let verdicts = ["NOT MET", "aim met", " met", " - "];
            *verdicts.iter().find(|verdict| table.contains(**verdict)).unwrap()
        };
        assert_eq!(verdict("getppid", 500.0, 330.0), " met");
        assert_eq!(verdict("getppid", 601.0, 330.0), "NOT MET");
        assert_eq!(verdict("stat", 131.0, 100.0), "NOT MET");
        assert_eq!(verdict("stat", 129.0, 100.0), " met");
        assert_eq!(verdict("stat", 99.0, 100.0), "aim met");
        assert_eq!(verdict("fork_exit_wait", 130_000.0, 200_000.0), "NOT MET");
    }

    #[test]
    fn a_missing_row_says_why() {
        let counted = told("missing unix_pingpong socketpair: not supported\n");
        let row = row("unix_pingpong", &counted, &told(""), None, None);
        assert_eq!(row.missing.as_deref(), Some("socketpair: not supported"));
        assert!(table(std::slice::from_ref(&row)).contains("MISSING"));
        assert!(markdown(&[row]).contains("socketpair: not supported"));
    }

    #[test]
    fn without_the_peer_its_committed_figures_stand() {
        let known =
            UnixRow { linux_erms: Some(9.0), linux_no_erms: Some(7.0), ..taken("stat", 1.0, 7.0) };
        let row = row("stat", &told("row stat 5 6 7\n"), &told(""), None, Some(&known));
        assert_eq!((row.instructions, row.linux_instructions), (Some(6.0), Some(7.0)));
    }
}
