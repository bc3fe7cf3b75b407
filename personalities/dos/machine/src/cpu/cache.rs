//! The cache of decoded instructions: straight runs of them, by the address of the first.
//!
//! ```text
//!   CS:IP ──► slots[linear % SLOTS] ──► ops[first .. first + count]: handler and operands each
//! ```
//! A run ends with the first instruction that may go elsewhere, or that is not decoded. Stores tell
//! [`Watch`](crate::watch::Watch), which knows the exact bytes that are cached; what a store hits is
//! forgotten before the next instruction. Where programs keep changing an instruction, it is not cached
//! any more: each 16 bytes of memory have a count of such stores.
//!
//! Invariant: the bytes of every run in a slot are marked in `Watch`, and are in memory what they were
//! when it was decoded.

use alloc::vec::Vec;
use alloc::{boxed::Box, vec};

use super::decode::{Decoded, Effect, decode};
use super::handlers::{Flow, Op};
use super::{Cpu, Model};
use crate::bus::MEMORY_BYTES;
use crate::watch::{Touched, Watch};
use crate::{Bus, FarPointer};

/// Runs that are kept: each address has one place.
const SLOTS: usize = 4096;
/// Instructions that are kept.
const OPS: usize = 8192;
/// Most instructions of a run.
const RUN_OPS: usize = 16;
/// Most bytes of a run.
const RUN_BYTES: usize = 64;
/// Bytes that share a count of stores to code.
const PART_BYTES: usize = 16;
/// After so many stores to the code in a part, it is not cached.
const MOST_CHANGES: u8 = 8;

/// A run of decoded instructions.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// CS and IP of the first.
    key: u32,
    /// Its address.
    linear: u32,
    /// Index of the first in `ops`.
    first: u16,
    /// How many there are; none: the slot is empty.
    count: u8,
    /// Bytes that they were decoded from.
    bytes: u8,
    /// Offset of what follows.
    end: u16,
}

/// Decoded instructions of one memory for one model.
pub(crate) struct Cache {
    model: Model,
    slots: Box<[Slot; SLOTS]>,
    ops: Vec<Op>,
    /// How often code in each part of memory was stored to.
    changes: Box<[u8; MEMORY_BYTES / PART_BYTES]>,
}

impl Cache {
    fn new(model: Model) -> Cache {
        let slots = vec![Slot::default(); SLOTS].into_boxed_slice();
        let changes = vec![0; MEMORY_BYTES / PART_BYTES].into_boxed_slice();
        Cache {
            model,
            slots: slots.try_into().expect("the slice was made with that length"),
            ops: Vec::with_capacity(OPS),
            changes: changes.try_into().expect("the slice was made with that length"),
        }
    }

    /// Returns the run at an address, decoded now where it is not kept; nothing where code changes
    /// all the time, wraps, or depends on A20.
    #[cold]
    #[inline(never)]
    fn build(&mut self, bus: &mut Bus, at: FarPointer) -> Option<()> {
        if self.ops.len() + RUN_OPS > OPS {
            self.forget_all(&mut bus.watch);
        }
        let first = self.ops.len();
        let bytes = self.decode_run(bus, at, RUN_OPS)?;
        let linear = at.linear();
        self.slots[linear % SLOTS] = Slot {
            key: key(at),
            linear: linear as u32,
            first: first as u16,
            count: (self.ops.len() - first) as u8,
            bytes: bytes as u8,
            end: at.offset.wrapping_add(bytes as u16),
        };
        Some(())
    }

    /// Puts a run of at most `most` instructions behind `ops` and marks its bytes; returns how many.
    fn decode_run(&mut self, bus: &mut Bus, at: FarPointer, most: usize) -> Option<usize> {
        if at.is_high() {
            return None;
        }
        let linear = at.linear();
        let mut run = [Decoded::NONE; RUN_OPS];
        let (mut count, mut bytes) = (0, 0);
        while count < most && bytes < RUN_BYTES {
            let offset = at.offset as usize + bytes;
            let Some(window) = bus.window(linear + bytes).filter(|_| offset < 0xffe0) else {
                break;
            };
            let decoded = decode(window, offset as u16, self.model);
            if self.changes_often(linear + bytes, decoded.len as usize) {
                break;
            }
            run[count] = decoded;
            (count, bytes) = (count + 1, bytes + decoded.len as usize);
            if decoded.ends {
                break;
            }
        }
        drop_dead_flags(&mut run[..count]);
        self.ops.extend(run[..count].iter().map(|decoded| decoded.op));
        bus.watch.mark(linear, bytes);
        (count > 0).then_some(bytes)
    }

    fn changes_often(&self, linear: usize, bytes: usize) -> bool {
        let parts = linear / PART_BYTES..=(linear + bytes.max(1) - 1) / PART_BYTES;
        self.changes[parts].iter().any(|count| *count >= MOST_CHANGES)
    }

    /// Forgets what was decoded from bytes that were stored to since.
    #[cold]
    #[inline(never)]
    fn forget_touched(&mut self, watch: &mut Watch) {
        for range in watch.take() {
            if range.bytes > RUN_BYTES {
                self.forget_all(watch);
            } else {
                self.forget(range, watch);
            }
        }
    }

    fn forget(&mut self, range: Touched, watch: &mut Watch) {
        let mut has_forgotten = false;
        for start in range.first.saturating_sub(RUN_BYTES + 16)..range.first + range.bytes {
            let slot = &mut self.slots[start % SLOTS];
            let end = start + slot.bytes as usize;
            if slot.count != 0 && slot.linear as usize == start && end > range.first {
                *slot = Slot::default();
                has_forgotten = true;
            }
        }
        watch.unmark(range);
        if has_forgotten {
            let count = &mut self.changes[range.first / PART_BYTES];
            *count = count.saturating_add(1);
        }
    }

    fn forget_all(&mut self, watch: &mut Watch) {
        self.slots.fill(Slot::default());
        self.ops.clear();
        self.changes.fill(0);
        watch.unmark_all();
    }
}

impl Cpu {
    /// Runs until an exit or until no instructions are left.
    pub(super) fn run_cached(&mut self, bus: &mut Bus) {
        let mut cache = bus.cache.take().unwrap_or_else(|| Box::new(Cache::new(self.model)));
        if cache.model != self.model {
            cache.forget_all(&mut bus.watch);
            cache.model = self.model;
        }
        while self.left != 0 && self.exit.is_none() {
            if bus.watch.is_touched() {
                bus.reflect();
                cache.forget_touched(&mut bus.watch);
            }
            if self.flags.trap() {
                self.left -= 1;
                self.step_trapped(bus);
            } else {
                self.run_untraced(bus, &mut cache);
            }
        }
        bus.cache = Some(cache);
    }

    /// Runs as long as only kept runs follow one another and nothing asks for attention; at least one
    /// instruction.
    fn run_untraced(&mut self, bus: &mut Bus, cache: &mut Cache) {
        loop {
            let at = self.next_instruction();
            let slot = &cache.slots[at.linear() % SLOTS];
            let count = slot.count as u32;
            if slot.key != key(at) || count == 0 {
                if cache.build(bus, at).is_none() {
                    self.left -= 1;
                    return self.step(bus);
                }
                continue;
            }
            if count > self.left {
                return self.run_last(bus, cache);
            }
            self.ip = slot.end;
            let first = slot.first as usize;
            let ops = &cache.ops[first..first + count as usize];
            match ops.iter().position(|op| (op.run)(self, bus, op) == Flow::Leave) {
                None => self.left -= count,
                Some(last) => {
                    self.left -= last as u32 + 1;
                    if bus.watch.is_touched() || self.exit.is_some() || self.flags.trap() {
                        return;
                    }
                }
            }
            if self.left == 0 {
                return;
            }
        }
    }

    /// Runs the instructions that are left, fewer than the run here has: one that is not kept.
    #[cold]
    #[inline(never)]
    fn run_last(&mut self, bus: &mut Bus, cache: &mut Cache) {
        let at = self.next_instruction();
        let first = cache.ops.len();
        let Some(bytes) = cache.decode_run(bus, at, self.left as usize) else {
            self.left -= 1;
            return self.step(bus);
        };
        self.ip = self.ip.wrapping_add(bytes as u16);
        for op in &cache.ops[first..] {
            self.left -= 1;
            if (op.run)(self, bus, op) == Flow::Leave {
                break;
            }
        }
        cache.ops.truncate(first);
    }
}

fn key(at: FarPointer) -> u32 {
    (at.segment as u32) << 16 | at.offset as u32
}

/// Chooses the handlers that set no flags where nothing looks before they are set anew.
fn drop_dead_flags(run: &mut [Decoded]) {
    let mut are_looked_at = true;
    for decoded in run.iter_mut().rev() {
        if let Some(bare) = decoded.bare.filter(|_| !are_looked_at) {
            decoded.op.run = bare;
        }
        match decoded.effect {
            Effect::Sets => are_looked_at = false,
            Effect::Looks => are_looked_at = true,
            Effect::Keeps => {}
        }
    }
}
