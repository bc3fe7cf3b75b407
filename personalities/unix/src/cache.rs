//! What the file server said, kept as long as its generations say that it holds.
//!
//! ```text
//!   lookup, attributes, accessed, read_link, pages, hold ──> Cache ── unknown ──> file server
//!                                                    │ known: no call
//!                        generation of the node ─────┴── words that the file server publishes
//! ```
//!
//! Each table is an array in which a key has one place, so that it has a bound and needs no
//! search. Changes go to the file server, whose generations then say what does not hold any more:
//! nothing is forgotten here. A file that was closed stays held for a while, so that opening it
//! again needs no call either; not if it has lost its names.

use alloc::boxed::Box;
use alloc::vec::Vec;

use libipc::Memory;
use protocols::file::{Attributes, Node, Statistics};

use crate::Errno;
use crate::filesystem::{Changes, Collision, FileSystem, NewNode, Pages, Place};

#[cfg(test)]
mod tests;

/// Names, attributes, extents, targets of links and holds that are kept; powers of two.
const NAMES: usize = 1024;
const ATTRIBUTES: usize = 1024;
const EXTENTS: usize = 256;
const LINKS: usize = 64;
const IDLE: usize = 128;

/// Longest name that is kept, in bytes.
const NAME_MAX: usize = 40;
/// Longest target of a link that is kept, in bytes.
const TARGET_MAX: usize = 128;

/// Bytes of a file for which [`EXTENT_WAYS`] extents are kept: where one ends within a span, both
/// are there.
const EXTENT_SPAN: u64 = 256 * 1024;
const EXTENT_WAYS: usize = 2;

/// What the file server publishes.
pub trait Published {
    /// Returns the generation of a node (`protocols::file::Generations`).
    fn generation(&self, node: Node) -> u64;
    /// Returns a word that is another one after any change.
    fn changes(&self) -> u64;
    /// Asks where bytes of a file lie; nothing where they must be read.
    ///
    /// # Errors
    /// What the file server says.
    fn extent(&mut self, node: Node, offset: u64) -> Result<Option<Pages>, Errno>;
}

#[derive(Clone, Copy)]
struct Name {
    directory: Node,
    generation: u64,
    found: Option<Node>,
    len: u8,
    name: [u8; NAME_MAX],
}

#[derive(Clone, Copy)]
struct Known {
    generation: u64,
    attributes: Attributes,
    accessed: Option<u64>,
}

#[derive(Clone, Copy)]
struct Extent {
    node: Node,
    offset: u64,
    pages: Pages,
}

/// Places, each of which holds one of the things that have it.
type Table<T> = Box<[Option<T>]>;

/// A file server's tree with what is known of it.
pub struct Cache<F, P> {
    files: F,
    published: P,
    root: Option<Attributes>,
    names: Table<Name>,
    attributes: Table<Known>,
    extents: Table<Extent>,
    links: Table<(Node, Vec<u8>)>,
    /// Nodes that nobody has open and that are held all the same.
    idle: Table<Node>,
}

fn table<T: Clone>(len: usize) -> Table<T> {
    alloc::vec![None; len].into_boxed_slice()
}

/// Mixes a number so that its lowest bits depend on all (multiplicative hashing, Knuth 6.4).
fn mixed(number: u64) -> usize {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}

fn name_place(directory: Node, name: &[u8]) -> usize {
    let mut sum = directory.0;
    for chunk in name.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        sum = (sum ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    mixed(sum) % NAMES
}

/// Inode numbers are dense: neighbours get neighbouring places.
fn node_place(node: Node, len: usize) -> usize {
    node.0 as usize % len
}

/// Returns the first of the places that the extents of a span have.
fn extent_place(node: Node, offset: u64) -> usize {
    let span = (node.0 as usize).wrapping_add((offset / EXTENT_SPAN) as usize);
    span.wrapping_mul(EXTENT_WAYS) % EXTENTS
}

impl Extent {
    /// Returns the pages from an offset on, if they lie in this extent.
    #[inline]
    fn from(&self, node: Node, offset: u64, generation: u64) -> Option<Pages> {
        let Pages { memory, at, len, generation: known } = self.pages;
        let within = offset.wrapping_sub(self.offset);
        let holds = self.node == node && known == generation && within < len;
        holds.then(|| Pages { memory, at: at + within, len: len - within, generation })
    }
}

impl<F: FileSystem, P: Published> Cache<F, P> {
    /// Returns the tree of a file server that publishes generations; nothing is known yet.
    pub fn new(files: F, published: P) -> Self {
        Cache {
            files,
            published,
            root: None,
            names: table(NAMES),
            attributes: table(ATTRIBUTES),
            extents: table(EXTENTS),
            links: table(LINKS),
            idle: table(IDLE),
        }
    }

    /// Returns what is known of a node and still holds.
    fn known(&mut self, node: Node) -> Option<&mut Known> {
        let generation = self.published.generation(node);
        let known = self.attributes[node_place(node, ATTRIBUTES)].as_mut()?;
        let holds = known.attributes.node == node && known.generation == generation;
        holds.then_some(known)
    }

    /// Keeps attributes that were asked for while the node's generation was `generation`.
    fn keep(&mut self, generation: u64, attributes: Attributes) {
        let node = attributes.node;
        if generation.is_multiple_of(2) && self.published.generation(node) == generation {
            let known = Known { generation, attributes, accessed: None };
            self.attributes[node_place(node, ATTRIBUTES)] = Some(known);
        }
    }

    /// Returns what a name is known to name, nothing where it is not known.
    fn named(&self, directory: Node, name: &[u8]) -> Option<Option<Node>> {
        let entry = self.names[name_place(directory, name)].as_ref()?;
        let is_it = entry.directory == directory
            && usize::from(entry.len) == name.len()
            && entry.name[..name.len()] == *name
            && entry.generation == self.published.generation(directory);
        is_it.then_some(entry.found)
    }

    fn keep_name(&mut self, generation: u64, directory: Node, name: &[u8], found: Option<Node>) {
        let is_even = generation.is_multiple_of(2);
        if name.len() > NAME_MAX || !is_even || self.published.generation(directory) != generation {
            return;
        }
        let mut bytes = [0; NAME_MAX];
        bytes[..name.len()].copy_from_slice(name);
        let entry = Name { directory, generation, found, len: name.len() as u8, name: bytes };
        self.names[name_place(directory, name)] = Some(entry);
    }

    fn ask_name(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, Errno> {
        let (generation, changes) =
            (self.published.generation(directory), self.published.changes());
        let result = self.files.lookup(directory, name);
        match &result {
            Ok(attributes) => {
                self.keep_name(generation, directory, name, Some(attributes.node));
                // Nothing at all has changed meanwhile: the generation is that of the attributes.
                let generation = self.published.generation(attributes.node);
                if self.published.changes() == changes {
                    self.keep(generation, *attributes);
                }
            }
            Err(Errno::ENOENT) => self.keep_name(generation, directory, name, None),
            Err(_) => {}
        }
        result
    }

    /// Gives back an idle hold of a node that lost a name, so that it is gone if that was its last.
    fn forget(&mut self, node: Option<Node>) {
        let Some(node) = node else { return };
        let place = &mut self.idle[node_place(node, IDLE)];
        if *place == Some(node) {
            *place = None;
            self.files.release(node);
        }
    }

    /// Gives back all idle holds; returns whether there were any.
    fn forget_all(&mut self) -> bool {
        let idle: Vec<Node> = self.idle.iter_mut().filter_map(Option::take).collect();
        for &node in &idle {
            self.files.release(node);
        }
        !idle.is_empty()
    }

    /// Does what may need space; where there is none, once more without idle holds, which may be
    /// all that keeps files that others have removed.
    fn with_space<R>(&mut self, act: impl Fn(&mut F) -> Result<R, Errno>) -> Result<R, Errno> {
        match act(&mut self.files) {
            Err(Errno::ENOSPC) if self.forget_all() => act(&mut self.files),
            result => result,
        }
    }
}

impl<F: FileSystem, P: Published> FileSystem for Cache<F, P> {
    fn root(&mut self) -> Result<Attributes, Errno> {
        let root = match self.root {
            Some(root) => root,
            None => *self.root.insert(self.files.root()?),
        };
        self.attributes(root.node)
    }

    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, Errno> {
        match self.named(directory, name) {
            Some(Some(node)) => self.attributes(node),
            Some(None) => Err(Errno::ENOENT),
            None => self.ask_name(directory, name),
        }
    }

    fn attributes(&mut self, node: Node) -> Result<Attributes, Errno> {
        if let Some(known) = self.known(node) {
            return Ok(known.attributes);
        }
        let generation = self.published.generation(node);
        let attributes = self.files.attributes(node)?;
        self.keep(generation, attributes);
        Ok(attributes)
    }

    fn accessed(&mut self, node: Node) -> Result<u64, Errno> {
        if let Some(accessed) = self.known(node).and_then(|known| known.accessed) {
            return Ok(accessed);
        }
        let generation = self.published.generation(node);
        let accessed = self.files.accessed(node)?;
        if let Some(known) = self.known(node).filter(|known| known.generation == generation) {
            known.accessed = Some(accessed);
        }
        Ok(accessed)
    }

    fn read_link(&mut self, node: Node) -> Result<Vec<u8>, Errno> {
        // A link's target never changes; another link is another node.
        let place = node_place(node, LINKS);
        if let Some((known, target)) = &self.links[place]
            && *known == node
        {
            return Ok(target.clone());
        }
        let target = self.files.read_link(node)?;
        if target.len() <= TARGET_MAX {
            self.links[place] = Some((node, target.clone()));
        }
        Ok(target)
    }

    fn pages(&mut self, node: Node, offset: u64) -> Result<Option<Pages>, Errno> {
        let generation = self.published.generation(node);
        let place = extent_place(node, offset);
        for extent in self.extents[place..][..EXTENT_WAYS].iter().flatten() {
            if let Some(pages) = extent.from(node, offset, generation) {
                return Ok(Some(pages));
            }
        }
        if self.known(node).is_some_and(|known| offset >= known.attributes.size) {
            return Ok(Some(Pages {
                memory: Memory(libipc::Handle(0)),
                at: 0,
                len: 0,
                generation,
            }));
        }
        let Some(pages) = self.published.extent(node, offset)? else { return Ok(None) };
        if pages.generation.is_multiple_of(2) && pages.len != 0 {
            // The older one goes.
            self.extents[place..][..EXTENT_WAYS].rotate_right(1);
            self.extents[place] = Some(Extent { node, offset, pages });
        }
        Ok(Some(pages))
    }

    fn generation(&mut self, node: Node) -> u64 {
        self.published.generation(node)
    }

    fn tidy(&mut self) {
        self.forget_all();
    }

    fn hold(&mut self, node: Node) -> Result<(), Errno> {
        let place = &mut self.idle[node_place(node, IDLE)];
        if *place == Some(node) {
            *place = None;
            return Ok(());
        }
        self.files.hold(node)
    }

    fn release(&mut self, node: Node) {
        let has_names = self.attributes(node).is_ok_and(|attributes| attributes.links != 0);
        let place = &mut self.idle[node_place(node, IDLE)];
        // A second hold of the same node is not worth another place.
        if !has_names || *place == Some(node) {
            return self.files.release(node);
        }
        if let Some(older) = place.replace(node) {
            self.files.release(older);
        }
    }

    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<(), Errno> {
        let node = self.lookup(directory, name).ok().map(|found| found.node);
        self.files.unlink(directory, name)?;
        self.forget(node);
        Ok(())
    }

    fn rename(&mut self, from: Place<'_>, to: Place<'_>, clash: Collision) -> Result<(), Errno> {
        let replaced = match clash {
            Collision::Replace => self.lookup(to.0, to.1).ok().map(|found| found.node),
            Collision::Keep | Collision::Exchange => None,
        };
        self.files.rename(from, to, clash)?;
        self.forget(replaced);
        Ok(())
    }

    fn statistics(&mut self) -> Result<Statistics, Errno> {
        self.forget_all();
        self.files.statistics()
    }

    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
        self.files.read(node, offset, into)
    }

    fn write(&mut self, node: Node, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        self.with_space(|files| files.write(node, offset, bytes))
    }

    fn create(&mut self, directory: Node, name: &[u8], new: NewNode) -> Result<Attributes, Errno> {
        self.with_space(|files| files.create(directory, name, new))
    }

    fn create_unnamed(&mut self, new: NewNode) -> Result<Attributes, Errno> {
        self.with_space(|files| files.create_unnamed(new))
    }

    fn symlink(
        &mut self,
        directory: Node,
        name: &[u8],
        owner: (u32, u32),
        target: &[u8],
    ) -> Result<(), Errno> {
        self.with_space(|files| files.symlink(directory, name, owner, target))
    }

    fn link(&mut self, node: Node, directory: Node, name: &[u8]) -> Result<(), Errno> {
        self.files.link(node, directory, name)
    }

    fn remove_directory(&mut self, directory: Node, name: &[u8]) -> Result<(), Errno> {
        self.files.remove_directory(directory, name)
    }

    fn resize(&mut self, node: Node, size: u64) -> Result<(), Errno> {
        self.files.resize(node, size)
    }

    fn change(&mut self, node: Node, changes: Changes) -> Result<(), Errno> {
        self.files.change(node, changes)
    }

    fn list(&mut self, directory: Node, cookie: u64, into: &mut [u8]) -> Result<usize, Errno> {
        self.files.list(directory, cookie, into)
    }
}
