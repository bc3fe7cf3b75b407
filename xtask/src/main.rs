//! `cargo xtask`: builds, boots, tests and measures Kamen.
//!
//! ```text
//!   host ── what this machine must have     build ── guest programs by flag set
//!                      └──────────┬──────────────────────┘
//!                               image ── boot package, ISO
//!                                 │
//!             qemu ── command ── guest ── one booted machine: console, log, verdict
//!                                 │
//!   run, trace   debug   test   bench   check (needs build only)   manual, graph, book, dos (need nothing)
//!           └── symbols: backtraces of guest programs
//! ```
//!
//! Everything for a person to read goes to stderr; stdout belongs to the guest's program.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

mod bench;
mod book;
mod build;
mod check;
mod debug;
mod dos;
mod graph;
mod guest;
mod host;
mod image;
mod manual;
mod new_server;
mod packages;
mod qemu;
mod recipes;
mod run;
mod svg;
mod symbols;
mod test;
mod trace;
mod transcript;
mod workspace;

/// Builds, boots, tests and measures Kamen.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Boots in QEMU: to a prompt, or for one program after `--`.
    Run(run::Options),
    /// Boots, runs one program, and shows who called whom for what.
    Trace(trace::Options),
    /// Builds target/kamen.iso, which boots by BIOS and by UEFI.
    Image(image::Extras),
    /// Boots with gdb on the kernel or on one program.
    Debug(debug::Options),
    /// Checks format, lints, documentation, imports and machine code.
    Check,
    /// Runs every test, on the host and in QEMU.
    Test(test::Options),
    /// Makes a server: protocol, logic, tests, client, and their places in the system.
    NewServer(new_server::Options),
    /// Writes docs/kernel.md, the manual of the kernel's system calls.
    Manual,
    /// Draws servers/system.toml as docs/system.svg: programs, their resources, who calls whom.
    Graph(graph::Options),
    /// Builds docs/tutorial, the tutorial, as a website in target/book (needs mdbook).
    Book,
    /// Runs a DOS program on this host's files, without QEMU.
    Dos(dos::Options),
    /// Measures the system, in instructions and in time.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let outcome = perform(Arguments::parse().task);
    guest::terminal::restore();
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::from(guest::status::FAILURE)
    })
}

fn perform(task: Task) -> Result<ExitCode> {
    match task {
        Task::Run(options) => run::run(&options),
        Task::Trace(options) => trace::trace(&options),
        Task::Image(options) => image::write_iso(&options).map(|()| ExitCode::SUCCESS),
        Task::Debug(options) => debug::debug(&options),
        Task::Check => check::check(),
        Task::Test(options) => test::test(&options),
        Task::NewServer(options) => new_server::make(&options),
        Task::Manual => manual::write(),
        Task::Graph(options) => graph::write(&options),
        Task::Book => book::build(),
        Task::Dos(options) => dos::run(&options),
        Task::Bench(options) => bench::bench(&options),
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
