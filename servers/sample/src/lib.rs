//! The sample server: a counter that all its clients share.
//!
//! ```text
//!   sample-client ── protocols::sample ──> Server
//! ```
//!
//! What it does stands here and is tested on the host; `main.rs` runs it in the system. It begins
//! anew when it was restarted.
#![no_std]
#![deny(unsafe_code)]

use kamen_kit::service::{Protocol, Service};
use libipc::Caller;
use protocols::sample::{Sample, SampleError, sample_label, serve_sample};

#[cfg(test)]
mod tests;

/// What the server knows.
#[derive(Debug, Default)]
pub struct Server {
    value: u64,
}

impl Service for Server {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(sample_label::PROTOCOL, serve_sample)];
}

impl Sample for Server {
    fn value(&mut self, _: &Caller) -> Result<u64, SampleError> {
        Ok(self.value)
    }

    fn add(&mut self, _: &Caller, amount: u64) -> Result<u64, SampleError> {
        self.value = self.value.checked_add(amount).ok_or(SampleError::Overflow)?;
        Ok(self.value)
    }
}
