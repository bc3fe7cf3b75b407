//! Open calls: calls that were received and not answered yet.

use kamen_abi::{Error, Operation, Registers};

use crate::copy::{Destination, Partial, Source, copy};
use crate::syscall::{self, Outbound};
use crate::{Endpoint, Handle, Message, Object, Space, Thread, Time, page};

/// Bytes of an XSAVE area of the components that the kernel keeps: the legacy region's 512, the
/// header's 64, AVX's 256 (Intel SDM 1 13.4).
const EXTENDED_BYTES: usize = 832;

/// A call that was received and not answered yet: names its caller until it is answered.
///
/// It is a number that only the receiving address space can use; the kernel checks it each time,
/// so that keeping it too long is an [`Error::StaleCall`], nothing worse.
///
/// ```
/// use libipc::{Error, Message, OpenCall, loopback::HostCall};
/// let mut lent = [0; 4];
/// let caller = HostCall::new(7).lend(b"key").lend_mut(&mut lent);
/// let call = caller.caller().call; // A server keeps it, and answers when it can.
/// assert!(call.is_open() && call != OpenCall::NONE);
/// let mut key = [0; 3];
/// call.lease_read(0, 0, &mut key)?;
/// call.lease_write(1, 0, &key)?;
/// assert!(call.is_ended_by(call), "were it told of as cancelled");
/// assert!(!call.is_ended_by(OpenCall::NONE), "somebody still waits for it");
/// call.reply(&Message::success())?;
/// assert_eq!(call.reply(&Message::success()), Err(Error::StaleCall));
/// assert_eq!(OpenCall::from_raw(call.to_raw()), call);
/// # Ok::<(), libipc::Error>(())
/// ```
///
/// ```no_run
/// use libipc::{Endpoint, Error, Foreign, Kind, Space, Thread};
///
/// /// Answers some of Linux's system calls.
/// fn answer(foreign: Foreign, child: Thread, spaces: [Space; 2], dos: Endpoint) -> Result<(), Error> {
///     let (call, [address, ..]) = (foreign.caller.call, foreign.words);
///     match (foreign.kind, foreign.number) {
///         (Kind::SystemCall, 39) => call.reply_value(7), // getpid
///         (Kind::SystemCall, 202) => {
///             let old = call.compare_exchange(address, 0, 1)?; // a futex
///             call.reply_value(old.into())
///         }
///         (Kind::SystemCall, 63) => {
///             let mut name = [0; 65];
///             call.copy_in(address, &mut name)?;
///             call.copy_out(address, b"Kamen\0")?; // uname
///             call.reply_value(0)
///         }
///         (Kind::SystemCall, 57) => {
///             child.write_registers(&call.read_registers()?)?; // fork
///             call.copy_extended(child)?;
///             child.start()?;
///             call.reply_value(8)
///         }
///         (Kind::SystemCall, 59) => {
///             let registers = call.read_registers()?; // execve
///             call.set_space(spaces[1])?;
///             call.write_registers(&registers)?;
///             call.resume()
///         }
///         (Kind::Exception, 7) => {
///             let mut state = [0; 512];
///             call.read_extended(&mut state)?;
///             call.write_extended(&state)?;
///             call.resume()
///         }
///         _ => call.hand_over(dos, foreign.caller.badge),
///     }
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct OpenCall(kamen_abi::OpenCall);

impl OpenCall {
    /// What a message that needs no answer has in place of an open call.
    pub const NONE: OpenCall = OpenCall(kamen_abi::OpenCall::NONE);

    /// Returns the open call of a number.
    pub const fn from_raw(number: u64) -> Self {
        OpenCall(kamen_abi::OpenCall(number))
    }

    /// Returns its number.
    pub const fn to_raw(self) -> u64 {
        self.0.0
    }

    /// Returns whether somebody waits for the answer.
    pub fn is_open(self) -> bool {
        // The kernel looks at the call before the lease; nothing is copied.
        let end = copy(Source::Lease(self, 0, 0), Destination::Bytes(&mut []), 0);
        !end.is_err_and(|end| end.error == Error::StaleCall)
    }

    /// Returns whether this call, which a server keeps, is one that [`Event::Cancelled`] told of:
    /// the one that it names, or where it names none any that has ended.
    ///
    /// [`Event::Cancelled`]: crate::Event::Cancelled
    pub fn is_ended_by(self, cancelled: OpenCall) -> bool {
        cancelled == self || cancelled == OpenCall::NONE && !self.is_open()
    }

    /// Answers the call.
    ///
    /// # Errors
    /// StaleCall: it is answered already, or its caller died. TableFull: the caller has no room
    /// for the capabilities.
    pub fn reply(self, message: &Message) -> Result<(), Error> {
        message.fill_page();
        let outbound = Outbound {
            target: self.to_raw(),
            tag: message.tag(),
            deadline: Time::NEVER_WAIT,
            second: Handle::NULL,
            words: message.words(),
        };
        syscall::message(Operation::Reply, outbound).map(|_| ())
    }

    /// Answers a foreign thread's system call or interrupt: `value` becomes its rax.
    ///
    /// # Errors
    /// StaleCall: it is answered already, or its caller died.
    pub fn reply_value(self, value: u64) -> Result<(), Error> {
        self.reply(&Message::value(value))
    }

    /// Lets the foreign caller go on with its registers as they are.
    ///
    /// # Errors
    /// StaleCall: it is answered already, or its caller died.
    pub fn resume(self) -> Result<(), Error> {
        self.reply(&Message::resume())
    }

    /// Returns the registers of the foreign caller.
    ///
    /// # Errors
    /// StaleCall; WrongKind: the caller is not foreign.
    pub fn read_registers(self) -> Result<Registers, Error> {
        syscall::operate(Operation::ReadRegisters, self.to_raw(), [0; 6])?;
        Ok(page::take_registers())
    }

    /// Sets the registers of the foreign caller.
    ///
    /// # Errors
    /// StaleCall; WrongKind: the caller is not foreign; InvalidArgument: an address outside the
    /// user half.
    pub fn write_registers(self, registers: &Registers) -> Result<(), Error> {
        page::put_registers(registers);
        syscall::operate(Operation::WriteRegisters, self.to_raw(), [0; 6]).map(|_| ())
    }

    /// Moves the foreign caller to another address space.
    ///
    /// # Errors
    /// StaleCall; WrongKind: the caller is not foreign; InvalidHandle, NoRights: the space.
    pub fn set_space(self, space: Space) -> Result<(), Error> {
        let words = [space.handle().0.into(), 0, 0, 0, 0, 0];
        syscall::operate(Operation::SetSpace, self.to_raw(), words).map(|_| ())
    }

    /// Hands the foreign caller over to another personality: `to` becomes its handler, and the
    /// call arrives there as if it had just been made. Its badge there is that of the capability
    /// `to`, or `badge` where that has none.
    ///
    /// # Errors
    /// StaleCall; WrongKind: the caller is not foreign; InvalidHandle, NoRights: SEND to `to`.
    pub fn hand_over(self, to: Endpoint, badge: u64) -> Result<(), Error> {
        let words = [to.handle().0.into(), badge, 0, 0, 0, 0];
        syscall::operate(Operation::HandOver, self.to_raw(), words).map(|_| ())
    }

    /// Copies from the foreign caller's memory at `address`.
    ///
    /// # Errors
    /// How far it came; BadAddress: not mapped, or not readable; StaleCall.
    pub fn copy_in(self, address: u64, into: &mut [u8]) -> Result<(), Partial> {
        let len = into.len();
        copy(Source::Caller(self, address), Destination::Bytes(into), len)
    }

    /// Copies to the foreign caller's memory at `address`.
    ///
    /// # Errors
    /// How far it came; BadAddress: not mapped, or not writable; StaleCall.
    pub fn copy_out(self, address: u64, bytes: &[u8]) -> Result<(), Partial> {
        copy(Source::Bytes(bytes), Destination::Caller(self, address), bytes.len())
    }

    /// Copies the first bytes of the foreign caller's extended (FPU, SSE, AVX) state: of its XSAVE
    /// area (Intel SDM 1 13.4).
    ///
    /// # Errors
    /// How far it came; InvalidArgument: beyond the area's end; StaleCall.
    pub fn read_extended(self, into: &mut [u8]) -> Result<(), Partial> {
        let len = into.len();
        copy(Source::Extended(self, 0), Destination::Bytes(into), len)
    }

    /// Sets the first bytes of the foreign caller's extended state; the kernel makes of them what
    /// XRSTOR accepts.
    ///
    /// # Errors
    /// How far it came; InvalidArgument: beyond the area's end; StaleCall.
    pub fn write_extended(self, bytes: &[u8]) -> Result<(), Partial> {
        copy(Source::Bytes(bytes), Destination::Extended(self, 0), bytes.len())
    }

    /// Gives a stopped thread (CONTROL, READ) the extended state of the foreign caller.
    ///
    /// # Errors
    /// StaleCall; Busy: the thread is not stopped; QuotaExhausted: a page for each that has none.
    pub fn copy_extended(self, to: Thread) -> Result<(), Error> {
        let to = Destination::ThreadExtended(to, 0);
        Ok(copy(Source::Extended(self, 0), to, EXTENDED_BYTES)?)
    }

    /// Copies from byte `offset` of a lease on; `index` counts the call's leases from 0.
    ///
    /// # Errors
    /// How far it came; InvalidArgument: no such lease, or beyond its end; NoRights: the lease is
    /// for writing; BadAddress: the caller's memory is not mapped; StaleCall.
    pub fn lease_read(self, index: usize, offset: u64, into: &mut [u8]) -> Result<(), Partial> {
        let len = into.len();
        copy(Source::Lease(self, index, offset), Destination::Bytes(into), len)
    }

    /// Copies to byte `offset` of a lease and following; `index` counts the call's leases from 0.
    ///
    /// # Errors
    /// How far it came; InvalidArgument: no such lease, or beyond its end; NoRights: the lease is
    /// for reading; BadAddress: the caller's memory is not mapped; StaleCall.
    pub fn lease_write(self, index: usize, offset: u64, bytes: &[u8]) -> Result<(), Partial> {
        copy(Source::Bytes(bytes), Destination::Lease(self, index, offset), bytes.len())
    }

    /// Compares the 32-bit word at `address` of the foreign caller's memory with `expected` and
    /// sets it to `new` if equal, in one step; returns what it was.
    ///
    /// # Errors
    /// BadAddress: not mapped, not writable or misaligned; StaleCall.
    pub fn compare_exchange(self, address: u64, expected: u32, new: u32) -> Result<u32, Error> {
        let words = [address, expected.into(), new.into(), 0, 0, 0];
        let (_, words) = syscall::operate(Operation::CompareExchange, self.to_raw(), words)?;
        Ok(words[0] as u32)
    }
}
