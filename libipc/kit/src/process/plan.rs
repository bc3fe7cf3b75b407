//! Where the parts of a native process lie: in its image, its memory object, its address space.

use alloc::vec::Vec;
use core::ops::Range;
use libipc::Rights;
use libipc::abi::{PAGE_SIZE, boot};

use super::LaunchError;
use crate::elf::{Abi, Executable, Placement, Segment};

/// The layout of a process.
#[derive(Debug)]
pub(super) struct Plan {
    /// Address of the first instruction.
    pub(super) entry: u64,
    /// Pages of the memory object.
    pub(super) pages: u64,
    /// What is mapped.
    pub(super) parts: Vec<Part>,
    /// The page of the memory object that is the message page.
    pub(super) message_page: u64,
}

/// A range of pages of the memory object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    /// First page in the memory object.
    pub(super) first_page: u64,
    /// Number of pages.
    pub(super) pages: u64,
    /// Address of the first page.
    pub(super) address: u64,
    /// What the process may do there.
    pub(super) rights: Rights,
    /// Bytes before the image's in the first page.
    pub(super) skip: u64,
    /// Bytes of the image.
    pub(super) bytes: Range<usize>,
}

impl Plan {
    /// Returns the layout of a process with this image.
    ///
    /// # Errors
    /// Elf: the image is malformed; NotNative: it is no native program.
    pub(super) fn of_image(image: &[u8]) -> Result<Self, LaunchError> {
        let program = Executable::parse(image, image.len() as u64).map_err(LaunchError::Elf)?;
        if (program.abi, program.placement) != (Abi::Native, Placement::Fixed) {
            return Err(LaunchError::NotNative);
        }
        let mut plan = Plan { entry: program.entry, pages: 0, parts: Vec::new(), message_page: 0 };
        for segment in &program.segments {
            plan.add_segment(segment)?;
        }
        let read_write = Rights::READ.union(Rights::WRITE);
        let stack = (boot::STACK_TOP - boot::STACK_BYTES) as u64;
        plan.add(stack, (boot::STACK_BYTES / PAGE_SIZE) as u64, read_write, 0, 0..0);
        plan.message_page = plan.pages;
        plan.add(boot::MESSAGE_PAGE as u64, 1, read_write, 0, 0..0);
        Ok(plan)
    }

    fn add_segment(&mut self, segment: &Segment) -> Result<(), LaunchError> {
        let rights = match (segment.access.write, segment.access.execute) {
            (true, true) => return Err(LaunchError::NotNative),
            (true, false) => Rights::READ.union(Rights::WRITE),
            (false, true) => Rights::READ.union(Rights::EXECUTE),
            (false, false) => Rights::READ,
        };
        // The view checked that the bytes are within the image, whose length is a usize.
        let first = segment.file_offset as usize;
        let bytes = first..first + segment.file_len as usize;
        let address = segment.first_page();
        self.add(address, segment.pages(), rights, segment.address - address, bytes);
        Ok(())
    }

    fn add(&mut self, address: u64, pages: u64, rights: Rights, skip: u64, bytes: Range<usize>) {
        let first_page = self.pages;
        self.pages += pages;
        self.parts.push(Part { first_page, pages, address, rights, skip, bytes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::ElfError;
    use crate::elf::tests::{DATA, TEXT, file};
    use crate::image::NATIVE_OSABI;

    #[test]
    fn parts_follow_each_other_in_the_memory_object() {
        let mut image = file(2, 0x40_0200, &[TEXT, DATA]);
        image[7] = NATIVE_OSABI;
        let plan = Plan::of_image(&image).unwrap();
        let [text, data, stack, page] = &plan.parts[..] else { panic!("four parts") };
        assert_eq!((text.first_page, text.pages, text.address), (0, 1, 0x40_0000));
        assert_eq!(text.rights, Rights::READ.union(Rights::EXECUTE));
        assert_eq!((data.first_page, data.pages, data.skip), (1, 3, 0x300));
        assert_eq!(data.bytes, 0x300..0x400);
        assert_eq!((stack.first_page, stack.pages), (4, 64));
        assert_eq!((page.first_page, plan.message_page, plan.pages), (68, 68, 69));
    }

    #[test]
    fn foreign_programs_and_writable_code_are_refused() {
        let mut image = file(2, 0x40_0200, &[TEXT, DATA]);
        assert_eq!(Plan::of_image(&image).err(), Some(LaunchError::NotNative));
        image[7] = NATIVE_OSABI;
        image[64 + 4] = 7;
        assert_eq!(Plan::of_image(&image).err(), Some(LaunchError::NotNative));
        let error = LaunchError::Elf(ElfError::NotElf);
        assert_eq!(Plan::of_image(b"MZ").err(), Some(error));
    }
}
