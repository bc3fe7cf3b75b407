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
