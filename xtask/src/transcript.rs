//! What a guest's console has shown, for one thread to fill and others to wait on.

use anyhow::{Result, bail};
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a text is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the console has shown so far.
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
    ///
    /// # Errors
    /// Where it does not appear in time.
    pub fn wait_for(&self, text: &str, from: usize) -> Result<usize> {
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

    /// Waits until nothing more will come.
    pub fn wait_for_end(&self) {
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

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
