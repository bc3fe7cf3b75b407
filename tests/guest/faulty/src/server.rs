//! The server: answers, spins, or crashes as often as it was told to.

use core::hint;

use libipc::abi::boot;
use libipc::{Caller, Mapping, Object, Quota};

use crate::{Faulty, FaultyError};

/// How often the server is still to crash: a word in the memory that init keeps for it.
#[derive(Debug)]
pub struct Plan(pub Mapping);

impl Plan {
    fn crashes(&self) -> u64 {
        self.0.bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    fn set_crashes(&mut self, crashes: u64) {
        if let Some(bytes) = self.0.bytes_mut().first_chunk_mut() {
            *bytes = crashes.to_le_bytes();
        }
    }

    /// Crashes if there is a crash left.
    pub fn follow(&mut self) {
        if let Some(left) = self.crashes().checked_sub(1) {
            self.set_crashes(left);
            page_fault();
        }
    }
}

/// The server.
#[derive(Debug)]
pub struct Server {
    plan: Option<Plan>,
    told: u64,
}

impl Server {
    /// Returns a server with a plan of its crashes, where it has memory for one.
    pub fn new(plan: Option<Plan>) -> Self {
        Server { plan, told: 0 }
    }

    /// Notes that a service which the server uses began another life.
    pub fn tell(&mut self) {
        self.told += 1;
    }
}

impl Faulty for Server {
    fn answer(&mut self, _: &Caller, number: u64) -> Result<u64, FaultyError> {
        Ok(number.wrapping_add(1))
    }

    fn hang(&mut self, _: &Caller) -> Result<(), FaultyError> {
        loop {
            // No pause: under the instruction clock QEMU stops at each one.
            hint::black_box(0);
        }
    }

    fn crash(&mut self, _: &Caller, times: u64) -> Result<(), FaultyError> {
        let plan = self.plan.as_mut().ok_or(FaultyError::NoPlan)?;
        plan.set_crashes(times);
        plan.follow();
        Ok(())
    }

    fn told(&mut self, _: &Caller) -> Result<u64, FaultyError> {
        Ok(self.told)
    }
}

/// Reads memory that was destroyed.
fn page_fault() {
    let memory = Quota(boot::QUOTA).create_memory(1);
    if let Ok(memory) = memory
        && let Ok(mapping) = Mapping::new(memory)
    {
        // It was made just now, with all rights.
        let _ = memory.destroy();
        hint::black_box(mapping.bytes()[0]);
    }
}
