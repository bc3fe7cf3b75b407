//! What boot has to do, read from the loader's information.

use core::ops::Range;

use kamen_machine::{Image, LoaderProtocol, Physical, Ranges};

use crate::memory_map::{PAGE, frames};
use crate::{BootError, FirstTask, Package, multiboot2, pvh};

/// The first MiB belongs to firmware, and later to the start of other processors.
const LOW_MEMORY: Range<u32> = 0..256;

/// All that boot needs to know; it holds no reference to what the loader left.
pub struct Plan {
    /// All RAM.
    pub ram: Ranges,
    /// RAM that nobody uses.
    pub free: Ranges,
    /// Physical address of ACPI's root pointer.
    pub acpi: Option<u64>,
    /// Frames of the boot archive.
    pub archive: Range<u32>,
    /// Bytes of the boot archive.
    pub archive_len: usize,
    /// The first task.
    pub first_task: FirstTask,
}

impl Plan {
    /// Reads everything that the loader left.
    ///
    /// # Errors
    /// [`BootError`] where the kernel cannot boot with it.
    pub fn read(
        memory: &impl Physical,
        protocol: Option<LoaderProtocol>,
        info: u64,
        image: &Image,
    ) -> Result<Self, BootError> {
        let data = match protocol {
            Some(LoaderProtocol::Pvh) => pvh::read(memory, info)?,
            Some(LoaderProtocol::Multiboot2) => multiboot2::read(memory, info)?,
            None => return Err(BootError::UnknownLoader),
        };
        let place = data.package.ok_or(BootError::NoPackage)?;
        let len = usize::try_from(place.end.saturating_sub(place.start));
        let bytes = len.ok().and_then(|len| memory.bytes(place.start, len));
        let bytes = bytes.filter(|_| place.start.is_multiple_of(PAGE));
        let bytes = bytes.ok_or(BootError::BadBootInformation)?;
        let package = Package::parse(bytes)?;
        let physical = |offset: usize| place.start + offset as u64;
        let first_task = &bytes[package.first_task.clone()];
        let first_task = FirstTask::parse(first_task, physical(package.first_task.start))?;
        let archive = physical(package.archive.start)..physical(package.archive.end);
        let ram = data.memory.ram();
        let mut free = ram.clone();
        for used in [LOW_MEMORY, frames(&image.whole), frames(&place)] {
            free.remove(used);
        }
        Ok(Plan {
            ram,
            free,
            acpi: data.acpi,
            archive: frames(&archive),
            archive_len: package.archive.len(),
            first_task,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// Physical memory from an address on.
    pub(crate) struct Memory {
        start: u64,
        bytes: Vec<u8>,
    }

    impl Memory {
        pub(crate) fn new(start: u64, len: usize) -> Self {
            Memory { start, bytes: std::vec![0; len] }
        }

        pub(crate) fn put(&mut self, address: u64, words: &[u32]) {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            self.put_bytes(address, &bytes);
        }

        fn put_bytes(&mut self, address: u64, bytes: &[u8]) {
            let at = (address - self.start) as usize;
            self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }

    impl Physical for Memory {
        fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
            let at = usize::try_from(address.checked_sub(self.start)?).ok()?;
            self.bytes.get(at..at.checked_add(len)?)
        }
    }

    const INFO: u64 = 0x9000;
    const PACKAGE: u64 = 0x50_0000;

    fn machine() -> Memory {
        let mut memory = Memory::new(0x9000, 0x70_0000);
        let lists = [0x9100, 0, 0, 0, 0, 0, 0x9200, 0, 1];
        memory.put(INFO, &[0x336e_c578, 1, 0, 1]);
        memory.put(INFO + 16, &lists);
        memory.put(0x9100, &[PACKAGE as u32, 0, 0x4800, 0]);
        memory.put(0x9200, &[0, 0, 0x80_0000, 0, 1, 0]);
        memory.put_bytes(PACKAGE, b"KAMENPKG");
        memory.put(PACKAGE + 8, &[1, 0, 0x1000, 0, 0x3000, 0, 0x4000, 0, 0x800, 0]);
        let task = [0x1000, 0x20_0000, 0x1000, 0x1000];
        memory.put_bytes(PACKAGE + 0x1000, &crate::first_task::tests::executable(5, task));
        memory
    }

    fn image() -> Image {
        let whole = 0x10_0000..0x18_0000;
        Image { text: whole.clone(), constants: 0..0, data: 0..0, guard: 0, whole }
    }

    fn plan(memory: &Memory) -> Result<Plan, BootError> {
        Plan::read(memory, Some(LoaderProtocol::Pvh), INFO, &image())
    }

    #[test]
    fn kernel_package_and_low_memory_are_not_free() {
        let plan = plan(&machine()).unwrap();
        assert_eq!(plan.ram.as_slice().first(), Some(&(0..0x800)));
        assert_eq!(plan.free.as_slice(), [0x180..0x500, 0x505..0x800]);
        assert_eq!((plan.archive, plan.archive_len), (0x504..0x505, 0x800));
        assert_eq!(plan.first_task.segments()[0].image, 0x502..0x503);
        assert_eq!(plan.acpi, None);
    }

    #[test]
    fn each_missing_part_has_its_error() {
        let error = |change: &dyn Fn(&mut Memory)| {
            let mut memory = machine();
            change(&mut memory);
            plan(&memory).err()
        };
        assert_eq!(error(&|it| it.put(INFO + 12, &[0])), Some(BootError::NoPackage));
        assert_eq!(error(&|it| it.put(INFO, &[0])), Some(BootError::BadBootInformation));
        assert_eq!(error(&|it| it.put(0x9100, &[0x50_0001])), Some(BootError::BadBootInformation));
        assert_eq!(error(&|it| it.put(PACKAGE, &[0])), Some(BootError::BadPackage));
        assert_eq!(error(&|it| it.put(PACKAGE + 0x1000, &[0])), Some(BootError::BadFirstTask));
        let unknown = Plan::read(&machine(), None, INFO, &image()).err();
        assert_eq!(unknown, Some(BootError::UnknownLoader));
    }
}
