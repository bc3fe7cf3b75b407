//! Kernel objects: a capability's number in the type of what it names.

use kamen_abi::{Error, Handle, ObjectKind, Operation, Rights, WHOLE, WORDS};

use crate::syscall;

mod endpoint;
mod memory;
mod notification;
mod platform;
mod quota;
mod space;
mod table;
mod thread;

pub use endpoint::Endpoint;
pub use memory::{Memory, Stopped};
pub use notification::{Notification, Timer};
pub use platform::{Interrupt, Physical, Ports, Threads, Trace};
pub use quota::Quota;
pub use space::Space;
pub use table::Table;
pub use thread::{Handling, Thread};

/// What every kind of object can do.
///
/// ```
/// use libipc::{Endpoint, Handle, Object, Rights, Table, loopback};
/// let bell = loopback::notification();
/// let badged = bell.mint(Rights::SEND, 4)?;
/// badged.signal(1)?;
/// assert_eq!(bell.poll(), Ok(4), "the badge tells who");
/// badged.delete()?;
/// assert!(badged.signal(1).is_err());
/// bell.destroy()?;
/// assert!(bell.poll().is_err(), "nobody has it any more");
/// assert_eq!(Endpoint::from_handle(Handle(3)).handle(), Handle(3));
/// // What a program is started with: copies in its own table. On the host there is none.
/// assert!(Endpoint(Handle(3)).mint_to(Table(Handle(8)), Rights::SEND, 1, Handle::NULL).is_err());
/// assert_eq!(loopback::memory(2).inspect()?.values[0], 2);
/// # Ok::<(), libipc::Error>(())
/// ```
pub trait Object: Copy {
    /// Returns the object that a handle names; the kernel checks at each use that it does.
    fn from_handle(handle: Handle) -> Self;

    /// Returns the handle.
    fn handle(self) -> Handle;

    /// Copies the capability within the own table, with at most `rights`; `badge` counts for
    /// endpoints and notifications whose badge is 0.
    ///
    /// # Errors
    /// NoRights: GRANT is missing; TableFull; InvalidHandle.
    fn mint(self, rights: Rights, badge: u64) -> Result<Self, Error> {
        let words = [0, rights.0.into(), badge, 0, WHOLE, 0];
        let (handle, _) = syscall::operate(Operation::Mint, self.handle().0.into(), words)?;
        Ok(Self::from_handle(Handle(handle as u16)))
    }

    /// Copies the capability to another table as [`Object::mint`] does, to `slot` (NULL: any);
    /// returns its handle there.
    ///
    /// # Errors
    /// NoRights: GRANT is missing, or CONTROL of the table; TableFull; InvalidHandle; Busy: the
    /// slot is taken.
    fn mint_to(
        self,
        table: Table,
        rights: Rights,
        badge: u64,
        slot: Handle,
    ) -> Result<Handle, Error> {
        let words = [table.0.0.into(), rights.0.into(), badge, slot.0.into(), WHOLE, 0];
        let (handle, _) = syscall::operate(Operation::Mint, self.handle().0.into(), words)?;
        Ok(Handle(handle as u16))
    }

    /// Empties the slot in the own table; the object lives on.
    ///
    /// # Errors
    /// InvalidHandle: it is empty already.
    fn delete(self) -> Result<(), Error> {
        Table(Handle::NULL).delete_slot(self.handle())
    }

    /// Destroys the object: all capabilities to it become invalid.
    ///
    /// # Errors
    /// NoRights: DESTROY is missing; InvalidHandle.
    fn destroy(self) -> Result<(), Error> {
        syscall::control(Operation::Destroy, self.handle(), [0; WORDS])
    }

    /// Tells about capability and object.
    ///
    /// # Errors
    /// InvalidHandle.
    fn inspect(self) -> Result<Inspection, Error> {
        let (_, words) = syscall::operate(Operation::Inspect, self.handle().0.into(), [0; WORDS])?;
        let [kind, rights, badge, values @ ..] = words;
        let kind = ObjectKind::from_number(kind).ok_or(Error::WrongKind)?;
        Ok(Inspection { kind, rights: Rights(rights as u16), badge, values })
    }
}

/// What [`Object::inspect`] tells.
///
/// ```
/// use libipc::{Inspection, Object, ObjectKind, loopback};
/// let Inspection { kind, values, rights: _, badge } = loopback::memory(3).inspect()?;
/// assert_eq!((kind, values[0], badge), (ObjectKind::Memory, 3, 0));
/// # Ok::<(), libipc::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inspection {
    /// The object's kind.
    pub kind: ObjectKind,
    /// The capability's rights.
    pub rights: Rights,
    /// The capability's badge. Thread: of its processor time, what was done for its calls if it is
    /// foreign, in ns. First task's quota: free pages of the machine in the low half, its
    /// pages of RAM in the high half.
    pub badge: u64,
    /// Memory: pages, physical address (0: not told), kind
    /// ([`MemoryKind`](kamen_abi::MemoryKind)). Quota: pages used, their limit, units of
    /// objects used (low half) and their limit (high half). Thread: state (0 stopped, 1 ready or
    /// running, 2 waiting), nanoseconds of processor time that it paid for. Address space: pages of
    /// its page tables. Endpoint: its slot last, by which capabilities to one are known. Ports,
    /// interrupt lines, physical memory: first, last.
    pub values: [u64; 3],
}

/// Creates an object charged to `quota`.
fn create<T: Object>(quota: Quota, kind: ObjectKind, first: u64, second: u64) -> Result<T, Error> {
    create_with(quota, kind, [first, second, 0, 0])
}

/// Creates an object charged to `quota`; the arguments are `w1` to `w4`.
fn create_with<T: Object>(quota: Quota, kind: ObjectKind, arguments: [u64; 4]) -> Result<T, Error> {
    let [w1, w2, w3, w4] = arguments;
    let words = [kind as u64, w1, w2, w3, w4, 0];
    let (handle, _) = syscall::operate(Operation::Create, quota.0.0.into(), words)?;
    Ok(T::from_handle(Handle(handle as u16)))
}
