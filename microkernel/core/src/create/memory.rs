//! Creating memory objects of each kind.

use kamen_abi::{CONTIGUOUS_MAX, Error, Handle, MemoryKind, ObjectKind, Rights};

use crate::arena::Id;
use crate::backing::{Backing, Pager};
use crate::kernel::Kernel;
use crate::machine::{Frame, Machine};
use crate::memory::{MAX_PAGES, Memory};
use crate::quota::{self, Quota};
use crate::table::Object;

impl<M: Machine> Kernel<M> {
    /// Operation Create for memory objects.
    pub(super) fn create_memory(&mut self, quota: Id<Quota>, words: [u64; 6]) -> Result<(), Error> {
        let [_, pages, kind, w3, w4, _] = words;
        let kind = MemoryKind::from_number(kind).ok_or(Error::InvalidArgument)?;
        let most = if kind == MemoryKind::Contiguous { CONTIGUOUS_MAX } else { MAX_PAGES };
        if !(1..=most as u64).contains(&pages) {
            return Err(Error::InvalidArgument);
        }
        let pages = pages as usize;
        let backing = match kind {
            MemoryKind::Anonymous => Backing::Anonymous,
            MemoryKind::Contiguous => return self.create_contiguous(quota, pages),
            MemoryKind::Pager => self.pager(w3)?,
            MemoryKind::Device => self.device(w3, w4, pages)?,
            MemoryKind::Archive => return Err(Error::InvalidArgument),
        };
        self.install(quota, ObjectKind::Memory, 0, |kernel| {
            let memory = Memory::backed(backing, pages, Some(quota));
            let vm = &mut kernel.vm;
            let id = quota::insert(&mut vm.quotas, &mut vm.memories, memory);
            id.map(Object::Memory).ok_or(Error::OutOfMemory)
        })
    }

    fn create_contiguous(&mut self, quota: Id<Quota>, pages: usize) -> Result<(), Error> {
        self.install(quota, ObjectKind::Memory, pages, |kernel| {
            kernel.contiguous(quota, pages).map(Object::Memory)
        })
    }

    /// Makes a contiguous object whose pages are charged already.
    fn contiguous(&mut self, quota: Id<Quota>, pages: usize) -> Result<Id<Memory>, Error> {
        if self.vm.memories.is_full() {
            return Err(Error::OutOfMemory);
        }
        let (mut supply, _) = self.vm.supply();
        let mut memory = Memory::backed(Backing::Contiguous(pages), pages, Some(quota));
        memory.add_node(&mut supply)?;
        let Some(first) = supply.frames.allocate_adjacent(pages) else {
            memory.release_node(&mut supply, 0, 1);
            return Err(Error::OutOfMemory);
        };
        memory.set_aside(supply.machine, first);
        quota::insert(&mut self.vm.quotas, &mut self.vm.memories, memory).ok_or(Error::OutOfMemory)
    }

    /// Returns the backing by a pager, through a capability to its endpoint.
    pub(crate) fn pager(&self, handle: u64) -> Result<Backing, Error> {
        let (endpoint, badge) = self.endpoint(handle, Rights::SEND)?;
        Ok(Backing::Pager(Pager { endpoint, badge }))
    }

    /// Returns the backing by a device's registers, through a capability to physical memory.
    fn device(&self, handle: u64, first: u64, pages: usize) -> Result<Backing, Error> {
        let handle = Handle(u16::try_from(handle).map_err(|_| Error::InvalidHandle)?);
        let Object::Physical(from, to) = self.capability(handle, Rights::CONTROL)?.object else {
            return Err(Error::WrongKind);
        };
        let last = first.checked_add(pages as u64 - 1).ok_or(Error::InvalidArgument)?;
        let first = u32::try_from(first).map(Frame).map_err(|_| Error::InvalidArgument)?;
        let covered = from <= first.0 && last <= to as u64;
        if covered && self.vm.machine.is_device(first, pages) {
            Ok(Backing::Device(first))
        } else {
            Err(Error::InvalidArgument)
        }
    }
}

// All entries of a contiguous object are in one node of its tree (Memory::set_aside).
const _: () = assert!(CONTIGUOUS_MAX <= crate::memory::FANOUT);
