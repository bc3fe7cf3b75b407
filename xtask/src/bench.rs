//! `cargo xtask bench`: the system's figures, as a table and as JSON.
//!
//! The guest's benchmarks print `row NAME MIN MEDIAN P99`. They run twice: with QEMU's instruction
//! clock, where a nanosecond is an instruction and the figures repeat exactly, and beside it on
//! plain TCG, where they are time.

use crate::build::Purpose;
use crate::host;
use crate::image::System;
use crate::workspace;
use anyhow::{Context, Result};
use clap::Args;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

mod boot;
mod figure;

use figure::{Figure, Unit};

/// Where the figures go.
#[derive(Args)]
pub struct Options {
    /// File for the figures.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How many times the time to the prompt is taken.
    #[arg(long, value_name = "N", default_value_t = 5)]
    boots: usize,
}

/// Programs of the image that print rows, and whose figures they are.
const PROGRAMS: [&str; 2] = ["bench", "unix-bench"];

/// What is to be reached, by the figure's name; the README tells the reasons.
const GOALS: [(&str, Unit, f64); 3] = [
    ("rt0_cross", Unit::Instructions, 600.0),
    ("prompt", Unit::Milliseconds, 1000.0),
    ("memory_at_prompt", Unit::MiB, 24.0),
];

/// Measures, prints the table and writes the file.
///
/// # Errors
/// Where the build fails or the file can't be written; a figure that can't be had is left out
/// with a message.
pub fn bench(options: &Options) -> Result<ExitCode> {
    host::provide(&[host::RUN])?;
    let system = System::build(Purpose::Test)?;
    let mut figures = sizes(&system)?;
    let mut missing = Vec::new();
    let mut take = |name: &str, taken: Result<Vec<Figure>>| match taken {
        Ok(taken) => figures.extend(taken),
        Err(error) => missing.push(format!("{name}: {error:#}")),
    };
    for program in PROGRAMS {
        for unit in [Unit::Instructions, Unit::Nanoseconds] {
            eprintln!("bench: {program}, {}", unit.name());
            take(program, boot::rows(&system, program, unit));
        }
    }
    eprintln!("bench: time to the prompt, {} times", options.boots);
    take("prompt", boot::prompt(&system, options.boots));
    eprintln!("bench: memory");
    take("memory", boot::memory(&system));
    print!("{}", figure::table(&figures, &GOALS));
    let path = options.output.clone().unwrap_or_else(|| workspace::target("bench.json"));
    fs::write(&path, figure::json(&figures)).with_context(|| path.display().to_string())?;
    eprintln!("bench: wrote {}", path.display());
    missing.iter().for_each(|fault| eprintln!("bench: no figure for {fault}"));
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn sizes(system: &System) -> Result<Vec<Figure>> {
    let package = boot::package(system)?;
    let kib = |bytes: usize| bytes as f64 / 1024.0;
    Ok(vec![
        Figure::single("kernel_size", Unit::KiB, kib(system.kernel_bytes()?.len())),
        Figure::single("package_size", Unit::KiB, kib(package.len())),
    ])
}
