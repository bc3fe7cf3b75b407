//! Clones of clones, written, decommitted, supplied and resized, against lists of words as the
//! model; all accesses go through page tables, as the processor's do.

use kamen_abi::{MemoryKind, ObjectKind, Operation, Rights, boot};
use proptest::prelude::*;
use std::vec::Vec;

use crate::FaultAccess::{Read, Write};
use crate::fake::{DATA, Rig};
use crate::machine::{Access, Machine};

const SPACE: u64 = boot::SPACE.0 as u64;
const QUOTA: u64 = boot::QUOTA.0 as u64;
const ACCESS: u64 = (Rights::READ.0 | Rights::WRITE.0) as u64;
const PAGE: u64 = 4096;
/// Pages of each object, and pages that it is mapped with.
const PAGES: usize = 5;
/// Objects at a time.
const OBJECTS: usize = 6;
/// Where objects are mapped, one after the other, and the offset from [`DATA`].
const OFFSET: u64 = 0x10_0000;
/// What the pager supplies pages with: object 0's place is that of its store.
const SUPPLIED: u64 = 0x5000;

#[derive(Clone, Copy, Debug)]
enum Step {
    Write { object: usize, page: usize, value: u64 },
    Clone { object: usize },
    Decommit { object: usize, page: usize, pages: usize },
    Commit { object: usize },
    Supply { object: usize, page: usize, pages: usize },
    Resize { object: usize, pages: usize },
    Destroy { object: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let at = (0..OBJECTS, 0..PAGES);
    prop_oneof![
        6 => (at.clone(), 1..1000u64)
            .prop_map(|((object, page), value)| Step::Write { object, page, value }),
        3 => (0..OBJECTS).prop_map(|object| Step::Clone { object }),
        2 => (at.clone(), 1..3usize)
            .prop_map(|((object, page), pages)| Step::Decommit { object, page, pages }),
        1 => (0..OBJECTS).prop_map(|object| Step::Commit { object }),
        3 => (at, 1..3usize)
            .prop_map(|((object, page), pages)| Step::Supply { object, page, pages }),
        1 => (0..OBJECTS, 0..=PAGES).prop_map(|(object, pages)| Step::Resize { object, pages }),
        1 => (0..OBJECTS).prop_map(|object| Step::Destroy { object }),
    ]
}

/// An object and what its pages hold: nothing where one misses.
struct Object {
    handle: u64,
    /// Where it is mapped, by its place in the row.
    place: usize,
    paged: bool,
    pages: Vec<Option<u64>>,
    /// How many pages the mapping covers.
    mapped: usize,
}

impl Object {
    /// What a page holds that was never written.
    fn fresh(&self) -> Option<u64> {
        if self.paged { None } else { Some(0) }
    }
}

struct World {
    rig: Rig,
    endpoint: u64,
    store: u64,
    objects: Vec<Object>,
}

impl World {
    /// An anonymous object and a pager-backed one.
    fn new() -> Self {
        let mut rig = Rig::new();
        let endpoint = rig.create(ObjectKind::Endpoint, &[]);
        let store = rig.create(ObjectKind::Memory, &[PAGES as u64]);
        rig.ok(Operation::Map, SPACE, &[store, 0, DATA + OFFSET, PAGES as u64, ACCESS]);
        for page in 0..PAGES as u64 {
            rig.poke(OFFSET + page * PAGE, SUPPLIED + page);
        }
        let mut world = World { rig, endpoint, store, objects: Vec::new() };
        for paged in [false, true] {
            let kind = if paged { MemoryKind::Pager } else { MemoryKind::Anonymous };
            let words = [PAGES as u64, kind as u64, endpoint];
            let handle = world.rig.create(ObjectKind::Memory, &words);
            let fresh = if paged { None } else { Some(0) };
            world.add(handle, paged, std::vec![fresh; PAGES]);
        }
        world
    }

    fn add(&mut self, handle: u64, paged: bool, pages: Vec<Option<u64>>) {
        let taken = |place| self.objects.iter().any(|object| object.place == place);
        let place = (1..).find(|place| !taken(*place)).unwrap();
        let mapped = pages.len();
        let object = Object { handle, place, paged, pages, mapped };
        if !object.pages.is_empty() {
            let words = [handle, 0, address(place, 0), object.pages.len() as u64, ACCESS];
            self.rig.ok(Operation::Map, SPACE, &words);
        }
        self.objects.push(object);
    }

    fn act(&mut self, step: Step) {
        let count = self.objects.len();
        if count == 0 {
            return;
        }
        match step {
            Step::Write { object, page, value } => self.write(object % count, page, value),
            Step::Clone { object } if count < OBJECTS => {
                let Object { handle, paged, ref pages, .. } = self.objects[object % count];
                let pages = pages.clone();
                let clone = self.rig.ok(Operation::Clone, handle, &[QUOTA, self.endpoint]);
                self.add(clone, paged, pages);
            }
            Step::Clone { .. } => {}
            Step::Decommit { object, page, pages } => {
                let object = &mut self.objects[object % count];
                let end = (page + pages).min(object.pages.len());
                let first = page.min(end);
                let words = [first as u64, (end - first) as u64];
                self.rig.ok(Operation::Decommit, object.handle, &words);
                let fresh = object.fresh();
                object.pages[first..end].fill(fresh);
            }
            Step::Commit { object } => {
                let object = &self.objects[object % count];
                let words = [0, object.pages.len() as u64];
                let complete = object.pages.iter().all(Option::is_some);
                let status = self.rig.invoke(Operation::Commit, object.handle, &words);
                assert_eq!(status == 0, complete);
            }
            Step::Supply { object, page, pages } => {
                let object = &mut self.objects[object % count];
                let end = (page + pages).min(object.pages.len());
                let first = page.min(end);
                let words = [first as u64, (end - first) as u64, self.store, first as u64];
                let status = self.rig.invoke(Operation::Supply, object.handle, &words);
                assert_eq!(status == 0, object.paged);
                if object.paged {
                    for page in first..end {
                        object.pages[page].get_or_insert(SUPPLIED + page as u64);
                    }
                }
            }
            Step::Resize { object, pages } => {
                let object = &mut self.objects[object % count];
                self.rig.ok(Operation::Resize, object.handle, &[pages as u64]);
                let fresh = object.fresh();
                object.pages.resize(pages, fresh);
                // Pages that go leave their part of the mapping behind, for when they come back.
                if pages > object.mapped {
                    object.mapped = pages;
                    let (handle, at) = (object.handle, address(object.place, 0));
                    self.rig.ok(Operation::Unmap, SPACE, &[at, PAGES as u64]);
                    self.rig.ok(Operation::Map, SPACE, &[handle, 0, at, pages as u64, ACCESS]);
                }
            }
            Step::Destroy { object } => {
                let object = self.objects.swap_remove(object % count);
                self.rig.ok(Operation::Destroy, object.handle, &[]);
            }
        }
    }

    /// A store through the page tables, after a fault where they do not allow it.
    fn write(&mut self, object: usize, page: usize, value: u64) {
        let Some(place) = self.objects.get(object).map(|object| object.place) else { return };
        let model = self.objects[object].pages.get_mut(page);
        let Some(word) = model.and_then(Option::as_mut) else {
            return assert_eq!(self.access(place, page, true), None, "it is not there");
        };
        *word = value;
        let frame = self.access(place, page, true).expect("it may be written");
        self.rig.kernel.vm.machine.store(frame, 0, value);
    }

    /// Returns the frame that an access goes to.
    fn access(&mut self, place: usize, page: usize, write: bool) -> Option<crate::Frame> {
        let space = self.rig.kernel.threads[0].space.unwrap();
        let root = self.rig.kernel.threads[0].root.unwrap();
        let at = address(place, page) as usize;
        let vm = &mut self.rig.kernel.vm;
        match vm.machine.lookup(root, at) {
            Some((frame, Access::Write)) => return Some(frame),
            Some((frame, _)) if !write => return Some(frame),
            _ => {}
        }
        vm.fault(space, at, if write { Write } else { Read }).ok()?;
        vm.machine.lookup(root, at).map(|(frame, _)| frame)
    }

    fn check(&mut self) {
        for object in 0..self.objects.len() {
            for page in 0..self.objects[object].pages.len() {
                let Object { place, ref pages, .. } = self.objects[object];
                let held = pages[page];
                let frame = self.access(place, page, false);
                let seen = frame.map(|frame| self.rig.kernel.vm.machine.load(frame, 0));
                assert_eq!(seen, held, "object {object}, page {page}");
            }
        }
        for page in 0..PAGES as u64 {
            assert_eq!(self.rig.peek(OFFSET + page * PAGE), SUPPLIED + page, "the pager's own");
        }
    }
}

/// Returns where the object in a place of the row has a page.
fn address(place: usize, page: usize) -> u64 {
    DATA + OFFSET + (place * 16 + page) as u64 * PAGE
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn clones_of_clones_hold_what_each_was_given(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut world = World::new();
        let pages = world.rig.kernel.vm.frames.free();
        for step in steps {
            world.act(step);
            world.check();
        }
        while let Some(object) = world.objects.pop() {
            world.rig.ok(Operation::Destroy, object.handle, &[]);
        }
        prop_assert_eq!(world.rig.kernel.vm.frames.free(), pages);
    }
}
