//! The kernel's trace: events written to a ring for each processor, while somebody asks for it.
//!
//! The rings are frames that are set apart at boot, never to be freed, and shown to the first
//! task as one memory object; their layout stands in [`kamen_abi::trace`]. While nothing is
//! recorded a hook is one comparison, and the fast and quick paths have none: with the trace on
//! nobody takes them ([`Ways`]), unless interrupts alone are recorded. These are the hooks of the slow path:
//!
//! ```text
//!   trap.rs     operations, exceptions         ipc.rs      messages, replies, queues, broken waits
//!   kernel.rs   switches, interrupts, timer    notice.rs, notification.rs   what nobody sent
//! ```

use alloc::vec::Vec;
use core::ops::Range;

use kamen_abi::trace::{Event, EventKind, Header, NOBODY, RING_BYTES, event_at};
use kamen_abi::{Error, Handle, MessagePage, OpenCall, PAGE_SIZE, Rights, Tag, WORDS};

use crate::kernel::Kernel;
use crate::machine::{Frame, Machine, Ways};
use crate::table::Object;
use crate::thread::State;

/// Pages of a processor's ring.
const RING_PAGES: u32 = (RING_BYTES / PAGE_SIZE) as u32;
/// No ring takes more than one 64th of memory: where it would, there is no trace.
const SHARE: u32 = 64;

/// The trace.
#[derive(Default)]
pub struct Trace {
    /// The set of kinds that are recorded.
    kinds: u64,
    /// A ring for each processor; none where memory was too small.
    rings: Vec<Ring>,
}

/// A processor's ring.
struct Ring {
    first: Frame,
    /// Events ever written.
    written: u64,
    /// The thread that the processor switched to last.
    runs: u16,
}

impl Trace {
    /// Returns whether something is recorded that happens on the fast ways, too: anything but
    /// interrupts, which have one way only.
    pub fn closes_ways(&self) -> bool {
        self.kinds & !EventKind::Interrupt.set() != 0
    }

    /// Returns the frames of all rings.
    pub fn frames(&self) -> Range<u32> {
        let first = self.rings.first().map_or(0, |ring| ring.first.0);
        first..first + RING_PAGES * self.rings.len() as u32
    }
}

/// Sets the frames of a ring for each processor apart from free memory, at the beginning of its
/// last range that is large enough; returns them with what remains.
pub fn set_apart(free: &[Range<u32>], processors: usize) -> (Range<u32>, Vec<Range<u32>>) {
    let mut rest = free.to_vec();
    let wanted = RING_PAGES * processors as u32;
    let total: u32 = free.iter().map(|range| range.end - range.start).sum();
    let place = rest.iter_mut().rev().find(|range| range.end - range.start > wanted);
    match place {
        Some(range) if total / SHARE >= wanted => {
            range.start += wanted;
            (range.start - wanted..range.start, rest)
        }
        _ => (0..0, rest),
    }
}

impl<M: Machine> Kernel<M> {
    /// Begins rings, in which nothing is recorded yet, in frames that were set apart.
    pub(crate) fn begin_trace(&mut self, frames: Range<u32>) {
        let firsts = frames.step_by(RING_PAGES as usize).map(Frame);
        self.trace.rings = firsts.map(|first| Ring { first, written: 0, runs: NOBODY }).collect();
        let rings = self.trace.rings.iter();
        for page in rings.flat_map(|ring| (0..RING_PAGES).map(|page| Frame(ring.first.0 + page))) {
            self.vm.machine.zero(page);
        }
        self.head_rings();
    }

    /// Operation Trace.
    pub(crate) fn set_trace(&mut self, target: u64, kinds: u64) -> Result<(), Error> {
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        if self.capability(handle, Rights::CONTROL)?.object != Object::Trace {
            return Err(Error::WrongKind);
        }
        if kinds & !EventKind::EVERYTHING != 0 {
            return Err(Error::InvalidArgument);
        }
        self.trace.kinds = if self.trace.rings.is_empty() { 0 } else { kinds };
        let ways = if self.trace.closes_ways() { Ways::Recorded } else { Ways::All };
        self.vm.machine.set_ways(ways);
        for cpu in core::iter::once(&self.cpu).chain(&self.parked) {
            if let Some(ring) = self.trace.rings.get_mut(usize::from(cpu.number)) {
                ring.runs = cpu.current;
            }
        }
        self.head_rings();
        Ok(())
    }

    /// Returns the set of kinds that are recorded, and how many rings there are.
    pub(crate) fn trace_settings(&self) -> [u64; 2] {
        [self.trace.kinds, self.trace.rings.len() as u64]
    }

    /// Records an event of the current processor, if events of that kind are.
    #[inline(always)]
    pub(crate) fn trace(
        &mut self,
        kind: EventKind,
        thread: u16,
        detail: impl Into<u32>,
        values: [u64; 2],
    ) {
        if self.trace.kinds & kind.set() != 0 {
            self.record(kind, thread, detail.into(), values);
        }
    }

    /// Records that the processor goes on with a thread, or idles, if it did something else.
    #[inline(always)]
    pub(crate) fn trace_switch(&mut self, to: u16) {
        if self.trace.kinds & EventKind::Switch.set() != 0 {
            self.record_switch(to);
        }
    }

    /// Records that a thread's wait is ended by the kernel, if it is one for an answer or a receiver.
    pub(crate) fn trace_broken(&mut self, thread: u16, error: Error) {
        let sequence = self.threads[thread].sequence;
        let call = match self.threads[thread].state {
            State::Open(_) => OpenCall::new(thread, sequence),
            State::Calling(_) | State::Sending(_) => OpenCall::NONE,
            _ => return,
        };
        self.trace(EventKind::Broken, thread, error as u32, [call.0, 0]);
    }

    /// Records a message or an answer from a thread to another, and what it carries: words, and
    /// the first bytes of a page that holds its own.
    #[cold]
    #[inline(never)]
    pub(crate) fn record_message(
        &mut self,
        kind: EventKind,
        [from, to]: [u16; 2],
        call: OpenCall,
        (tag, words, page): (Tag, [u64; WORDS], Option<Frame>),
    ) {
        self.trace(kind, from, to, [call.0, tag.0]);
        let [w0, w1, w2, w3, w4, w5] = words;
        for (first, values) in [(0_u32, [w0, w1]), (2, [w2, w3]), (4, [w4, w5])] {
            if values != [0; 2] {
                self.trace(EventKind::Words, from, first, values);
            }
        }
        if let (Some(page), true) = (page, tag.bytes() > 0) {
            let at = MessagePage::BYTES_AT / 8;
            let bytes = [at, at + 1].map(|word| self.vm.machine.load(page, word));
            self.trace(EventKind::Words, from, WORDS as u32, bytes);
        }
    }

    #[cold]
    #[inline(never)]
    fn record_switch(&mut self, to: u16) {
        let Some(ring) = self.trace.rings.get_mut(usize::from(self.cpu.number)) else { return };
        let from = core::mem::replace(&mut ring.runs, to);
        if from != to {
            self.record(EventKind::Switch, to, from.into(), [0; 2]);
        }
    }

    #[cold]
    #[inline(never)]
    fn record(&mut self, kind: EventKind, thread: u16, detail: u32, values: [u64; 2]) {
        let machine = &mut self.vm.machine;
        let processor = self.cpu.number;
        let Some(ring) = self.trace.rings.get_mut(usize::from(processor)) else { return };
        let time = machine.now();
        let event = Event { time, kind, processor, thread, detail, values };
        let at = event_at(ring.written);
        let frame = Frame(ring.first.0 + (at / PAGE_SIZE) as u32);
        for (word, value) in (at % PAGE_SIZE / 8..).zip(event.to_words()) {
            machine.store(frame, word, value);
        }
        ring.written += 1;
        machine.store(ring.first, Header::WRITTEN_AT, ring.written);
    }

    /// Writes the rings' headers.
    fn head_rings(&mut self) {
        let (kinds, processors) = (self.trace.kinds, self.trace.rings.len() as u64);
        for (processor, ring) in (0..).zip(&self.trace.rings) {
            let header = Header { processor, processors, kinds, written: ring.written };
            for (word, value) in header.to_words().into_iter().enumerate() {
                self.vm.machine.store(ring.first, word, value);
            }
        }
    }
}
