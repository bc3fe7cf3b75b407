//! `cargo xtask bench`: the kernel's and the system's figures, as tables, JSON and pictures.
//!
//! ```text
//!   kernel, structures   first::runs(kernel-bench) ─┐             ┌─ table on stdout
//!   system               boot::{rows, prompt, …} ───┼─> Results ──┼─ JSON
//!   unix                 boot::output, linux ───────┤             │
//!   dos                  example speed, boot::output┤             │
//!                        peers ─────────────────────┘      │      ├─ pictures
//!                                                          │      └─ comparison with the
//!                                                          │         committed ones
//!                                              tests/bench/results.json
//! ```
//! Everything runs with QEMU's instruction clock, where figures repeat exactly, and beside it on
//! plain TCG, where they are time. docs/benchmarks.md tells what each row is.

use crate::build::Purpose;
use crate::host;
use crate::image::System;
use crate::workspace;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod boot;
mod dos;
mod draw;
mod figure;
mod first;
mod kernel;
mod linux;
pub mod page;
mod peers;
mod results;
mod structures;
mod system;
mod unix;

use results::{Measured, Results};

/// What to measure, and where the figures go.
#[derive(Args)]
pub struct Options {
    /// What to measure; everything where nothing is named.
    #[arg(value_enum, value_name = "GROUP")]
    groups: Vec<Group>,
    /// File for the figures.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Makes the figures the committed ones, which later runs are compared with.
    #[arg(long)]
    accept: bool,
    /// How many seeds of QEMU's the kernel's rows are measured with.
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    seeds: u32,
    /// How many times the time to the prompt is taken.
    #[arg(long, value_name = "N", default_value_t = 5)]
    boots: usize,
    /// The rows of the group unix that are counted, here and in instructions only: a quick look.
    #[arg(long, value_name = "ROW", value_delimiter = ',')]
    rows: Vec<String>,
}

/// A group of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Group {
    /// The kernel's operations, beside its peers'.
    Kernel,
    /// One service in five structures.
    Structures,
    /// The system's figures: programs, time to the prompt, memory.
    System,
    /// A Linux program's calls, here and on Linux.
    Unix,
    /// The DOS machine's processor, on the host and inside Kamen.
    Dos,
}

/// Measures, prints the tables and writes the file.
///
/// # Errors
/// Where the build fails or the file can't be written; a figure that can't be had is left out
/// with a message.
pub fn bench(options: &Options) -> Result<ExitCode> {
    host::provide(&[host::RUN])?;
    if !options.rows.is_empty() {
        let system = System::build(Purpose::Measure)?;
        print!("{}", unix::glance(&system, &options.rows, &Results::committed()?.unix)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut results = Results::default();
    let mut missing = Vec::new();
    if options.wants(Group::Kernel) {
        kernel::measure(options.seeds, &mut results, &mut missing)?;
        print!("{}", kernel::table(&results.rows));
    }
    if options.wants(Group::Structures) {
        results.structures = structures::measure(options.seeds, &mut missing)?;
        print!("{}", structures::table(&results.structures));
    }
    if options.wants(Group::System) {
        let system = System::build(Purpose::Measure)?;
        results.system = system::measure(&system, options.boots, &mut missing)?;
        print!("{}", system::table(&results.system));
    }
    if options.wants(Group::Unix) {
        let system = System::build(Purpose::Measure)?;
        let committed = Results::committed()?.unix;
        results.unix = unix::measure(&system, &committed, &mut missing)?;
        print!("{}", unix::table(&results.unix));
    }
    if options.wants(Group::Dos) {
        results.dos = dos::measure(|| System::build(Purpose::Measure), &mut missing)?;
        print!("{}", dos::table(&results.dos));
    }
    let path = options.json.clone().unwrap_or_else(|| workspace::target("bench.json"));
    fs::write(&path, results.to_json()).with_context(|| path.display().to_string())?;
    eprintln!("bench: wrote {}", path.display());
    draw(&results, &workspace::target(""))?;
    compare(&results, options.accept)?;
    missing.iter().for_each(|fault| eprintln!("bench: missing: {fault}"));
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures the kernel's instructions and compares them with the committed results.
///
/// # Errors
/// A row that takes over 3 % more, or that is missing; and how to accept that.
pub fn check(system: &System) -> Result<()> {
    let rows = kernel::instructions(system)?;
    let complaints = Results::committed()?.complaints(&rows);
    if complaints.is_empty() { Ok(()) } else { bail!("{}", complaints.join("\n")) }
}

/// Tells what has become slower than the committed figures, or commits the new ones.
fn compare(results: &Results, accept: bool) -> Result<()> {
    let committed = Results::committed()?;
    if !results.rows.is_empty() {
        let complaints = committed.complaints(&results.rows);
        complaints.iter().for_each(|line| eprintln!("bench: {line}"));
    }
    if accept {
        let path = Results::path();
        fs::write(&path, committed.updated(results).to_json())?;
        let docs = workspace::root().join("docs");
        draw(results, &docs)?;
        page::update(&docs.join("benchmarks.md"), results)?;
        eprintln!("bench: accepted; commit {} and docs", path.display());
    }
    Ok(())
}

/// Draws what was measured into a folder.
fn draw(results: &Results, folder: &Path) -> Result<()> {
    let pictures = [
        ("bench.svg", &results.rows, kernel::picture as fn(&[Measured]) -> String),
        ("structures.svg", &results.structures, structures::picture),
    ];
    for (name, rows, picture) in pictures {
        if !rows.is_empty() {
            write(&folder.join(name), &picture(rows))?;
        }
    }
    if !results.unix.is_empty() {
        write(&folder.join("unix.svg"), &unix::picture(&results.unix))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

impl Options {
    fn wants(&self, group: Group) -> bool {
        self.groups.is_empty() || self.groups.contains(&group)
    }
}
