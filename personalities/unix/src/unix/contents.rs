//! Contents of regular files: the file server's, and the pages that programs have mapped.
//!
//! While a file is mapped, a memory object of this server's holds those of its pages that were
//! mapped ([`MappedFile`]). What programs write to a shared mapping is only there at first, so
//! that reading looks there, too, and writing goes to both places. The pages go to the file server
//! at msync(2), and when nobody maps the file any more.

use alloc::rc::Rc;
use alloc::vec::Vec;

use protocols::file::Node;

use crate::Errno;
use crate::io::BUFFER;
use crate::memory::{Backing, MAX_MAPPED_FILES, MappedFile, PAGE, pages};
use crate::open::{HeldNode, Object};
use crate::unix::Unix;

/// Most pages of a file whose pages are in memory (1 GiB).
const MAX_FILE_PAGES: u64 = 1 << 18;

impl Unix {
    /// Returns an object that is to be a further description's: with a hold of its node of its
    /// own, as each description's row stands for one.
    ///
    /// # Errors
    /// What the file server says.
    pub(crate) fn with_own_hold(&mut self, object: Object) -> Result<Object, Errno> {
        let mut hold = |held: &HeldNode| -> Result<Rc<HeldNode>, Errno> {
            self.files.hold(held.node())?;
            Ok(HeldNode::new(held.node(), &self.closed))
        };
        Ok(match &object {
            Object::File(held) => Object::File(hold(held)?),
            Object::Device(device, Some(held)) => Object::Device(*device, Some(hold(held)?)),
            Object::Device(_, None)
            | Object::Directory(_)
            | Object::Pipe(_)
            | Object::Stream(_)
            | Object::Pty(_)
            | Object::Text(..)
            | Object::Numbered(_) => object,
        })
    }

    /// Reads from a regular file.
    ///
    /// # Errors
    /// What the file server says.
    pub fn read_contents(
        &mut self,
        node: Node,
        offset: u64,
        into: &mut [u8],
    ) -> Result<usize, Errno> {
        let count = self.files.read(node, offset, into)?;
        let written = self.mapped.get(&node).filter(|file| file.is_written()).cloned();
        if let Some(file) = written {
            for (at, range) in present_parts(&file, offset, count) {
                self.machine.read_memory(file.backing.memory(), at, &mut into[range])?;
            }
        }
        Ok(count)
    }

    /// Writes to a regular file; returns how many bytes.
    ///
    /// # Errors
    /// What the file server says; ENOMEM.
    pub fn write_contents(
        &mut self,
        node: Node,
        offset: u64,
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        let count = self.files.write(node, offset, bytes)?;
        if let Some(file) = self.mapped.get(&node).cloned() {
            let end = pages(offset + count as u64);
            if end > file.backing.pages() {
                self.resize_pages(&file, end)?;
            }
            for (at, range) in present_parts(&file, offset, count) {
                self.machine.write_memory(file.backing.memory(), at, &bytes[range])?;
            }
        }
        Ok(count)
    }

    /// Sets the length of a regular file.
    ///
    /// # Errors
    /// What the file server says; ENOMEM.
    pub fn resize_contents(&mut self, node: Node, size: u64) -> Result<(), Errno> {
        self.files.resize(node, size)?;
        let Some(file) = self.mapped.get(&node).cloned() else { return Ok(()) };
        self.resize_pages(&file, pages(size))?;
        let within = size % PAGE;
        if within != 0 && file.has(size / PAGE) {
            // What comes after the end of a file is zero when it grows again.
            let zeros = alloc::vec![0; (PAGE - within) as usize];
            self.machine.write_memory(file.backing.memory(), size, &zeros)?;
        }
        Ok(())
    }

    fn resize_pages(&mut self, file: &MappedFile, count: u64) -> Result<(), Errno> {
        if count > MAX_FILE_PAGES {
            return Err(Errno::ENOMEM);
        }
        // Nothing is smaller than a page; the page of an empty file is never mapped.
        self.machine.resize_memory(file.backing.memory(), count.max(1))?;
        file.set_pages(count);
        Ok(())
    }

    /// Returns a file with the pages of a range in memory, as far as it reaches.
    ///
    /// # Errors
    /// ENOMEM; what the file server says.
    pub fn map_file(
        &mut self,
        held: &Rc<HeldNode>,
        path: &[u8],
        first: u64,
        count: u64,
    ) -> Result<Rc<MappedFile>, Errno> {
        let node = held.node();
        let file = match self.mapped.get(&node) {
            Some(file) => file.clone(),
            None => {
                let size = self.files.attributes(node)?.size;
                let count = pages(size);
                if self.mapped.len() >= MAX_MAPPED_FILES || count > MAX_FILE_PAGES {
                    return Err(Errno::ENOMEM);
                }
                let memory = self.machine.create_memory(count.max(1))?;
                let backing = Backing::new(memory, count, &self.trash);
                let file = MappedFile::new(held.clone(), path.to_vec(), backing);
                self.mapped.insert(node, file.clone());
                file
            }
        };
        self.load_pages(&file, first, count)?;
        Ok(file)
    }

    /// Reads the pages of a range that have not been read.
    ///
    /// # Errors
    /// ENOMEM; what the file server says.
    pub fn load_pages(&mut self, file: &MappedFile, first: u64, count: u64) -> Result<(), Errno> {
        const RUN: u64 = BUFFER as u64 / PAGE;
        let end = first.saturating_add(count).min(file.backing.pages());
        let (node, memory) = (file.held.node(), file.backing.memory());
        let mut buffer = Vec::new();
        let mut page = first;
        while page < end {
            let mut run = 0;
            while run < RUN && page + run < end && !file.has(page + run) {
                run += 1;
            }
            if run == 0 {
                page += 1;
                continue;
            }
            buffer.resize((run * PAGE) as usize, 0);
            let count = self.files.read(node, page * PAGE, &mut buffer)?;
            self.machine.write_memory(memory, page * PAGE, &buffer[..count])?;
            (page..page + run).for_each(|page| file.set_present(page));
            page += run;
        }
        Ok(())
    }

    /// Writes pages of a range back to the file server, if programs may have written to them.
    ///
    /// # Errors
    /// What the file server says.
    pub fn write_back(&mut self, file: &MappedFile, first: u64, count: u64) -> Result<(), Errno> {
        if !file.is_written() {
            return Ok(());
        }
        let (node, memory) = (file.held.node(), file.backing.memory());
        let size = self.files.attributes(node)?.size;
        let end = first.saturating_add(count).min(pages(size));
        let mut buffer = alloc::vec![0; PAGE as usize];
        for page in (first..end).filter(|&page| file.has(page)) {
            let at = page * PAGE;
            let bytes = &mut buffer[..PAGE.min(size - at) as usize];
            self.machine.read_memory(memory, at, bytes)?;
            self.files.write(node, at, bytes)?;
        }
        Ok(())
    }

    /// Writes back and forgets the files that nobody maps any more.
    pub(super) fn prune_mapped(&mut self) {
        let unused = self.mapped.values().filter(|file| file.is_unused());
        let unused: Vec<Node> = unused.map(|file| file.held.node()).collect();
        for node in unused {
            let Some(file) = self.mapped.remove(&node) else { continue };
            if let Err(errno) = self.write_back(&file, 0, u64::MAX) {
                let path = alloc::string::String::from_utf8_lossy(&file.path).into_owned();
                let line =
                    alloc::format!("{path}: what was written to its mapping is lost ({errno:?})");
                self.machine.log(&line);
            }
        }
    }
}

/// Returns the parts of a range of bytes that lie in pages in memory: the offset in the file, and
/// where that is in the range.
fn present_parts(
    file: &MappedFile,
    offset: u64,
    count: usize,
) -> Vec<(u64, core::ops::Range<usize>)> {
    let end = offset + count as u64;
    let mut parts = Vec::new();
    for page in offset / PAGE..pages(end) {
        if file.has(page) {
            let (from, to) = ((page * PAGE).max(offset), ((page + 1) * PAGE).min(end));
            parts.push((from, (from - offset) as usize..(to - offset) as usize));
        }
    }
    parts
}
