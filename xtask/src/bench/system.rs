//! The system's figures: programs in it, its sizes, time and memory at the prompt.

use super::boot;
use super::figure::{self, Figure, Unit};
use crate::build::Purpose;
use crate::image::System;
use anyhow::Result;

/// Programs of the image that print rows, and whose figures they are.
const PROGRAMS: [&str; 1] = ["bench"];

/// What is to be reached, by the figure's name; the README tells the reasons.
const GOALS: [(&str, Unit, f64); 4] = [
    ("restart_clock", Unit::Instructions, 2_000_000.0),
    ("serve_rt0", Unit::Instructions, 600.0),
    ("prompt", Unit::Milliseconds, 1000.0),
    ("memory_at_prompt", Unit::MiB, 24.0),
];

/// Measures everything; what can't be had goes to `missing`.
///
/// # Errors
/// Where the system's files can't be read.
pub fn measure(system: &System, boots: usize, missing: &mut Vec<String>) -> Result<Vec<Figure>> {
    let mut figures = sizes(system)?;
    let mut take = |name: &str, taken: Result<Vec<Figure>>| match taken {
        Ok(taken) => figures.extend(taken),
        Err(error) => missing.push(format!("{name}: {error:#}")),
    };
    for program in PROGRAMS {
        for unit in [Unit::Instructions, Unit::Nanoseconds] {
            eprintln!("bench: {program}, {}", unit.name());
            take(program, boot::rows(system, &[program], unit));
        }
    }
    eprintln!("bench: a server's restart");
    // Only a test's program may restart servers, and only the tests' manifest has it.
    let tests = System::build(Purpose::Test)?;
    for unit in [Unit::Instructions, Unit::Nanoseconds] {
        take("restart", boot::rows(&tests, &["survivor", "latency"], unit));
    }
    eprintln!("bench: time to the prompt, {boots} times");
    take("prompt", boot::prompt(system, boots));
    eprintln!("bench: memory");
    take("memory", boot::memory(system));
    Ok(figures)
}

/// Returns the table for a person to read.
pub fn table(figures: &[Figure]) -> String {
    figure::table(figures, &GOALS)
}

fn sizes(system: &System) -> Result<Vec<Figure>> {
    let package = boot::package(system)?;
    let kib = |bytes: usize| bytes as f64 / 1024.0;
    Ok(vec![
        Figure::single("kernel_size", Unit::KiB, kib(system.kernel_bytes()?.len())),
        Figure::single("package_size", Unit::KiB, kib(package.len())),
    ])
}
