//! A person at the guest's terminal, played by the test runner.

use super::peer::Host;
use crate::guest::control;
use crate::transcript::Transcript;
use anyhow::{Context, Result, bail};
use guest_tests::Step;
use std::io::Write;
use std::path::Path;
use std::process::ChildStdin;
use std::time::Duration;

/// Clock ticks per second in /proc (Linux proc(5), sysconf(_SC_CLK_TCK)).
const TICKS_PER_SECOND: u64 = 100;

/// Performs the steps.
///
/// # Errors
/// Where a text does not appear, or the guest is busier than it may be.
pub fn perform(
    steps: &[Step],
    mut console: ChildStdin,
    (pid, control): (u32, &Path),
    transcript: &Transcript,
    host: &Host,
) -> Result<()> {
    let mut seen = 0;
    let mut meanwhile = Vec::new();
    let mut memory_at_first = None;
    for step in steps {
        match step {
            Step::See(text) => seen = transcript.wait_for(text, seen)?,
            Step::Type(text) => type_keys(&mut console, text)?,
            Step::Break => control::send_break(control)?,
            Step::Rest { span, percent } => rest(pid, *span, *percent)?,
            Step::Host(traffic) => host.perform(*traffic)?,
            Step::Meanwhile(traffic) => meanwhile.push(host.begin(*traffic)?),
            Step::Join => meanwhile.drain(..).try_for_each(super::peer::Running::join)?,
            Step::Memory { grown_kib } => {
                let (used, end) = memory(&mut console, transcript, seen)?;
                seen = end;
                let first = *memory_at_first.get_or_insert(used);
                if used > first + grown_kib {
                    bail!("{used} KiB of memory are in use, {first} were: some are lost");
                }
            }
            Step::Kill { server, times, pause } => {
                for _ in 0..*times {
                    std::thread::sleep(*pause);
                    seen = kill(server, &mut console, transcript, seen)?;
                }
            }
        }
    }
    // The guest must end now by itself; the console stays open until it does.
    transcript.wait_for_end();
    Ok(())
}

fn type_keys(console: &mut ChildStdin, text: &str) -> Result<()> {
    console.write_all(text.as_bytes()).context("the guest has ended")?;
    console.flush()?;
    Ok(())
}

/// Returns how many KiB of memory the system says are in use, and how far the terminal was read.
fn memory(console: &mut ChildStdin, transcript: &Transcript, seen: usize) -> Result<(u64, usize)> {
    type_keys(console, "memory\r")?;
    let end = transcript.wait_for(" in use", seen)?;
    let shown = transcript.bytes();
    let line = shown[..end].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    // "2040 KiB of 253440 KiB in use"
    let used = line.split_whitespace().next().and_then(|word| word.parse().ok());
    let used = used.with_context(|| format!("`memory` says {line:?}"))?;
    Ok((used, transcript.wait_for("> ", end)?))
}

/// Kills a server by the number that `ps` tells; returns how far the terminal was read.
fn kill(
    server: &str,
    console: &mut ChildStdin,
    transcript: &Transcript,
    seen: usize,
) -> Result<usize> {
    type_keys(console, "ps\r")?;
    let row = format!(" server      {server}\r\n");
    let end = transcript.wait_for(&row, seen)?;
    let shown = transcript.bytes();
    let line = shown[..end - 2].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let number = line.split_whitespace().next().context("a row of ps begins with a number")?;
    let prompt = transcript.wait_for("> ", end)?;
    type_keys(console, &format!("kill -9 native {number}\r"))?;
    transcript.wait_for("> ", prompt)
}

/// Watches QEMU's use of the processor.
fn rest(pid: u32, span: Duration, percent: u32) -> Result<()> {
    let before = processor_ticks(pid)?;
    std::thread::sleep(span);
    let used_ms = (processor_ticks(pid)? - before) * 1000 / TICKS_PER_SECOND;
    let share = used_ms * 100 / span.as_millis() as u64;
    if share >= u64::from(percent) {
        bail!("the guest used {share} % of a processor ({used_ms} ms), allowed: under {percent} %");
    }
    Ok(())
}

/// Returns user and system time of a process: fields 14 and 15 of /proc/PID/stat (proc(5)).
fn processor_ticks(pid: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("QEMU has ended")?;
    let after_name = stat.rsplit_once(')').context("stat has a name in brackets")?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut field = || -> Result<u64> { Ok(fields.next().context("stat is short")?.parse()?) };
    Ok(field()? + field()?)
}
