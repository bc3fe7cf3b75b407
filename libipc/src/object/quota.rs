//! Quotas: what pays for pages and objects, and so creates them.

use kamen_abi::{Error, Handle, MemoryKind, ObjectKind};

use super::{
    Endpoint, Memory, Notification, Object, Physical, Space, Table, Thread, Timer, create,
    create_with,
};

/// A quota of pages and objects.
///
/// All of the methods that create need CONTROL (else NoRights) and fail with QuotaExhausted,
/// OutOfMemory or TableFull; the creator's capability has all rights.
///
/// ```no_run
/// use libipc::{Endpoint, Error, Physical, Quota};
///
/// fn everything(quota: Quota, physical: Physical) -> Result<(), Error> {
///     let child = quota.create_quota(256, 64)?; // What one program may have.
///     let (space, table) = (child.create_space()?, child.create_table(64)?);
///     let _thread = child.create_thread(space, Some(table))?;
///     let _stack = child.create_memory(16)?;
///     let (_buffers, _address) = child.create_contiguous(4)?; // For a device.
///     let _registers = quota.create_device(physical, 0xfeb00, 1)?;
///     let pager: Endpoint = quota.create_endpoint()?;
///     let _file = quota.create_paged(8, pager)?;
///     let bell = quota.create_notification()?;
///     let _timer = quota.create_timer(bell, 1)?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Quota(pub Handle);

impl Quota {
    /// Returns a new endpoint.
    ///
    /// # Errors
    /// As the type says.
    pub fn create_endpoint(self) -> Result<Endpoint, Error> {
        create(self, ObjectKind::Endpoint, 0, 0)
    }

    /// Returns a new notification without bits.
    ///
    /// # Errors
    /// As the type says.
    pub fn create_notification(self) -> Result<Notification, Error> {
        create(self, ObjectKind::Notification, 0, 0)
    }

    /// Returns a new memory object of `pages` pages, filled with zeros on demand.
    ///
    /// # Errors
    /// As the type says.
    pub fn create_memory(self, pages: u64) -> Result<Memory, Error> {
        create(self, ObjectKind::Memory, pages, 0)
    }

    /// Returns a new memory object whose missing pages the server of `pager` is asked for
    /// ([`PageRequest`](crate::PageRequest)); the badge of that capability says which object.
    ///
    /// # Errors
    /// As the type says; NoRights: SEND of the pager's endpoint.
    pub fn create_paged(self, pages: u64, pager: Endpoint) -> Result<Memory, Error> {
        let arguments = [pages, MemoryKind::Pager as u64, pager.0.0.into(), 0];
        create_with(self, ObjectKind::Memory, arguments)
    }

    /// Returns a new memory object of adjacent frames, all zeroed, and where they are: the first
    /// one's physical address, for a device. At most
    /// [`CONTIGUOUS_MAX`](kamen_abi::CONTIGUOUS_MAX) pages.
    ///
    /// # Errors
    /// As the type says; OutOfMemory: not as many adjacent frames are free; InvalidArgument: too
    /// many pages.
    pub fn create_contiguous(self, pages: u64) -> Result<(Memory, u64), Error> {
        let arguments = [pages, MemoryKind::Contiguous as u64, 0, 0];
        let memory: Memory = create_with(self, ObjectKind::Memory, arguments)?;
        let address = memory.commit(0, pages).map_err(Error::from);
        let address = address.and_then(|()| memory.physical_address()?.ok_or(Error::WrongKind));
        match address {
            Ok(address) => Ok((memory, address)),
            Err(error) => {
                // Nobody else has it yet; what cannot be destroyed is the quota's to clear away.
                let _ = memory.destroy();
                let _ = memory.delete();
                Err(error)
            }
        }
    }

    /// Returns a new memory object that is a device's registers: the frames from `first` on.
    ///
    /// # Errors
    /// As the type says; NoRights: CONTROL of the physical memory; InvalidArgument: not all of
    /// the frames are in its range, or one is RAM or the kernel's.
    pub fn create_device(
        self,
        physical: Physical,
        first: u64,
        pages: u64,
    ) -> Result<Memory, Error> {
        let arguments = [pages, MemoryKind::Device as u64, physical.0.0.into(), first];
        create_with(self, ObjectKind::Memory, arguments)
    }

    /// Returns a new address space without mappings.
    ///
    /// # Errors
    /// As the type says.
    pub fn create_space(self) -> Result<Space, Error> {
        create(self, ObjectKind::Space, 0, 0)
    }

    /// Returns a new capability table of `slots` slots, all empty.
    ///
    /// # Errors
    /// As the type says; InvalidArgument: no slots, or too many.
    pub fn create_table(self, slots: u16) -> Result<Table, Error> {
        create(self, ObjectKind::Table, slots.into(), 0)
    }

    /// Returns a new thread of a space, stopped; `table` is none for foreign threads.
    ///
    /// # Errors
    /// As the type says; NoRights: CONTROL of space and table.
    pub fn create_thread(self, space: Space, table: Option<Table>) -> Result<Thread, Error> {
        let table = table.map_or(Handle::NULL, Object::handle);
        create(self, ObjectKind::Thread, space.0.0.into(), table.0.into())
    }

    /// Returns a new timer, disarmed, which will signal `bits` to a notification.
    ///
    /// # Errors
    /// As the type says; NoRights: SEND of the notification.
    pub fn create_timer(self, notification: Notification, bits: u64) -> Result<Timer, Error> {
        create(self, ObjectKind::Timer, notification.0.0.into(), bits)
    }

    /// Returns a new quota, part of this one.
    ///
    /// # Errors
    /// As the type says.
    pub fn create_quota(self, pages: u64, objects: u64) -> Result<Quota, Error> {
        create(self, ObjectKind::Quota, pages, objects)
    }
}

impl Object for Quota {
    fn from_handle(handle: Handle) -> Self {
        Quota(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}
