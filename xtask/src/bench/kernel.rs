//! The kernel's rows: measured alone on the machine, with several seeds, beside its peers.

use super::draw::{self, Bars};
use super::figure::Unit;
use super::first::{self, Program, Runs};
use super::peers::{self, ROWS};
use super::results::{Measured, Results};
use crate::build::{self, Purpose, Special};
use crate::guest::log::Live;
use crate::image::System;
use crate::qemu;
use crate::test::stretch;
use anyhow::Result;

/// What the rows need of the workspace.
pub const PROGRAMS: &[&str] = &["kernel", PROGRAM];
/// The program that measures.
pub const PROGRAM: &str = "kernel-bench";

/// Measures all rows; those of no peer's table follow the others.
///
/// # Errors
/// Where the build or a boot fails.
pub fn measure(seeds: u32, results: &mut Results, missing: &mut Vec<String>) -> Result<()> {
    let system = System::build(Purpose::Only(PROGRAMS))?;
    let runs = first::runs(program(&system), seeds)?;
    let longest = irqs_off_max(&system)?;
    for row in &ROWS {
        let longest = longest.as_ref().filter(|longest| longest.name == row.name);
        match longest.cloned().or_else(|| measured(row.name, &runs)) {
            Some(row) => results.rows.push(row),
            None => missing.push(format!("{}: {}", row.name, runs.reason(row.name))),
        }
    }
    let told = runs.instructions.iter().take(1).flat_map(|told| &told.figures);
    let more = told.filter(|figure| peers::find(&figure.name).is_none());
    results.more = more.filter_map(|more| measured(&more.name, &runs)).collect();
    Ok(())
}

/// Measures instructions only, with the seed of comparisons.
///
/// # Errors
/// Where the boot fails.
pub fn instructions(system: &System) -> Result<Vec<Measured>> {
    let told = first::run(program(system), Unit::Instructions, qemu::SEED, Live::Quiet)?;
    let runs = Runs { instructions: vec![told], times: Vec::new() };
    let counted = ROWS.iter().filter_map(|row| measured(row.name, &runs));
    Ok(counted.chain(irqs_off_max(system)?).collect())
}

/// Returns the longest stretch with interrupts off in the stress, on the kernel that tells it.
fn irqs_off_max(system: &System) -> Result<Option<Measured>> {
    let system = system.clone().with_kernel(build::special_kernel(Special::Stretch)?);
    let mut met = Vec::new();
    for case in guest_tests::stresses() {
        met.extend(stretch::measure(&system, &case));
    }
    let longest = met.into_iter().max_by_key(|stretch| stretch.instructions);
    Ok(longest.map(|longest| {
        let instructions = longest.instructions as f64;
        Measured {
            name: "irqs_off_max".to_owned(),
            instructions,
            tcg_ns: None,
            peer: None,
            peer_instructions: None,
            min: instructions,
            p99: instructions,
            path: Some(longest.path),
        }
    }))
}

fn program(system: &System) -> Program<'_> {
    Program { system, name: PROGRAM, arguments: "kernel" }
}

fn measured(name: &str, runs: &Runs) -> Option<Measured> {
    let (counted, time) = runs.row(name)?;
    let peer = peers::find(name).and_then(|row| row.peer);
    Some(Measured {
        name: name.to_owned(),
        instructions: counted.median,
        tcg_ns: time,
        peer: peer.map(|peer| peer.name.to_owned()),
        peer_instructions: peer.map(|peer| peer.instructions),
        min: counted.min,
        p99: counted.p99,
        path: None,
    })
}

/// Returns the table for a person to read.
pub fn table(rows: &[Measured]) -> String {
    let mut table = format!(
        "{:<13} {:<40} {:>9} {:>8} {:>6} {:>6}  {:<12} {:>8}\n",
        "row", "operation", "instrs", "verdict", "must", "aim", "peer", "TCG ns"
    );
    for row in rows {
        let Some(known) = peers::find(&row.name) else { continue };
        let verdict = match row.instructions {
            taken if taken <= known.aim => "aim met",
            taken if taken < known.must => "met",
            _ => "NOT MET",
        };
        let peer = known
            .peer
            .map_or("-".to_owned(), |peer| format!("{} {}", peer.name, peer.instructions));
        let time = row.tcg_ns.map_or("-".to_owned(), |ns| format!("{ns:.0}"));
        table += &format!(
            "{:<13} {:<40} {:>9.1} {:>8} {:>6} {:>6}  {:<12} {:>8}\n",
            row.name, known.title, row.instructions, verdict, known.must, known.aim, peer, time
        );
        table += &row.path.as_ref().map_or(String::new(), |path| format!("{:<13} {path}\n", ""));
    }
    table
}

/// Returns the table for docs/benchmarks.md.
pub fn markdown(rows: &[Measured]) -> String {
    let mut table = "| row | operation | instructions | must | aim | peer | TCG ns |\n\
                     |---|---|--:|--:|--:|---|--:|\n"
        .to_owned();
    for row in rows {
        let Some(known) = peers::find(&row.name) else { continue };
        let peer = known.peer.map_or("".to_owned(), |p| format!("{} {}", p.name, p.instructions));
        let time = row.tcg_ns.map_or("".to_owned(), |ns| format!("{ns:.0}"));
        let (name, taken) = (&row.name, row.instructions);
        let (title, must, aim) = (known.title, known.must, known.aim);
        table +=
            &format!("| {name} | {title} | {taken:.0} | < {must} | {aim} | {peer} | {time} |\n");
    }
    table
}

/// Returns the picture of the rows beside their peers.
pub fn picture(rows: &[Measured]) -> String {
    let bars = |row: &Measured| {
        let title = peers::find(&row.name).map_or(row.name.as_str(), |known| known.title);
        let label = match &row.peer {
            Some(peer) => format!("{title} · {peer}"),
            None => title.to_owned(),
        };
        Bars { label, values: vec![Some(row.instructions), row.peer_instructions] }
    };
    let title = "Instructions for each operation, on the same emulator (fewer is better)";
    let bars: Vec<Bars> = rows.iter().map(bars).collect();
    draw::svg(title, &["Kamen", "peer (seL4 or Linux)"], &bars)
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Figure, Unit};
    use super::super::first::{Runs, Told};
    use super::{Measured, measured, table};

    fn row(median: f64) -> Measured {
        let told = |unit| {
            let name = "null".to_owned();
            let figure = Figure { name, unit, min: median, median, p99: median };
            vec![Told { figures: vec![figure], ..Told::default() }]
        };
        let (instructions, times) = (told(Unit::Instructions), told(Unit::Nanoseconds));
        measured("null", &Runs { instructions, times }).unwrap()
    }

    #[test]
    fn the_peer_stands_beside_the_row() {
        let row = row(60.0);
        assert_eq!((row.instructions, row.tcg_ns), (60.0, Some(60.0)));
        assert_eq!((row.peer.as_deref(), row.peer_instructions), (Some("seL4"), Some(89.0)));
    }

    #[test]
    fn the_table_judges_by_must_and_aim() {
        assert!(table(&[row(50.0)]).contains("aim met"));
        assert!(table(&[row(60.0)]).contains(" met") && !table(&[row(60.0)]).contains("aim met"));
        assert!(table(&[row(89.0)]).contains("NOT MET"));
    }
}
