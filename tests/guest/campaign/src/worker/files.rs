//! A client of the file server: one folder, of which it knows every name and every byte.
//!
//! Every operation can be repeated, those that may happen once only by their tickets: no death
//! may show.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use kamen_chaos::Dice;
use libipc::Transport;
use protocols::file::{Attributes, FileClient, FileError, LIST_HEADER, Node, Ticket, mode};

use super::Worker;
use crate::watched::{Notes, Watched, Witness};

/// Names that files can have.
const NAMES: u64 = 12;
/// Longest file in bytes.
const LONGEST: u64 = 96 * 1024;
/// Most bytes of one write.
const WRITE_MAX: u64 = 40_000;
/// Mode of its files.
const FILE_MODE: u32 = mode::FILE | 0o640;

/// A file as the model knows it.
struct Known {
    node: Node,
    bytes: Vec<u8>,
}

/// The client of one folder.
pub struct FilesWorker<'a, T, W> {
    client: FileClient<Watched<'a, T, W>>,
    notes: &'a Notes<W>,
    folder: Node,
    model: BTreeMap<u8, Known>,
}

impl<'a, T: Transport, W: Witness> FilesWorker<'a, T, W> {
    /// Returns the client of an empty folder.
    pub fn new(client: FileClient<Watched<'a, T, W>>, notes: &'a Notes<W>, folder: Node) -> Self {
        FilesWorker { client, notes, folder, model: BTreeMap::new() }
    }

    /// Returns what the server finds under a name.
    fn look(&self, name: u8) -> Option<Result<Attributes, FileError>> {
        self.notes.repeatable(self.client.lookup(self.folder, &text(name)))
    }

    fn some(&self, dice: &mut Dice) -> Option<u8> {
        let count = self.model.len() as u64;
        (count > 0)
            .then(|| dice.roll(count))
            .and_then(|at| self.model.keys().nth(at as usize))
            .copied()
    }

    fn create(&mut self, name: u8) {
        let is_new = !self.model.contains_key(&name);
        let created =
            self.client.create(Ticket::next(), self.folder, FILE_MODE, 7, 8, 0, &text(name));
        match self.notes.repeatable(created) {
            Some(Ok(made)) => {
                self.notes.expect("create", (is_new, made.size), (true, 0));
                self.model.insert(name, Known { node: made.node, bytes: Vec::new() });
            }
            Some(Err(error)) => {
                self.notes.expect("create", (is_new, error), (false, FileError::Exists));
            }
            None => {}
        }
    }

    fn unlink(&mut self, name: u8) {
        let known = self.model.remove(&name);
        let right = if known.is_some() { Ok(()) } else { Err(FileError::NotFound) };
        let removed = self.client.unlink(Ticket::next(), self.folder, &text(name));
        if let Some(answer) = self.notes.repeatable(removed) {
            self.notes.expect("unlink", answer, right);
        }
    }

    fn rename(&mut self, from: u8, to: u8) {
        let (old, new, folder) = (text(from), text(to), self.folder);
        let renamed = self.client.rename(Ticket::next(), folder, folder, 0, &old, &new);
        if let Some(answer) = self.notes.repeatable(renamed) {
            self.notes.expect("rename", answer, Ok(()));
            if let Some(known) = self.model.remove(&from) {
                self.model.insert(to, known);
            }
        }
    }

    fn write(&mut self, name: u8, dice: &mut Dice) {
        let Some(known) = self.model.get_mut(&name) else { return };
        let offset = dice.roll(known.bytes.len() as u64 + 1);
        let len = (1 + dice.roll(WRITE_MAX)).min(LONGEST - offset.min(LONGEST - 1));
        let seed = dice.any();
        let bytes: Vec<u8> = (0..len).map(|at| (seed >> (at % 57)) as u8 ^ at as u8).collect();
        let written = self.client.write(known.node, offset, &bytes);
        if let Some(answer) = self.notes.repeatable(written) {
            self.notes.expect("write", answer, Ok(len));
            let end = (offset + len) as usize;
            if known.bytes.len() < end {
                known.bytes.resize(end, 0);
            }
            known.bytes[offset as usize..end].copy_from_slice(&bytes);
        }
    }

    fn resize(&mut self, name: u8, size: u64) {
        let Some(known) = self.model.get_mut(&name) else { return };
        if let Some(answer) = self.notes.repeatable(self.client.resize(known.node, size)) {
            self.notes.expect("resize", answer, Ok(()));
            known.bytes.resize(size as usize, 0);
        }
    }

    /// Compares all of a file.
    fn read(&self, name: u8) {
        let Some(known) = self.model.get(&name) else { return };
        let mut bytes = vec![0xaa; known.bytes.len() + 9];
        let Some(read) = self.notes.repeatable(self.client.read(known.node, 0, &mut bytes)) else {
            return;
        };
        self.notes.expect("length read", read, Ok(known.bytes.len() as u64));
        let is_same = bytes[..known.bytes.len()] == known.bytes[..];
        self.notes.expect("contents are the model's", is_same, true);
    }

    fn attributes(&self, name: u8) {
        let Some(known) = self.model.get(&name) else { return };
        if let Some(answer) = self.notes.repeatable(self.client.attributes(known.node)) {
            let seen = answer.map(|found| (found.size, found.links, found.uid));
            self.notes.expect("attributes", seen, Ok((known.bytes.len() as u64, 1, 7)));
        }
    }

    /// Compares all names of the folder.
    fn list(&self) {
        let mut records = vec![0; 4096];
        let listed = self.notes.repeatable(self.client.list(self.folder, 0, &mut records));
        let Some(Ok(len)) = listed else { return };
        let names: Vec<Vec<u8>> = self.model.keys().map(|&name| text(name)).collect();
        let mut found = names_in(&records[..len as usize]);
        found.sort();
        self.notes.expect("names", found, names);
    }

    /// A file whose last name goes stays as long as it is held, through deaths as well.
    fn hold(&mut self, name: u8) {
        let Some(known) = self.model.get(&name) else { return };
        let node = known.node;
        if let Some(answer) = self.notes.repeatable(self.client.hold(Ticket::next(), node)) {
            self.notes.expect("hold", answer, Ok(()));
            self.unlink(name);
            let gone = self.notes.repeatable(self.client.attributes(node));
            self.notes.expect(
                "held",
                gone.map(|found| found.map(|found| found.node)),
                Some(Ok(node)),
            );
            let released = self.notes.repeatable(self.client.release(Ticket::next(), node));
            self.notes.expect("release", released, Some(Ok(())));
        }
    }
}

impl<T: Transport, W: Witness> Worker for FilesWorker<'_, T, W> {
    fn step(&mut self, dice: &mut Dice) {
        let any = dice.roll(NAMES) as u8;
        let Some(some) = self.some(dice) else { return self.create(any) };
        match dice.roll(16) {
            0 | 1 => self.create(any),
            2 => self.unlink(any),
            3 | 4 => self.rename(some, any),
            5..8 => self.write(some, dice),
            8 => self.resize(some, dice.roll(LONGEST)),
            9..12 => self.read(some),
            12 => self.attributes(some),
            13 => self.hold(some),
            14 => self.list(),
            _ => {
                let found = self.look(any).map(|found| found.is_ok());
                self.notes.expect("lookup", found, Some(self.model.contains_key(&any)));
            }
        }
    }

    /// Compares everything once more, and removes it.
    fn finish(&mut self) {
        self.list();
        for name in self.model.keys().copied().collect::<Vec<u8>>() {
            self.read(name);
            self.unlink(name);
        }
    }
}

fn text(name: u8) -> Vec<u8> {
    vec![b'f', b'a' + name]
}

/// Returns the names in records of a listing, "." and ".." left out.
fn names_in(records: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let mut rest = records;
    while let Some((header, _)) = rest.split_at_checked(LIST_HEADER) {
        let half = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let Some(name) = rest.get(LIST_HEADER..LIST_HEADER + half(20)) else { break };
        if !matches!(name, b"." | b"..") {
            names.push(name.to_vec());
        }
        rest = rest.get(half(22).max(LIST_HEADER)..).unwrap_or(&[]);
    }
    names
}
