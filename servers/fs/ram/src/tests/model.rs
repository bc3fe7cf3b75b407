//! Random operations, compared with a simple model: paths, and vectors of bytes.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_oneof, proptest};

use super::{DIRECTORY, FILE, at, contents, entries, volume, write};
use crate::inodes::New;
use crate::tree::{Collision, Place};
use crate::volume::Volume;
use protocols::file::{FileError, Node, mode};

const NAMES: [&str; 4] = ["a", "b", "much-longer-name-than-the-others", "c"];
const LIMIT: usize = 40_000;

/// A place: a directory by its number among those that exist, and a name.
type Spot = (usize, usize);

#[derive(Clone, Debug)]
enum Step {
    Create(Spot),
    Directory(Spot),
    Link(usize, Spot),
    Unlink(Spot),
    RemoveDirectory(Spot),
    Rename(Spot, Spot),
    Write(usize, usize, usize, u8),
    Resize(usize, usize),
    Reopen,
}

fn spot() -> impl Strategy<Value = Spot> {
    (0..6usize, 0..NAMES.len())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        spot().prop_map(Step::Create),
        spot().prop_map(Step::Directory),
        (0..8usize, spot()).prop_map(|(file, spot)| Step::Link(file, spot)),
        spot().prop_map(Step::Unlink),
        spot().prop_map(Step::RemoveDirectory),
        (spot(), spot()).prop_map(|(from, to)| Step::Rename(from, to)),
        (0..8usize, 0..LIMIT, 1..LIMIT, any::<u8>())
            .prop_map(|(f, o, l, b)| Step::Write(f, o, l, b)),
        (0..8usize, 0..LIMIT * 2).prop_map(|(file, size)| Step::Resize(file, size)),
        prop::strategy::Just(Step::Reopen),
    ]
}

/// The tree as it should be: the root is directory 0; files and directories by inode number.
#[derive(Default)]
struct Model {
    directories: BTreeMap<u64, BTreeMap<&'static str, u64>>,
    files: BTreeMap<u64, Vec<u8>>,
}

impl Model {
    fn nth<V>(map: &BTreeMap<u64, V>, index: usize) -> Option<u64> {
        map.keys().nth(index.checked_rem(map.len())?).copied()
    }

    fn spot(&self, spot: Spot) -> (u64, &'static str, Option<u64>) {
        let directory = Self::nth(&self.directories, spot.0).expect("the root exists");
        let name = NAMES[spot.1];
        (directory, name, self.directories[&directory].get(name).copied())
    }

    fn has_names(&self, node: u64) -> bool {
        self.directories.values().any(|names| names.values().any(|&named| named == node))
    }

    fn forget(&mut self, node: u64) {
        if !self.has_names(node) {
            self.files.remove(&node);
            self.directories.remove(&node);
        }
    }

    fn is_below(&self, node: u64, ancestor: u64) -> bool {
        node == ancestor
            || self
                .directories
                .get(&ancestor)
                .is_some_and(|names| names.values().any(|&child| self.is_below(node, child)))
    }

    fn expected_rename(&self, from: Spot, to: Spot) -> Result<(), FileError> {
        let (_, _, source) = self.spot(from);
        let (target, _, replaced) = self.spot(to);
        let source = source.ok_or(FileError::NotFound)?;
        let is_directory = self.directories.contains_key(&source);
        if is_directory && self.is_below(target, source) {
            return Err(FileError::Invalid);
        }
        match replaced {
            Some(replaced) if replaced != source => match self.directories.get(&replaced) {
                Some(names) if is_directory && !names.is_empty() => Err(FileError::NotEmpty),
                Some(_) if !is_directory => Err(FileError::IsDirectory),
                None if is_directory => Err(FileError::NotDirectory),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

struct Pair {
    volume: Volume<'static, Vec<u8>>,
    model: Model,
}

impl Pair {
    fn new() -> Self {
        let volume = volume(2048);
        let mut model = Model::default();
        model.directories.insert(volume.root().node.0, BTreeMap::new());
        Pair { volume, model }
    }

    fn place(&self, spot: Spot) -> Place<'static> {
        let (directory, name, _) = self.model.spot(spot);
        at(Node(directory), name)
    }

    fn make(&mut self, spot: Spot, new: New) {
        let made = self.volume.create(self.place(spot), new);
        let (directory, name, existing) = self.model.spot(spot);
        if existing.is_some() {
            assert_eq!(made, Err(FileError::Exists));
            return;
        }
        let node = made.unwrap().node.0;
        self.model.directories.get_mut(&directory).unwrap().insert(name, node);
        match new.mode & mode::TYPE {
            mode::DIRECTORY => drop(self.model.directories.insert(node, BTreeMap::new())),
            _ => drop(self.model.files.insert(node, Vec::new())),
        }
    }

    fn link(&mut self, file: usize, spot: Spot) {
        let Some(node) = Model::nth(&self.model.files, file) else { return };
        let linked = self.volume.link(Node(node), self.place(spot), 0);
        let (directory, name, existing) = self.model.spot(spot);
        assert_eq!(linked, if existing.is_some() { Err(FileError::Exists) } else { Ok(()) });
        if existing.is_none() {
            self.model.directories.get_mut(&directory).unwrap().insert(name, node);
        }
    }

    fn remove(&mut self, spot: Spot, wants_directory: bool) {
        let (directory, name, existing) = self.model.spot(spot);
        let names = existing.and_then(|node| self.model.directories.get(&node));
        let expected = match (existing, names, wants_directory) {
            (None, ..) => Err(FileError::NotFound),
            (_, Some(_), false) => Err(FileError::IsDirectory),
            (_, None, true) => Err(FileError::NotDirectory),
            (_, Some(names), true) if !names.is_empty() => Err(FileError::NotEmpty),
            _ => Ok(()),
        };
        let place = self.place(spot);
        let removed = match wants_directory {
            true => self.volume.remove_directory(place, 0),
            false => self.volume.unlink(place, 0),
        };
        assert_eq!(removed, expected);
        if let (Ok(()), Some(node)) = (expected, existing) {
            self.model.directories.get_mut(&directory).unwrap().remove(name);
            self.model.forget(node);
        }
    }

    fn rename(&mut self, from: Spot, to: Spot) {
        let expected = self.model.expected_rename(from, to);
        let (from_place, to_place) = (self.place(from), self.place(to));
        assert_eq!(self.volume.rename(from_place, to_place, Collision::Replace, 0), expected);
        let (source, old_name, node) = self.model.spot(from);
        let (target, new_name, replaced) = self.model.spot(to);
        if expected.is_err() || node == replaced {
            return;
        }
        self.model.directories.get_mut(&source).unwrap().remove(old_name);
        self.model.directories.get_mut(&target).unwrap().insert(new_name, node.unwrap());
        replaced.into_iter().for_each(|node| self.model.forget(node));
    }

    fn write(&mut self, file: usize, offset: usize, len: usize, byte: u8) {
        let Some(node) = Model::nth(&self.model.files, file) else { return };
        let bytes = vec![byte; len];
        assert_eq!(write(&mut self.volume, Node(node), offset as u64, &bytes), Ok(len as u64));
        let model = self.model.files.get_mut(&node).unwrap();
        model.resize(model.len().max(offset + len), 0);
        model[offset..offset + len].copy_from_slice(&bytes);
    }

    fn resize(&mut self, file: usize, size: usize) {
        let Some(node) = Model::nth(&self.model.files, file) else { return };
        self.volume.resize(Node(node), size as u64, 0).unwrap();
        self.model.files.get_mut(&node).unwrap().resize(size, 0);
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Create(spot) => self.make(spot, FILE),
            Step::Directory(spot) => self.make(spot, DIRECTORY),
            Step::Link(file, spot) => self.link(file, spot),
            Step::Unlink(spot) => self.remove(spot, false),
            Step::RemoveDirectory(spot) => self.remove(spot, true),
            Step::Rename(from, to) => self.rename(from, to),
            Step::Write(file, offset, len, byte) => self.write(file, offset, len, byte),
            Step::Resize(file, size) => self.resize(file, size),
            Step::Reopen => {
                let old = core::mem::replace(&mut self.volume, volume(8));
                self.volume = Volume::open(old.into_store(), &[]).unwrap();
            }
        }
    }

    fn compare(&self) {
        self.volume.check().unwrap();
        for (&directory, names) in &self.model.directories {
            let listed = entries(&self.volume, Node(directory), 2, 10_000);
            assert_eq!(listed.len(), names.len());
            for (name, &node) in names {
                assert_eq!(self.volume.lookup(at(Node(directory), name)).unwrap().node.0, node);
            }
        }
        for (&file, bytes) in &self.model.files {
            assert_eq!(&contents(&self.volume, Node(file)), bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn file_system_behaves_like_its_model(steps in prop::collection::vec(step(), 1..60)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.apply(step);
        }
        pair.compare();
    }

    #[test]
    fn hostile_arguments_do_no_harm(
        node in prop_oneof![any::<u64>(), Just(1 << 32 | 1), Just(1 << 32 | 2)],
        offset in prop_oneof![any::<u64>(), 0..100_000u64],
        name in prop::collection::vec(any::<u8>(), 0..300),
        cookie in any::<u64>(),
    ) {
        let mut volume = volume(64);
        let root = volume.root().node;
        volume.create(at(root, "f"), FILE).unwrap();
        let (node, place) = (Node(node), Place { directory: Node(node), name: &name });
        let _ = volume.lookup(place);
        let _ = volume.create(place, FILE);
        let _ = volume.list(node, cookie, &mut [0; 100]);
        let _ = volume.piece(node, offset, usize::MAX);
        let _ = volume.resize(node, offset, 0);
        let _ = write(&mut volume, node, offset, &name);
        let _ = volume.rename(place, Place { directory: root, name: &name }, Collision::Keep, 0);
        let _ = volume.remove_directory(place, 0);
        let _ = volume.unlink(place, 0);
        volume.check().unwrap();
    }
}

use prop::strategy::Just;
