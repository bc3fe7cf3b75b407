//! What the personality asks of servers other than the file server: streams, console, init.
//!
//! None of these calls waits: what cannot be done now is EAGAIN, and [`Servers::ready`] has the
//! event loop told when to try again.

use alloc::vec::Vec;

use libipc::{Endpoint, Notification};
use protocols::console::Modes;
use protocols::process::{ExitStatus, Pid, Signal};
use protocols::stream::StreamKind;

use crate::Errno;

/// What a stream can do without waiting.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ready {
    /// It can be read.
    pub read: bool,
    /// It can be written.
    pub write: bool,
}

/// A standard stream that a native program gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handed {
    /// An open file that this server serves under this badge.
    File(u64),
    /// Another server's stream, the terminal: the program talks to that server itself.
    Stream(Endpoint),
}

/// The other servers, named by capabilities.
#[expect(
    clippy::missing_errors_doc,
    reason = "EAGAIN where it would wait, else the server's error"
)]
pub trait Servers {
    /// Returns what a stream is.
    fn kind(&mut self, stream: Endpoint) -> Result<StreamKind, Errno>;
    /// Reads what is there.
    fn read(&mut self, stream: Endpoint, into: &mut [u8]) -> Result<usize, Errno>;
    /// Writes what there is room for.
    fn write(&mut self, stream: Endpoint, bytes: &[u8]) -> Result<usize, Errno>;
    /// Returns what can be done now, and has changes reported from now on.
    fn ready(&mut self, stream: Endpoint) -> Result<Ready, Errno>;
    /// Drops the capability to a stream.
    fn close(&mut self, stream: Endpoint);

    /// Returns a terminal's modes.
    fn modes(&mut self, terminal: Endpoint) -> Result<Modes, Errno>;
    /// Sets a terminal's modes after dropping unread input if `flush`.
    fn set_modes(&mut self, terminal: Endpoint, flush: bool, modes: Modes) -> Result<(), Errno>;
    /// Returns a terminal's columns and rows.
    fn size(&mut self, terminal: Endpoint) -> Result<(u16, u16), Errno>;
    /// Has a terminal's events reported to this server.
    fn take(&mut self, terminal: Endpoint) -> Result<(), Errno>;
    /// Undoes `take`.
    fn release(&mut self, terminal: Endpoint);

    /// Returns the terminal that `/dev/console` and `/dev/tty` are.
    fn console(&self) -> Option<Endpoint>;
    /// Starts a native program on standard streams.
    fn spawn(&mut self, streams: [Handed; 3], arguments: &[u8]) -> Result<Pid, Errno>;
    /// Returns how a native program ended, once it has.
    fn status(&mut self, process: Pid) -> Option<ExitStatus>;
    /// Sends a signal to a native program.
    fn signal(&mut self, process: Pid, signal: Signal);
    /// Lists the native programs as lines of text (`protocols::process::Process::list`).
    fn list(&mut self) -> Vec<u8>;
    /// Returns the badge, without [`crate::serve::STREAM_BADGE`], of a capability to an open file
    /// of this server's own.
    fn own_badge(&mut self, stream: Endpoint) -> Option<u64>;
    /// Drops the capability to a notification.
    fn forget(&mut self, notification: Notification);
    /// Tells a client that a process that it started has ended.
    fn notify(&mut self, exited: Notification);
    /// Ends the machine.
    fn power_off(&mut self, status: u64);
}
