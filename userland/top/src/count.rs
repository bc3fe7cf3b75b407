//! Time by thread, from the interrupts that met it.

use alloc::collections::BTreeMap;

use libipc::abi::trace::{Event, EventKind, NOBODY};

/// Time in ns that threads had on a processor, by their slots.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shares {
    /// Time by slot; without the idle time.
    pub by_slot: BTreeMap<u16, u64>,
    /// All time that was looked at, of all processors that were interrupted.
    pub total: u64,
}

impl Shares {
    /// Returns the shares that events tell, which are in order of time: the time between two
    /// interrupts of a processor is that of the thread that the later one met. A processor's first
    /// interrupt tells of the time from `begun` on.
    pub fn of(events: &[Event], begun: u64) -> Shares {
        let mut shares = Shares::default();
        let mut last: BTreeMap<u8, u64> = BTreeMap::new();
        let interrupts = events.iter().filter(|event| event.kind == EventKind::Interrupt);
        for event in interrupts.filter(|event| event.time >= begun) {
            let before = last.insert(event.processor, event.time).unwrap_or(begun);
            let span = event.time - before;
            shares.total += span;
            if event.thread != NOBODY {
                *shares.by_slot.entry(event.thread).or_insert(0) += span;
            }
        }
        shares
    }

    /// Adds what was found later.
    pub fn add(&mut self, later: &Shares) {
        self.total += later.total;
        for (slot, time) in &later.by_slot {
            *self.by_slot.entry(*slot).or_insert(0) += time;
        }
    }

    /// Returns tenths of a per cent of all time that these threads had together.
    pub fn tenths(&self, slots: impl IntoIterator<Item = u16>) -> u64 {
        let time: u64 = slots.into_iter().filter_map(|slot| self.by_slot.get(&slot)).sum();
        (time * 1000 + self.total / 2).checked_div(self.total).unwrap_or(0)
    }

    /// Returns the same of all threads.
    pub fn busy_tenths(&self) -> u64 {
        self.tenths(self.by_slot.keys().copied())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn event(time: u64, processor: u8, thread: u16) -> Event {
        Event { time, kind: EventKind::Interrupt, processor, thread, detail: 0, values: [0; 2] }
    }

    #[test]
    fn time_is_the_thread_s_that_the_interrupt_meets() {
        let events = [event(1_000, 0, 3), event(2_000, 0, NOBODY), event(5_000, 0, 4)];
        let shares = Shares::of(&events, 0);
        assert_eq!(shares.total, 5_000);
        assert_eq!(shares.by_slot.into_iter().collect::<Vec<_>>(), [(3, 1_000), (4, 3_000)]);
    }

    #[test]
    fn processors_count_apart_and_what_was_before_does_not_count() {
        let events = [event(900, 0, 9), event(1_500, 1, 3), event(2_000, 0, NOBODY)];
        let shares = Shares::of(&events, 1_000);
        assert_eq!((shares.total, shares.tenths([3])), (1_500, 333));
        assert_eq!(shares.busy_tenths(), 333);
    }

    #[test]
    fn other_events_say_nothing_and_no_time_is_no_share() {
        let other = Event { kind: EventKind::Switch, ..event(5, 0, 3) };
        assert_eq!(Shares::of(&[other], 0), Shares::default());
        assert_eq!(Shares::default().tenths([3]), 0);
    }

    #[test]
    fn spans_add_up() {
        let mut all = Shares::of(&[event(10, 0, 3)], 0);
        all.add(&Shares::of(&[event(30, 0, 4)], 10));
        assert_eq!((all.total, all.tenths([3]), all.tenths([4])), (30, 333, 667));
    }
}
