//! The platform's objects: I/O ports, interrupt lines, physical memory, the trace.

use kamen_abi::snapshot::{Activity, Snapshot};
use kamen_abi::{Error, Handle, Operation, PortWidth, Rights};

use super::{Notification, Object, Table};
use crate::syscall;

/// A range of I/O ports.
///
/// ```no_run
/// use libipc::{Error, Handle, PortWidth, Ports, Rights, Table};
///
/// fn serial(ports: Ports, driver: Table) -> Result<Handle, Error> {
///     while ports.read(0x3fd, PortWidth::Byte)? & 0x20 == 0 {} // The transmitter is full.
///     ports.write(0x3f8, PortWidth::Byte, b'!'.into())?;
///     ports.write_bytes(0xe9, b"text\n")?;
///     // A driver gets its own ports, no others.
///     ports.narrow_to(driver, Rights::READ.union(Rights::WRITE), (0x3f8, 0x3ff), Handle::NULL)
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Ports(pub Handle);

impl Ports {
    /// Reads a port.
    ///
    /// # Errors
    /// NoRights: READ; InvalidArgument: outside the range.
    pub fn read(self, port: u16, width: PortWidth) -> Result<u32, Error> {
        let words = [port.into(), width as u64, 0, 0, 0, 0];
        let (_, words) = syscall::operate(Operation::PortIn, self.0.0.into(), words)?;
        Ok(words[0] as u32)
    }

    /// Writes a port.
    ///
    /// # Errors
    /// NoRights: WRITE; InvalidArgument: outside the range.
    pub fn write(self, port: u16, width: PortWidth, value: u32) -> Result<(), Error> {
        let words = [port.into(), width as u64, value.into(), 0, 0, 0];
        syscall::control(Operation::PortOut, self.0, words)
    }

    /// Writes bytes to an 8-bit port one after the other, up to
    /// [`PORT_WRITE_MAX`](kamen_abi::PORT_WRITE_MAX) of them without anybody else in between.
    ///
    /// # Errors
    /// NoRights: WRITE; InvalidArgument: outside the range.
    pub fn write_bytes(self, port: u16, bytes: &[u8]) -> Result<(), Error> {
        for part in bytes.chunks(kamen_abi::PORT_WRITE_MAX) {
            let address = part.as_ptr().expose_provenance() as u64;
            let words = [port.into(), address, part.len() as u64, 0, 0, 0];
            syscall::control(Operation::PortWrite, self.0, words)?;
        }
        Ok(())
    }

    /// Copies the capability, narrowed to the ports `first` to `last`, to a table; returns its
    /// handle there.
    ///
    /// # Errors
    /// As [`Object::mint_to`]; InvalidArgument: not within the range.
    pub fn narrow_to(
        self,
        table: Table,
        rights: Rights,
        (first, last): (u16, u16),
        slot: Handle,
    ) -> Result<Handle, Error> {
        narrow(self.0, table, rights, (first.into(), last.into()), slot)
    }
}

impl Object for Ports {
    fn from_handle(handle: Handle) -> Self {
        Ports(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}

/// A range of interrupt lines.
///
/// ```no_run
/// use libipc::{Error, Handle, Interrupt, Notification, Rights, Table, Time};
///
/// fn serve(lines: Interrupt, bell: Notification) -> Result<(), Error> {
///     lines.bind(4, bell, 1)?;
///     while bell.wait(Time::FOREVER)? & 1 != 0 {
///         // The device is looked after; then the line may interrupt again.
///         lines.acknowledge(4)?;
///     }
///     Ok(())
/// }
///
/// fn give(lines: Interrupt, driver: Table) -> Result<Handle, Error> {
///     lines.narrow_to(driver, Rights::CONTROL, (4, 4), Handle::NULL)
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Interrupt(pub Handle);

impl Interrupt {
    /// Has line `line` signal `bits` to a notification, and unmasks it. Each interrupt masks it
    /// until [`Interrupt::acknowledge`].
    ///
    /// # Errors
    /// NoRights: CONTROL, SEND of the notification; InvalidArgument: outside the range.
    pub fn bind(self, line: u32, notification: Notification, bits: u64) -> Result<(), Error> {
        let words = [line.into(), notification.0.0.into(), bits, 0, 0, 0];
        syscall::control(Operation::BindInterrupt, self.0, words)
    }

    /// Unmasks the line again.
    ///
    /// # Errors
    /// NoRights: CONTROL; InvalidArgument: outside the range.
    pub fn acknowledge(self, line: u32) -> Result<(), Error> {
        syscall::control(Operation::AcknowledgeInterrupt, self.0, [line.into(), 0, 0, 0, 0, 0])
    }

    /// Copies the capability, narrowed to the lines `first` to `last`, to a table; returns its
    /// handle there.
    ///
    /// # Errors
    /// As [`Object::mint_to`]; InvalidArgument: not within the range.
    pub fn narrow_to(
        self,
        table: Table,
        rights: Rights,
        (first, last): (u32, u32),
        slot: Handle,
    ) -> Result<Handle, Error> {
        narrow(self.0, table, rights, (first.into(), last.into()), slot)
    }
}

impl Object for Interrupt {
    fn from_handle(handle: Handle) -> Self {
        Interrupt(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}

/// A range of physical memory, by the numbers of its frames: addresses divided by the page size.
///
/// RAM in it cannot be had, only devices' registers
/// ([`Quota::create_device`](super::Quota::create_device)).
///
/// ```no_run
/// use libipc::{Error, Handle, Memory, Physical, Quota, Rights, Table};
///
/// fn registers(physical: Physical, quota: Quota) -> Result<Memory, Error> {
///     let (first, last) = physical.range()?;
///     quota.create_device(physical, first, last - first + 1)
/// }
///
/// fn give(physical: Physical, driver: Table) -> Result<Handle, Error> {
///     let frame = 0xfeb0_0000 / 4096;
///     physical.narrow_to(driver, Rights::CONTROL, (frame, frame), Handle::NULL)
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Physical(pub Handle);

impl Physical {
    /// Returns the first and the last frame.
    ///
    /// # Errors
    /// InvalidHandle; WrongKind: the capability is to something else.
    pub fn range(self) -> Result<(u64, u64), Error> {
        let inspection = self.inspect()?;
        let [first, last, _] = inspection.values;
        let physical = inspection.kind == kamen_abi::ObjectKind::Physical;
        if physical { Ok((first, last)) } else { Err(Error::WrongKind) }
    }

    /// Copies the capability, narrowed to the frames `first` to `last`, to a table; returns its
    /// handle there.
    ///
    /// # Errors
    /// As [`Object::mint_to`]; InvalidArgument: not within the range.
    pub fn narrow_to(
        self,
        table: Table,
        rights: Rights,
        (first, last): (u64, u64),
        slot: Handle,
    ) -> Result<Handle, Error> {
        narrow(self.0, table, rights, (first, last), slot)
    }
}

impl Object for Physical {
    fn from_handle(handle: Handle) -> Self {
        Physical(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}

fn narrow(
    handle: Handle,
    table: Table,
    rights: Rights,
    (first, last): (u64, u64),
    slot: Handle,
) -> Result<Handle, Error> {
    let words = [table.0.0.into(), rights.0.into(), first, slot.0.into(), last, 0];
    let (handle, _) = syscall::operate(Operation::Mint, handle.0.into(), words)?;
    Ok(Handle(handle as u16))
}

/// The kernel's trace.
///
/// ```no_run
/// use libipc::{Error, Trace, start::Start};
/// # let start = Start::default();
/// let trace: Trace = start.find("trace").expect("the manifest gives it");
/// trace.record(0)?; // Nothing is recorded any more.
/// for thread in trace.threads() {
///     let thread = thread?;
///     libipc::log!("slot {}: {} calls", thread.slot, thread.calls);
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Trace(pub Handle);

impl Trace {
    /// Has the kernel record events of the kinds in a set from now on; 0: none.
    ///
    /// # Errors
    /// NoRights: CONTROL; InvalidArgument: a bit that stands for no kind.
    pub fn record(self, kinds: u64) -> Result<(), Error> {
        syscall::control(Operation::Trace, self.0, [kinds, 0, 0, 0, 0, 0])
    }

    /// Returns all threads in the order of their slots, each as it is when it is come to.
    pub fn threads(self) -> Threads {
        Threads { trace: self, next: Some(0) }
    }

    /// Tells about the first thread from a slot on, as far as one operation looks.
    ///
    /// # Errors
    /// NoRights: READ; InvalidHandle, WrongKind: the capability is to something else.
    fn inspect_thread(self, from: u64) -> Result<Snapshot, Error> {
        let words = [from, 0, 0, 0, 0, 0];
        let (_, words) = syscall::operate(Operation::InspectThread, self.0.0.into(), words)?;
        Snapshot::from_words(words).ok_or(Error::InvalidArgument)
    }
}

/// The threads of the system, each as it was when the iterator came to it. The first error is the
/// last item.
///
/// ```
/// use libipc::{Error, Handle, Trace};
/// let mut threads = Trace(Handle(3)).threads();
/// // On the host there is no kernel to tell of any.
/// assert_eq!(threads.next().and_then(Result::err), Some(Error::InvalidOperation));
/// assert!(threads.next().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Threads {
    trace: Trace,
    /// The slot from which to look on; nothing at the end.
    next: Option<u64>,
}

impl Iterator for Threads {
    type Item = Result<Snapshot, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(from) = self.next.take() {
            let snapshot = match self.trace.inspect_thread(from) {
                Ok(Snapshot::END) => return None,
                Ok(snapshot) => snapshot,
                Err(error) => return Some(Err(error)),
            };
            self.next = Some(u64::from(snapshot.slot) + 1);
            if snapshot.activity != Activity::None {
                return Some(Ok(snapshot));
            }
        }
        None
    }
}

impl Object for Trace {
    fn from_handle(handle: Handle) -> Self {
        Trace(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}
