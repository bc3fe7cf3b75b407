//! A person at the guest's terminal, played by the test runner.

use anyhow::{Context, Result, bail};
use guest_tests::Step;
use std::io::Write;
use std::process::ChildStdin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the typist waits for a text.
const PATIENCE: Duration = Duration::from_secs(30);
/// Clock ticks per second in /proc (Linux proc(5), sysconf(_SC_CLK_TCK)).
const TICKS_PER_SECOND: u64 = 100;

/// What the console has shown so far, for one thread to fill and another to wait on.
#[derive(Default)]
pub struct Transcript {
    state: Mutex<(Vec<u8>, bool)>,
    changed: Condvar,
}

impl Transcript {
    /// Returns everything so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.state().0.clone()
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        self.state().1 = true;
        self.changed.notify_all();
    }

    /// Waits until `text` appears at or after `from`; returns the position behind it.
    fn wait_for(&self, text: &str, from: usize) -> Result<usize> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            let (bytes, closed) = &*state;
            if let Some(at) = find(&bytes[from..], text.as_bytes()) {
                return Ok(from + at + text.len());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if *closed || left.is_zero() {
                bail!("the terminal never showed {text:?}");
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn wait_for_end(&self) {
        let mut state = self.state();
        while !state.1 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, (Vec<u8>, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes to a transcript that is shared.
pub struct Recorder(pub Arc<Transcript>);

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.state().0.extend_from_slice(bytes);
        self.0.changed.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

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

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
