//! A rig that issues system calls on a kernel over the fake machine.

use kamen_abi::{Handle, ObjectKind, Operation, PAGE_SIZE, Registers, Rights, Tag, boot};

use super::Fake;
use crate::machine::{Access, Frame, Machine, Next};
use crate::{BootInfo, Kernel, Segment};

/// A kernel over a fake machine, whose running thread does what the test says.
pub struct Rig {
    pub kernel: Kernel<Fake>,
}

/// A process that a test made.
#[derive(Clone, Copy)]
pub struct Process {
    pub space: u64,
    pub table: u64,
    pub thread: u64,
    pub slot: u16,
}

/// Where each process of a test has its memory.
pub const DATA: u64 = 0x10_0000;
/// Frames of the machine; 16 of them are for the trace.
pub const FRAMES: usize = 2048 + 16;
const PAGES: u64 = 16;

impl Rig {
    /// Boots the first task, with [`DATA`] mapped.
    pub fn new() -> Self {
        Rig::with_processors(1)
    }

    /// Boots it on several processors; the first runs it.
    pub fn with_processors(processors: usize) -> Self {
        let segment = Segment {
            address: DATA as usize,
            pages: PAGES as usize,
            access: Access::Write,
            image: 0..0,
            image_len: 0,
        };
        let info = BootInfo {
            ram_pages: FRAMES,
            free: &[16..100, 100..FRAMES as u32],
            archive: 2..4,
            archive_len: 5000,
            segments: &[segment],
            entry: 0x20_0000,
        };
        let kernel = Kernel::boot(Fake::new(FRAMES, processors), &info).unwrap();
        let mut rig = Rig { kernel };
        // Tests of steps set a limit; to all others an operation is one.
        rig.kernel.vm.steps.limit(u32::MAX);
        rig.run();
        rig
    }

    /// Lets the kernel choose; returns the slot of the thread that runs.
    pub fn run(&mut self) -> u16 {
        match self.kernel.next() {
            Next::Run(_) => self.kernel.cpu.current,
            Next::Idle => panic!("idle"),
        }
    }

    /// Lets a processor enter the kernel; it does what it was asked to.
    pub fn on(&mut self, processor: u8) -> &mut Self {
        self.kernel.take_over(processor);
        if core::mem::take(&mut self.kernel.vm.machine.own().nudged) {
            self.kernel.reschedule();
        }
        self
    }

    /// Lets the kernel choose for a processor; returns the slot of the thread that runs there.
    pub fn run_on(&mut self, processor: u8) -> Option<u16> {
        self.on(processor);
        match self.kernel.next() {
            Next::Run(_) => Some(self.kernel.cpu.current),
            Next::Idle => None,
        }
    }

    pub fn registers(&mut self) -> &mut Registers {
        self.run();
        &mut self.kernel.threads[self.kernel.cpu.current].registers
    }

    /// Enters the kernel with an operation of the running thread; returns its status where the
    /// same thread goes on.
    pub fn enter(&mut self, operation: Operation, target: u64, words: [u64; 6]) -> u64 {
        let registers = self.registers();
        registers.rax = operation as u64;
        registers.r12 = target;
        registers.set_words(words);
        let before = self.kernel.cpu.current;
        self.kernel.system_call();
        self.kernel.threads[before].registers.rax
    }

    /// As `enter`, with tag and deadline.
    pub fn send(&mut self, operation: Operation, to: u64, tag: Tag, deadline: u64) -> u64 {
        let registers = self.registers();
        registers.r13 = tag.0;
        registers.r14 = deadline;
        let words = registers.words();
        self.enter(operation, to, words)
    }

    pub fn invoke(&mut self, operation: Operation, target: u64, words: &[u64]) -> u64 {
        let mut all = [0; 6];
        all[..words.len()].copy_from_slice(words);
        self.enter(operation, target, all)
    }

    /// Executes the running thread's `syscall` again, if its operation ran out of steps; returns
    /// whether it did.
    pub fn go_on(&mut self, rip: u64) -> bool {
        let registers = self.registers();
        let again = registers.rip != rip;
        if again {
            registers.rip = rip;
            self.kernel.system_call();
        }
        again
    }

    /// As `invoke`, to the end of all steps; returns the number of entries, too.
    pub fn in_steps(&mut self, operation: Operation, target: u64, words: &[u64]) -> (u64, usize) {
        let rip = self.registers().rip;
        self.invoke(operation, target, words);
        let mut entries = 1;
        while self.go_on(rip) {
            entries += 1;
        }
        (self.registers().rax, entries)
    }

    pub fn ok(&mut self, operation: Operation, target: u64, words: &[u64]) -> u64 {
        assert_eq!(self.invoke(operation, target, words), 0, "{operation:?}");
        self.registers().r12
    }

    pub fn create(&mut self, kind: ObjectKind, words: &[u64]) -> u64 {
        let mut all = [0; 6];
        all[0] = kind as u64;
        all[1..=words.len()].copy_from_slice(words);
        self.ok(Operation::Create, boot::QUOTA.0 as u64, &all)
    }

    /// Creates a process with memory at [`DATA`], a message page, and a table in which `give` is
    /// minted to slots from 8 on. Its thread is stopped.
    pub fn process(&mut self, priority: u64, give: &[(u64, Rights, u64)]) -> Process {
        let space = self.create(ObjectKind::Space, &[]);
        let table = self.create(ObjectKind::Table, &[64]);
        let thread = self.create(ObjectKind::Thread, &[space, table]);
        let memory = self.create(ObjectKind::Memory, &[PAGES]);
        let write = Rights::READ.union(Rights::WRITE).0 as u64;
        self.ok(Operation::Map, space, &[memory, 0, DATA, PAGES, write]);
        self.ok(Operation::SetMessagePage, thread, &[memory, PAGES - 1]);
        self.ok(Operation::SetPriority, thread, &[priority]);
        let own = [(thread, boot::THREAD), (space, boot::SPACE), (table, boot::TABLE)];
        for (handle, slot) in own {
            self.ok(Operation::Mint, handle, &[table, u64::MAX, 0, slot.0 as u64]);
        }
        for (place, (handle, rights, badge)) in give.iter().enumerate() {
            let words = [table, rights.0 as u64, *badge, 8 + place as u64, kamen_abi::WHOLE];
            self.ok(Operation::Mint, *handle, &words);
        }
        let object = self.kernel.capability(Handle(thread as u16), Rights::NONE).unwrap().object;
        let crate::table::Object::Thread(id) = object else { panic!() };
        Process { space, table, thread, slot: id.index() as u16 }
    }

    /// Writes words to the running thread's memory at DATA + offset.
    pub fn poke(&mut self, offset: u64, value: u64) {
        let frame = self.frame(offset, crate::FaultAccess::Write).unwrap();
        self.kernel.vm.machine.store(frame, offset as usize % PAGE_SIZE / 8, value);
    }

    /// Reads a word of the running thread's memory at DATA + offset.
    pub fn peek(&mut self, offset: u64) -> u64 {
        let frame = self.frame(offset, crate::FaultAccess::Read).unwrap();
        self.kernel.vm.machine.load(frame, offset as usize % PAGE_SIZE / 8)
    }

    fn frame(
        &mut self,
        offset: u64,
        access: crate::FaultAccess,
    ) -> Result<Frame, kamen_abi::Error> {
        let slot = self.run();
        let space = self.kernel.threads[slot].space.unwrap();
        self.kernel.vm.resolve(space, (DATA + offset) as usize, access)
    }
}
