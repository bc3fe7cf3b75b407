//! What the personality asks of the machine: memory, spaces, foreign threads, time.
//!
//! Everything else in this crate decides; an implementation acts. `kernel::KernelMachine` does it
//! with libipc's objects, `fake::FakeMachine` with vectors, for the tests.

use crate::process::RunTime;
use libipc::{ClockScale, Error, Memory, OpenCall, Registers, Space, Thread};

/// What a program may do with its pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Nothing: the pages are reserved but not mapped (`PROT_NONE`).
    None,
    /// Read.
    Read,
    /// Read and write.
    Write,
    /// Read and execute.
    Execute,
}

impl Access {
    /// Returns whether pages that were mapped with `self` can be restricted to `other` in place.
    pub fn covers(self, other: Access) -> bool {
        other != Access::None && (self == other || (other == Access::Read && self != Access::None))
    }
}

/// Pages of a memory object at an address.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// Address of the first page.
    pub address: u64,
    /// Number of pages.
    pub pages: u64,
    /// Where the pages come from.
    pub memory: Memory,
    /// The first of them, counted in pages.
    pub first_page: u64,
    /// What may be done with them; not [`Access::None`].
    pub access: Access,
}

/// The machine under the personality. Addresses and sizes are in bytes unless they say pages.
pub trait Machine {
    /// Creates a zero-filled memory object.
    ///
    /// # Errors
    /// QuotaExhausted, OutOfMemory.
    fn create_memory(&mut self, pages: u64) -> Result<Memory, Error>;
    /// Clones a memory object copy-on-write.
    ///
    /// # Errors
    /// QuotaExhausted, OutOfMemory.
    fn clone_memory(&mut self, memory: Memory) -> Result<Memory, Error>;
    /// Changes the number of pages of a memory object.
    ///
    /// # Errors
    /// QuotaExhausted, OutOfMemory.
    fn resize_memory(&mut self, memory: Memory, pages: u64) -> Result<(), Error>;
    /// Destroys a memory object.
    fn destroy_memory(&mut self, memory: Memory);
    /// Copies out of a memory object.
    ///
    /// # Errors
    /// BadAddress: beyond its end.
    fn read_memory(&mut self, memory: Memory, offset: u64, into: &mut [u8]) -> Result<(), Error>;
    /// Copies into a memory object.
    ///
    /// # Errors
    /// BadAddress: beyond its end; QuotaExhausted.
    fn write_memory(&mut self, memory: Memory, offset: u64, bytes: &[u8]) -> Result<(), Error>;

    /// Gives pages of a memory object their frames, so that touching them cannot fail.
    ///
    /// # Errors
    /// QuotaExhausted, OutOfMemory; BadRange: beyond its end.
    fn commit(&mut self, memory: Memory, first: u64, pages: u64) -> Result<(), Error>;
    /// Gives up the contents of pages of a memory object: they are zero from then on.
    ///
    /// # Errors
    /// BadRange: beyond its end.
    fn decommit(&mut self, memory: Memory, first: u64, pages: u64) -> Result<(), Error>;

    /// Creates an empty address space.
    ///
    /// # Errors
    /// QuotaExhausted, OutOfMemory.
    fn create_space(&mut self) -> Result<Space, Error>;
    /// Destroys an address space.
    fn destroy_space(&mut self, space: Space);
    /// Returns how many pages of page tables a space has; they stay when all is unmapped.
    fn page_tables(&mut self, space: Space) -> u64;
    /// Maps pages where nothing is mapped.
    ///
    /// # Errors
    /// QuotaExhausted, OutOfMemory; BadRange.
    fn map(&mut self, space: Space, mapping: &Mapping) -> Result<(), Error>;
    /// Unmaps whatever lies in a range.
    fn unmap(&mut self, space: Space, address: u64, pages: u64);
    /// Restricts mapped pages to an access that the one they were mapped with covers.
    ///
    /// # Errors
    /// BadRange.
    fn protect(
        &mut self,
        space: Space,
        address: u64,
        pages: u64,
        access: Access,
    ) -> Result<(), Error>;

    /// Has every processor on which a thread executes from these pages, which are mapped to be
    /// executed, pass through the kernel.
    ///
    /// # Errors
    /// BadRange.
    fn barrier(&mut self, space: Space, address: u64, pages: u64) -> Result<(), Error>;

    /// Creates a stopped foreign thread whose calls come to this server under `badge`.
    ///
    /// # Errors
    /// QuotaExhausted, OutOfMemory.
    fn create_thread(&mut self, space: Space, badge: u64) -> Result<Thread, Error>;
    /// Gives a stopped thread the extended (FPU, SSE, AVX) state of a caller.
    ///
    /// # Errors
    /// QuotaExhausted, OutOfMemory; StaleCall.
    fn copy_extended(&mut self, from: OpenCall, to: Thread) -> Result<(), Error>;
    /// Starts a thread with these registers.
    ///
    /// # Errors
    /// InvalidArgument: an address outside the user half.
    fn start(&mut self, thread: Thread, registers: &Registers) -> Result<(), Error>;
    /// Destroys a thread, wherever it is; a call that it has open is gone.
    fn destroy_thread(&mut self, thread: Thread);
    /// Asks a running thread to report; one that is about to make a call does that instead.
    fn recall(&mut self, thread: Thread);
    /// Returns how long a thread has run.
    fn run_time(&mut self, thread: Thread) -> RunTime;

    /// Returns the registers of a caller.
    ///
    /// # Errors
    /// StaleCall.
    fn registers(&mut self, call: OpenCall) -> Result<Registers, Error>;
    /// Sets the registers of a caller.
    ///
    /// # Errors
    /// StaleCall; InvalidArgument: an address outside the user half.
    fn set_registers(&mut self, call: OpenCall, registers: &Registers) -> Result<(), Error>;
    /// Copies from a caller's memory; returns how many bytes came before one that is missing.
    fn copy_in(&mut self, call: OpenCall, address: u64, into: &mut [u8]) -> usize;
    /// Copies to a caller's memory; returns how many bytes went before one that is missing.
    fn copy_out(&mut self, call: OpenCall, address: u64, bytes: &[u8]) -> usize;
    /// Sets a word of a caller's memory to `new` if it is `expected`; returns what it was.
    ///
    /// # Errors
    /// BadAddress; QuotaExhausted, OutOfMemory: there is no memory for the page; InvalidArgument:
    /// the address is not a multiple of 4.
    fn compare_exchange(
        &mut self,
        call: OpenCall,
        address: u64,
        expected: u32,
        new: u32,
    ) -> Result<u32, Error>;
    /// Copies from a memory object to a caller's memory; returns how many bytes went.
    fn copy_pages(
        &mut self,
        memory: Memory,
        offset: u64,
        call: OpenCall,
        address: u64,
        len: usize,
    ) -> usize;
    /// Answers a call with a value for rax.
    fn reply(&mut self, call: OpenCall, value: u64);
    /// Lets a caller go on with the registers that were set.
    fn resume(&mut self, call: OpenCall);

    /// Returns nanoseconds since boot.
    fn now(&mut self) -> u64;
    /// Returns what the clock is made of.
    fn clock_scale(&mut self) -> ClockScale;
    /// Returns how many processors run.
    fn processors(&mut self) -> u64;
    /// Returns the time of day, in ns since 1970, that was at boot.
    fn boot_time(&mut self) -> u64;
    /// Sets the time of day that was at boot.
    fn set_boot_time(&mut self, time: u64);
    /// Has an event arrive at a time in ns since boot, replacing the last one asked for.
    fn set_timer(&mut self, deadline: u64);
    /// Fills a slice with random bytes.
    fn random(&mut self, into: &mut [u8]);
    /// Returns total and free bytes of memory.
    fn memory(&mut self) -> (u64, u64);
    /// Returns how many pages programs are charged now, and how many units of objects of how many
    /// there are.
    fn charged(&mut self) -> (u64, u64, u64);
    /// Returns how many bytes of this server's heap are in use, and how many may be.
    fn heap(&mut self) -> (u64, u64);
    /// Writes a line to the system's log, as a warning.
    fn log(&mut self, line: &str);
}
