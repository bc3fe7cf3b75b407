//! `cargo xtask debug`: gdb on the kernel or on one program of a guest.
//!
//! ```text
//!   QEMU -S ── gdbstub on a Unix socket ── gdb: symbols of NAME's ELF file, script.rs' commands
//!     └─ console's output: ours
//! ```
//!
//! All native programs lie at the same addresses. What tells them apart is the address space, cr3,
//! which the script learns at the program's first instruction (script.rs).

use crate::build::Purpose;
use crate::guest::backtrace::Executables;
use crate::guest::{Event, Firmware, Plan, Session, log::Live};
use crate::host;
use crate::image::{Extras, Start, System};
use crate::qemu::{self, Accelerator, Machine, Medium};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, atomic::AtomicBool};
use std::thread;
use std::time::{Duration, Instant};

mod script;

/// How long QEMU may take to listen for gdb.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to debug, and how.
#[derive(Args)]
pub struct Options {
    /// What to debug: `kernel`, `init`, or a server or native program by its name in the log.
    #[arg(default_value = "kernel", value_name = "NAME")]
    name: String,
    #[command(flatten)]
    image: Extras,
    #[command(flatten)]
    machine: Machine,
    /// Has gdb do this once the program has come to its main, then end; may be repeated.
    #[arg(long = "do", value_name = "COMMAND")]
    commands: Vec<String>,
    /// Program to run in place of a shell, and its arguments; nobody types anything.
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// What gdb looks at.
pub struct Target<'a> {
    /// The system's programs.
    pub system: &'a System,
    /// What is debugged: its name in the log.
    pub name: &'a str,
    /// The machine.
    pub machine: &'a Machine,
    /// The boot package.
    pub package: &'a [u8],
}

/// Who commands gdb.
pub enum Commander<'a> {
    /// The person at the terminal.
    Person,
    /// These commands, after which it ends.
    Commands(&'a [String]),
}

/// What gdb said, where commands were given, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// Its output.
    pub output: Vec<u8>,
    /// Its errors.
    pub errors: Vec<u8>,
    /// Whether it came to the end of all it was told.
    pub is_success: bool,
}

/// Performs `cargo xtask debug`; the status is 1 where gdb failed.
///
/// # Errors
/// Where the host lacks something, the build fails, or there is no such program.
pub fn debug(options: &Options) -> Result<ExitCode> {
    host::provide(&[host::RUN, host::GDB])?;
    let system = System::build(Purpose::System)?;
    let start = match options.program.is_empty() {
        true => Start::interactive(None),
        false => Start::program(options.program.clone(), None),
    };
    let package = system.package(&options.image, &start)?;
    let (name, machine) = (options.name.as_str(), &options.machine);
    let target = Target { system: &system, name, machine, package: &package };
    // Ctrl-C is gdb's, which stops the guest by it.
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::new(AtomicBool::new(false)))?;
    let commander = match &options.commands[..] {
        [] => Commander::Person,
        commands => Commander::Commands(commands),
    };
    let told = attach(&target, &commander, None)?;
    print!("{}", String::from_utf8_lossy(&told.output));
    eprint!("{}", String::from_utf8_lossy(&told.errors));
    Ok(if told.is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Boots a guest, has gdb look at it, and returns what came of it.
///
/// # Errors
/// Where there is no such program, or QEMU or gdb can't be started.
pub fn attach(
    target: &Target<'_>,
    commander: &Commander<'_>,
    limit: Option<Duration>,
) -> Result<Told> {
    let executables = target.system.executables();
    let executable = find(&executables, target.name)?.to_owned();
    let session = Session::new()?;
    let (package, socket) = (session.folder().join("package"), session.folder().join("gdb"));
    let script = session.folder().join("script");
    fs::write(&package, target.package)?;
    let main = script::main(target.system.source(&executable).unwrap_or_default())?;
    let mut text = script::of(target.name, &executable, &main, &socket)?;
    if let Commander::Commands(commands) = commander {
        text += &script::commands(commands);
    }
    fs::write(&script, text)?;
    let kernel = target.system.kernel();
    let medium = Medium::Direct { kernel: &kernel, package: &package };
    let log = session.log_socket();
    // Under KVM breakpoints would be written into memory that is not there yet.
    let mut qemu = qemu::command(target.machine, Accelerator::Tcg, medium, &log);
    qemu::wait_for_gdb(&mut qemu, &socket);
    // A group of its own: Ctrl-C must not reach it.
    qemu.process_group(0);
    let gdb = gdb(&executable, &script, commander);
    let sender = session.sender();
    let debugger = thread::spawn(move || {
        let outcome = run(gdb, &socket);
        let _ = sender.send(Event::Leave);
        outcome
    });
    let plan = Plan {
        output: match commander {
            Commander::Person => Box::new(std::io::stdout()),
            Commander::Commands(_) => Box::new(std::io::sink()),
        },
        // Nobody types: the console is open, and silent.
        on_ready: Box::new(|console, _| {
            thread::spawn(move || {
                let _console = console;
                thread::park();
            });
        }),
        limit,
        start_limit: None,
        firmware: Firmware::Silent,
        live: Live::Backtraces,
        executables,
    };
    session.run(qemu, plan)?;
    match debugger.join() {
        Ok(outcome) => outcome,
        Err(_) => bail!("the thread of gdb has ended"),
    }
}

/// Returns the executable of a program.
fn find<'a>(executables: &'a Executables, name: &str) -> Result<&'a Path> {
    executables.find(name).with_context(|| {
        let names: Vec<&str> = executables.names().collect();
        format!("no program is called `{name}`; there are {}", names.join(", "))
    })
}

/// Returns gdb's command line.
fn gdb(executable: &Path, script: &Path, commander: &Commander<'_>) -> Command {
    let mut gdb = Command::new("gdb");
    // Nothing of the person's own configuration: the script is all that is relied on.
    gdb.args(["-quiet", "-nx"]);
    gdb.arg("-x").arg(script);
    match commander {
        Commander::Person => {}
        Commander::Commands(_) => {
            gdb.arg("-batch");
            gdb.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        }
    }
    gdb.arg(executable);
    gdb
}

/// Runs gdb once QEMU listens; what it says is returned where that goes to a pipe.
fn run(mut gdb: Command, socket: &Path) -> Result<Told> {
    wait_for(socket, PATIENCE)?;
    let gdb = gdb.spawn().context("gdb can't be started")?;
    let output = gdb.wait_with_output()?;
    Ok(Told { output: output.stdout, errors: output.stderr, is_success: output.status.success() })
}

/// Waits until somebody listens at a socket. That its file is there says less: it comes with the
/// name, before the listening. QEMU takes the next one when this connection is gone.
fn wait_for(socket: &Path, patience: Duration) -> Result<()> {
    let end = Instant::now() + patience;
    while let Err(error) = UnixStream::connect(socket) {
        if Instant::now() > end {
            return Err(error).context("QEMU does not listen for gdb");
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixDatagram, UnixListener};
    use tempfile::TempDir;

    fn told_by(shell: &str) -> Told {
        let folder = TempDir::new().unwrap();
        let socket = folder.path().join("gdb");
        let _listener = UnixListener::bind(&socket).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", shell]).stdout(Stdio::piped()).stderr(Stdio::piped());
        run(command, &socket).unwrap()
    }

    #[test]
    fn how_gdb_ended_is_not_lost_nor_are_its_errors_taken_for_output() {
        let told = told_by("echo said; echo wrong >&2; exit 1");
        let (output, errors) = (b"said\n".to_vec(), b"wrong\n".to_vec());
        assert_eq!(told, Told { output, errors, is_success: false });
        assert!(told_by("exit 0").is_success);
    }

    #[test]
    fn a_socket_that_has_its_name_only_is_waited_for() {
        let folder = TempDir::new().unwrap();
        let socket = folder.path().join("gdb");
        let bound = UnixDatagram::bind(&socket).unwrap();
        let error = wait_for(&socket, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.to_string(), "QEMU does not listen for gdb");
        drop(bound);
        fs::remove_file(&socket).unwrap();
        let _listener = UnixListener::bind(&socket).unwrap();
        wait_for(&socket, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_program_that_does_not_exist_is_told_with_those_that_do() {
        let executables = Executables::default().with("names", "/x/names".into());
        assert_eq!(find(&executables, "names").unwrap(), Path::new("/x/names"));
        let error = find(&executables, "nams").unwrap_err().to_string();
        assert_eq!(error, "no program is called `nams`; there are names");
    }
}
