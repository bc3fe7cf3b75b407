//! Capabilities and the tables that hold them.

use alloc::vec::Vec;
use kamen_abi::{Error, Handle, ObjectKind, Rights};

use crate::arena::Id;
use crate::deadline::Timer;
use crate::endpoint::Endpoint;
use crate::memory::Memory;
use crate::notification::Notification;
use crate::quota::Quota;
use crate::space::Space;
use crate::thread::Thread;

/// What a capability refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    Thread(Id<Thread>),
    Space(Id<Space>),
    Table(Id<Table>),
    Endpoint(Id<Endpoint>),
    Notification(Id<Notification>),
    Memory(Id<Memory>),
    Timer(Id<Timer>),
    Quota(Id<Quota>),
    /// I/O ports, first to last.
    Ports(u16, u16),
    /// Interrupt lines, first to last.
    Interrupt(u16, u16),
    /// Frames of physical memory, first to last.
    Physical(u32, u32),
    /// The kernel's trace.
    Trace,
}

impl Object {
    /// Returns the kind as user space knows it.
    pub fn kind(self) -> ObjectKind {
        match self {
            Object::Thread(_) => ObjectKind::Thread,
            Object::Space(_) => ObjectKind::Space,
            Object::Table(_) => ObjectKind::Table,
            Object::Endpoint(_) => ObjectKind::Endpoint,
            Object::Notification(_) => ObjectKind::Notification,
            Object::Memory(_) => ObjectKind::Memory,
            Object::Timer(_) => ObjectKind::Timer,
            Object::Quota(_) => ObjectKind::Quota,
            Object::Ports(..) => ObjectKind::Ports,
            Object::Interrupt(..) => ObjectKind::Interrupt,
            Object::Physical(..) => ObjectKind::Physical,
            Object::Trace => ObjectKind::Trace,
        }
    }
}

/// An object and what may be done with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capability {
    /// The object; it may have been destroyed since.
    pub object: Object,
    /// What the holder may do.
    pub rights: Rights,
    /// What a receiver sees of a message sent through it; 0: none yet.
    pub badge: u64,
}

/// Bytes that a slot takes, for charging.
pub const SLOT_BYTES: usize = size_of::<Option<Capability>>();

/// A table of capabilities: what a process holds.
#[derive(Default)]
pub struct Table {
    slots: Vec<Option<Capability>>,
    /// Bit n is set where slot n is free.
    free: Vec<u64>,
    /// No word of `free` before this one has a bit set.
    hint: usize,
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
    /// Pages charged for the slots.
    pub pages: usize,
}

impl Table {
    /// Returns an empty table; slot 0 is never used.
    ///
    /// # Errors
    /// OutOfMemory where the kernel's heap cannot hold it.
    pub fn new(slots: usize) -> Result<Self, Error> {
        let mut table = Table::default();
        table.slots.try_reserve_exact(slots).map_err(|_| Error::OutOfMemory)?;
        table.free.try_reserve_exact(slots.div_ceil(64)).map_err(|_| Error::OutOfMemory)?;
        table.slots.resize(slots, None);
        table.free.resize(slots.div_ceil(64), u64::MAX);
        table.free[0] &= !1;
        if !slots.is_multiple_of(64) {
            *table.free.last_mut().ok_or(Error::InvalidArgument)? &= (1 << (slots % 64)) - 1;
        }
        Ok(table)
    }

    /// Returns the capability in a slot.
    #[inline]
    pub fn get(&self, handle: Handle) -> Result<Capability, Error> {
        match self.slots.get(handle.0 as usize) {
            Some(Some(capability)) => Ok(*capability),
            _ => Err(Error::InvalidHandle),
        }
    }

    /// Returns the endpoint in a slot and the badge, where the capability has the right.
    #[inline(always)]
    pub fn endpoint(&self, handle: Handle, right: Rights) -> Option<(Id<Endpoint>, u64)> {
        let capability = self.slots.get(handle.0 as usize)?.as_ref()?;
        match capability.object {
            Object::Endpoint(id) if capability.rights.contains(right) => {
                Some((id, capability.badge))
            }
            _ => None,
        }
    }

    /// Returns the notification in a slot and the badge, where the capability has the right.
    #[inline(always)]
    pub fn notification(&self, handle: Handle, right: Rights) -> Option<(Id<Notification>, u64)> {
        let capability = self.slots.get(handle.0 as usize)?.as_ref()?;
        match capability.object {
            Object::Notification(id) if capability.rights.contains(right) => {
                Some((id, capability.badge))
            }
            _ => None,
        }
    }

    /// Returns whether `count` slots are free.
    pub fn has_free(&self, count: usize) -> bool {
        let mut found = 0;
        self.free[self.hint..].iter().any(|word| {
            found += word.count_ones() as usize;
            found >= count
        }) || count == 0
    }

    /// Puts a capability into any free slot.
    ///
    /// # Errors
    /// TableFull.
    pub fn insert(&mut self, capability: Capability) -> Result<Handle, Error> {
        let words = self.free[self.hint..].iter();
        let Some(skipped) = words.take_while(|word| **word == 0).count().checked_add(self.hint)
        else {
            return Err(Error::TableFull);
        };
        self.hint = skipped.min(self.free.len() - 1);
        let word = self.free.get(skipped).ok_or(Error::TableFull)?;
        let slot = skipped * 64 + word.trailing_zeros() as usize;
        self.occupy(slot, capability);
        Ok(Handle(slot as u16))
    }

    /// Puts a capability into a certain slot.
    ///
    /// # Errors
    /// InvalidArgument where the table has no such slot, Busy where it is in use.
    pub fn insert_at(&mut self, handle: Handle, capability: Capability) -> Result<Handle, Error> {
        let slot = handle.0 as usize;
        match self.slots.get(slot) {
            None => Err(Error::InvalidArgument),
            Some(Some(_)) => Err(Error::Busy),
            Some(None) => {
                self.occupy(slot, capability);
                Ok(handle)
            }
        }
    }

    /// Empties a slot and returns what was in it.
    ///
    /// # Errors
    /// InvalidHandle where nothing was.
    pub fn remove(&mut self, handle: Handle) -> Result<Capability, Error> {
        let slot = handle.0 as usize;
        let capability =
            self.slots.get_mut(slot).and_then(Option::take).ok_or(Error::InvalidHandle)?;
        self.free[slot / 64] |= 1 << (slot % 64);
        self.hint = self.hint.min(slot / 64);
        Ok(capability)
    }

    fn occupy(&mut self, slot: usize, capability: Capability) {
        self.slots[slot] = Some(capability);
        self.free[slot / 64] &= !(1 << (slot % 64));
    }
}

#[cfg(test)]
impl Table {
    /// Returns the number of slots.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the number of capabilities.
    pub fn used(&self) -> usize {
        self.slots.iter().flatten().count()
    }
}

#[cfg(test)]
mod tests {
    use super::{Capability, Object, Table};
    use kamen_abi::{Error, Handle, Rights};

    const CAPABILITY: Capability =
        Capability { object: Object::Ports(0, 7), rights: Rights::READ, badge: 0 };

    #[test]
    fn slots_are_reused_lowest_first_and_slot_0_never() {
        let mut table = Table::new(70).unwrap();
        for slot in 1..70 {
            assert_eq!(table.insert(CAPABILITY), Ok(Handle(slot)));
        }
        assert_eq!(table.insert(CAPABILITY), Err(Error::TableFull));
        assert!(!table.has_free(1));
        table.remove(Handle(66)).unwrap();
        table.remove(Handle(3)).unwrap();
        assert!(table.has_free(2) && !table.has_free(3));
        assert_eq!(table.insert(CAPABILITY), Ok(Handle(3)));
        assert_eq!(table.insert(CAPABILITY), Ok(Handle(66)));
    }

    #[test]
    fn a_slot_in_use_is_not_overwritten() {
        let mut table = Table::new(8).unwrap();
        assert_eq!(table.insert_at(Handle(5), CAPABILITY), Ok(Handle(5)));
        assert_eq!(table.insert_at(Handle(5), CAPABILITY), Err(Error::Busy));
        assert_eq!(table.insert_at(Handle(8), CAPABILITY), Err(Error::InvalidArgument));
        assert_eq!(table.remove(Handle(6)), Err(Error::InvalidHandle));
    }
}
