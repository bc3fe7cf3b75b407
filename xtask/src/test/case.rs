//! Performs one test in QEMU and compares what came out with what must.

use super::peer::Host;
use super::{twin, typist};
use crate::debug::{self, Commander, Target};
use crate::guest::{Event, Plan, Report, Session, console, control, log::Live, terminal::Size};
use crate::image::{Extras, Start, System};
use crate::packages;
use crate::qemu::{self, Accelerator, Board, Machine, network::Network};
use crate::recipes;
use crate::run::Boot;
use crate::transcript::{Recorder, Transcript};
use anyhow::{Result, bail};
use guest_tests::{Action, Built, Case, Expected, File, Packaged, Way};
use std::ffi::OsString;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::ChildStdin;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread;

/// The terminal that tests sit at.
const SIZE: Size = Size { columns: 80, rows: 24 };

/// Performs one test and returns its figures, if it has any.
///
/// # Errors
/// Where the outcome is not what is expected; the message says in what.
pub fn perform(system: &System, case: &Case) -> Result<String> {
    if matches!(case.action, Action::Benchmark) {
        return crate::bench::check(system).map(|()| String::new());
    }
    if let Action::Debugger { name, commands } = &case.action {
        return debug(system, case, name, commands).map(|()| String::new());
    }
    let (report, output, faults) = match case.output {
        Expected::AsOnHost => outcome(system, &twin::resolved(case)?)?,
        _ => outcome(system, case)?,
    };
    match faults {
        None => Ok(case.figures_in(&String::from_utf8_lossy(&output)).to_owned()),
        Some(faults) => bail!("{faults}\n{}", report.log.tail()),
    }
}

/// Has gdb look at a guest, and compares what it says with what it must.
fn debug(system: &System, case: &Case, name: &str, commands: &[String]) -> Result<()> {
    let (machine, package) = (machine(case).0, package(system, case)?);
    let target = Target { system, name, machine: &machine, package: &package };
    let told = debug::attach(&target, &Commander::Commands(commands), Some(case.limit))?;
    let said = [told.output, told.errors].concat();
    match case.output.complaint(&said) {
        None if told.is_success => Ok(()),
        None => {
            bail!("gdb failed, though it said what it must: {}", String::from_utf8_lossy(&said))
        }
        Some(fault) => bail!("gdb: {fault}"),
    }
}

/// Runs one test; returns its report, and in what the outcome is not what is expected.
///
/// # Errors
/// Where the guest can't be started.
pub fn run(system: &System, case: &Case) -> Result<(Report, Option<String>)> {
    outcome(system, case).map(|(report, _, faults)| (report, faults))
}

/// As [`run`], with what the console showed.
fn outcome(system: &System, case: &Case) -> Result<(Report, Vec<u8>, Option<String>)> {
    let (mut machine, boot) = machine(case);
    let package = package(system, case)?;
    let session = Session::new()?;
    let host = Host::new(case.plug, session.folder())?;
    machine.network = host.network();
    let files = boot.prepare(session.folder(), system, &package)?;
    let log = session.log_socket();
    let qemu = qemu::command(&machine, Accelerator::Tcg, files.medium(), &log);
    let transcript = Arc::new(Transcript::default());
    let complaint = Arc::new(Mutex::new(None));
    let sender = session.sender();
    let control = control::socket(&log);
    let (seen, told, action) = (transcript.clone(), complaint.clone(), case.action.clone());
    let plan = Plan {
        output: Box::new(Recorder(transcript.clone())),
        on_ready: Box::new(move |console, pid| {
            thread::spawn(move || {
                feed(action, console, (pid, &control), &seen, (&told, &sender), &host);
            });
        }),
        limit: Some(case.limit),
        start_limit: None,
        firmware: boot.firmware(),
        live: Live::Quiet,
        executables: match &case.action {
            Action::FirstTask { program, .. } => system.executables_of_first_task(program),
            _ => system.executables(),
        },
    };
    let report = session.run(qemu, plan)?;
    transcript.close();
    let complaint = complaint.lock().ok().and_then(|mut found| found.take());
    let output = transcript.bytes().to_vec();
    let faults = compare(case, &report, &output, complaint);
    Ok((report, output, faults))
}

fn compare(
    case: &Case,
    report: &Report,
    output: &[u8],
    complaint: Option<String>,
) -> Option<String> {
    let mut faults = Vec::new();
    faults.extend(complaint);
    let status = report.ending.status();
    if status != case.status {
        let why = report.ending.complaint().unwrap_or("the guest's own");
        faults.push(format!("exit status {status} ({why}), expected {}", case.status));
    }
    faults.extend(case.output.complaint(output).map(|fault| format!("output: {fault}")));
    let log = report.log.text();
    faults.extend(case.log.complaint(log.as_bytes()).map(|fault| format!("log: {fault}")));
    if faults.is_empty() {
        return None;
    }
    let shown = String::from_utf8_lossy(&output[output.len().saturating_sub(600)..]).into_owned();
    Some(format!("{}\nend of the output: {shown:?}", faults.join("\n")))
}

fn machine(case: &Case) -> (Machine, Boot) {
    let way = case.way;
    let machine = Machine {
        memory_mib: 256,
        cpus: case.cpus,
        accel: Accelerator::Tcg,
        seed: qemu::SEED,
        icount: case.is_counted(),
        board: match way {
            Way::Microvm | Way::InstructionClock => Board::Microvm,
            Way::Q35 | Way::Bios | Way::Uefi => Board::Q35,
        },
        network: Network::default(),
    };
    let iso = matches!(way, Way::Bios | Way::Uefi);
    (machine, Boot { iso, uefi: way == Way::Uefi })
}

fn package(system: &System, case: &Case) -> Result<Vec<u8>> {
    let start = match &case.action {
        Action::FirstTask { program, arguments } => {
            return system.first_task(program, arguments);
        }
        Action::Program { words, .. } => {
            Start::program(words.iter().map(OsString::from).collect(), None)
        }
        Action::Debugger { .. } => Start::program(vec!["hello".into()], None),
        Action::Script { .. } => Start::piped(),
        Action::Terminal { .. } => Start::interactive(Some(SIZE)),
        Action::Benchmark => bail!("a benchmark boots by itself"),
    };
    system.package(
        &Extras { files: files(case)?, ..Extras::default() },
        &start.with_settings(&case.settings),
    )
}

/// Returns what a test adds to the image.
pub fn files(case: &Case) -> Result<Vec<File>> {
    let mut files = case.files.clone();
    for Packaged { package, file, path } in &case.packaged {
        let bytes = fs::read(packages::file(package, file)?)?;
        files.push(File { path: path.clone(), permissions: 0o755, bytes });
    }
    for Built { recipe, path } in &case.built {
        let bytes = fs::read(recipes::executable(*recipe)?)?;
        files.push(File { path: path.clone(), permissions: 0o755, bytes });
    }
    Ok(files)
}

fn feed(
    action: Action,
    console: ChildStdin,
    qemu: (u32, &Path),
    transcript: &Transcript,
    (complaint, sender): (&Mutex<Option<String>>, &Sender<Event>),
    host: &Host,
) {
    match action {
        Action::FirstTask { .. } | Action::Debugger { .. } | Action::Benchmark => {}
        // An error means that the guest has ended, which is judged elsewhere.
        Action::Program { input, .. } | Action::Script { input } => {
            let _ = console::feed_escaped(Cursor::new(input), console);
        }
        Action::Terminal { steps } => {
            if let Err(error) = typist::perform(&steps, console, qemu, transcript, host) {
                if let Ok(mut complaint) = complaint.lock() {
                    *complaint = Some(format!("{error:#}"));
                }
                let _ = sender.send(Event::Leave);
            }
        }
    }
}
