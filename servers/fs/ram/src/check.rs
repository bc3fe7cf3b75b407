//! Consistency check of a whole file system, for tests and for suspicion.
//!
//! Walks everything that is reachable and compares it with the bookkeeping. The cost grows with
//! the contents, so that the server does not do it when it starts.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::{format, vec};

use crate::inodes::{Inode, ROOT};
use crate::layout::{BLOCK, DIRECT, Field, POINTERS, superblock};
use crate::store::Store;
use crate::volume::Volume;
use protocols::file::mode;

/// What the walk has found so far.
struct Survey {
    blocks: BTreeSet<u64>,
    names: BTreeMap<u32, u32>,
    subdirectories: BTreeMap<u32, u32>,
}

type Verdict = Result<(), String>;

fn ensure(condition: bool, what: impl FnOnce() -> String) -> Verdict {
    if condition { Ok(()) } else { Err(what()) }
}

impl<S: Store> Volume<'_, S> {
    /// Checks that the file system is consistent.
    ///
    /// # Errors
    /// A description of the first contradiction.
    pub fn check(&self) -> Result<(), String> {
        ensure(self.word(superblock::JOURNAL_LEN) == 0, || "journal not empty".into())?;
        ensure(self.word(superblock::PENDING) == 0, || "work is pending".into())?;
        let names = BTreeMap::new();
        let mut survey = Survey { blocks: BTreeSet::new(), names, subdirectories: BTreeMap::new() };
        let free = self.check_free_inodes()?;
        for number in 1..self.word(superblock::FRESH_INODE) as u32 {
            if !free.contains(&number) {
                self.check_inode(Inode(number), &mut survey)?;
            }
        }
        self.check_tree(&mut survey)?;
        self.check_counts(&free, &survey)?;
        self.check_free_blocks(&mut survey)
    }

    fn check_free_inodes(&self) -> Result<BTreeSet<u32>, String> {
        let mut free = BTreeSet::new();
        let mut next = self.word(superblock::FREE_INODE) as u32;
        while next != 0 {
            let inode = Inode(next);
            ensure(self.mode(inode) == 0, || format!("inode {next} is free and in use"))?;
            ensure(free.insert(next), || format!("inode {next} is free twice"))?;
            next = self.field(inode, Field::Size) as u32;
        }
        let counted = self.word(superblock::FREE_INODES);
        ensure(counted == free.len() as u64, || format!("{counted} free inodes counted"))?;
        Ok(free)
    }

    fn check_inode(&self, inode: Inode, survey: &mut Survey) -> Verdict {
        let number = inode.0;
        ensure(self.mode(inode) != 0, || format!("inode {number} is lost"))?;
        ensure(!self.counts(inode).is_gone(), || format!("inode {number} has no references"))?;
        if !self.has_blocks(inode) {
            return Ok(());
        }
        let mut end = 0;
        for root in 0..DIRECT + 2 {
            let at = inode.at(Field::Map) + root as usize * 8;
            let (depth, first) = match root {
                DIRECT => (1, DIRECT),
                root if root > DIRECT => (2, DIRECT + POINTERS),
                root => (0, root),
            };
            self.check_pointer(at, depth, first, &mut end, survey)?;
        }
        let size = self.field(inode, Field::Size);
        ensure(end <= size.div_ceil(BLOCK as u64), || format!("inode {number}: blocks past end"))
    }

    fn check_pointer(
        &self,
        at: usize,
        depth: u32,
        first: u64,
        end: &mut u64,
        survey: &mut Survey,
    ) -> Verdict {
        let block = self.word(at);
        if block == 0 {
            return Ok(());
        }
        self.check_block(block, survey)?;
        if depth == 0 {
            *end = (*end).max(first + 1);
            return Ok(());
        }
        let below = POINTERS.pow(depth - 1);
        for index in 0..POINTERS {
            let at = block as usize * BLOCK + index as usize * 8;
            self.check_pointer(at, depth - 1, first + index * below, end, survey)?;
        }
        Ok(())
    }

    fn check_block(&self, block: u64, survey: &mut Survey) -> Verdict {
        let data = self.geometry().first_data()..self.word(superblock::FRESH_BLOCK);
        ensure(data.contains(&block), || format!("block {block} is not a data block"))?;
        ensure(survey.blocks.insert(block), || format!("block {block} has two owners"))
    }

    fn check_tree(&self, survey: &mut Survey) -> Verdict {
        let mut waiting = vec![ROOT];
        let mut seen = BTreeSet::from([ROOT.0]);
        while let Some(directory) = waiting.pop() {
            for index in 0..self.directory_blocks(directory) {
                let mut end = index * BLOCK as u64;
                for record in self.records(directory, index) {
                    end = record.end;
                    if record.inode == 0 {
                        continue;
                    }
                    let inode = Inode(record.inode);
                    *survey.names.entry(inode.0).or_default() += 1;
                    if self.kind(inode) == mode::DIRECTORY {
                        let number = inode.0;
                        ensure(seen.insert(number), || format!("directory {number} twice"))?;
                        ensure(self.parent(inode) == directory, || {
                            format!("directory {number} has another parent")
                        })?;
                        *survey.subdirectories.entry(directory.0).or_default() += 1;
                        waiting.push(inode);
                    }
                }
                let whole = end == (index + 1) * BLOCK as u64;
                ensure(whole, || format!("directory {}: malformed records", directory.0))?;
            }
        }
        Ok(())
    }

    fn check_counts(&self, free: &BTreeSet<u32>, survey: &Survey) -> Verdict {
        for number in 1..self.word(superblock::FRESH_INODE) as u32 {
            if free.contains(&number) {
                let is_named = survey.names.contains_key(&number);
                ensure(!is_named, || format!("free inode {number} has a name"))?;
                continue;
            }
            let inode = Inode(number);
            let names = survey.names.get(&number).copied().unwrap_or(0);
            let links = match self.kind(inode) {
                mode::DIRECTORY if names == 0 && inode != ROOT => 0,
                mode::DIRECTORY => 2 + survey.subdirectories.get(&number).copied().unwrap_or(0),
                _ => names,
            };
            let counted = self.counts(inode).links;
            ensure(counted == links, || format!("inode {number}: {counted} links, not {links}"))?;
        }
        Ok(())
    }

    fn check_free_blocks(&self, survey: &mut Survey) -> Verdict {
        let mut next = self.word(superblock::FREE_BLOCK);
        let mut count = 0;
        while next != 0 {
            self.check_block(next, survey)?;
            next = self.word(next as usize * BLOCK);
            count += 1;
        }
        let counted = self.word(superblock::FREE_BLOCKS);
        ensure(counted == count, || format!("{counted} free blocks, not {count}"))?;
        let first = self.geometry().first_data();
        let used = self.word(superblock::FRESH_BLOCK) - first;
        let found = survey.blocks.len() as u64;
        ensure(found == used, || format!("{found} blocks found of {used}"))?;
        let fresh = self.word(superblock::FRESH_BLOCK) as usize * BLOCK;
        let end = self.word(superblock::BLOCKS) as usize * BLOCK;
        let is_blank = self.bytes()[fresh..end].iter().all(|&byte| byte == 0);
        ensure(is_blank, || "an unused block is not zero".into())
    }
}
