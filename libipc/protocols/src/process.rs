//! Processes of any personality: start, wait, signal, list.

use libipc::{Endpoint, Notification, interface};

/// Why a process operation was refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ProcessError {
    /// The program does not exist.
    NotFound = 1,
    /// The file is not a program that this personality can execute.
    NotExecutable = 2,
    /// The program needs something that is not here; the log says what.
    Unsupported = 3,
    /// No memory, or too many processes.
    NoResources = 4,
    /// The process does not exist, or is not the caller's.
    NoProcess = 5,
    /// It has not ended yet, and the caller did not want to wait.
    WouldBlock = 6,
    /// The arguments are too long or malformed.
    Invalid = 7,
}

/// Names a process to the server that runs it.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Pid(pub u64);

/// How a process ended: 0 to 255 its exit code, 256 + n: ended by signal (UNIX number) n.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct ExitStatus(pub u64);

/// What can be asked of a process; the numbers are POSIX's.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt = 2,
    /// Ctrl-\.
    Quit = 3,
    /// End, without a chance to object.
    Kill = 9,
    /// Please end.
    Terminate = 15,
}

/// Runs processes. The native server is init, the others are the personalities.
#[interface(number = 4, error = ProcessError)]
pub trait Process {
    /// Starts a program. `arguments` is a block of `kamen_kit::Arguments`: working directory,
    /// argument vector (the program's path first), environment. `exited` is signalled when it ends.
    #[operation(1)]
    fn spawn(
        &mut self,
        stdin: Endpoint,
        stdout: Endpoint,
        stderr: Endpoint,
        exited: Notification,
        #[lend] arguments: &[u8],
    ) -> Result<Pid, ProcessError>;
    /// Returns how a process ended and forgets it; WouldBlock while it runs.
    #[operation(2)]
    fn status(&mut self, process: Pid) -> Result<ExitStatus, ProcessError>;
    /// Sends a signal.
    #[operation(3)]
    fn signal(&mut self, process: Pid, signal: Signal) -> Result<(), ProcessError>;
    /// Lists processes after `after` as lines of text, "pid parent state personality name\n";
    /// returns how many bytes were written, whole lines only.
    #[operation(4)]
    fn list(&mut self, after: Pid, into: &mut [u8]) -> Result<u64, ProcessError>;
    /// Tells by which badge the kernel knows the threads of processes after `after`
    /// (`libipc::abi::snapshot`): lines of text, "pid badge\n", all of a process' together; returns
    /// how many bytes were written, whole processes only.
    #[operation(6, idempotent)]
    fn badges(&mut self, after: Pid, into: &mut [u8]) -> Result<u64, ProcessError>;
    /// Ends the calling process (native programs; does not return).
    #[operation(5)]
    fn exit(&mut self, status: ExitStatus) -> Result<(), ProcessError>;
}

#[cfg(test)]
mod tests;
