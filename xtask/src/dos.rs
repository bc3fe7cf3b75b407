//! `cargo xtask dos`: a DOS program on this host's files, without QEMU.
//!
//! ```text
//!   host's streams ──┐
//!                 RealHost ── dos_machine::Session
//!   dos_session::Files ──┘ (as in the system)
//!      ├── loopback ── kamen_dos::Server      drives, sharing
//!      └── loopback ── Tree                   the host's files
//! ```

#[cfg(test)]
mod compiled;
mod foreign;
mod host;
mod terminal;
mod tree;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use dos_machine::cpu::Model;
use dos_machine::host::FileTree;
use dos_machine::{End, Session};
use dos_session::{Files, start_of};
use kamen_dos::Settings;
use kamen_kit::Arguments;
use libipc::loopback::{self, Loopback};
use libipc::{Endpoint, Handle};
use protocols::dos::{DosClient, serve_dos};
use protocols::file::{FileClient, serve_file};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a signal's number is added to, as shells have it; the session says 256 + n.
const SIGNALLED: u16 = 128;

/// A DOS program, and what it runs on.
#[derive(Args)]
pub struct Options {
    /// Directory that is drive C; otherwise the working directory.
    #[arg(long, value_name = "DIRECTORY")]
    c: Option<PathBuf>,
    /// Directory that is drive D.
    #[arg(long, value_name = "DIRECTORY")]
    d: Option<PathBuf>,
    /// Version of DOS that programs see.
    #[arg(long, default_value = "5.0", value_parser = version)]
    dos: String,
    /// Country whose dates, times and money programs see, by its number: 49 is Germany.
    #[arg(long, default_value = "1", value_parser = country)]
    country: u16,
    /// Processor.
    #[arg(long, default_value = "80386")]
    cpu: Processor,
    /// Variable of the program's environment, NAME=VALUE.
    #[arg(long, value_name = "VARIABLE")]
    env: Vec<OsString>,
    /// The program, by its path on this host, and its arguments; without it the interpreter, which
    /// is also there under the name COMMAND.COM.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

/// A processor by its name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Processor {
    #[value(name = "8086")]
    I8086,
    #[value(name = "80186")]
    I80186,
    #[value(name = "80286")]
    I80286,
    #[value(name = "80386")]
    I80386,
}

/// Performs `cargo xtask dos` and returns the program's exit status.
///
/// # Errors
/// Where the program or a drive's directory is not there.
pub fn run(options: &Options) -> Result<ExitCode> {
    let here = std::env::current_dir().context("there is no working directory")?;
    let program = options.program.first().map(program).transpose()?;
    let mut drives = vec![('C', real(options.c.as_deref().unwrap_or(&here))?)];
    if let Some(directory) = &options.d {
        drives.push(('D', real(directory)?));
    }
    if let Some(program) = program.as_ref().filter(|program| program.is_absolute())
        && !drives.iter().any(|(_, root)| program.starts_with(root))
    {
        let directory = program.parent().context("the program has no directory")?;
        drives.push(('E', directory.to_path_buf()));
    }
    let mut environment = options.env.clone();
    environment.push(OsString::from(format!("DOSVER={}", options.dos)));
    let mut argv = vec![OsString::from("dos-session")];
    argv.extend(program.map(PathBuf::into_os_string));
    argv.extend(options.program.iter().skip(1).cloned());
    let given = Arguments {
        cwd: real(&here)?.as_os_str().as_bytes().to_vec(),
        argv: argv.iter().map(|text| text.as_bytes().to_vec()).collect(),
        env: environment.iter().map(|text| text.as_bytes().to_vec()).collect(),
    };
    let end = execute(&given, &drives, options)?;
    if let End::Fault(text) = &end {
        eprintln!("dos: {text}");
    }
    Ok(ExitCode::from(exit_status(end.status())))
}

fn version(given: &str) -> Result<String> {
    ensure!(dos_session::version(given.as_bytes()).is_some(), "a version is like 5.0 or 3.30");
    Ok(given.to_owned())
}

fn country(given: &str) -> Result<u16> {
    let code = given.parse()?;
    let known = dos_machine::countries();
    ensure!(known.contains(&code), "DOS knows the countries {known:?}");
    Ok(code)
}

/// Returns the path of a program, which must be there, or the interpreter's name.
fn program(given: &OsString) -> Result<PathBuf> {
    let path = std::path::absolute(given)?;
    if !path.exists() && given.eq_ignore_ascii_case("COMMAND.COM") {
        return Ok(PathBuf::from(given));
    }
    let is_batch = path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("bat"));
    ensure!(!is_batch, "a batch file is run by COMMAND.COM /C {}", given.display());
    real(&path)
}

fn execute(given: &Arguments, drives: &[(char, PathBuf)], options: &Options) -> Result<End> {
    let mut tree = tree::Tree::default();
    let others = format!("COUNTRY {}\n", options.country).into_bytes();
    let mut server = kamen_dos::Server::new(Settings { drives: lines(drives)?, others });
    let files = Loopback::new(1, |request| serve_file(&mut tree, request));
    let dos = Loopback::new(1, |request| serve_dos(&mut server, request));
    let endpoint = Endpoint(Handle(1));
    let mut files =
        Files::new(FileClient::with(endpoint, files), Some(DosClient::with(endpoint, dos)));
    files.attach(Some(loopback::notification()));
    let mut start = start_of(given, &files.drives());
    start.model = model(options.cpu);
    files.configure(&mut start);
    Ok(Session::new(host::RealHost::new(files)?).run(&start))
}

/// Returns the drives as the DOS server lists them.
fn lines(drives: &[(char, PathBuf)]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for (letter, root) in drives {
        let path = root.as_os_str().as_bytes();
        if path.contains(&b'\n') {
            bail!("a drive's directory can't have a line end in its name");
        }
        lines.extend([*letter as u8, b' ']);
        lines.extend(path);
        lines.push(b'\n');
    }
    Ok(lines)
}

fn real(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| format!("{} is not there", path.display()))
}

fn model(processor: Processor) -> Model {
    match processor {
        Processor::I8086 => Model::I8086,
        Processor::I80186 => Model::I80186,
        Processor::I80286 => Model::I80286,
        Processor::I80386 => Model::I80386,
    }
}

/// Returns the exit status of this program for a session's.
fn exit_status(status: u16) -> u8 {
    let signal = status.checked_sub(256).map(|number| SIGNALLED + number);
    signal.unwrap_or(status).min(255) as u8
}
