//! What the kernel tells of a thread: who it is, what it does, and what it waits for.
//!
//! [`Operation::InspectThread`](crate::Operation) returns it in the six message words:
//!
//! ```text
//!   word 0   63..48 0   42 bound   41 timed   40 foreign
//!            39..32 processor   31..24 priority   23..16 state   15..0 slot
//!   word 1   63..32 the space that may answer   31..0 slot of what it waits for
//!   word 2   calls it made
//!   word 3   badge of its handler
//!   word 4   tag of the message that it sends, or wants an answer to
//!   word 5   63..32 slot of its handler's endpoint   31..0 its own space
//! ```

use crate::Tag;
use crate::trace::NOBODY;

/// Slots that one [`Operation::InspectThread`](crate::Operation) looks at most.
pub const SLOTS_MAX: u16 = 64;
/// In place of a slot: there is nothing.
pub const NOTHING: u32 = u32::MAX;
/// In place of a processor: none has the thread.
pub const NO_PROCESSOR: u8 = u8::MAX;

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Activity {
    /// There is no thread in the slot; with slot 65,535 there are no more.
    #[default]
    None = 0,
    /// It was not started, or was stopped.
    Stopped = 1,
    /// It runs.
    Running = 2,
    /// It could run, and waits for its turn.
    Ready = 3,
    /// It calls at an endpoint, and nobody has received that yet.
    Calling = 4,
    /// It sends to an endpoint, and nobody has received that yet.
    Sending = 5,
    /// Its call was received at an endpoint, and is not answered yet.
    Open = 6,
    /// It waits for a message at an endpoint.
    Receiving = 7,
    /// It waits for a notification.
    Waiting = 8,
}

impl Activity {
    /// Returns the activity of a number, if it names one.
    pub const fn from_number(number: u8) -> Option<Activity> {
        Some(match number {
            0 => Activity::None,
            1 => Activity::Stopped,
            2 => Activity::Running,
            3 => Activity::Ready,
            4 => Activity::Calling,
            5 => Activity::Sending,
            6 => Activity::Open,
            7 => Activity::Receiving,
            8 => Activity::Waiting,
            _ => return None,
        })
    }
}

/// A thread as it was when the kernel was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Its slot, by which open calls and the trace name it.
    pub slot: u16,
    /// What it does.
    pub activity: Activity,
    /// From 0 to [`PRIORITIES`](crate::PRIORITIES) - 1.
    pub priority: u8,
    /// The processor that it runs on, waits for, or was moved to; or [`NO_PROCESSOR`].
    pub processor: u8,
    /// Whether its system calls go to its handler.
    pub is_foreign: bool,
    /// Whether its wait has a deadline.
    pub is_timed: bool,
    /// Whether its receives serve a notification, too.
    pub is_bound: bool,
    /// Slot of the endpoint or notification that it waits for; or [`NOTHING`].
    pub waits_for: u32,
    /// Slot of the address space whose threads may answer its open call; or [`NOTHING`].
    pub answerer: u32,
    /// How many of its calls were received, system calls of a foreign thread, faults and page
    /// requests included.
    pub calls: u64,
    /// The badge that its handler sees; 0 where it has none.
    pub badge: u64,
    /// While Calling, Sending or Open: the message's tag as its receiver sees it; else 0.
    pub tag: Tag,
    /// Slot of the address space that it runs in, the same for all threads of a process.
    pub space: u32,
    /// Slot of the endpoint that its faults go to; or [`NOTHING`].
    pub handler: u32,
}

impl Snapshot {
    /// There are no more threads.
    pub const END: Snapshot = Snapshot::vacant(NOBODY);

    /// Returns what is told where no thread was found up to a slot.
    pub const fn vacant(slot: u16) -> Snapshot {
        Snapshot {
            slot,
            activity: Activity::None,
            priority: 0,
            processor: NO_PROCESSOR,
            is_foreign: false,
            is_timed: false,
            is_bound: false,
            waits_for: NOTHING,
            answerer: NOTHING,
            calls: 0,
            badge: 0,
            tag: Tag(0),
            space: NOTHING,
            handler: NOTHING,
        }
    }

    /// Returns the words.
    pub const fn to_words(self) -> [u64; 6] {
        let flags =
            self.is_foreign as u64 | (self.is_timed as u64) << 1 | (self.is_bound as u64) << 2;
        let head = self.slot as u64
            | (self.activity as u64) << 16
            | (self.priority as u64) << 24
            | (self.processor as u64) << 32
            | flags << 40;
        [
            head,
            pair(self.waits_for, self.answerer),
            self.calls,
            self.badge,
            self.tag.0,
            pair(self.space, self.handler),
        ]
    }

    /// Returns what words stand for, if they are a snapshot.
    pub const fn from_words(words: [u64; 6]) -> Option<Snapshot> {
        let [head, wait, calls, badge, tag, spaces] = words;
        let Some(activity) = Activity::from_number((head >> 16) as u8) else { return None };
        Some(Snapshot {
            slot: head as u16,
            activity,
            priority: (head >> 24) as u8,
            processor: (head >> 32) as u8,
            is_foreign: head >> 40 & 1 == 1,
            is_timed: head >> 41 & 1 == 1,
            is_bound: head >> 42 & 1 == 1,
            waits_for: wait as u32,
            answerer: (wait >> 32) as u32,
            calls,
            badge,
            tag: Tag(tag),
            space: spaces as u32,
            handler: (spaces >> 32) as u32,
        })
    }
}

const fn pair(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_what_its_words_say() {
        for number in 0..=u8::MAX {
            let Some(activity) = Activity::from_number(number) else {
                assert_eq!(Snapshot::from_words([u64::from(number) << 16, 0, 0, 0, 0, 0]), None);
                continue;
            };
            assert_eq!(activity as u8, number);
            let snapshot = Snapshot {
                slot: 0xfffe,
                activity,
                priority: 31,
                processor: 7,
                is_foreign: number & 1 != 0,
                is_timed: number & 2 != 0,
                is_bound: number & 4 != 0,
                waits_for: 3,
                answerer: NOTHING,
                calls: u64::MAX,
                badge: 1 << 63,
                tag: Tag(0x1234_5678_9abc_def0),
                space: 0,
                handler: 77,
            };
            assert_eq!(Snapshot::from_words(snapshot.to_words()), Some(snapshot));
        }
        assert_eq!(Snapshot::from_words(Snapshot::END.to_words()), Some(Snapshot::END));
    }
}
