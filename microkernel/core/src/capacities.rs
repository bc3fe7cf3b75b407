//! Capacities: how many objects the kernel has room for, and what may be promised of them.
//!
//! All objects are made of the first task's units. Each arena has room for as many objects as all
//! these units can buy, so that none is full while a quota has units left: what one process does
//! never keeps another from what its quota was promised.

use crate::arena::Arena;
use crate::deadline::{Deadlines, Timer};
use crate::endpoint::Endpoint;
use crate::frames::Frames;
use crate::mapping::Mapping;
use crate::memory::Memory;
use crate::notice::Notices;
use crate::notification::Notification;
use crate::quota::{Charged, Quota};
use crate::space::Space;
use crate::table::Table;
use crate::thread::Thread;

/// Frames to one unit.
const FRAMES: usize = 4;
/// The least and the most units.
const UNITS: (usize, usize) = (4096, 65_536);
/// Bytes of what is as large on every machine, and of the heap's own needs.
const REST: usize = 64 << 10;

/// What the size of memory allows.
pub struct Capacities {
    /// The first task's units of objects.
    pub units: usize,
}

impl Capacities {
    /// Returns the capacities of a machine with so many frames.
    pub fn new(frames: usize) -> Self {
        Capacities { units: (frames / FRAMES).clamp(UNITS.0, UNITS.1) }
    }

    /// Returns how many objects of a kind there can be.
    pub fn of<T: Charged>(&self) -> usize {
        self.units / T::COST
    }

    /// Returns an arena for as many objects of a kind as there can be.
    pub fn arena<T: Charged>(&self) -> Arena<T> {
        Arena::new(self.of::<T>())
    }

    /// Returns how many quotas there can be: the first task's, which nobody pays for, too.
    pub fn quotas(&self) -> usize {
        1 + self.units / Quota::COST
    }

    /// Returns how many mappings there can be.
    pub fn mappings(&self) -> usize {
        self.units / Mapping::COST
    }

    fn bytes(&self) -> usize {
        let waiters = self.of::<Thread>() + self.of::<Timer>();
        self.of::<Thread>() * (Arena::<Thread>::SLOT_BYTES + Notices::SLOT_BYTES)
            + self.of::<Space>() * Arena::<Space>::SLOT_BYTES
            + self.of::<Table>() * Arena::<Table>::SLOT_BYTES
            + self.of::<Endpoint>() * Arena::<Endpoint>::SLOT_BYTES
            + self.of::<Notification>() * Arena::<Notification>::SLOT_BYTES
            + self.of::<Memory>() * Arena::<Memory>::SLOT_BYTES
            + self.of::<Timer>() * Arena::<Timer>::SLOT_BYTES
            + self.quotas() * Arena::<Quota>::SLOT_BYTES
            + self.mappings() * Arena::<Mapping>::SLOT_BYTES
            + waiters * Deadlines::WAITER_BYTES
    }
}

/// Returns the bytes of heap that the core needs on a machine with so many frames of RAM, the
/// highest of which has that number.
pub fn heap_bytes(frames: usize, highest: usize) -> usize {
    Capacities::new(frames).bytes() + highest * Frames::FRAME_BYTES + REST
}

// Threads and timers are named by 16-bit slots, the last of which means none.
const _: () = assert!(UNITS.1 / <Thread as Charged>::COST < 0xffff);
const _: () = assert!(UNITS.1 / <Timer as Charged>::COST < 0xffff);
