//! Memory, spaces and threads as vectors and maps.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::{ClockScale, Error, Handle, Memory, OpenCall, Registers, Space, Thread};

use crate::fake::Mortal;
use crate::machine::{Access, Machine, Mapping};
use crate::memory::PAGE;
use crate::process::RunTime;
use crate::unix::Reply;

/// What the fake machine holds; tests look into it.
#[derive(Default)]
pub struct World {
    next: u16,
    /// How many pages memory objects can have together; none: as many as they like.
    pub quota: Option<u64>,
    /// How many objects there can be, as programs are told.
    pub objects: Option<u64>,
    /// How many bytes of the server's heap are in use, of 1 MiB.
    pub heap: u64,
    pub memories: BTreeMap<u16, Vec<u8>>,
    pub spaces: BTreeMap<u16, BTreeMap<u64, Page>>,
    pub threads: BTreeMap<u16, FakeThread>,
    /// Which thread made each open call.
    pub calls: BTreeMap<OpenCall, u16>,
    /// Answers that did not go through the event loop, by thread.
    pub replies: BTreeMap<u16, Reply>,
    pub recalled: Vec<u16>,
    /// Spaces in which all have passed a barrier.
    pub barriers: BTreeSet<u16>,
    pub now: u64,
    /// What every thread has run itself, in ns.
    pub run_time: Option<u64>,
    /// What was done for its calls, in ns.
    pub system_time: u64,
    pub timer: Option<u64>,
    pub log: Vec<alloc::string::String>,
}

/// A mapped page.
#[derive(Clone, Copy)]
pub struct Page {
    memory: u16,
    page: u64,
    access: Access,
}

pub struct FakeThread {
    pub space: u16,
    pub registers: Registers,
    /// Stands for the whole of its extended state.
    pub extended: u64,
}

impl World {
    fn handle(&mut self) -> u16 {
        // A number in use is not given out again: long random tests come round.
        loop {
            self.next = self.next.checked_add(1).unwrap_or(1);
            let used = self.memories.contains_key(&self.next)
                || self.spaces.contains_key(&self.next)
                || self.threads.contains_key(&self.next);
            if !used {
                return self.next;
            }
        }
    }

    /// Returns whether there are so many pages more.
    fn affords(&self, pages: u64) -> Result<(), Error> {
        let Some(quota) = self.quota else { return Ok(()) };
        let used: usize = self.memories.values().map(Vec::len).sum();
        let fits = (used as u64 / PAGE).checked_add(pages).is_some_and(|sum| sum <= quota);
        if fits { Ok(()) } else { Err(Error::QuotaExhausted) }
    }

    fn at(&mut self, call: OpenCall, address: u64, access: Access) -> Option<&mut u8> {
        let thread = self.calls.get(&call)?;
        let space = self.threads.get(thread)?.space;
        let page = *self.spaces.get(&space)?.get(&(address & !(PAGE - 1)))?;
        if access == Access::Write && page.access != Access::Write {
            return None;
        }
        let offset = page.page * PAGE + address % PAGE;
        self.memories.get_mut(&page.memory)?.get_mut(offset as usize)
    }
}

#[derive(Clone, Default)]
pub struct FakeMachine(pub Rc<RefCell<World>>);

impl Machine for FakeMachine {
    fn create_memory(&mut self, pages: u64) -> Result<Memory, Error> {
        let mut world = self.0.borrow_mut();
        world.affords(pages)?;
        let handle = world.handle();
        world.memories.insert(handle, alloc::vec![0; (pages * PAGE) as usize]);
        Ok(Memory(Handle(handle)))
    }

    fn clone_memory(&mut self, memory: Memory) -> Result<Memory, Error> {
        let mut world = self.0.borrow_mut();
        let copy = world.memories.get(&memory.0.0).cloned().ok_or(Error::InvalidHandle)?;
        world.affords(copy.len() as u64 / PAGE)?;
        let handle = world.handle();
        world.memories.insert(handle, copy);
        Ok(Memory(Handle(handle)))
    }

    fn resize_memory(&mut self, memory: Memory, pages: u64) -> Result<(), Error> {
        let mut world = self.0.borrow_mut();
        let before = world.memories.get(&memory.0.0).ok_or(Error::InvalidHandle)?.len() as u64;
        world.affords(pages.saturating_sub(before / PAGE))?;
        let bytes = world.memories.get_mut(&memory.0.0).ok_or(Error::InvalidHandle)?;
        bytes.resize((pages * PAGE) as usize, 0);
        Ok(())
    }

    fn destroy_memory(&mut self, memory: Memory) {
        self.0.borrow_mut().memories.remove(&memory.0.0).expect("destroyed once");
    }

    fn read_memory(&mut self, memory: Memory, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        let world = self.0.borrow();
        let bytes = world.memories.get(&memory.0.0).ok_or(Error::InvalidHandle)?;
        let range = offset as usize..offset as usize + into.len();
        into.copy_from_slice(bytes.get(range).ok_or(Error::BadAddress)?);
        Ok(())
    }

    fn write_memory(&mut self, memory: Memory, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let mut world = self.0.borrow_mut();
        let memory = world.memories.get_mut(&memory.0.0).ok_or(Error::InvalidHandle)?;
        let range = offset as usize..offset as usize + bytes.len();
        memory.get_mut(range).ok_or(Error::BadAddress)?.copy_from_slice(bytes);
        Ok(())
    }

    fn commit(&mut self, memory: Memory, first: u64, pages: u64) -> Result<(), Error> {
        let mut bytes = alloc::vec![0; (pages * PAGE) as usize];
        self.read_memory(memory, first * PAGE, &mut bytes).map_err(|_| Error::BadRange)
    }

    fn decommit(&mut self, memory: Memory, first: u64, pages: u64) -> Result<(), Error> {
        let bytes = alloc::vec![0; (pages * PAGE) as usize];
        self.write_memory(memory, first * PAGE, &bytes).map_err(|_| Error::BadRange)
    }

    fn create_space(&mut self) -> Result<Space, Error> {
        let mut world = self.0.borrow_mut();
        let handle = world.handle();
        world.spaces.insert(handle, BTreeMap::new());
        Ok(Space(Handle(handle)))
    }

    fn destroy_space(&mut self, space: Space) {
        self.0.borrow_mut().spaces.remove(&space.0.0).expect("destroyed once");
    }

    fn page_tables(&mut self, space: Space) -> u64 {
        let world = self.0.borrow();
        let lowest = world.spaces[&space.0.0].keys().map(|at| at / (512 * PAGE));
        lowest.collect::<BTreeSet<_>>().len() as u64
    }

    fn map(&mut self, space: Space, mapping: &Mapping) -> Result<(), Error> {
        let mut world = self.0.borrow_mut();
        let len = world.memories.get(&mapping.memory.0.0).ok_or(Error::InvalidHandle)?.len();
        assert!((mapping.first_page + mapping.pages) * PAGE <= len as u64, "beyond the object");
        let pages = world.spaces.get_mut(&space.0.0).ok_or(Error::InvalidHandle)?;
        for index in 0..mapping.pages {
            let (memory, page) = (mapping.memory.0.0, mapping.first_page + index);
            let page = Page { memory, page, access: mapping.access };
            let before = pages.insert(mapping.address + index * PAGE, page);
            assert!(before.is_none(), "mapped twice");
        }
        Ok(())
    }

    fn unmap(&mut self, space: Space, address: u64, pages: u64) {
        if let Some(space) = self.0.borrow_mut().spaces.get_mut(&space.0.0) {
            space.retain(|at, _| !(address..address + pages * PAGE).contains(at));
        }
    }

    fn protect(
        &mut self,
        space: Space,
        address: u64,
        pages: u64,
        access: Access,
    ) -> Result<(), Error> {
        let mut world = self.0.borrow_mut();
        let space = world.spaces.get_mut(&space.0.0).ok_or(Error::InvalidHandle)?;
        for (_, page) in space.range_mut(address..address + pages * PAGE) {
            page.access = access;
        }
        Ok(())
    }

    fn barrier(&mut self, space: Space, address: u64, pages: u64) -> Result<(), Error> {
        let mut world = self.0.borrow_mut();
        let mapped = world.spaces.get(&space.0.0).ok_or(Error::InvalidHandle)?;
        let of_range = mapped.range(address..address + pages * PAGE);
        let executed = of_range.filter(|(_, page)| page.access == Access::Execute).count();
        assert_eq!(executed as u64, pages, "not all is executed");
        world.barriers.insert(space.0.0);
        Ok(())
    }

    fn create_thread(&mut self, space: Space, _: u64) -> Result<Thread, Error> {
        let mut world = self.0.borrow_mut();
        let handle = world.handle();
        let (space, registers) = (space.0.0, Registers::default());
        let thread = FakeThread { space, registers, extended: 0 };
        world.threads.insert(handle, thread);
        Ok(Thread(Handle(handle)))
    }

    fn copy_extended(&mut self, from: OpenCall, to: Thread) -> Result<(), Error> {
        let mut world = self.0.borrow_mut();
        let from = *world.calls.get(&from).ok_or(Error::StaleCall)?;
        let extended = world.threads.get(&from).ok_or(Error::StaleCall)?.extended;
        world.threads.get_mut(&to.0.0).ok_or(Error::InvalidHandle)?.extended = extended;
        Ok(())
    }

    fn start(&mut self, thread: Thread, registers: &Registers) -> Result<(), Error> {
        let mut world = self.0.borrow_mut();
        let thread = world.threads.get_mut(&thread.0.0).ok_or(Error::InvalidHandle)?;
        thread.registers = *registers;
        Ok(())
    }

    fn destroy_thread(&mut self, thread: Thread) {
        Mortal::step();
        self.0.borrow_mut().threads.remove(&thread.0.0).expect("destroyed once");
    }

    fn recall(&mut self, thread: Thread) {
        let mut world = self.0.borrow_mut();
        // Busy, says the kernel, and forgets it: a call of the thread is open.
        if !world.calls.values().any(|&open| open == thread.0.0) {
            world.recalled.push(thread.0.0);
        }
    }

    fn run_time(&mut self, _: Thread) -> RunTime {
        let world = self.0.borrow();
        RunTime { user: world.run_time.unwrap_or(1_000_000), system: world.system_time }
    }

    fn registers(&mut self, call: OpenCall) -> Result<Registers, Error> {
        let world = self.0.borrow();
        let thread = world.calls.get(&call).ok_or(Error::StaleCall)?;
        Ok(world.threads.get(thread).ok_or(Error::StaleCall)?.registers)
    }

    fn set_registers(&mut self, call: OpenCall, registers: &Registers) -> Result<(), Error> {
        let mut world = self.0.borrow_mut();
        let thread = *world.calls.get(&call).ok_or(Error::StaleCall)?;
        let registers = registers.validated().ok_or(Error::InvalidArgument)?;
        world.threads.get_mut(&thread).ok_or(Error::StaleCall)?.registers = registers;
        Ok(())
    }

    fn copy_in(&mut self, call: OpenCall, address: u64, into: &mut [u8]) -> usize {
        let mut world = self.0.borrow_mut();
        for (index, byte) in into.iter_mut().enumerate() {
            match world.at(call, address.wrapping_add(index as u64), Access::Read) {
                Some(value) => *byte = *value,
                None => return index,
            }
        }
        into.len()
    }

    fn copy_out(&mut self, call: OpenCall, address: u64, bytes: &[u8]) -> usize {
        Mortal::step();
        let mut world = self.0.borrow_mut();
        for (index, byte) in bytes.iter().enumerate() {
            match world.at(call, address.wrapping_add(index as u64), Access::Write) {
                Some(value) => *value = *byte,
                None => return index,
            }
        }
        bytes.len()
    }

    fn compare_exchange(
        &mut self,
        call: OpenCall,
        address: u64,
        expected: u32,
        new: u32,
    ) -> Result<u32, Error> {
        let mut word = [0; 4];
        if self.copy_in(call, address, &mut word) != 4 {
            return Err(Error::BadAddress);
        }
        let found = u32::from_le_bytes(word);
        if found == expected && self.copy_out(call, address, &new.to_le_bytes()) != 4 {
            return Err(Error::BadAddress);
        }
        Ok(found)
    }

    fn copy_pages(
        &mut self,
        memory: Memory,
        offset: u64,
        call: OpenCall,
        address: u64,
        len: usize,
    ) -> usize {
        let bytes = {
            let world = self.0.borrow();
            let bytes = world.memories.get(&memory.0.0).and_then(|all| all.get(offset as usize..));
            let bytes = bytes.unwrap_or(&[]);
            bytes[..len.min(bytes.len())].to_vec()
        };
        self.copy_out(call, address, &bytes)
    }

    fn reply(&mut self, call: OpenCall, value: u64) {
        if !Mortal::step() {
            return;
        }
        let mut world = self.0.borrow_mut();
        let thread = world.calls.remove(&call).expect("an open call");
        world.replies.insert(thread, Reply::Value(value));
    }

    fn resume(&mut self, call: OpenCall) {
        let mut world = self.0.borrow_mut();
        let thread = world.calls.remove(&call).expect("an open call");
        world.replies.insert(thread, Reply::Resume);
    }

    fn now(&mut self) -> u64 {
        self.0.borrow().now
    }

    fn clock_scale(&mut self) -> ClockScale {
        ClockScale { start: 0, factor: 1 << 32 }
    }

    fn processors(&mut self) -> u64 {
        1
    }

    fn boot_time(&mut self) -> u64 {
        1_000_000_000_000_000_000
    }

    fn set_boot_time(&mut self, _: u64) {}

    fn set_timer(&mut self, deadline: u64) {
        self.0.borrow_mut().timer = Some(deadline);
    }

    fn random(&mut self, into: &mut [u8]) {
        into.fill(4);
    }

    fn memory(&mut self) -> (u64, u64) {
        (1 << 26, 1 << 25)
    }

    fn charged(&mut self) -> (u64, u64, u64) {
        let world = self.0.borrow();
        let pages: usize = world.memories.values().map(Vec::len).sum();
        let objects = world.memories.len() + world.spaces.len() + world.threads.len();
        (pages as u64 / PAGE, objects as u64, world.objects.unwrap_or(u32::MAX.into()))
    }

    fn heap(&mut self) -> (u64, u64) {
        (self.0.borrow().heap, 1 << 20)
    }

    fn log(&mut self, line: &str) {
        self.0.borrow_mut().log.push(line.into());
    }
}
