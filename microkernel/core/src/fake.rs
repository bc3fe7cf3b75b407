//! A machine made of vectors; `rig.rs` issues system calls on a kernel over it.

use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

use kamen_abi::{Operation, PAGE_SIZE, PortWidth, Registers};

use crate::Kernel;
use crate::fast::{Passage, Replied, Size};
use crate::machine::{Access, FaultAccess, Frame, Machine, NoFrame, Ways};
use crate::quick::Outcome;
use crate::thread::{Calls, Entry};

mod rig;

pub use rig::{DATA, FRAMES, Process, Rig};

/// The word of a frame that stands for the contents of an extended state.
pub const CONTENTS: usize = 511;

/// Memory, page tables, a clock that the test moves, and processors that do as they are asked.
pub struct Fake {
    pub frames: Vec<[u64; 512]>,
    pub tables: BTreeMap<Frame, BTreeMap<usize, (Frame, Access)>>,
    pub now: u64,
    /// The current processor's timer.
    pub timer: Option<u64>,
    /// The current processor's address space.
    pub active: Option<Frame>,
    pub written: Vec<(u16, u32)>,
    pub processors: Vec<Processor>,
    /// The processor that is in the kernel.
    pub here: usize,
    pub ways: Ways,
    /// What was asked of other processors, in order.
    pub asked: Vec<Asked>,
}

/// A processor's own state.
#[derive(Clone, Default)]
pub struct Processor {
    /// What `Fake` has for the current processor.
    parked: (Option<u64>, Option<Frame>),
    /// Pages of the active space that it may use, whatever the tables say.
    pub cached: BTreeMap<usize, (Frame, Access)>,
    /// Tables changed that it may have cached.
    stale: bool,
    /// Whose extended state it holds, and a number that stands for its contents.
    extended: Option<Frame>,
    pub contents: u64,
    /// Whether user space may use it.
    pub enabled: bool,
    /// The bases of FS and GS.
    pub bases: (u64, u64),
    /// It was asked something by an interrupt, so that it is about to enter and think again.
    pub nudged: bool,
}

/// Something that one processor asked of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    Nudge(u8),
    Fetch(u8),
    Save(u8),
    Flush(u8),
    Leave(u8),
}

impl Fake {
    pub fn new(frames: usize, processors: usize) -> Self {
        Fake {
            frames: vec![[0xdead; 512]; frames],
            tables: BTreeMap::new(),
            now: 1,
            timer: None,
            active: None,
            written: Vec::new(),
            processors: vec![Processor::default(); processors],
            here: 0,
            ways: Ways::All,
            asked: Vec::new(),
        }
    }

    /// Lets all processors cache all that they could.
    pub fn cache(&mut self) {
        for number in 0..self.processors.len() {
            let root = self.root_of(number);
            let shown = root.map(|root| self.tables[&root].clone());
            self.processors[number].cached = shown.unwrap_or_default();
        }
    }

    /// Returns the address space that a processor has loaded.
    fn root_of(&self, number: usize) -> Option<Frame> {
        if number == self.here { self.active } else { self.processors[number].parked.1 }
    }

    /// Returns what a processor's timer is set to.
    pub fn timer_of(&mut self, number: usize) -> &mut Option<u64> {
        if number == self.here { &mut self.timer } else { &mut self.processors[number].parked.0 }
    }

    /// Whatever processors still use is what the tables say.
    pub fn check_cached(&self) {
        for (number, processor) in self.processors.iter().enumerate() {
            let Some(root) = self.root_of(number) else { continue };
            for (address, (frame, access)) in &processor.cached {
                let now = self.tables[&root].get(address);
                let fits = now.is_some_and(|(now, allowed)| {
                    now == frame && (allowed == access || *access == Access::Read)
                });
                assert!(fits, "processor {number} uses {address:x} as {frame:?}, it is {now:?}");
            }
        }
    }

    /// A frame is about to get contents that are not for who had it before.
    fn check_unused(&self, frame: Frame) {
        let used = |it: &Processor| it.cached.values().any(|(cached, _)| *cached == frame);
        assert!(!self.processors.iter().any(used), "reused while a processor could write to it");
    }

    /// Other processors that have the space loaded may use a new entry at once.
    fn show(&mut self, root: Frame, address: usize, entry: (Frame, Access)) {
        for (number, other) in self.processors.iter_mut().enumerate() {
            if number != self.here && other.parked.1 == Some(root) {
                // An old entry stays until it is flushed.
                other.cached.entry(address).or_insert(entry);
            }
        }
    }

    /// Notes that a page's entry has changed.
    fn forget(&mut self, root: Frame, address: usize) {
        if self.active == Some(root) {
            self.own().cached.remove(&address);
        }
        for (number, other) in self.processors.iter_mut().enumerate() {
            other.stale |= number != self.here && other.parked.1 == Some(root);
        }
    }

    fn own(&mut self) -> &mut Processor {
        &mut self.processors[self.here]
    }

    fn byte(&self, frame: Frame, at: usize) -> u8 {
        self.frames[frame.0 as usize][at / 8].to_le_bytes()[at % 8]
    }

    fn set_byte(&mut self, frame: Frame, at: usize, value: u8) {
        let word = &mut self.frames[frame.0 as usize][at / 8];
        let mut bytes = word.to_le_bytes();
        bytes[at % 8] = value;
        *word = u64::from_le_bytes(bytes);
    }
}

impl Machine for Fake {
    fn zero(&mut self, frame: Frame) {
        self.check_unused(frame);
        self.frames[frame.0 as usize] = [0; 512];
    }
    fn copy(&mut self, from: Frame, at: usize, to: Frame, to_at: usize, len: usize) {
        assert!(at + len <= PAGE_SIZE && to_at + len <= PAGE_SIZE);
        let shown = |table: &BTreeMap<usize, (Frame, Access)>| table.values().any(|it| it.0 == to);
        if len == PAGE_SIZE && !self.tables.values().any(shown) {
            self.check_unused(to);
        }
        for i in 0..len {
            let byte = self.byte(from, at + i);
            self.set_byte(to, to_at + i, byte);
        }
    }
    fn load(&self, frame: Frame, index: usize) -> u64 {
        self.frames[frame.0 as usize][index]
    }
    fn store(&mut self, frame: Frame, index: usize, value: u64) {
        self.frames[frame.0 as usize][index] = value;
    }
    fn compare_exchange(&mut self, frame: Frame, at: usize, expected: u32, new: u32) -> u32 {
        let was = u32::from_le_bytes(core::array::from_fn(|i| self.byte(frame, at + i)));
        if was == expected {
            for (i, byte) in new.to_le_bytes().into_iter().enumerate() {
                self.set_byte(frame, at + i, byte);
            }
        }
        was
    }
    fn init_root(&mut self, root: Frame) {
        self.tables.insert(root, BTreeMap::new());
    }
    fn map(
        &mut self,
        root: Frame,
        address: usize,
        frame: Frame,
        access: Access,
        _allocate: &mut dyn FnMut() -> Option<Frame>,
    ) -> Result<(), NoFrame> {
        if self.tables.get_mut(&root).unwrap().insert(address, (frame, access)).is_some() {
            self.forget(root, address);
        }
        self.show(root, address, (frame, access));
        Ok(())
    }
    fn map_device(
        &mut self,
        root: Frame,
        address: usize,
        frame: Frame,
        access: Access,
        allocate: &mut dyn FnMut() -> Option<Frame>,
    ) -> Result<(), NoFrame> {
        assert!(self.is_device(frame, 1) && access != Access::Execute);
        self.map(root, address, frame, access, allocate)
    }
    fn is_device(&self, first: Frame, _pages: usize) -> bool {
        first.0 as usize >= self.frames.len()
    }
    fn unmap(&mut self, root: Frame, address: usize) -> Option<Frame> {
        let (frame, _) = self.tables.get_mut(&root).unwrap().remove(&address)?;
        self.forget(root, address);
        Some(frame)
    }
    fn mapped_memory(&self, root: Frame, address: usize, access: FaultAccess) -> Option<Frame> {
        let (frame, allowed) = self.lookup(root, address)?;
        let is_allowed = match access {
            FaultAccess::Read => true,
            FaultAccess::Write => allowed == Access::Write,
            FaultAccess::Execute => allowed == Access::Execute,
        };
        (is_allowed && !self.is_device(frame, 1)).then_some(frame)
    }
    fn lookup(&self, root: Frame, address: usize) -> Option<(Frame, Access)> {
        self.tables[&root].get(&address).copied()
    }
    fn unmap_next(&mut self, root: Frame, address: usize, end: usize) -> (usize, bool) {
        let found = self.tables[&root].range(address..end).next().map(|(address, _)| *address);
        let unmapped = found.map(|address| self.unmap(root, address).map(|_| address + PAGE_SIZE));
        (unmapped.flatten().unwrap_or(end), unmapped.is_some())
    }
    fn take_table(&mut self, root: Frame, _: usize) -> (Option<Frame>, usize) {
        assert!(self.tables.remove(&root).is_none_or(|table| table.is_empty()));
        if self.active == Some(root) {
            self.active = None;
            self.own().cached.clear();
        }
        for (number, other) in self.processors.iter_mut().enumerate() {
            if number != self.here && other.parked.1 == Some(root) {
                other.parked.1 = None;
                other.cached.clear();
                other.stale = false;
                other.nudged = true;
                self.asked.push(Asked::Leave(number as u8));
            }
        }
        (None, kamen_abi::USER_END)
    }
    fn activate(&mut self, root: Frame) {
        assert!(self.tables.contains_key(&root));
        if self.active.replace(root) != Some(root) {
            self.own().cached.clear();
        }
    }
    fn processors(&self) -> u8 {
        self.processors.len() as u8
    }
    fn take_over(&mut self, processor: u8) {
        self.own().parked = (self.timer, self.active);
        self.here = processor as usize;
        (self.timer, self.active) = self.own().parked;
    }
    fn shoot_down(&mut self) {
        for number in 0..self.processors.len() {
            if core::mem::take(&mut self.processors[number].stale) {
                let root = self.root_of(number).expect("it is asked for its space's sake");
                // It goes on at once, and uses what is there now.
                self.processors[number].cached = self.tables[&root].clone();
                self.processors[number].nudged = true;
                self.asked.push(Asked::Flush(number as u8));
            }
        }
    }
    fn set_ways(&mut self, ways: Ways) {
        self.ways = ways;
    }
    fn nudge(&mut self, processor: u8) {
        assert_ne!(processor as usize, self.here);
        self.processors[processor as usize].nudged = true;
        self.asked.push(Asked::Nudge(processor));
    }
    fn fetch(&mut self, processor: u8) {
        assert_ne!(processor as usize, self.here);
        self.processors[processor as usize].nudged = true;
        self.asked.push(Asked::Fetch(processor));
    }
    fn fetch_extended(&mut self, processor: u8, state: Frame) {
        assert_ne!(processor as usize, self.here);
        assert_eq!(self.processors[processor as usize].extended, Some(state));
        self.processors[processor as usize].nudged = true;
        self.frames[state.0 as usize][CONTENTS] = self.processors[processor as usize].contents;
        self.asked.push(Asked::Save(processor));
    }
    fn set_bases(&mut self, fs_base: u64, gs_base: u64) {
        self.own().bases = (fs_base, gs_base);
    }
    fn init_extended(&mut self, state: Frame) {
        self.frames[state.0 as usize][CONTENTS] = 0;
    }
    fn save_extended(&mut self, state: Frame) {
        assert_eq!(self.own().extended, Some(state), "saved in place of another's");
        self.frames[state.0 as usize][CONTENTS] = self.own().contents;
    }
    fn load_extended(&mut self, state: Frame) {
        self.own().extended = Some(state);
        self.own().contents = self.frames[state.0 as usize][CONTENTS];
    }
    fn sanitize_extended(&mut self, _state: Frame) {}
    fn enable_extended(&mut self, enabled: bool) {
        self.own().enabled = enabled;
    }
    fn now(&mut self) -> u64 {
        self.now
    }
    fn ticks(&self) -> u64 {
        self.now
    }
    fn entered(&self) -> u64 {
        self.now
    }
    fn clock_scale(&self) -> [u64; 2] {
        [0, 1 << 32]
    }
    fn set_timer(&mut self, deadline: u64) {
        self.timer = Some(deadline);
    }
    fn lines(&self) -> u32 {
        24
    }
    fn unmask(&mut self, _line: u32) {}
    fn port_in(&mut self, port: u16, _width: PortWidth) -> u32 {
        port as u32
    }
    fn port_out(&mut self, port: u16, _width: PortWidth, value: u32) {
        self.written.push((port, value));
    }
}

impl Kernel<Fake> {
    /// Does what the machine's entry and exit paths do for the current thread's `syscall`.
    pub fn system_call(&mut self) {
        let Registers { rip, .. } = *self.saved();
        let thread = &self.threads[self.cpu.current];
        match (thread.calls, thread.entry) {
            (Calls::Foreign, _) if self.vm.machine.ways == Ways::All => self.foreign_way(),
            (Calls::Foreign, _) => {
                self.saved();
                self.foreign_system_call();
            }
            (Calls::Branching, Entry { start, end, .. }) if !(start < rip && rip <= end) => {
                let Entry { start, block, .. } = thread.entry;
                let registers = self.saved();
                (registers.rcx, registers.r11, registers.rip) = (rip, block, start);
                self.threads[self.cpu.current].is_interrupted = true;
            }
            (Calls::Native | Calls::Branching, _) if self.vm.machine.ways == Ways::All => {
                self.native_way();
            }
            (Calls::Native | Calls::Branching, _) => {
                self.saved();
                self.native_system_call();
            }
        }
    }

    /// Does what [`Kernel::system_call`] does, by the slow paths alone.
    pub fn slow_system_call(&mut self) {
        match self.threads[self.cpu.current].calls {
            Calls::Foreign => self.foreign_system_call(),
            Calls::Native | Calls::Branching => self.native_system_call(),
        }
    }

    fn saved(&mut self) -> &mut Registers {
        let thread = &mut self.threads[self.cpu.current];
        thread.is_interrupted = false;
        &mut thread.registers
    }

    fn foreign_way(&mut self) {
        let words = self.saved().words();
        match self.pass_foreign() {
            Some(passage) => arrive(passage, Some(words)),
            None => self.foreign_system_call(),
        }
    }

    fn native_way(&mut self) {
        const CALL: u64 = Operation::Call as u64;
        const SEND: u64 = Operation::Send as u64;
        const REPLY: u64 = Operation::Reply as u64;
        const REPLY_RECEIVE: u64 = Operation::ReplyReceive as u64;
        let Registers { rax, r12, rdi, r14, .. } = *self.saved();
        let words = self.saved().words();
        let passage = match rax {
            CALL => match self.pass_call(Size::Short) {
                None => self.pass_call(Size::Long).map(|passage| (passage, None)),
                short => short.map(|passage| (passage, Some(words))),
            },
            REPLY_RECEIVE => match self.pass_reply() {
                None => match self.pass_further_reply() {
                    Some(Replied::Words(passage)) => Some((passage, None)),
                    Some(Replied::Resumed(_) | Replied::ToResume) => return,
                    Some(Replied::ToCharge) => return self.charge_current(),
                    None => None,
                },
                Some(Replied::Words(passage)) => Some((passage, Some(words))),
                Some(Replied::Resumed(_) | Replied::ToResume) => return,
                Some(Replied::ToCharge) => return self.charge_current(),
            },
            REPLY if self.pass_answer() => {
                assert_eq!(self.cpu.bar, self.cpu.bar_by_ready(), "the bar is left behind");
                return;
            }
            SEND..=REPLY => return self.native_system_call(),
            _ => {
                let Outcome { status, value } = self.quick(rax, r12, rdi, r14);
                match status {
                    Outcome::ELSEWHERE => {}
                    Outcome::UNDONE => self.native_system_call(),
                    _ => {
                        assert_eq!(self.cpu.bar, self.cpu.bar_by_ready(), "the bar is left behind");
                        (self.saved().rax, self.saved().rdi) = (status, value);
                    }
                }
                return;
            }
        };
        match passage {
            Some((passage, words)) => arrive(passage, words),
            None => self.native_system_call(),
        }
    }
}

/// Lets a message arrive as the machine's exit path does.
fn arrive(mut passage: Passage<'_>, words: Option<[u64; 6]>) {
    assert!(!passage.thread.is_interrupted, "the exit path loads rip and rflags by sysret");
    passage.save();
    words.into_iter().for_each(|words| passage.thread.registers.set_words(words));
}
