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
use crate::qemu::{self, Accelerator, Board, Machine};
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

/// Boots a program as first task, with a seed for QEMU, and returns what it tells; `live` is
/// what happens to the log meanwhile.
///
/// # Errors
/// Where the guest does not end by itself, or tells no row.
pub fn run(
    system: &System,
    program: &str,
    arguments: &str,
    unit: Unit,
    seed: u32,
    live: Live,
) -> Result<Told> {
    let package = system.first_task(program, arguments)?;
    let session = Session::new()?;
    let files = Boot::default().prepare(session.folder(), system, &package)?;
    let icount = unit == Unit::Instructions;
    let (memory_mib, accel, board) = (256, Accelerator::Tcg, Board::Microvm);
    let machine = Machine { memory_mib, cpus: 1, accel, icount, seed, board };
    let qemu = qemu::command(&machine, accel, files.medium(), &session.log_socket());
    let plan = Plan {
        output: Box::new(std::io::sink()),
        on_ready: Box::new(|_, _| {}),
        limit: Some(LIMIT),
        start_limit: None,
        firmware: Boot::default().firmware(),
        live,
    };
    let report = session.run(qemu, plan)?;
    let told = Told::of_log(&report.log.text(), unit)
        .with_context(|| format!("{program} tells no clock\n{}", report.log.tail()))?;
    if told.figures.is_empty() || told.missing.is_empty() && report.ending.status() != 0 {
        let why = report.ending.complaint().unwrap_or("it ends with an error");
        bail!("{program}: {why}\n{}", report.log.tail());
    }
    Ok(told)
}

impl Told {
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
            if let Some((name, error)) =
                line.strip_prefix("missing ").and_then(|rest| rest.split_once(' '))
            {
                told.missing.push((name.to_owned(), error.to_owned()));
            }
        }
        let is_missing =
            |figure: &Figure| told.missing.iter().any(|(name, _)| *name == figure.name);
        told.figures.retain(|figure| !is_missing(figure));
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::super::figure::Unit;
    use super::Told;

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
}
