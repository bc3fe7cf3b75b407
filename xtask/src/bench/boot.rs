//! Boots for the benchmark: rows of a program, time and memory at the prompt.

use super::figure::{Figure, Unit};
use crate::guest::{Event, Plan, Session, console, log::Live, terminal::Size};
use crate::image::{Extras, Start, System};
use crate::qemu::{self, Accelerator, Board, Machine, network::Network};
use crate::run::Boot;
use crate::transcript::{Recorder, Transcript};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::io::Write;
use std::process::ChildStdin;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Time limit of one boot.
const LIMIT: Duration = Duration::from_secs(300);
/// The end of the shell's prompt.
const PROMPT: &str = "> ";

/// Returns the boot package that users get.
pub fn package(system: &System) -> Result<Vec<u8>> {
    system.package(&Extras::default(), &at_prompt())
}

/// Runs a program, given with its arguments, and returns the figures that it prints.
pub fn rows(system: &System, words: &[&str], unit: Unit) -> Result<Vec<Figure>> {
    let output = output(system, words, unit)?;
    let figures: Vec<Figure> =
        output.lines().filter_map(|line| Figure::of_row(line, unit)).collect();
    if figures.is_empty() {
        bail!("{} printed no row: {output:?}", words.join(" "));
    }
    Ok(figures)
}

/// Runs a program, given with its arguments, and returns its output; whether it succeeds is its
/// output's to tell.
pub fn output(system: &System, words: &[&str], unit: Unit) -> Result<String> {
    let start = Start::program(words.iter().map(OsString::from).collect(), None);
    let feed = |console: ChildStdin, _: &Transcript, _: &Sender<Event>| {
        console::feed_escaped(std::io::empty(), console).context("the guest has ended")
    };
    boot(system, &machine(unit == Unit::Instructions), &start, feed)
}

/// Returns the time from QEMU's start to the prompt.
pub fn prompt(system: &System, times: usize) -> Result<Vec<Figure>> {
    let mut samples = Vec::new();
    for _ in 0..times {
        let seen = Arc::new(Mutex::new(None));
        let noted = seen.clone();
        let started = Instant::now();
        let feed = move |_: ChildStdin, transcript: &Transcript, leave: &Sender<Event>| {
            transcript.wait_for(PROMPT, 0)?;
            if let Ok(mut noted) = noted.lock() {
                *noted = Some(started.elapsed());
            }
            leave.send(Event::Leave).context("the guest has ended")
        };
        boot(system, &machine(false), &at_prompt(), feed)?;
        let elapsed = seen.lock().ok().and_then(|seen| *seen).context("no prompt was seen")?;
        samples.push(elapsed.as_secs_f64() * 1000.0);
    }
    Ok(Figure::of("prompt", Unit::Milliseconds, samples).into_iter().collect())
}

/// Returns the memory in use at the prompt: all of the machine's but what the system calls free.
///
/// So the kernel, the boot package and what the board reserves count, too.
pub fn memory(system: &System) -> Result<Vec<Figure>> {
    const UNIT: &str = "KiB";
    let feed = |mut console: ChildStdin, transcript: &Transcript, leave: &Sender<Event>| {
        let at = transcript.wait_for(PROMPT, 0)?;
        console.write_all(b"memory\r")?;
        transcript.wait_for("in use", at)?;
        leave.send(Event::Leave).context("the guest has ended")
    };
    let machine = machine(false);
    let output = boot(system, &machine, &at_prompt(), feed)?;
    let line = output.lines().find(|line| line.contains("in use")).context("no such line")?;
    // "2040 KiB of 253440 KiB in use"
    let words: Vec<&str> = line.split_whitespace().collect();
    let [used, UNIT, "of", total, UNIT, ..] = words[..] else {
        bail!("`memory` says {line:?}");
    };
    let free_mib = (total.parse::<f64>()? - used.parse::<f64>()?) / 1024.0;
    let used_mib = f64::from(machine.memory_mib) - free_mib;
    Ok(vec![Figure::single("memory_at_prompt", Unit::MiB, used_mib)])
}

fn at_prompt() -> Start {
    Start::interactive(Some(Size { columns: 80, rows: 24 }))
}

fn machine(icount: bool) -> Machine {
    let (accel, board) = (Accelerator::Tcg, Board::Microvm);
    let (seed, network) = (qemu::SEED, Network::default());
    Machine { memory_mib: 256, cpus: 1, accel, icount, seed, board, network }
}

/// Boots, has `feed` work at the console, and returns what the console showed.
fn boot(
    system: &System,
    machine: &Machine,
    start: &Start,
    feed: impl FnOnce(ChildStdin, &Transcript, &Sender<Event>) -> Result<()> + Send + 'static,
) -> Result<String> {
    let package = system.package(&Extras::default(), start)?;
    let session = Session::new()?;
    let files = Boot::default().prepare(session.folder(), system, &package)?;
    let log = session.log_socket();
    let qemu = qemu::command(machine, Accelerator::Tcg, files.medium(), &log);
    let transcript = Arc::new(Transcript::default());
    let (seen, sender) = (transcript.clone(), session.sender());
    let plan = Plan {
        output: Box::new(Recorder(transcript.clone())),
        on_ready: Box::new(move |console, _| {
            thread::spawn(move || {
                if let Err(error) = feed(console, &seen, &sender) {
                    eprintln!("bench: {error:#}");
                    let _ = sender.send(Event::Leave);
                }
            });
        }),
        limit: Some(LIMIT),
        start_limit: None,
        firmware: Boot::default().firmware(),
        live: Live::Quiet,
        executables: system.executables(),
    };
    let report = session.run(qemu, plan)?;
    transcript.close();
    if let Some(complaint) = report.ending.complaint() {
        bail!("{complaint}\n{}", report.log.tail());
    }
    Ok(String::from_utf8_lossy(&transcript.bytes()).into_owned())
}
