//! A service in the kernel, for the comparison of structures only (feature `structures`).
//!
//! Reads a record of a table that lies in the caller's memory (tests/bench/record), as a kernel
//! that holds its services itself would: the table is read, and the record written, through the
//! caller's own mapping. The kernel that is built without the feature has `service/none.rs` in
//! this file's place.

use kamen_abi::{Error, PAGE_SIZE, USER_END};
use record::{Record, Table};

use crate::arena::Id;
use crate::kernel::Kernel;
use crate::machine::{Access, FaultAccess, Frame, Machine};
use crate::space::{Space, Vm};

/// Bytes of a word.
const WORD: usize = size_of::<u64>();

/// A table in the memory of a space.
struct Mapped<'a, M: Machine> {
    vm: &'a mut Vm<M>,
    space: Id<Space>,
    address: u64,
    records: u64,
}

impl<M: Machine> Kernel<M> {
    /// Performs the service's operation; other numbers name none.
    pub(crate) fn serve(&mut self, number: u64) -> Result<(), Error> {
        if number != record::OPERATION {
            return Err(Error::InvalidOperation);
        }
        let thread = &self.threads[self.cpu.current];
        let space = thread.space.ok_or(Error::BadAddress)?;
        let [wanted, address, records, to, ..] = thread.registers.words();
        let aligned = (address | to) % record::BYTES as u64 == 0;
        let len = records.checked_mul(record::BYTES as u64).ok_or(Error::InvalidArgument)?;
        if !aligned || address.checked_add(len).is_none() {
            return Err(Error::InvalidArgument);
        }
        let mut table = Mapped { vm: &mut self.vm, space, address, records };
        let found = record::read(&mut table, wanted).map_err(|_| Error::InvalidArgument)?;
        let frame = reach(&mut self.vm, space, to, FaultAccess::Write)?;
        for (place, word) in found.into_iter().enumerate() {
            self.vm.machine.store(frame, first_word(to) + place, word);
        }
        Ok(())
    }
}

impl<M: Machine> Table for Mapped<'_, M> {
    fn records(&self) -> u64 {
        self.records
    }

    #[inline(always)]
    fn load(&mut self, number: u64) -> Option<Record> {
        let at = self.address + number * record::BYTES as u64;
        let frame = reach(self.vm, self.space, at, FaultAccess::Read).ok()?;
        // A record is as long as its alignment, so that it lies in one page.
        let load = |place| self.vm.machine.load(frame, first_word(at) + place);
        Some(core::array::from_fn(load))
    }
}

fn first_word(address: u64) -> usize {
    address as usize % PAGE_SIZE / WORD
}

/// Returns the frame at an address: by the page table, or as a fault there would find it.
#[inline(always)]
fn reach<M: Machine>(
    vm: &mut Vm<M>,
    space: Id<Space>,
    address: u64,
    access: FaultAccess,
) -> Result<Frame, Error> {
    let address = usize::try_from(address).map_err(|_| Error::BadAddress)?;
    if address >= USER_END {
        return Err(Error::BadAddress);
    }
    let root = vm.spaces.get(space).and_then(|space| space.root).ok_or(Error::BadAddress)?;
    match vm.machine.lookup(root, address) {
        Some((frame, Access::Write)) => Ok(frame),
        Some((frame, Access::Read)) if access == FaultAccess::Read => Ok(frame),
        _ => vm.resolve(space, address, access),
    }
}
