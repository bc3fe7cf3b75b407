//! The kernel half of every address space, built once at boot.

use core::ops::Range;

use kamen_core::{Frame, NoFrame};

use super::paging::{self, Tables, bits};
use super::{DEVICES, DIRECT_MAP, DIRECT_MAP_BYTES, KERNEL_BASE, PAGE};
use crate::physical::Image;

const READ: u64 = bits::PRESENT | bits::GLOBAL | bits::NO_EXECUTE;
const WRITE: u64 = READ | bits::WRITE;
const EXECUTE: u64 = bits::PRESENT | bits::GLOBAL;
const TABLE: u64 = bits::PRESENT | bits::WRITE;
/// Bytes of a large page.
const LARGE: u64 = 2 << 20;

/// The kernel half while it is being built.
pub(crate) struct KernelSpace<'a, T: Tables> {
    pub(crate) tables: &'a mut T,
    pub(crate) root: Frame,
    pub(crate) allocate: &'a mut dyn FnMut() -> Option<Frame>,
}

impl<T: Tables> KernelSpace<'_, T> {
    /// Maps the kernel image: code executable, constants read-only, variables writable.
    pub(crate) fn map_image(&mut self, image: &Image) -> Result<(), NoFrame> {
        let parts = [(&image.text, EXECUTE), (&image.constants, READ), (&image.data, WRITE)];
        for (part, flags) in parts {
            for address in part.clone().step_by(PAGE as usize) {
                if address != image.guard {
                    self.map(KERNEL_BASE + address, address, flags)?;
                }
            }
        }
        Ok(())
    }

    /// Maps a range of RAM in the direct map, rounded out to large pages. What is read-only in
    /// the kernel image is read-only here, too.
    pub(crate) fn map_ram(&mut self, ram: Range<u64>, image: &Image) -> Result<(), NoFrame> {
        let end = ram.end.min(DIRECT_MAP_BYTES);
        for large in (ram.start & !(LARGE - 1)..end).step_by(LARGE as usize) {
            if large < image.whole.end && image.whole.start < large + LARGE {
                self.map_around_image(large, image)?;
            } else {
                self.map_at(1, DIRECT_MAP + large, large | WRITE | bits::LARGE)?;
            }
        }
        Ok(())
    }

    /// Maps device registers at page `slot` of their window and returns their address.
    pub(crate) fn map_device(&mut self, slot: u64, physical: u64) -> Result<u64, NoFrame> {
        let address = DEVICES + slot * PAGE;
        self.map(address, physical & !(PAGE - 1), WRITE | bits::UNCACHED)?;
        Ok(address | physical & (PAGE - 1))
    }

    /// Maps frames of zeros from an address on, but nothing at the first page: a guard.
    pub(crate) fn map_guarded(&mut self, address: u64, bytes: u64) -> Result<(), NoFrame> {
        for page in (PAGE..bytes).step_by(PAGE as usize) {
            let frame = (self.allocate)().ok_or(NoFrame)?;
            self.tables.zero(frame);
            self.map(address + page, u64::from(frame.0) * PAGE, WRITE)?;
        }
        Ok(())
    }

    fn map_around_image(&mut self, large: u64, image: &Image) -> Result<(), NoFrame> {
        for address in (large..large + LARGE).step_by(PAGE as usize) {
            let fixed = image.text.contains(&address) || image.constants.contains(&address);
            self.map(DIRECT_MAP + address, address, if fixed { READ } else { WRITE })?;
        }
        Ok(())
    }

    fn map(&mut self, address: u64, physical: u64, flags: u64) -> Result<(), NoFrame> {
        self.map_at(0, address, physical | flags)
    }

    fn map_at(&mut self, level: u32, address: u64, entry: u64) -> Result<(), NoFrame> {
        let address = address as usize;
        let KernelSpace { tables, root, allocate } = self;
        let table = paging::descend_or_add(*tables, *root, address, level, TABLE, allocate)?;
        tables.store(table, paging::index(address, level), entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::memory::paging::tests::Fake;

    const IMAGE: Image = Image {
        whole: 0x10_0000..0x11_0000,
        text: 0x10_4000..0x10_8000,
        constants: 0x10_8000..0x10_9000,
        data: 0x10_9000..0x11_0000,
        guard: 0x10_a000,
    };

    /// Returns the entry that maps an address, with its level.
    fn entry(tables: &Fake, address: u64) -> Option<(u32, u64)> {
        let mut table = Frame(0);
        for level in (0..4).rev() {
            let entry = tables.load(table, paging::index(address as usize, level));
            if entry & bits::PRESENT == 0 {
                return None;
            }
            if level == 0 || entry & bits::LARGE != 0 {
                return Some((level, entry));
            }
            table = Frame((entry >> 12) as u32);
        }
        None
    }

    fn space() -> Fake {
        let mut tables = Fake::new(64);
        let mut next = 0;
        let mut allocate = || {
            next += 1;
            Some(Frame(next))
        };
        tables.zero(Frame(0));
        let mut space =
            KernelSpace { tables: &mut tables, root: Frame(0), allocate: &mut allocate };
        space.map_image(&IMAGE).unwrap();
        space.map_ram(0..0x9f000, &IMAGE).unwrap();
        space.map_ram(0x10_0000..0x4500_1000, &IMAGE).unwrap();
        assert_eq!(space.map_device(1, 0xfec0_0010), Ok(DEVICES + 0x1010));
        tables
    }

    #[test]
    fn nothing_is_writable_and_executable() {
        let tables = space();
        let image = IMAGE.whole.step_by(0x1000).map(|address| KERNEL_BASE + address);
        let direct = (0..0x4600_0000).step_by(0x1000).map(|address| DIRECT_MAP + address);
        let mut executable = 0;
        for address in image.chain(direct) {
            let Some((_, entry)) = entry(&tables, address) else { continue };
            assert!(entry & bits::WRITE == 0 || entry & bits::NO_EXECUTE != 0, "{address:x}");
            assert_eq!(entry & bits::USER, 0, "{address:x}");
            executable += u32::from(entry & bits::NO_EXECUTE == 0);
        }
        assert_eq!(executable, 4);
    }

    #[test]
    fn code_and_constants_are_read_only_in_the_direct_map() {
        let tables = space();
        let writable = |address| entry(&tables, DIRECT_MAP + address).map(|e| e.1 & bits::WRITE);
        assert_eq!(writable(0x10_4000), Some(0));
        assert_eq!(writable(0x10_8000), Some(0));
        assert_eq!(writable(0x10_9000), Some(bits::WRITE));
        assert_eq!(writable(0x4500_0000), Some(bits::WRITE));
        assert_eq!(writable(0x4520_0000), None);
    }

    #[test]
    fn the_page_below_the_stack_is_not_mapped() {
        let tables = space();
        assert_eq!(entry(&tables, KERNEL_BASE + IMAGE.guard), None);
        assert!(entry(&tables, KERNEL_BASE + IMAGE.guard + 0x1000).is_some());
    }

    #[test]
    fn ram_is_mapped_in_large_pages() {
        let tables = space();
        let (level, entry) = entry(&tables, DIRECT_MAP + 0x20_0000).unwrap();
        assert_eq!((level, entry & bits::ADDRESS), (1, 0x20_0000));
    }
}
