//! Resource limits of a process (getrlimit(2)).
//!
//! A soft limit is enforced, a hard one bounds what the soft one can be raised to. What each
//! process begins with is what Linux gives its first one (asm-generic/resource.h).

use crate::memory::STACK_LIMIT;
use crate::open::{MAX_DESCRIPTORS, USUAL_DESCRIPTORS};
use crate::process::MAX_THREADS;

/// A limit that does not limit (`RLIM_INFINITY`).
pub const UNLIMITED: u64 = u64::MAX;
/// How many resources there are (`RLIM_NLIMITS`).
pub const RESOURCES: usize = 16;

/// A resource that can be limited; the numbers are Linux's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Resource {
    /// Seconds of processor time.
    Cpu = 0,
    /// Bytes of a file that is written.
    FileSize = 1,
    /// Bytes of data: heap and private writable mappings.
    Data = 2,
    /// Bytes of the stack.
    Stack = 3,
    /// Bytes of a core file; none is ever written.
    Core = 4,
    /// Resident bytes, which Linux does not enforce either.
    Resident = 5,
    /// Threads of a user's processes.
    Processes = 6,
    /// One more than the highest descriptor.
    Descriptors = 7,
    /// Bytes of locked memory.
    Locked = 8,
    /// Bytes of address space.
    AddressSpace = 9,
    /// File locks, which Linux does not enforce either.
    Locks = 10,
    /// Queued signals of a user.
    Signals = 11,
    /// Bytes in message queues, of which there are none.
    MessageQueues = 12,
    /// What the nice value can be lowered to, as 20 less it.
    Nice = 13,
    /// Highest real-time priority.
    RealTimePriority = 14,
    /// Microseconds that a real-time thread may run on.
    RealTime = 15,
}

impl Resource {
    /// All resources by their numbers, with their names in `/proc/PID/limits` and units there.
    pub const ALL: [(Resource, &'static str, &'static str); RESOURCES] = [
        (Resource::Cpu, "Max cpu time", "seconds"),
        (Resource::FileSize, "Max file size", "bytes"),
        (Resource::Data, "Max data size", "bytes"),
        (Resource::Stack, "Max stack size", "bytes"),
        (Resource::Core, "Max core file size", "bytes"),
        (Resource::Resident, "Max resident set", "bytes"),
        (Resource::Processes, "Max processes", "processes"),
        (Resource::Descriptors, "Max open files", "files"),
        (Resource::Locked, "Max locked memory", "bytes"),
        (Resource::AddressSpace, "Max address space", "bytes"),
        (Resource::Locks, "Max file locks", "locks"),
        (Resource::Signals, "Max pending signals", "signals"),
        (Resource::MessageQueues, "Max msgqueue size", "bytes"),
        (Resource::Nice, "Max nice priority", ""),
        (Resource::RealTimePriority, "Max realtime priority", ""),
        (Resource::RealTime, "Max realtime timeout", "us"),
    ];

    /// Returns the resource of a number.
    pub fn from_number(number: u64) -> Option<Resource> {
        let (resource, ..) = Self::ALL.get(usize::try_from(number).ok()?)?;
        Some(*resource)
    }
}

/// A soft and a hard limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// What is enforced.
    pub soft: u64,
    /// What the soft limit can be raised to.
    pub hard: u64,
}

impl Limit {
    const NONE: Limit = Limit { soft: UNLIMITED, hard: UNLIMITED };

    const fn both(value: u64) -> Limit {
        Limit { soft: value, hard: value }
    }
}

/// The limits of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits([Limit; RESOURCES]);

impl Limits {
    /// Returns the limit of a resource.
    pub const fn of(&self, resource: Resource) -> Limit {
        self.0[resource as usize]
    }

    /// Returns what is enforced of a resource.
    #[inline]
    pub const fn soft(&self, resource: Resource) -> u64 {
        self.0[resource as usize].soft
    }

    /// Replaces the limit of a resource.
    pub const fn set(&mut self, resource: Resource, limit: Limit) {
        self.0[resource as usize] = limit;
    }
}

impl Default for Limits {
    /// Returns what the first process begins with.
    fn default() -> Self {
        /// `MQ_BYTES_MAX` (linux/msg.h), which no queue here can come near.
        const QUEUES: u64 = 819_200;
        /// `MLOCK_LIMIT` (linux/resource.h).
        const LOCKED: u64 = 8 << 20;
        let mut limits = Limits([Limit::NONE; RESOURCES]);
        for (resource, limit) in [
            (Resource::Stack, Limit { soft: STACK_LIMIT, hard: UNLIMITED }),
            (Resource::Core, Limit { soft: 0, hard: UNLIMITED }),
            (Resource::Processes, Limit::both(MAX_THREADS as u64)),
            (
                Resource::Descriptors,
                Limit { soft: USUAL_DESCRIPTORS as u64, hard: MAX_DESCRIPTORS as u64 },
            ),
            (Resource::Locked, Limit::both(LOCKED)),
            (Resource::Signals, Limit::both(MAX_THREADS as u64)),
            (Resource::MessageQueues, Limit::both(QUEUES)),
            (Resource::Nice, Limit::both(0)),
            (Resource::RealTimePriority, Limit::both(0)),
        ] {
            limits.set(resource, limit);
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Resource, UNLIMITED};

    #[test]
    fn resources_are_at_their_numbers() {
        for (number, (resource, ..)) in (0..).zip(Resource::ALL) {
            assert_eq!(resource as u64, number);
            assert_eq!(Resource::from_number(number), Some(resource));
        }
        assert_eq!(Resource::from_number(16), None);
        assert_eq!(Resource::from_number(u64::MAX), None);
    }

    #[test]
    fn no_soft_limit_exceeds_its_hard_one() {
        let limits = Limits::default();
        assert!(Resource::ALL.iter().all(|&(one, ..)| limits.soft(one) <= limits.of(one).hard));
        assert_eq!(limits.soft(Resource::Cpu), UNLIMITED);
    }
}
