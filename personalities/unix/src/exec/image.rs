//! Executable files in memory objects, kept for the next time.
//!
//! The segments of a program are read once: every process that runs it shares those that are not
//! writable, and has copy-on-write clones of the others. An image is known by its node, the time of
//! the last change and the length, so that a rewritten file is read anew.

use alloc::rc::Rc;
use alloc::vec::Vec;

use kamen_kit::elf::{ElfError, Executable, HEADER_BYTES, Placement, Segment};
use protocols::file::{Attributes, Node};

use crate::Errno;
use crate::io::BUFFER;
use crate::machine::{Access, Machine};
use crate::memory::{Backing, Mm, PAGE, Region, Sharing, Trash};
use crate::unix::Unix;

/// Most images that are kept.
const MAX_IMAGES: usize = 8;
/// Where programs that run anywhere are put.
const BASE: u64 = 0x40_0000;

/// Why there is no image of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// The file is no program that can run here.
    Elf(ElfError),
    /// Reading it failed, or there is no memory.
    Errno(Errno),
}

impl From<Errno> for ImageError {
    fn from(errno: Errno) -> Self {
        ImageError::Errno(errno)
    }
}

impl From<libipc::Error> for ImageError {
    fn from(error: libipc::Error) -> Self {
        ImageError::Errno(error.into())
    }
}

/// What the auxiliary vector tells about a program.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Address of the first instruction.
    pub entry: u64,
    /// Address of the program headers, 0 where they are not loaded.
    pub headers_at: u64,
    /// Number of program headers.
    pub headers: u64,
    /// Bytes of one.
    pub header_bytes: u64,
}

#[derive(Debug)]
struct LoadedSegment {
    start: u64,
    pages: u64,
    access: Access,
    backing: Rc<Backing>,
}

/// A program in memory objects.
#[derive(Debug)]
pub struct Image {
    key: Key,
    /// What the auxiliary vector tells.
    pub facts: Facts,
    segments: Vec<LoadedSegment>,
    end: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    node: Node,
    /// When anything of the file changed last: programs can set the time of its contents.
    changed: u64,
    size: u64,
}

/// Images, the one used last at the end.
#[derive(Default, Debug)]
pub struct Images(Vec<Rc<Image>>);

impl Images {
    /// Returns the image of a file, read if it is not there.
    pub fn open(
        unix: &mut Unix,
        node: Node,
        attributes: &Attributes,
        head: &[u8],
    ) -> Result<Rc<Image>, ImageError> {
        let key = Key { node, changed: attributes.changed, size: attributes.size };
        let images = &mut unix.images.0;
        if let Some(at) = images.iter().position(|image| image.key == key) {
            let image = images.remove(at);
            images.push(image.clone());
            return Ok(image);
        }
        images.retain(|image| image.key.node != node);
        if images.len() >= MAX_IMAGES {
            images.remove(0);
        }
        let executable = Executable::parse(head, attributes.size).map_err(ImageError::Elf)?;
        let image = Rc::new(read(unix, key, &executable)?);
        unix.images.0.push(image.clone());
        Ok(image)
    }

    /// Returns how many pages are kept for nobody but the next process that runs their program.
    pub fn idle_pages(&self) -> u64 {
        let segments = self.0.iter().flat_map(|image| &image.segments);
        let idle = segments.filter(|segment| Rc::strong_count(&segment.backing) == 1);
        idle.map(|segment| segment.pages).sum()
    }

    /// Forgets all images, to have their memory back.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

fn read(unix: &mut Unix, key: Key, executable: &Executable) -> Result<Image, ImageError> {
    let base = match executable.placement {
        Placement::Fixed => 0,
        Placement::Relocatable => BASE,
    };
    let mut segments = Vec::new();
    for segment in &executable.segments {
        segments.push(read_segment(unix, key.node, segment, base)?);
    }
    let facts = Facts {
        entry: executable.entry + base,
        headers_at: executable.headers_at.map_or(0, |address| address + base),
        headers: executable.headers,
        header_bytes: HEADER_BYTES,
    };
    Ok(Image { key, facts, segments, end: executable.extent().end + base })
}

fn read_segment(
    unix: &mut Unix,
    node: Node,
    segment: &Segment,
    base: u64,
) -> Result<LoadedSegment, ImageError> {
    let access = match (segment.access.write, segment.access.execute) {
        (true, true) => return Err(ImageError::Elf(ElfError::BadSegment)),
        (true, false) => Access::Write,
        (false, true) => Access::Execute,
        (false, false) => Access::Read,
    };
    let (start, pages) = (segment.first_page() + base, segment.pages());
    let backing = Backing::new(unix.machine.create_memory(pages)?, pages, &unix.trash);
    let within = segment.address % PAGE;
    let mut buffer = alloc::vec![0; BUFFER];
    let mut done = 0;
    while done < segment.file_len {
        let len = BUFFER.min((segment.file_len - done) as usize);
        let count = unix.read_contents(node, segment.file_offset + done, &mut buffer[..len])?;
        if count == 0 {
            return Err(ImageError::Elf(ElfError::Truncated));
        }
        unix.machine.write_memory(backing.memory(), within + done, &buffer[..count])?;
        done += count as u64;
    }
    Ok(LoadedSegment { start, pages, access, backing })
}

impl Image {
    /// Maps the image into empty memory and starts the heap behind it.
    pub fn map(&self, mm: &mut Mm, machine: &mut dyn Machine, trash: &Trash) -> Result<(), Errno> {
        for segment in &self.segments {
            let (sharing, backing) = if segment.access == Access::Write {
                let memory = machine.clone_memory(segment.backing.memory())?;
                (Sharing::Private, Backing::new(memory, segment.pages, trash))
            } else {
                (Sharing::Image, segment.backing.clone())
            };
            let LoadedSegment { start, pages, access, .. } = *segment;
            mm.insert(machine, Region::new(start, pages, access, sharing, backing))?;
        }
        mm.start_heap(self.end);
        Ok(())
    }
}
