//! [`Machine`] by libipc's objects.

use libipc::{
    ClockScale, Destination, Endpoint, Error, Handling, Memory, Object, OpenCall, Partial, Quota,
    Registers, Rights, Source, Space, Thread, Time, Timer, clock_scale, copy, now, processors,
};
use protocols::clock::ClockClient;
use protocols::system::SystemClient;

use crate::machine::{Access, Machine, Mapping};
use crate::memory::PAGE;
use crate::process::RunTime;

/// Priority of programs.
const PROGRAM: u8 = 8;

/// Pages that stay this server's own, for its heap; but no more than half of all.
const RESERVE: u64 = 4096;
/// Bytes of this server's heap that programs' calls may have it use: what is in pieces too small
/// for anything, or is allocated for the length of a call, comes on top.
const HEAP: u64 = RESERVE * PAGE / 4 * 3;
/// Units for objects that stay this server's own.
const RESERVE_OBJECTS: u64 = 128;
/// Most units for objects of programs; fewer than this server has handles (`handles` in
/// servers/system.toml), so that it can always take in a capability.
const PROGRAM_OBJECTS: u64 = 12_000;

/// Returns the quota that programs are charged to: a part of the server's own, which programs can
/// use up without harm to the server.
pub fn program_quota(own: Quota) -> Quota {
    let [used, limit, objects] = own.inspect().map_or([0; 3], |quota| quota.values);
    let free = limit.saturating_sub(used);
    let pages = free - RESERVE.min(free / 2);
    let objects = (objects >> 32).saturating_sub(objects & u64::from(u32::MAX));
    let objects = objects.saturating_sub(RESERVE_OBJECTS).min(PROGRAM_OBJECTS);
    match own.create_quota(pages, objects) {
        Ok(quota) if pages != 0 => quota,
        Ok(_) | Err(_) => {
            libipc::warn!("programs share the server's quota");
            own
        }
    }
}

/// The machine behind the kernel's operations.
#[derive(Debug)]
pub struct KernelMachine {
    quota: Quota,
    /// Where foreign threads' calls come in.
    handler: Endpoint,
    timer: Timer,
    clock: Option<ClockClient>,
    system: Option<SystemClient>,
    /// Returns how many bytes of this server's heap are in use.
    heap: fn() -> usize,
    boot_time: u64,
    random: u64,
}

impl KernelMachine {
    /// Returns the machine that charges to `quota` and has foreign threads call `handler`.
    pub fn new(
        quota: Quota,
        handler: Endpoint,
        timer: Timer,
        clock: Option<ClockClient>,
        system: Option<SystemClient>,
        heap: fn() -> usize,
    ) -> Self {
        let boot_time = clock.as_ref().and_then(|clock| clock.boot_time().ok()).unwrap_or(0);
        let random = boot_time ^ now().0.rotate_left(32);
        KernelMachine { quota, handler, timer, clock, system, heap, boot_time, random }
    }
}

fn rights(access: Access) -> Rights {
    match access {
        Access::None => Rights::NONE,
        Access::Read => Rights::READ,
        Access::Write => Rights::READ.union(Rights::WRITE),
        Access::Execute => Rights::READ.union(Rights::EXECUTE),
    }
}

/// Destroys an object and frees the slot of its capability.
fn destroy(object: impl Object) {
    // What cannot be destroyed any more is gone already.
    let _ = object.destroy();
    let _ = object.delete();
}

fn copied(result: Result<(), Partial>, len: usize) -> usize {
    match result {
        Ok(()) => len,
        Err(partial) => partial.copied.min(len),
    }
}

impl Machine for KernelMachine {
    fn create_memory(&mut self, pages: u64) -> Result<Memory, Error> {
        self.quota.create_memory(pages)
    }

    fn clone_memory(&mut self, memory: Memory) -> Result<Memory, Error> {
        memory.clone_to(self.quota)
    }

    fn resize_memory(&mut self, memory: Memory, pages: u64) -> Result<(), Error> {
        memory.resize(pages)
    }

    fn destroy_memory(&mut self, memory: Memory) {
        destroy(memory);
    }

    fn read_memory(&mut self, memory: Memory, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        let len = into.len();
        Ok(copy(Source::Memory(memory, offset), Destination::Bytes(into), len)?)
    }

    fn write_memory(&mut self, memory: Memory, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let to = Destination::Memory(memory, offset);
        Ok(copy(Source::Bytes(bytes), to, bytes.len())?)
    }

    fn commit(&mut self, memory: Memory, first: u64, pages: u64) -> Result<(), Error> {
        memory.commit(first, pages).map_err(|stopped| stopped.error)
    }

    fn decommit(&mut self, memory: Memory, first: u64, pages: u64) -> Result<(), Error> {
        memory.decommit(first, pages).map_err(|stopped| stopped.error)
    }

    fn create_space(&mut self) -> Result<Space, Error> {
        self.quota.create_space()
    }

    fn destroy_space(&mut self, space: Space) {
        destroy(space);
    }

    fn page_tables(&mut self, space: Space) -> u64 {
        space.inspect().map_or(u64::MAX, |told| told.values[0])
    }

    fn map(&mut self, space: Space, mapping: &Mapping) -> Result<(), Error> {
        let Mapping { address, pages, memory, first_page, access } = *mapping;
        space.map(memory, first_page, address, pages, rights(access))
    }

    fn unmap(&mut self, space: Space, address: u64, pages: u64) {
        // A range in which nothing is mapped needs no unmapping.
        let _ = space.unmap(address, pages);
    }

    fn protect(
        &mut self,
        space: Space,
        address: u64,
        pages: u64,
        access: Access,
    ) -> Result<(), Error> {
        space.protect(address, pages, rights(access))
    }

    fn barrier(&mut self, space: Space, address: u64, pages: u64) -> Result<(), Error> {
        // The rights stay; the page-table entries go, and all processors flush them.
        space.protect(address, pages, rights(Access::Execute))
    }

    fn create_thread(&mut self, space: Space, badge: u64) -> Result<Thread, Error> {
        let thread = self.quota.create_thread(space, None)?;
        let configured = thread
            .set_handler(self.handler, badge, Handling::Everything)
            .and_then(|()| thread.set_priority(PROGRAM));
        match configured {
            Ok(()) => Ok(thread),
            Err(error) => {
                destroy(thread);
                Err(error)
            }
        }
    }

    fn copy_extended(&mut self, from: OpenCall, to: Thread) -> Result<(), Error> {
        from.copy_extended(to)
    }

    fn start(&mut self, thread: Thread, registers: &Registers) -> Result<(), Error> {
        thread.write_registers(registers)?;
        thread.start()
    }

    fn destroy_thread(&mut self, thread: Thread) {
        destroy(thread);
    }

    fn recall(&mut self, thread: Thread) {
        // Busy: its next call is on the way, and is looked at as well.
        let _ = thread.recall();
    }

    fn run_time(&mut self, thread: Thread) -> RunTime {
        let [total, system] = thread.inspect().map_or([0; 2], |told| [told.values[1], told.badge]);
        RunTime { user: total.saturating_sub(system), system }
    }

    fn registers(&mut self, call: OpenCall) -> Result<Registers, Error> {
        call.read_registers()
    }

    fn set_registers(&mut self, call: OpenCall, registers: &Registers) -> Result<(), Error> {
        call.write_registers(registers)
    }

    fn copy_in(&mut self, call: OpenCall, address: u64, into: &mut [u8]) -> usize {
        let len = into.len();
        copied(call.copy_in(address, into), len)
    }

    fn copy_out(&mut self, call: OpenCall, address: u64, bytes: &[u8]) -> usize {
        copied(call.copy_out(address, bytes), bytes.len())
    }

    fn compare_exchange(
        &mut self,
        call: OpenCall,
        address: u64,
        expected: u32,
        new: u32,
    ) -> Result<u32, Error> {
        call.compare_exchange(address, expected, new)
    }

    fn copy_pages(
        &mut self,
        memory: Memory,
        offset: u64,
        call: OpenCall,
        address: u64,
        len: usize,
    ) -> usize {
        copied(copy(Source::Memory(memory, offset), Destination::Caller(call, address), len), len)
    }

    fn reply(&mut self, call: OpenCall, value: u64) {
        // A caller that is gone needs no answer.
        let _ = call.reply_value(value);
    }

    fn resume(&mut self, call: OpenCall) {
        let _ = call.resume();
    }

    fn now(&mut self) -> u64 {
        now().0
    }

    fn clock_scale(&mut self) -> ClockScale {
        clock_scale()
    }

    fn processors(&mut self) -> u64 {
        processors()
    }

    fn boot_time(&mut self) -> u64 {
        self.boot_time
    }

    fn set_boot_time(&mut self, time: u64) {
        let set = self.clock.as_ref().map(|clock| clock.set_boot_time(time));
        if matches!(set, None | Some(Ok(()))) {
            self.boot_time = time;
        }
    }

    fn set_timer(&mut self, deadline: u64) {
        // The kernel takes any time; a timer of our own cannot be gone.
        let _ = self.timer.set(Time(deadline));
    }

    /// SplitMix64 over the time: unpredictable enough for seeds of stack protectors and hash
    /// tables, not for keys.
    fn random(&mut self, into: &mut [u8]) {
        self.random ^= now().0;
        for chunk in into.chunks_mut(8) {
            self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.random;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }

    fn memory(&mut self) -> (u64, u64) {
        let memory = self.system.as_ref().and_then(|system| system.memory().ok());
        memory.map_or((0, 0), |memory| {
            (memory.total * PAGE, memory.total.saturating_sub(memory.used) * PAGE)
        })
    }

    fn charged(&mut self) -> (u64, u64, u64) {
        let values = self.quota.inspect().map_or([0; 3], |quota| quota.values);
        (values[0], values[2] & u64::from(u32::MAX), values[2] >> 32)
    }

    fn heap(&mut self) -> (u64, u64) {
        ((self.heap)() as u64, HEAP)
    }

    fn log(&mut self, line: &str) {
        libipc::warn!("{line}");
    }
}
