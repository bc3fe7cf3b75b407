//! The first task: the only process that the kernel makes, holding everything.

use core::ops::Range;

use kamen_abi::{Error, Handle, PAGE_SIZE, Rights, boot};

use crate::arena::{Arena, Id};
use crate::backing::Backing;
use crate::capacities::Capacities;
use crate::cpu::Cpu;
use crate::deadline::{Deadlines, Timer};
use crate::frames::Frames;
use crate::kernel::Kernel;
use crate::machine::{Access, Frame, Machine};
use crate::memory::Memory;
use crate::notice::Notices;
use crate::quota::{self, Charged, Quota};
use crate::space::{NewMapping, Space, Vm};
use crate::steps::Steps;
use crate::table::{Capability, Object, Table};
use crate::thread::{MAX_PROCESSORS, State, Thread};
use crate::trace::{self, Trace};

/// Slots of the first task's capability table.
const FIRST_SLOTS: usize = 4096;
/// Priority of the first task; nothing is above it.
const FIRST_PRIORITY: u8 = kamen_abi::PRIORITIES as u8 - 1;

/// What the machine found at boot.
pub struct BootInfo<'a> {
    /// Pages of RAM, whoever has them.
    pub ram_pages: usize,
    /// Free physical memory, as frame ranges `first..end`.
    pub free: &'a [Range<u32>],
    /// Frames that hold the boot archive, in order: `first..end`.
    pub archive: Range<u32>,
    /// Bytes of the boot archive.
    pub archive_len: usize,
    /// Loadable segments of the first task.
    pub segments: &'a [Segment],
    /// Entry point of the first task.
    pub entry: usize,
}

/// A loadable segment of the first task: the image is copied, the rest is zero.
pub struct Segment {
    /// Page-aligned address in the task.
    pub address: usize,
    /// Pages in the task.
    pub pages: usize,
    /// What the task may do with them.
    pub access: Access,
    /// Frames that hold the image's bytes, page aligned like the segment: `first..end`.
    pub image: Range<u32>,
    /// Bytes of the image to copy from the beginning of `image`.
    pub image_len: usize,
}

impl<M: Machine> Kernel<M> {
    /// Returns a kernel whose first task is about to run.
    ///
    /// # Errors
    /// Whatever kept the first task from being made: too little memory, a malformed image.
    pub fn boot(machine: M, info: &BootInfo<'_>) -> Result<Self, Error> {
        let (trace, free) = trace::set_apart(info.free, usize::from(machine.processors()));
        let mut kernel = Kernel::empty(machine, &free);
        kernel.ram_pages = info.ram_pages;
        kernel.begin_trace(trace);
        // All budgets are cut out of this one, and it has as many pages as there are frames: what
        // has been charged can be taken.
        let quota = kernel.vm.quotas.insert(Quota {
            pages_limit: kernel.vm.frames.free(),
            objects_limit: Capacities::new(kernel.vm.frames.total()).units,
            ..Quota::default()
        });
        let quota = quota.ok_or(Error::OutOfMemory)?;
        quota::charge(&mut kernel.vm.quotas, Some(quota), 0, Space::COST)?;
        let space = kernel.vm.create_space(quota)?;
        for segment in info.segments {
            kernel.load_segment(quota, space, segment)?;
        }
        let archive = kernel.map_archive(quota, space, info)?;
        let thread = kernel.first_thread(quota, space, info)?;
        let table = kernel.first_table(quota, space, thread, archive)?;
        kernel.threads[thread.index() as u16].table = Some(table);
        kernel.wake(thread.index() as u16);
        Ok(kernel)
    }

    /// Returns a kernel without any object; capacities follow the size of memory.
    pub(crate) fn empty(machine: M, free: &[Range<u32>]) -> Self {
        let frames = Frames::new(free);
        let capacities = Capacities::new(frames.total());
        let (threads, timers) = (capacities.of::<Thread>(), capacities.of::<Timer>());
        let lines = machine.lines() as usize;
        let processors = machine.processors().clamp(1, MAX_PROCESSORS);
        Kernel {
            vm: Vm {
                machine,
                frames,
                quotas: Arena::new(capacities.quotas()),
                spaces: capacities.arena(),
                memories: capacities.arena(),
                mappings: Arena::new(capacities.mappings()),
                steps: Steps::new(),
            },
            threads: Arena::new(threads),
            tables: capacities.arena(),
            endpoints: capacities.arena(),
            notifications: capacities.arena(),
            notices: Notices::new(threads),
            timers: Arena::new(timers),
            deadlines: Deadlines::new(threads, timers),
            lines: alloc::vec![None; lines],
            ram_pages: 0,
            first_sequence: 0,
            trace: Trace::default(),
            cpu: Cpu::new(0),
            parked: (1..processors).map(Cpu::new).collect(),
            keeper: 0,
            kept: kamen_abi::FOREVER,
        }
    }

    fn load_segment(
        &mut self,
        quota: Id<Quota>,
        space: Id<Space>,
        segment: &Segment,
    ) -> Result<(), Error> {
        let memory = Memory::new(segment.pages, Some(quota));
        let memory = self.add_memory(memory)?;
        for (page, image) in segment.image.clone().enumerate() {
            let len = segment.image_len.saturating_sub(page * PAGE_SIZE).min(PAGE_SIZE);
            let frame = self.vm.frame(memory, page, true)?;
            self.vm.machine.copy(Frame(image), 0, frame, 0, len);
        }
        let rights = match segment.access {
            Access::Read => Rights::READ,
            Access::Write => Rights::READ.union(Rights::WRITE),
            Access::Execute => Rights::READ.union(Rights::EXECUTE),
        };
        self.map_first(space, memory, segment.address, segment.pages, rights)
    }

    fn map_archive(
        &mut self,
        quota: Id<Quota>,
        space: Id<Space>,
        info: &BootInfo<'_>,
    ) -> Result<Option<Id<Memory>>, Error> {
        let pages = info.archive.len();
        if pages == 0 {
            return Ok(None);
        }
        let memory =
            Memory::backed(Backing::Archive(Frame(info.archive.start)), pages, Some(quota));
        let memory = self.add_memory(memory)?;
        self.map_first(space, memory, boot::ARCHIVE_AT, pages, Rights::READ)?;
        Ok(Some(memory))
    }

    fn trace_memory(&mut self, quota: Id<Quota>) -> Result<Option<Id<Memory>>, Error> {
        let frames = self.trace.frames();
        if frames.is_empty() {
            return Ok(None);
        }
        let backing = Backing::Archive(Frame(frames.start));
        let memory = Memory::backed(backing, frames.len(), Some(quota));
        self.add_memory(memory).map(Some)
    }

    fn first_thread(
        &mut self,
        quota: Id<Quota>,
        space: Id<Space>,
        info: &BootInfo<'_>,
    ) -> Result<Id<Thread>, Error> {
        let write = Rights::READ.union(Rights::WRITE);
        let stack_pages = boot::STACK_BYTES / PAGE_SIZE;
        let stack = Memory::new(stack_pages, Some(quota));
        let stack = self.add_memory(stack)?;
        let stack_at = boot::STACK_TOP - boot::STACK_BYTES;
        self.map_first(space, stack, stack_at, stack_pages, write)?;
        let page = self.add_memory(Memory::new(1, Some(quota)))?;
        self.map_first(space, page, boot::MESSAGE_PAGE, 1, write)?;
        let frame = self.vm.frame(page, 0, true)?;
        quota::charge(&mut self.vm.quotas, Some(quota), 1, 0)?;
        self.vm.frames.pin(frame);
        let mut thread = Thread {
            space: Some(space),
            root: self.vm.spaces.get(space).and_then(|space| space.root),
            message_page: Some(frame),
            priority: FIRST_PRIORITY,
            quota: Some(quota),
            state: State::Stopped,
            ..Thread::default()
        };
        thread.registers.rip = info.entry as u64;
        thread.registers.rsp = boot::STACK_TOP as u64;
        thread.registers.rdi = boot::MESSAGE_PAGE as u64;
        thread.registers.rsi = info.archive_len as u64;
        thread.set_registers(thread.registers.validated().ok_or(Error::InvalidArgument)?);
        quota::charge(&mut self.vm.quotas, Some(quota), 0, Thread::COST)?;
        let id = quota::insert(&mut self.vm.quotas, &mut self.threads, thread);
        id.ok_or(Error::OutOfMemory)
    }

    fn add_memory(&mut self, memory: Memory) -> Result<Id<Memory>, Error> {
        quota::charge(&mut self.vm.quotas, memory.quota, 0, Memory::COST)?;
        let id = quota::insert(&mut self.vm.quotas, &mut self.vm.memories, memory);
        id.ok_or(Error::OutOfMemory)
    }

    fn first_table(
        &mut self,
        quota: Id<Quota>,
        space: Id<Space>,
        thread: Id<Thread>,
        archive: Option<Id<Memory>>,
    ) -> Result<Id<Table>, Error> {
        let trace = self.trace_memory(quota)?;
        let pages = Table::price_of(FIRST_SLOTS);
        quota::charge(&mut self.vm.quotas, Some(quota), pages, Table::COST)?;
        let table = Table::new(&mut self.vm.supply().0, Some(quota), FIRST_SLOTS)?;
        let id = quota::insert(&mut self.vm.quotas, &mut self.tables, table);
        let id = id.ok_or(Error::OutOfMemory)?;
        let table = self.tables.get_mut(id).ok_or(Error::OutOfMemory)?;
        let read = Rights::READ.union(Rights::GRANT);
        let (mut supply, _) = self.vm.supply();
        let mut put = |handle: Handle, object: Object, rights: Rights| {
            let capability = Capability { object, rights, badge: 0 };
            table.insert_at(&mut supply, handle, capability).map(|_| ())
        };
        put(boot::TABLE, Object::Table(id), Rights::ALL)?;
        put(boot::SPACE, Object::Space(space), Rights::ALL)?;
        put(boot::THREAD, Object::Thread(thread), Rights::ALL)?;
        put(boot::QUOTA, Object::Quota(quota), Rights::ALL)?;
        put(boot::PORTS, Object::Ports(0, u16::MAX), Rights::ALL)?;
        put(boot::INTERRUPTS, Object::Interrupt(0, u16::MAX), Rights::ALL)?;
        put(boot::PHYSICAL, Object::Physical(0, u32::MAX), Rights::ALL)?;
        if let Some(archive) = archive {
            put(boot::ARCHIVE, Object::Memory(archive), read)?;
        }
        put(boot::TRACE, Object::Trace, read.union(Rights::CONTROL))?;
        if let Some(trace) = trace {
            put(boot::TRACE_MEMORY, Object::Memory(trace), read)?;
        }
        Ok(id)
    }

    fn map_first(
        &mut self,
        space: Id<Space>,
        memory: Id<Memory>,
        address: usize,
        pages: usize,
        rights: Rights,
    ) -> Result<(), Error> {
        let new = NewMapping { memory, first_page: 0, address, pages, rights, most: rights };
        self.vm.map(space, new)
    }
}
