//! The kinds of kernel object, and what each costs.

/// The kinds of object, with the further arguments of [`Operation::Create`](crate::Operation::Create).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ObjectKind {
    /// A thread: `w1` its space (CONTROL), `w2` its capability table (CONTROL) (0: none, for
    /// foreign threads). Created stopped, all registers zero, priority 0.
    /// Costs 8 units.
    Thread = 1,
    /// An empty address space.
    /// Costs 2 units.
    Space = 2,
    /// A capability table: `w1` its number of slots, 2 to [`MAX_SLOTS`](crate::MAX_SLOTS); slot 0 is never
    /// used. Charged is a page for every 128 slots begun, and one more where that is not the only one.
    /// Costs 8 units.
    Table = 3,
    /// An endpoint.
    /// Costs 8 units.
    Endpoint = 4,
    /// A notification, all bits clear.
    /// Costs 4 units.
    Notification = 5,
    /// A memory object: `w1` pages, `w2` a [`MemoryKind`](crate::MemoryKind), which tells the
    /// other arguments.
    /// Costs 1 unit.
    Memory = 6,
    /// Interrupt lines; not created but narrowed from the first task's.
    Interrupt = 7,
    /// I/O ports; not created but narrowed from the first task's.
    Ports = 8,
    /// A timer: `w1` the notification (SEND) it signals, `w2` the bits (the capability's badge,
    /// where it has one). Created disarmed.
    /// Costs 8 units.
    Timer = 9,
    /// A quota, part of the one it is charged to: `w1` pages, `w2` units for objects
    /// ([`ObjectKind::cost`]).
    /// Costs 8 units.
    Quota = 10,
    /// Physical memory, by the numbers of its frames; not created but narrowed from the first
    /// task's.
    Physical = 11,
    /// The kernel's trace; not created, the first task has it.
    Trace = 12,
}

impl ObjectKind {
    /// Returns the kind of a number, if it names one.
    pub const fn from_number(number: u64) -> Option<ObjectKind> {
        Some(match number {
            1 => ObjectKind::Thread,
            2 => ObjectKind::Space,
            3 => ObjectKind::Table,
            4 => ObjectKind::Endpoint,
            5 => ObjectKind::Notification,
            6 => ObjectKind::Memory,
            7 => ObjectKind::Interrupt,
            8 => ObjectKind::Ports,
            9 => ObjectKind::Timer,
            10 => ObjectKind::Quota,
            11 => ObjectKind::Physical,
            12 => ObjectKind::Trace,
            _ => return None,
        })
    }

    /// Returns what an object of this kind costs the quota that it is charged to, in units of the
    /// quota's objects; a quota costs its own budget besides, and a mapping [`MAPPING_COST`].
    /// Nothing for kinds that are not created.
    ///
    /// The first task's quota has no more units than the kernel has room for, whichever kind they
    /// are spent on: what a quota was promised cannot be used up by others.
    pub const fn cost(self) -> u64 {
        match self {
            ObjectKind::Memory => 1,
            ObjectKind::Space => 2,
            ObjectKind::Notification => 4,
            ObjectKind::Thread
            | ObjectKind::Table
            | ObjectKind::Endpoint
            | ObjectKind::Timer
            | ObjectKind::Quota => 8,
            ObjectKind::Interrupt
            | ObjectKind::Ports
            | ObjectKind::Physical
            | ObjectKind::Trace => 0,
        }
    }
}

/// What a mapping costs its space's quota, in units of the quota's objects. Unmapping or protecting
/// a part of a mapping makes more of them.
pub const MAPPING_COST: u64 = 1;
