//! Threads.

use core::ops::Range;

use kamen_abi::{Error, Handle, Operation, Registers, WORDS};

use super::{Endpoint, Memory, Notification, Object, Space};
use crate::{Destination, Partial, Source, copy, page, syscall};

/// A thread.
///
/// ```no_run
/// use libipc::{Endpoint, Error, Handling, Memory, Notification, Space, Thread};
///
/// /// Lets a program run, as its handler sees fit.
/// fn run(thread: Thread, handler: Endpoint, page: Memory) -> Result<(), Error> {
///     thread.set_priority(10)?;
///     thread.set_processor(None)?;
///     thread.set_handler(handler, 7, Handling::Everything)?;
///     thread.set_entry(0x7000_0000..0x7000_1000, 0x7000_2000)?;
///     thread.set_message_page(page, 0)?;
///     thread.start()
/// }
///
/// /// Moves a running one to another space.
/// fn exec(thread: Thread, space: Space) -> Result<(), Error> {
///     thread.stop()?;
///     let registers = thread.read_registers()?;
///     let mut extended = [0; 512];
///     thread.read_extended(&mut extended)?;
///     thread.set_space(space)?;
///     thread.write_registers(&registers)?;
///     thread.write_extended(&extended)?;
///     thread.start()
/// }
///
/// fn interrupt(thread: Thread, own: Thread, events: Notification) -> Result<(), Error> {
///     own.bind(events)?;
///     thread.recall()
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Thread(pub Handle);

/// What of a thread goes to its handler.
///
/// ```
/// use libipc::Handling;
/// // A native program's faults go to the supervisor; all that a foreign one does, to its personality.
/// assert_ne!(Handling::Faults, Handling::Everything);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Handling {
    /// Its faults: it is a native thread.
    Faults = 0,
    /// System calls, software interrupts, exceptions and recalls: it is a foreign thread.
    Everything = 1,
}

impl Thread {
    /// Gives it a priority, at most the caller's own.
    ///
    /// # Errors
    /// NoRights: CONTROL; InvalidArgument: the priority.
    pub fn set_priority(self, priority: u8) -> Result<(), Error> {
        syscall::control(Operation::SetPriority, self.0, [priority.into(), 0, 0, 0, 0, 0])
    }

    /// Moves it to a processor, where it stays; or lets it run on any, as at first.
    ///
    /// # Errors
    /// NoRights: CONTROL; InvalidArgument: there is no such processor.
    pub fn set_processor(self, processor: Option<u8>) -> Result<(), Error> {
        let processor = processor.map_or(u64::MAX, u64::from);
        syscall::control(Operation::SetProcessor, self.0, [processor, 0, 0, 0, 0, 0])
    }

    /// Gives it a handler, which sees `badge`.
    ///
    /// # Errors
    /// NoRights: CONTROL, SEND of the endpoint; InvalidHandle.
    pub fn set_handler(self, handler: Endpoint, badge: u64, what: Handling) -> Result<(), Error> {
        let words = [handler.0.0.into(), badge, what as u64, 0, 0, 0];
        syscall::control(Operation::SetHandler, self.0, words)
    }

    /// Gives the foreign thread an in-process entry: its system calls branch to the code in
    /// `entry`, whose first byte is the first instruction, and are native when made there. The
    /// entry finds the return address in rcx and `block` in r11. An empty range takes it away.
    ///
    /// # Errors
    /// NoRights: CONTROL; InvalidArgument: the range is not in user space.
    pub fn set_entry(self, entry: Range<u64>, block: u64) -> Result<(), Error> {
        let (start, end) = if entry.is_empty() { (0, 0) } else { (entry.start, entry.end) };
        syscall::control(Operation::SetEntry, self.0, [start, end, block, 0, 0, 0])
    }

    /// Gives it page `page` of a memory object as message page; mapping it is another matter.
    ///
    /// # Errors
    /// NoRights: CONTROL, READ and WRITE of the memory; InvalidArgument: beyond its end.
    pub fn set_message_page(self, memory: Memory, page: u64) -> Result<(), Error> {
        syscall::control(Operation::SetMessagePage, self.0, [memory.0.0.into(), page, 0, 0, 0, 0])
    }

    /// Binds a notification to it: its receives return the notification's bits, too.
    ///
    /// # Errors
    /// NoRights: CONTROL, RECEIVE of the notification; Busy.
    pub fn bind(self, notification: Notification) -> Result<(), Error> {
        syscall::control(Operation::Bind, self.0, [notification.0.0.into(), 0, 0, 0, 0, 0])
    }

    /// Lets it run.
    ///
    /// # Errors
    /// NoRights: CONTROL; Busy: it is not stopped.
    pub fn start(self) -> Result<(), Error> {
        syscall::control(Operation::Start, self.0, [0; WORDS])
    }

    /// Stops it wherever it is.
    ///
    /// # Errors
    /// NoRights: CONTROL.
    pub fn stop(self) -> Result<(), Error> {
        syscall::control(Operation::Stop, self.0, [0; WORDS])
    }

    /// Turns the foreign thread into an open call of kind Recall on its handler.
    ///
    /// # Errors
    /// NoRights: CONTROL; Busy: it waits in an open call already, or to become one.
    pub fn recall(self) -> Result<(), Error> {
        syscall::control(Operation::Recall, self.0, [0; WORDS])
    }

    /// Returns the registers of the stopped thread.
    ///
    /// # Errors
    /// NoRights: READ; Busy: it is not stopped.
    pub fn read_registers(self) -> Result<Registers, Error> {
        syscall::control(Operation::ReadRegisters, self.0, [0; WORDS])?;
        Ok(page::take_registers())
    }

    /// Sets the registers of the stopped thread.
    ///
    /// # Errors
    /// NoRights: CONTROL; Busy: it is not stopped; InvalidArgument: an address outside the user
    /// half.
    pub fn write_registers(self, registers: &Registers) -> Result<(), Error> {
        page::put_registers(registers);
        syscall::control(Operation::WriteRegisters, self.0, [0; WORDS])
    }

    /// Copies the first bytes of the stopped thread's extended (FPU, SSE, AVX) state: of its XSAVE
    /// area (Intel SDM 1 13.4).
    ///
    /// # Errors
    /// NoRights: READ and CONTROL; Busy: it is not stopped; InvalidArgument: beyond the area's end;
    /// QuotaExhausted: it has had none yet.
    pub fn read_extended(self, into: &mut [u8]) -> Result<(), Partial> {
        let len = into.len();
        copy(Source::ThreadExtended(self, 0), Destination::Bytes(into), len)
    }

    /// Sets the first bytes of the stopped thread's extended state; the kernel makes of them what
    /// XRSTOR accepts.
    ///
    /// # Errors
    /// As for [`Thread::read_extended`].
    pub fn write_extended(self, bytes: &[u8]) -> Result<(), Partial> {
        copy(Source::Bytes(bytes), Destination::ThreadExtended(self, 0), bytes.len())
    }

    /// Moves the stopped thread to another address space.
    ///
    /// # Errors
    /// NoRights: CONTROL of thread and space; Busy: it is not stopped.
    pub fn set_space(self, space: Space) -> Result<(), Error> {
        syscall::control(Operation::SetSpace, self.0, [space.0.0.into(), 0, 0, 0, 0, 0])
    }
}

impl Object for Thread {
    fn from_handle(handle: Handle) -> Self {
        Thread(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}
