//! The kernel's rows: measured alone on the machine, with several seeds, beside its peers.

use super::figure::{Figure, Unit};
use super::first::{self, Told};
use super::peers::{self, ROWS};
use super::results::{Measured, Results};
use crate::build::Purpose;
use crate::guest::log::Live;
use crate::image::System;
use crate::qemu;
use anyhow::Result;

/// What the rows need of the workspace.
const PROGRAM: &str = "kernel-bench";
const PROGRAMS: &[&str] = &["kernel", PROGRAM];

/// Measures all rows; those of no peer's table follow the others.
///
/// # Errors
/// Where the build or a boot fails.
pub fn measure(seeds: u32, results: &mut Results, missing: &mut Vec<String>) -> Result<()> {
    let system = System::build(Purpose::Only(PROGRAMS))?;
    let (mut instructions, mut times) = (Vec::new(), Vec::new());
    for seed in 1..=seeds {
        eprintln!("bench: kernel, instructions, seed {seed}");
        let (unit, live) = (Unit::Instructions, Live::Rows);
        instructions.push(first::run(&system, PROGRAM, "kernel", unit, seed, live)?);
        eprintln!("bench: kernel, ticks of time, run {seed}");
        times.push(first::run(&system, PROGRAM, "kernel", Unit::Nanoseconds, seed, live)?);
    }
    let first = instructions.first().map(|told| told.figures.as_slice()).unwrap_or_default();
    let is_more = |figure: &&Figure| peers::find(&figure.name).is_none();
    let names = ROWS.iter().map(|row| row.name);
    for name in names {
        match measured(name, &instructions, &times) {
            Some(row) => results.rows.push(row),
            None => missing.push(format!("{name}: {}", reason(name, &instructions))),
        }
    }
    let more = first.iter().filter(is_more);
    results.more = more.filter_map(|more| measured(&more.name, &instructions, &times)).collect();
    Ok(())
}

/// Measures instructions only, with the seed of comparisons.
///
/// # Errors
/// Where the boot fails.
pub fn instructions(system: &System) -> Result<Vec<Measured>> {
    let told = first::run(system, PROGRAM, "kernel", Unit::Instructions, qemu::SEED, Live::Quiet)?;
    let told = [told];
    Ok(ROWS.iter().filter_map(|row| measured(row.name, &told, &[])).collect())
}

/// Returns a row over all runs: the median of medians, the least and the largest.
fn measured(name: &str, instructions: &[Told], times: &[Told]) -> Option<Measured> {
    let counted = over_runs(name, instructions)?;
    let peer = peers::find(name).and_then(|row| row.peer);
    Some(Measured {
        name: name.to_owned(),
        instructions: counted.median,
        tcg_ns: over_runs(name, times).map(|time| time.median),
        peer: peer.map(|peer| peer.name.to_owned()),
        peer_instructions: peer.map(|peer| peer.instructions),
        min: counted.min,
        p99: counted.p99,
    })
}

fn over_runs(name: &str, runs: &[Told]) -> Option<Figure> {
    let of_run = |told: &Told| told.figures.iter().find(|figure| figure.name == name).cloned();
    let figures: Vec<Figure> = runs.iter().map(of_run).collect::<Option<_>>()?;
    let mut medians: Vec<f64> = figures.iter().map(|figure| figure.median).collect();
    medians.sort_by(f64::total_cmp);
    let unit = figures.first()?.unit;
    Some(Figure {
        name: name.to_owned(),
        unit,
        min: figures.iter().map(|figure| figure.min).fold(f64::INFINITY, f64::min),
        median: medians[(medians.len() - 1) / 2],
        p99: figures.iter().map(|figure| figure.p99).fold(0.0, f64::max),
    })
}

fn reason(name: &str, runs: &[Told]) -> String {
    let told = runs.iter().flat_map(|told| &told.missing).find(|(missing, _)| missing == name);
    told.map_or("this kernel has no such row", |(_, error)| error).to_owned()
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
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{Figure, Told, Unit};
    use super::{measured, reason, table};

    fn told(median: f64) -> Told {
        let (name, unit) = ("null".to_owned(), Unit::Instructions);
        let figure = Figure { name, unit, min: median - 1.0, median, p99: median + 1.0 };
        let missing = vec![("poll".to_owned(), "Busy".to_owned())];
        Told { figures: vec![figure], missing }
    }

    #[test]
    fn a_row_is_the_median_of_its_runs() {
        let row = measured("null", &[told(60.0), told(50.0), told(90.0)], &[told(7.0)]).unwrap();
        assert_eq!((row.instructions, row.min, row.p99), (60.0, 49.0, 91.0));
        assert_eq!((row.tcg_ns, row.peer.as_deref()), (Some(7.0), Some("seL4")));
        assert_eq!(row.peer_instructions, Some(89.0));
    }

    #[test]
    fn a_row_that_a_run_lacks_is_missing_with_its_reason() {
        assert_eq!(measured("poll", &[told(1.0)], &[]), None);
        assert_eq!(measured("null", &[told(1.0), Told::default()], &[]), None);
        assert_eq!(reason("poll", &[told(1.0)]), "Busy");
        assert!(reason("branch", &[told(1.0)]).contains("no such row"));
    }

    #[test]
    fn the_table_judges_by_must_and_aim() {
        let judged =
            |taken| table(&measured("null", &[told(taken)], &[]).into_iter().collect::<Vec<_>>());
        assert!(judged(50.0).contains("aim met"));
        assert!(judged(60.0).contains(" met") && !judged(60.0).contains("aim met"));
        assert!(judged(89.0).contains("NOT MET"));
    }
}
