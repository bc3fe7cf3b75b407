//! Output to the standard streams, gathered until somebody could miss it.
//!
//! Programs print character by character; one message to the system for each would be slow. What
//! is gathered goes out before anything waits, when another stream is written, and at each look
//! around. A terminal gets UTF-8, anything else the bytes as they are.

use alloc::vec::Vec;

use super::codepage;
use crate::host::{Host, HostError, Stream};

/// Columns from one tab to the next.
const TAB: u8 = 8;
/// Gathered bytes go out at the latest when they are this many.
const GATHER_MAX: usize = 2048;

/// The gathered output.
pub(crate) struct Output {
    stream: Stream,
    gathered: Vec<u8>,
    terminal_output: bool,
    terminal_error: bool,
    /// The column that functions on characters print at.
    column: u8,
}

impl Output {
    /// Returns an empty one.
    pub(crate) fn new(host: &mut impl Host) -> Output {
        Output {
            stream: Stream::Output,
            gathered: Vec::new(),
            terminal_output: host.is_terminal(Stream::Output),
            terminal_error: host.is_terminal(Stream::Error),
            column: 0,
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

    /// Returns bytes with blanks up to the next column that has a tab (MS-DOS 4.0's source, CPMIO2.ASM).
    pub(crate) fn expand_tabs(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut expanded = Vec::with_capacity(bytes.len());
        for byte in bytes {
            let (count, shown) = match byte {
                b'\t' => (TAB - self.column % TAB, b' '),
                byte => (1, *byte),
            };
            self.column = match byte {
                b'\r' => 0,
                0x08 => self.column.wrapping_sub(1),
                0x7f => self.column,
                b' '.. | b'\t' => self.column.wrapping_add(count),
                _ => self.column,
            };
            expanded.extend((0..count).map(|_| shown));
        }
        expanded
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
                    codepage::show(line, &mut self.gathered);
                    if self.gathered.last() == Some(&b'\r') {
                        self.gathered.pop();
                    }
                    self.gathered.push(b'\n');
                }
                None => codepage::show(part, &mut self.gathered),
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
