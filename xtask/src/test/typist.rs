//! A person at the guest's terminal, played by the test runner.

use crate::transcript::Transcript;
use anyhow::{Context, Result, bail};
use guest_tests::Step;
use std::io::Write;
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
    pid: u32,
    transcript: &Transcript,
) -> Result<()> {
    let mut seen = 0;
    for step in steps {
        match step {
            Step::See(text) => seen = transcript.wait_for(text, seen)?,
            Step::Type(text) => {
                console.write_all(text.as_bytes()).context("the guest has ended")?;
                console.flush()?;
            }
            Step::Rest { span, percent } => rest(pid, *span, *percent)?,
        }
    }
    // The guest must end now by itself; the console stays open until it does.
    transcript.wait_for_end();
    Ok(())
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
