//! Streams of bytes: terminals, pipes, files, whatever a program's standard streams are.

use libipc::{Notification, interface};

/// Why a stream operation was refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum StreamError {
    /// Nothing could be moved now, and the caller did not want to wait.
    WouldBlock = 1,
    /// The other end of the pipe is closed.
    Broken = 2,
    /// The stream is not open in this direction.
    NotOpen = 3,
    /// The device failed.
    Device = 4,
    /// The wait was ended by a signal.
    Interrupted = 5,
}

/// Whether an operation may wait. Servers never do when they call each other.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Wait {
    /// Answer at once, with [`StreamError::WouldBlock`] where nothing can be moved.
    Never = 0,
    /// Answer when at least one byte was moved, or the stream ended.
    Yes = 1,
}

/// What kind of thing a stream is, for isatty() and its relatives.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum StreamKind {
    /// A terminal, which also serves the console protocol.
    Terminal = 1,
    /// A pipe, or the host's streams when the console is not a terminal.
    Pipe = 2,
    /// A file or device with an offset at the server.
    File = 3,
}

/// A stream of bytes. The capability's badge names the stream.
#[interface(number = 1, error = StreamError)]
pub trait Stream {
    /// Reads up to `into.len()` bytes; 0 is the end of the stream.
    #[operation(1, deferred)]
    fn read(&mut self, wait: Wait, into: &mut [u8]) -> Result<u64, StreamError>;
    /// Writes bytes and returns how many of them.
    #[operation(2, deferred)]
    fn write(&mut self, wait: Wait, #[lend] data: &[u8]) -> Result<u64, StreamError>;
    /// Tells what the stream is.
    #[operation(3, idempotent)]
    fn kind(&mut self) -> Result<StreamKind, StreamError>;
    /// Returns what can be done without waiting (bit 0 read, bit 1 write), and signals `notify`
    /// (with its badge) each time that this may have grown, until replaced.
    #[operation(4, idempotent)]
    fn watch(&mut self, notify: Notification) -> Result<u32, StreamError>;
}

#[cfg(test)]
mod tests;
