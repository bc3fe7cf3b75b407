//! Output to the standard streams, gathered until somebody could miss it.
//!
//! Programs print character by character; one message to the system for each would be slow. What
//! is gathered goes out before anything waits, when another stream is written, and at each look
//! around. A terminal gets UTF-8, anything else the bytes as they are.

use alloc::vec::Vec;

use super::codepage;
use crate::host::{Host, HostError, Stream};

/// Gathered bytes go out at the latest when they are this many.
const GATHER_MAX: usize = 2048;

/// The gathered output.
pub(crate) struct Output {
    stream: Stream,
    gathered: Vec<u8>,
    terminal_output: bool,
    terminal_error: bool,
}

impl Output {
    /// Returns an empty one.
    pub(crate) fn new(host: &mut impl Host) -> Output {
        Output {
            stream: Stream::Output,
            gathered: Vec::new(),
            terminal_output: host.is_terminal(Stream::Output),
            terminal_error: host.is_terminal(Stream::Error),
        }
    }

    /// Returns whether a stream is a terminal.
    pub(crate) fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::Output => self.terminal_output,
            Stream::Error => self.terminal_error,
            Stream::Input => false,
        }
    }

    /// Prints bytes of the code page.
    pub(crate) fn print(
        &mut self,
        host: &mut impl Host,
        stream: Stream,
        bytes: &[u8],
    ) -> Result<(), HostError> {
        if stream != self.stream {
            self.flush(host)?;
            self.stream = stream;
        }
        if self.is_terminal(stream) {
            self.gather_for_terminal(bytes);
        } else {
            self.gathered.extend_from_slice(bytes);
        }
        if self.gathered.len() > GATHER_MAX { self.flush(host) } else { Ok(()) }
    }

    /// Sends bytes as they are to the terminal on standard output.
    pub(crate) fn send(&mut self, host: &mut impl Host, bytes: &[u8]) -> Result<(), HostError> {
        if self.stream != Stream::Output {
            self.flush(host)?;
            self.stream = Stream::Output;
        }
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() > GATHER_MAX { self.flush(host) } else { Ok(()) }
    }

    /// A terminal adds a CR to each LF by itself (ONLCR), so that the program's own goes.
    fn gather_for_terminal(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(line) => {
                    codepage::decode(line, &mut self.gathered);
                    if self.gathered.last() == Some(&b'\r') {
                        self.gathered.pop();
                    }
                    self.gathered.push(b'\n');
                }
                None => codepage::decode(part, &mut self.gathered),
            }
        }
    }

    /// Writes out what was gathered; after an error it is dropped.
    pub(crate) fn flush(&mut self, host: &mut impl Host) -> Result<(), HostError> {
        let bytes = core::mem::take(&mut self.gathered);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let taken = match host.write_output(self.stream, rest) {
                Err(HostError::Interrupted) => {
                    self.gathered = rest.to_vec();
                    return Err(HostError::Interrupted);
                }
                taken => taken?,
            };
            rest = &rest[taken.clamp(1, rest.len())..];
        }
        Ok(())
    }
}
