//! `cargo xtask check`: all that must hold before a change lands, without QEMU.
//!
//! The manifest, format, lints of the host's and of the guest's build, documentation, import rules, and a look
//! into the machine code. All steps run, so that one round shows everything.

use crate::build::{self, Place, Program, Purpose};
use crate::{graph, workspace};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

mod floating;

/// One step: its name and what it does.
type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 7] = [
    ("manifest", manifest),
    ("format", format),
    ("lints, host", lint_host),
    ("lints, guest", lint_guest),
    ("documentation", document),
    ("imports and sources", imports),
    ("no floating point", floating_point),
];

/// Performs all steps.
///
/// # Errors
/// Never; a step that fails is reported and makes the exit status one.
pub fn check() -> Result<ExitCode> {
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        eprintln!("check: {name}");
        let started = Instant::now();
        let outcome = step();
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("check: {name:.<24} {verdict} ({:.1} s)", started.elapsed().as_secs_f32());
        if let Err(error) = outcome {
            eprintln!("check: {name}: {error:#}");
            failed.push(name);
        }
    }
    if failed.is_empty() {
        println!("check: everything holds");
        return Ok(ExitCode::SUCCESS);
    }
    println!("check: failed: {}", failed.join("; "));
    Ok(ExitCode::FAILURE)
}

/// Checks servers/system.toml, alone and with what tests append to it, as the making of every
/// image does.
fn manifest() -> Result<()> {
    let programs = build::programs()?;
    let is_at = |program: &Program, file: &str| match &program.place {
        Place::Archive(path) => file.strip_prefix('/') == Some(path),
        Place::Kernel | Place::Init => false,
    };
    let users = programs.iter().filter(|program| program.purpose == Purpose::System);
    graph::manifest(|file| users.clone().any(|program| is_at(program, file)))?;
    graph::manifest_of_tests(|file| programs.iter().any(|program| is_at(program, file))).map(drop)
}

fn format() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])
}

fn lint_host() -> Result<()> {
    cargo(&["clippy", "--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"])?;
    // What only the benchmark's kernel has in it.
    let feature = ["--package", "kamen-core", "--features", "structures"];
    cargo(&[&["clippy"], &feature[..], &["--", "-D", "warnings"]].concat())
}

/// Lints what only the guest's build compiles: `main.rs` files and modules under `cfg(kamen)`.
fn lint_guest() -> Result<()> {
    let programs = build::programs()?;
    // Without the flags that forbid SSE: they draw a warning that is no lint.
    let mut command = build::cargo("clippy", "lints", &["--cfg=kamen"]);
    build::select(&mut command, &programs.iter().collect::<Vec<&Program>>());
    command.args(["--keep-going", "--", "-D", "warnings"]);
    succeed(&mut command)
}

fn document() -> Result<()> {
    let mut command = host_cargo(&["doc", "--workspace", "--no-deps", "--keep-going"]);
    succeed(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn imports() -> Result<()> {
    cargo(&["test", "--quiet", "--package", "kamen-host-tests"])
}

fn floating_point() -> Result<()> {
    let mut findings = Vec::new();
    for program in
        build::build(Purpose::Test)?.iter().filter(|program| program.set.is_integer_only())
    {
        findings.extend(floating::find(program)?);
    }
    if findings.is_empty() {
        return Ok(());
    }
    bail!("SSE, MMX or x87 instructions:\n{}", findings.join("\n"))
}

/// Runs cargo for the host's build.
///
/// # Errors
/// Where it does not succeed.
pub fn cargo(words: &[&str]) -> Result<()> {
    succeed(&mut host_cargo(words))
}

fn host_cargo(words: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(workspace::root()).args(words);
    command
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().context("cargo can't be started")?;
    if !status.success() {
        bail!("see above");
    }
    Ok(())
}
