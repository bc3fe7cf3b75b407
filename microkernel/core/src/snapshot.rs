//! Snapshots: what each thread does at a moment, for whoever has the trace.
//!
//! Everything told is what the kernel keeps for its own work, so that neither the fast ways nor
//! anybody else pays for it. A walk over all threads is one operation for each: between two of
//! them the threads go on.

use kamen_abi::snapshot::{Activity, NO_PROCESSOR, NOTHING, SLOTS_MAX, Snapshot};
use kamen_abi::{Error, Handle, Rights, Tag};

use crate::arena::Id;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::table::Object;
use crate::thread::State;

impl<M: Machine> Kernel<M> {
    /// Operation InspectThread.
    pub(crate) fn inspect_thread(&mut self, target: u64, from: u64) -> Result<(), Error> {
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        if self.capability(handle, Rights::READ)?.object != Object::Trace {
            return Err(Error::WrongKind);
        }
        let words = self.thread_from(from).to_words();
        let current = self.cpu.current;
        self.threads[current].registers.set_words(words);
        Ok(())
    }

    /// Returns the snapshot of the first thread in the slots from `from` on, as far as one
    /// operation looks.
    fn thread_from(&self, from: u64) -> Snapshot {
        let end = self.threads.high_water();
        let Ok(from) = u16::try_from(from) else { return Snapshot::END };
        if u32::from(from) >= end {
            return Snapshot::END;
        }
        // There are at most 65,535 slots, so that the last one is 65,534.
        let last =
            u16::try_from(end - 1).unwrap_or(u16::MAX).min(from.saturating_add(SLOTS_MAX - 1));
        let found = (from..=last).find_map(|slot| self.snapshot(slot));
        found.unwrap_or(Snapshot::vacant(last))
    }

    /// Returns the snapshot of the thread in a slot, if there is one.
    pub(crate) fn snapshot(&self, slot: u16) -> Option<Snapshot> {
        let thread = self.threads.get(self.threads.id_at(slot.into())?)?;
        let runs_on = self.runs_on(slot);
        let (activity, waits_for) = match thread.state {
            State::Stopped => (Activity::Stopped, NOTHING),
            State::Ready if runs_on.is_some() => (Activity::Running, NOTHING),
            State::Ready => (Activity::Ready, NOTHING),
            State::Calling(endpoint) => (Activity::Calling, endpoint.index()),
            State::Sending(endpoint) => (Activity::Sending, endpoint.index()),
            State::Open(endpoint) => (Activity::Open, endpoint.index()),
            State::Receiving(endpoint) => (Activity::Receiving, endpoint.index()),
            State::Waiting(notification) => (Activity::Waiting, notification.index()),
        };
        let (sends, answerer) = match activity {
            Activity::Calling | Activity::Sending => (true, NOTHING),
            Activity::Open => (true, slot_of(thread.answerer)),
            _ => (false, NOTHING),
        };
        let processor = match activity {
            Activity::Ready => Some(thread.queue),
            _ => runs_on.or(thread.home),
        };
        Some(Snapshot {
            slot,
            activity,
            priority: thread.priority,
            processor: processor.unwrap_or(NO_PROCESSOR),
            is_foreign: thread.handler.is_some_and(|handler| handler.foreign),
            is_timed: thread.obstacles.is_timed(),
            is_bound: thread.bound.is_some(),
            waits_for,
            answerer,
            calls: thread.sequence - thread.first_sequence,
            badge: thread.handler.map_or(0, |handler| handler.badge),
            tag: if sends { thread.tag } else { Tag(0) },
            space: slot_of(thread.space),
            handler: slot_of(thread.handler.map(|handler| handler.endpoint)),
        })
    }

    /// Returns the processor that runs a thread.
    fn runs_on(&self, thread: u16) -> Option<u8> {
        let mut all = core::iter::once(&self.cpu).chain(&self.parked);
        all.find(|cpu| cpu.current == thread).map(|cpu| cpu.number)
    }
}

fn slot_of<T>(object: Option<Id<T>>) -> u32 {
    object.map_or(NOTHING, Id::index)
}
