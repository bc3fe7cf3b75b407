//! The console: a terminal with a line discipline, which one controller at a time owns.

use libipc::{Notification, interface};

use crate::stream::StreamError;

/// Terminal modes, with the flag bits and control characters of Linux's `struct termios`
/// (asm-generic/termbits.h), so that a UNIX personality passes them on as they are.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Modes {
    /// `c_iflag`.
    pub input: u32,
    /// `c_oflag`.
    pub output: u32,
    /// `c_cflag`.
    pub control: u32,
    /// `c_lflag`.
    pub local: u32,
    /// `c_cc`, 19 characters, the rest 0.
    pub characters: [u8; 24],
}

/// Bits that the console signals to its controller's notification.
pub mod event {
    /// Input can be read.
    pub const READABLE: u64 = 1 << 32;
    /// The interrupt character (Ctrl-C) was typed.
    pub const INTERRUPT: u64 = 1 << 33;
    /// The quit character (Ctrl-\) was typed.
    pub const QUIT: u64 = 1 << 34;
    /// The suspend character (Ctrl-Z) was typed.
    pub const SUSPEND: u64 = 1 << 35;
    /// The terminal's size changed.
    pub const RESIZED: u64 = 1 << 36;
    /// The other side hung up: reads return what is left, then the end.
    pub const HANGUP: u64 = 1 << 37;
}

/// The console's control operations; bytes go through the stream protocol on the same capability.
#[interface(number = 2, error = StreamError)]
pub trait Console {
    /// Returns the modes.
    #[operation(1, idempotent)]
    fn modes(&mut self) -> Result<Modes, StreamError>;
    /// Sets the modes after output has drained; `flush` = 1 drops unread input.
    #[operation(2, idempotent)]
    fn set_modes(&mut self, flush: u32, modes: Modes) -> Result<(), StreamError>;
    /// Returns columns and rows, columns in the low half.
    #[operation(3, idempotent)]
    fn size(&mut self) -> Result<u32, StreamError>;
    /// Makes the caller the controller: events go to `events` until it calls `release`, then
    /// again to the controller before it. Who is in control already changes its notification.
    #[operation(4, idempotent)]
    fn take(&mut self, events: Notification) -> Result<(), StreamError>;
    /// Ends the caller's innermost control. Control outlives the console, so that a client asks
    /// again after a death; `NotOpen`, that it has none, then says that it was done before.
    #[operation(5, idempotent)]
    fn release(&mut self) -> Result<(), StreamError>;
    /// Answers when all output accepted so far has left the device (the line's last bit, so that
    /// the machine can be powered off); also after the host stopped taking it (Device).
    #[operation(6, deferred)]
    fn drain(&mut self) -> Result<(), StreamError>;
}

#[cfg(test)]
mod tests;
