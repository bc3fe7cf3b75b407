//! Programs that wait in loops: recognised, and put to sleep until something can have changed.
//!
//! ```text
//!   looks in vain (keys, time) close to each other, memory nearly the same ─► rest
//!   the processor comes back to where it was, with all registers, memory the same ─► rest
//!   INT 28h, 2F/1680, HLT, a wait for a key ─► rest at once (`waiting`)
//! ```
//!
//! A rest ends with input, a request or the timer's next tick: nothing else changes what such a loop
//! sees. Memory is compared rarely, since that takes longer than everything else here.

use alloc::vec::Vec;

use crate::bios::data::TICKS;
use crate::cpu::Exit;
use crate::host::Host;
use crate::session::Session;

/// Most instructions between two looks of an idle loop.
const LOOK_DISTANCE: u64 = 1000;
/// Looks in a row after which memory is remembered, and then compared.
const LOOKS_TO_REMEMBER: u32 = 16;
const LOOKS_TO_COMPARE: u32 = 32;
/// Looks in a row between two rests of a loop that is known.
const LOOKS_TO_REST: u32 = 8;
/// Most bytes that an idle loop changes: counters, and what lies below its stack.
const IDLE_BYTES: usize = 32;
/// Rests after which memory is compared again.
const RESTS_TO_COMPARE: u32 = 64;
/// How long a loop that was found at work is left alone, ns.
const LEAVE_ALONE_NS: u64 = 1_000_000_000;
/// Most instructions of a loop that changes nothing.
const SPIN_INSTRUCTIONS: u32 = 64;
/// Time between two searches for such a loop, ns.
const SEARCH_NS: u64 = 50_000_000;
/// Instructions between two rests of such a loop.
pub(crate) const SPIN_SLICE: u32 = 2_000;
/// Memory of programs and of the screen.
const COMPARED: usize = 0xc_0000;

/// What is known about the loop that a program is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Loop {
    #[default]
    Unknown,
    /// It comes back to where it was; whether it changes memory is being looked at.
    Suspected,
    /// It changes nothing.
    Known,
}

/// What is known about a program's waiting.
#[derive(Default)]
pub(crate) struct Idle {
    /// Looks in a row.
    looks: u32,
    /// Instructions executed at the last one.
    last_look: u64,
    /// Whether the loop of looks was found to change nothing.
    is_known: bool,
    spin: Loop,
    rests: u32,
    memory: Vec<u8>,
    /// When a loop that was found at work is looked at again.
    looks_from: u64,
    search_from: u64,
}

impl Idle {
    /// Tells that the program did something.
    pub(crate) fn active(&mut self) {
        (self.looks, self.is_known) = (0, false);
    }

    /// Returns whether the program spins without changing anything.
    pub(crate) fn spins(&self) -> bool {
        self.spin == Loop::Known
    }
}

impl<H: Host> Session<H> {
    /// Tells that a service was called: whether a loop that waits calls it is told by its number
    /// and AH.
    pub(crate) fn note_service(&mut self, number: u8) {
        match (number, self.ah()) {
            (0x1a, 0x00) | (0x21, 0x2c) => self.looked_in_vain(),
            (0x08 | 0x09 | 0x11 | 0x12 | 0x15 | 0x16 | 0x1a | 0x28 | 0x2f | 0x33, _)
            | (0x10, 0x02 | 0x03 | 0x08 | 0x0f)
            | (0x21, 0x0b | 0x19 | 0x2a | 0x30 | 0x44) => {}
            (0x21, 0x06) if self.dl() == 0xff => {}
            _ => self.idle.active(),
        }
    }

    /// Counts a look for a key, or at the time, that changed nothing; rests where a program does
    /// little else.
    pub(crate) fn looked_in_vain(&mut self) {
        let executed = self.instructions();
        let distance = executed - core::mem::replace(&mut self.idle.last_look, executed);
        if distance > LOOK_DISTANCE {
            return self.idle.active();
        }
        self.idle.looks += 1;
        if self.idle.is_known && self.idle.looks >= LOOKS_TO_REST {
            return self.rest_known();
        }
        match self.idle.looks {
            LOOKS_TO_REMEMBER
                if !self.idle.is_known && self.host.monotonic() >= self.idle.looks_from =>
            {
                self.remember_memory();
            }
            LOOKS_TO_COMPARE => self.judge_looks(),
            _ => {}
        }
    }

    fn judge_looks(&mut self) {
        self.idle.looks = 0;
        match self.changed_bytes() {
            // It was left alone.
            None => {}
            Some(count) if count <= IDLE_BYTES => {
                (self.idle.is_known, self.idle.rests) = (true, 0);
                self.rest_known();
            }
            Some(_) => self.idle.looks_from = self.host.monotonic() + LEAVE_ALONE_NS,
        }
        self.idle.memory.clear();
    }

    fn rest_known(&mut self) {
        self.idle.looks = 0;
        self.idle.rests += 1;
        self.idle.is_known = self.idle.rests < RESTS_TO_COMPARE;
        self.rest();
    }

    /// Looks, at a slice's end, whether the program waits in a loop that calls nobody; rests then.
    pub(crate) fn look_for_spin(&mut self) {
        if self.idle.spin == Loop::Unknown {
            let now = self.host.monotonic();
            if now < self.idle.search_from {
                return;
            }
            self.idle.search_from = now + SEARCH_NS;
        }
        let was = core::mem::take(&mut self.idle.spin);
        if !self.comes_back() {
            return;
        }
        self.idle.spin = match was {
            Loop::Unknown => {
                self.remember_memory();
                Loop::Suspected
            }
            Loop::Suspected if self.changed_bytes() == Some(0) => {
                self.idle.rests = 0;
                Loop::Known
            }
            Loop::Suspected => {
                self.idle.search_from = self.host.monotonic() + LEAVE_ALONE_NS;
                Loop::Unknown
            }
            Loop::Known if self.idle.rests >= RESTS_TO_COMPARE => Loop::Unknown,
            Loop::Known => Loop::Known,
        };
        if self.idle.spin == Loop::Known {
            self.idle.rests += 1;
            self.rest();
        }
    }

    /// Executes some instructions; returns whether the processor was once more as it is now.
    fn comes_back(&mut self) -> bool {
        let start = self.processor_state();
        for _ in 0..SPIN_INSTRUCTIONS {
            let exit = self.run_processor(1);
            if exit != Exit::Budget || self.cpu.remaining() > 0 {
                self.handle(exit);
                return false;
            }
            if self.processor_state() == start {
                return true;
            }
        }
        false
    }

    fn processor_state(&self) -> [u32; 16] {
        let mut state = [0; 16];
        for (number, place) in state[..8].iter_mut().enumerate() {
            *place = self.cpu.wide_register(number);
        }
        for (number, place) in state[8..14].iter_mut().enumerate() {
            *place = self.cpu.segment(number).into();
        }
        let next = self.cpu.next_instruction();
        state[14] = u32::from(next.segment) << 16 | u32::from(next.offset);
        state[15] = self.cpu.flags().word().into();
        state
    }

    fn remember_memory(&mut self) {
        self.idle.memory.clear();
        if let Some(bytes) = self.bus.flat(0, COMPARED) {
            self.idle.memory.extend_from_slice(bytes);
        }
    }

    /// Returns how many bytes are other than they were remembered, the count of ticks aside; many
    /// are not counted to the end.
    fn changed_bytes(&self) -> Option<usize> {
        const CHUNK: usize = 4096;
        let bytes = self.bus.flat(0, COMPARED).filter(|_| !self.idle.memory.is_empty())?;
        let ticks = TICKS.linear()..TICKS.linear() + 4;
        let mut changed = 0;
        for (index, (new, old)) in
            bytes.chunks(CHUNK).zip(self.idle.memory.chunks(CHUNK)).enumerate()
        {
            if new == old || changed > IDLE_BYTES {
                continue;
            }
            let places = new.iter().zip(old).enumerate().filter(|(_, (new, old))| new != old);
            changed += places.filter(|(at, _)| !ticks.contains(&(index * CHUNK + at))).count();
        }
        Some(changed)
    }
}
