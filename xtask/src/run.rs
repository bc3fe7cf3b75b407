//! `cargo xtask run`: boots the system for a person, a script or one program.

use crate::build::Purpose;
use crate::guest::status::{Cut, Ending};
use crate::guest::{
    Event, Firmware, Plan, Report, Session, console, control, filter, log::Live, terminal,
};
use crate::host;
use crate::image::{self, Extras, Mode, Start, System};
use crate::qemu::{self, Accelerator, Machine, Medium};
use anyhow::{Result, bail};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::io::{Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ExitCode};
use std::sync::mpsc::Sender;
use std::time::Duration;

/// How long a guest may take under KVM until its log begins, firmware included.
const KVM_START_LIMIT: Duration = Duration::from_secs(20);

/// What to boot, how, and for which program.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    image: Extras,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    boot: Boot,
    /// Shell to start where no program is named: `native` or the path of one.
    #[arg(long, value_name = "SHELL")]
    shell: Option<String>,
    /// Ends the guest after so many seconds, with status 124.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Shows the system's log on stderr as it comes.
    #[arg(long)]
    debug_log: bool,
    #[command(flatten)]
    filter: filter::Chosen,
    /// Boots the image of the tests: with their programs, and what tests/guest/system.toml declares.
    #[arg(long)]
    tests: bool,
    /// Program to run in place of a shell, and its arguments.
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

impl Options {
    /// Returns the options of a run of one program.
    pub fn of_program(
        image: Extras,
        machine: Machine,
        timeout: Option<u64>,
        program: Vec<OsString>,
    ) -> Options {
        let boot = Boot::default();
        let filter = filter::Chosen::default();
        Options {
            image,
            machine,
            boot,
            shell: None,
            timeout,
            debug_log: false,
            filter,
            program,
            tests: false,
        }
    }
}

/// By which way in the system is booted.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Boot {
    /// Boots from an ISO, by GRUB, instead of QEMU's own loader.
    #[arg(long)]
    pub iso: bool,
    /// Boots the ISO by UEFI instead of BIOS.
    #[arg(long, requires = "iso")]
    pub uefi: bool,
}

/// Performs `cargo xtask run` and returns the guest's exit status.
///
/// # Errors
/// Where the host lacks something, the build fails or QEMU can't be started.
pub fn run(options: &Options) -> Result<ExitCode> {
    run_into(options, &|| Box::new(stdout()))
}

/// Where the console's output goes, for each machine that is tried.
pub type Outlet<'a> = &'a dyn Fn() -> Box<dyn Write + Send>;

/// Performs `cargo xtask run` with the console's output going elsewhere.
///
/// # Errors
/// As for [`run`].
pub fn run_into(options: &Options, output: Outlet<'_>) -> Result<ExitCode> {
    options.boot.provide(&options.machine)?;
    let purpose = if options.tests { Purpose::Test } else { Purpose::System };
    let system = System::build(purpose)?;
    let start = start(options).with_setting(options.filter.setting());
    let package = system.package(&options.image, &start)?;
    let report = boot(options, &system, &package, &start, output)?;
    terminal::restore();
    if let Some(complaint) = report.ending.complaint() {
        eprint!("{}", report.log.tail());
        eprintln!("xtask: {complaint}");
    }
    Ok(ExitCode::from(report.ending.status()))
}

/// Decides what the console is from what our own streams are.
fn start(options: &Options) -> Start {
    let size = terminal::is_interactive().then(terminal::size);
    if !options.program.is_empty() {
        return Start::program(options.program.clone(), size);
    }
    let start = match size {
        Some(_) => Start::interactive(size),
        None => Start::piped(),
    };
    start.with_shell(options.shell.clone())
}

fn boot(
    options: &Options,
    system: &System,
    package: &[u8],
    start: &Start,
    output: Outlet<'_>,
) -> Result<Report> {
    let accelerators = options.machine.accelerators();
    if options.machine.accel == Accelerator::Kvm && !qemu::kvm_is_usable() {
        bail!("this host has no KVM that runs a kernel (no VMX or SVM); take --accel auto or tcg");
    }
    for (index, accel) in accelerators.iter().enumerate() {
        let report = boot_once(options, system, package, start, (*accel, output))?;
        let is_last = index + 1 == accelerators.len();
        let is_stillborn =
            matches!(report.ending, Ending::NoVerdict | Ending::Cut(Cut::NotStarted));
        if is_last || report.log.has_started() || !is_stillborn {
            return Ok(report);
        }
        terminal::say("xtask: the guest does not start under KVM; taking TCG");
    }
    bail!("no accelerator is left to try")
}

fn boot_once(
    options: &Options,
    system: &System,
    package: &[u8],
    start: &Start,
    (accel, output): (Accelerator, Outlet<'_>),
) -> Result<Report> {
    let session = Session::new()?;
    let files = options.boot.prepare(session.folder(), system, package)?;
    let log = session.log_socket();
    let qemu = qemu::command(&options.machine, accel, files.medium(), &log);
    let sender = session.sender();
    terminal::forward_signals(sender.clone())?;
    if matches!(start.mode(), Mode::Interactive | Mode::ProgramOnTerminal) {
        if start.mode() == Mode::Interactive {
            eprintln!("xtask: press Ctrl-] to leave, Ctrl-^ to see who waits for whom");
        }
        terminal::make_raw()?;
    }
    let mode = start.mode();
    let control = control::socket(&log);
    let plan = Plan {
        output: output(),
        on_ready: Box::new(move |console, _| feed(mode, console, sender, control)),
        limit: options.timeout.map(Duration::from_secs),
        // An accelerator that can't run a kernel may hang instead of failing.
        start_limit: (accel == Accelerator::Kvm).then_some(KVM_START_LIMIT),
        firmware: options.boot.firmware(),
        live: match options.debug_log || options.filter.is_given() {
            true => Live::Shown,
            false => Live::Backtraces,
        },
        executables: system.executables(),
    };
    session.run(qemu, plan)
}

/// Starts the thread that feeds the console from our own input.
fn feed(mode: Mode, console: ChildStdin, sender: Sender<Event>, control: PathBuf) {
    std::thread::spawn(move || match mode {
        // Errors mean that the guest has ended, which is noticed elsewhere.
        Mode::Interactive | Mode::ProgramOnTerminal => {
            let send_break = || {
                if let Err(error) = control::send_break(&control) {
                    terminal::say(&format!("xtask: no break: {error:#}"));
                }
            };
            console::feed_keys(stdin().lock(), console, &sender, send_break)
        }
        Mode::Piped | Mode::Program => console::feed_escaped(stdin().lock(), console),
    });
}

/// Files that QEMU boots from.
pub struct Files {
    boot: Boot,
    kernel: PathBuf,
    package: PathBuf,
    iso: PathBuf,
    variables: PathBuf,
}

impl Boot {
    /// Provides what the host needs to boot this way.
    ///
    /// # Errors
    /// Where it can't be had, or the machine can't boot this way.
    pub fn provide(self, machine: &Machine) -> Result<()> {
        if self.iso && machine.board == qemu::Board::Microvm {
            bail!("microvm has no firmware that boots an ISO; leave out --iso or take q35");
        }
        match (self.iso, self.uefi) {
            (false, _) => host::provide(&[host::RUN]),
            (true, false) => host::provide(&[host::RUN, host::ISO]),
            (true, true) => host::provide(&[host::RUN, host::ISO, host::UEFI]),
        }
    }

    /// Writes the files to boot from into `folder`.
    ///
    /// # Errors
    /// Where writing or making the ISO fails.
    pub fn prepare(self, folder: &Path, system: &System, package: &[u8]) -> Result<Files> {
        let files = Files {
            boot: self,
            kernel: system.kernel(),
            package: folder.join("package"),
            iso: folder.join("kamen.iso"),
            variables: folder.join("variables"),
        };
        if !self.iso {
            fs::write(&files.package, package)?;
            return Ok(files);
        }
        image::iso(system, package, &files.iso)?;
        if self.uefi {
            fs::copy("/usr/share/OVMF/OVMF_VARS_4M.fd", &files.variables)?;
        }
        Ok(files)
    }

    /// Returns whether firmware writes to the console on this way in.
    pub fn firmware(self) -> Firmware {
        if self.uefi { Firmware::Chatty } else { Firmware::Silent }
    }
}

impl Files {
    /// Returns what QEMU is to boot.
    pub fn medium(&self) -> Medium<'_> {
        match (self.boot.iso, self.boot.uefi) {
            (false, _) => Medium::Direct { kernel: &self.kernel, package: &self.package },
            (true, false) => Medium::Bios(&self.iso),
            (true, true) => Medium::Uefi { iso: &self.iso, variables: &self.variables },
        }
    }
}
