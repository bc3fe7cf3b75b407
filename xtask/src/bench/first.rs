//! Boots of a benchmark that runs alone, in init's place, and what it tells in the log.
//!
//! ```text
//!   clock TICKS NS             so many ticks of the processor's clock are so many nanoseconds
//!   row NAME MIN MEDIAN P99    in ticks, which are instructions under the instruction clock
//!   missing NAME ERROR         a row that could not be measured
//! ```

use super::figure::{Figure, Unit};
use crate::guest::{Plan, Session, log::Live};
use crate::image::System;
use crate::qemu::{self, Accelerator, Board, Machine, network::Network};
use crate::run::Boot;
use anyhow::{Context, Result, bail};
use std::time::Duration;

/// Time limit of one boot.
const LIMIT: Duration = Duration::from_secs(300);

/// What a run has told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The figures, in the order of their lines.
    pub figures: Vec<Figure>,
    /// Rows that are missing, each with the reason.
    pub missing: Vec<(String, String)>,
}

/// What is booted as first task.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// Where its executable is.
    pub system: &'a System,
    /// Its name.
    pub name: &'a str,
    /// What it is to measure.
    pub arguments: &'a str,
}

/// Boots a program with a seed for QEMU, and returns what it tells; `live` is what happens to the
/// log meanwhile.
///
/// # Errors
/// Where the guest does not end by itself, or tells no row.
pub fn run(program: Program, unit: Unit, seed: u32, live: Live) -> Result<Told> {
    let Program { system, name, arguments } = program;
    let package = system.first_task(name, arguments)?;
    let session = Session::new()?;
    let files = Boot::default().prepare(session.folder(), system, &package)?;
    let icount = unit == Unit::Instructions;
    let (memory_mib, accel, board) = (256, Accelerator::Tcg, Board::Microvm);
    let network = Network::default();
    let machine = Machine { memory_mib, cpus: 1, accel, icount, seed, board, network };
    let qemu = qemu::command(&machine, accel, files.medium(), &session.log_socket());
    let plan = Plan {
        output: Box::new(std::io::sink()),
        on_ready: Box::new(|_, _| {}),
        limit: Some(LIMIT),
        start_limit: None,
        firmware: Boot::default().firmware(),
        live,
        executables: system.executables_of_first_task(name),
    };
    let report = session.run(qemu, plan)?;
    let told = Told::of_log(&report.log.text(), unit)
        .with_context(|| format!("{name} tells no clock\n{}", report.log.tail()))?;
    if told.figures.is_empty() || told.missing.is_empty() && report.ending.status() != 0 {
        let why = report.ending.complaint().unwrap_or("it ends with an error");
        bail!("{name}: {why}\n{}", report.log.tail());
    }
    Ok(told)
}

/// What several boots have told, under the instruction clock and on plain TCG.
pub struct Runs {
    /// Under the instruction clock, one for each seed.
    pub instructions: Vec<Told>,
    /// On plain TCG.
    pub times: Vec<Told>,
}

/// Boots a program for each seed, under the instruction clock and on plain TCG.
///
/// # Errors
/// As for [`run`].
pub fn runs(program: Program, seeds: u32) -> Result<Runs> {
    let mut runs = Runs { instructions: Vec::new(), times: Vec::new() };
    for seed in 1..=seeds {
        eprintln!("bench: {}, instructions, seed {seed}", program.arguments);
        runs.instructions.push(run(program, Unit::Instructions, seed, Live::Rows)?);
        eprintln!("bench: {}, ticks of time, run {seed}", program.arguments);
        runs.times.push(run(program, Unit::Nanoseconds, seed, Live::Rows)?);
    }
    Ok(runs)
}

impl Runs {
    /// Returns a row over all runs: the median of medians, the least and the largest; and in time
    /// the least of medians, as other programs of the host only add to it.
    pub fn row(&self, name: &str) -> Option<(Figure, Option<f64>)> {
        let counted = over_runs(name, &self.instructions)?;
        let times = self.times.iter().map(|told| told.find(name).map(|figure| figure.median));
        let times: Option<Vec<f64>> = times.collect();
        Some((counted, times.and_then(|times| times.into_iter().min_by(f64::total_cmp))))
    }

    /// Returns why a row is missing.
    pub fn reason(&self, name: &str) -> String {
        let told = self.instructions.iter().flat_map(|told| &told.missing);
        let told = told.into_iter().find(|(missing, _)| missing == name);
        told.map_or("this kernel has no such row", |(_, error)| error).to_owned()
    }
}

fn over_runs(name: &str, runs: &[Told]) -> Option<Figure> {
    let figures: Vec<&Figure> = runs.iter().map(|told| told.find(name)).collect::<Option<_>>()?;
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

impl Told {
    /// Returns a row.
    pub fn find(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// Returns why a row is missing.
    pub fn reason(&self, name: &str) -> &str {
        let told = self.missing.iter().find(|(missing, _)| missing == name);
        told.map_or("the program has no such row", |(_, error)| error)
    }

    /// Returns what a log tells; nothing where it lacks the clock.
    pub fn of_log(log: &str, unit: Unit) -> Option<Told> {
        let mut words = log.lines().find_map(|line| line.strip_prefix("clock "))?.split(' ');
        let (ticks, ns): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let scale = match unit {
            Unit::Instructions => 1.0,
            _ if ticks > 0.0 => ns / ticks,
            _ => return None,
        };
        let mut told = Told::default();
        for line in log.lines() {
            told.figures.extend(Figure::of_row(line, unit).map(|figure| figure.scaled(scale)));
            let missing = line.strip_prefix("missing ").and_then(|rest| rest.split_once(' '));
            told.missing.extend(missing.map(|(name, why)| (name.to_owned(), why.to_owned())));
        }
        let is_missing =
            |figure: &Figure| told.missing.iter().any(|(name, _)| *name == figure.name);
        told.figures.retain(|figure| !is_missing(figure));
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Figure, Unit};
    use super::{Runs, Told};

    const LOG: &str = "noise\nclock 2000 1000\nrow null 50.00 51.00 52.00\nrow poll 8.00 8.00 8.00\n\
                       missing poll InvalidOperation\n";

    #[test]
    fn rows_are_in_ticks_or_scaled_to_time() {
        let told = Told::of_log(LOG, Unit::Instructions).unwrap();
        assert_eq!((told.figures[0].min, told.figures[0].p99), (50.0, 52.0));
        let told = Told::of_log(LOG, Unit::Nanoseconds).unwrap();
        assert_eq!((told.figures[0].min, told.figures[0].p99), (25.0, 26.0));
    }

    #[test]
    fn a_missing_row_is_none_even_where_a_figure_was_told() {
        let told = Told::of_log(LOG, Unit::Instructions).unwrap();
        assert_eq!(told.figures.len(), 1);
        assert_eq!(told.missing, [("poll".to_owned(), "InvalidOperation".to_owned())]);
    }

    #[test]
    fn without_a_clock_nothing_is_told() {
        assert_eq!(Told::of_log("row null 1.00 1.00 1.00", Unit::Nanoseconds), None);
        assert_eq!(Told::of_log("clock 0 5\n", Unit::Nanoseconds), None);
    }

    fn told(median: f64) -> Told {
        let (name, unit) = ("null".to_owned(), Unit::Instructions);
        let figure = Figure { name, unit, min: median - 1.0, median, p99: median + 1.0 };
        let missing = vec![("poll".to_owned(), "Busy".to_owned())];
        Told { figures: vec![figure], missing }
    }

    #[test]
    fn a_row_is_the_median_of_its_runs() {
        let instructions = vec![told(60.0), told(50.0), told(90.0)];
        let mut runs = Runs { instructions, times: vec![] };
        let (row, time) = runs.row("null").unwrap();
        assert_eq!((row.median, row.min, row.p99), (60.0, 49.0, 91.0));
        assert_eq!(time, None);
        runs.times = vec![told(9.0), told(7.0)];
        assert_eq!(runs.row("null").unwrap().1, Some(7.0));
    }

    #[test]
    fn a_row_that_a_run_lacks_is_missing_with_its_reason() {
        let mut runs = Runs { instructions: vec![told(1.0)], times: vec![told(7.0)] };
        assert_eq!(runs.row("poll"), None);
        assert_eq!(runs.reason("poll"), "Busy");
        assert!(runs.reason("branch").contains("no such row"));
        runs.instructions.push(Told::default());
        assert_eq!(runs.row("null"), None);
    }
}
