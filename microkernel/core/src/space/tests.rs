//! Facts about mappings that are cut up: unmap and protect against a list of pages as the model.

use kamen_abi::{Error, ObjectKind, Operation, Rights, boot};
use proptest::prelude::*;
use std::vec::Vec;

use crate::FaultAccess::{Execute, Read, Write};
use crate::fake::{DATA, Rig};
use crate::machine::{Access, Machine};

const SPACE: u64 = boot::SPACE.0 as u64;
const PAGE: u64 = 4096;
const OFFSET: u64 = 0x10_0000;
const AT: u64 = DATA + OFFSET;
/// Pages of the region that the tests map in, and of each object.
const PAGES: usize = 16;
const READ: u16 = Rights::READ.0;
const WRITE: u16 = Rights::READ.0 | Rights::WRITE.0;
const EXECUTE: u16 = Rights::READ.0 | Rights::EXECUTE.0;
/// What the capabilities to the three objects allow.
const MOST: [u16; 3] = [Rights::ALL.0, WRITE, EXECUTE];

/// A page of the region: object, its page, what is allowed, what may be.
type Page = Option<(usize, usize, u16, u16)>;

#[derive(Clone, Copy, Debug)]
enum Step {
    Map {
        object: usize,
        first: usize,
        at: usize,
        pages: usize,
        rights: u16,
    },
    Unmap {
        at: usize,
        pages: usize,
    },
    Protect {
        at: usize,
        pages: usize,
        rights: u16,
    },
    /// The page is touched, so that page tables show it.
    Touch {
        at: usize,
        write: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let rights = prop_oneof![Just(0), Just(READ), Just(WRITE), Just(EXECUTE)];
    let range = (0..PAGES, 1..8usize);
    prop_oneof![
        3 => (0..3usize, 0..PAGES, range.clone(), rights.clone()).prop_map(
            |(object, first, (at, pages), rights)| Step::Map { object, first, at, pages, rights }
        ),
        2 => range.clone().prop_map(|(at, pages)| Step::Unmap { at, pages }),
        2 => (range, rights).prop_map(|((at, pages), rights)| Step::Protect { at, pages, rights }),
        4 => (0..PAGES, any::<bool>()).prop_map(|(at, write)| Step::Touch { at, write }),
    ]
}

struct World {
    rig: Rig,
    /// Capabilities to the objects, as far as [`MOST`] allows.
    objects: [u64; 3],
    model: Vec<Page>,
}

impl World {
    /// Each page of each object says whose it is.
    fn new(steps: u32) -> Self {
        let mut rig = Rig::new();
        let objects = core::array::from_fn(|object| {
            let memory = rig.create(ObjectKind::Memory, &[PAGES as u64]);
            rig.ok(Operation::Map, SPACE, &[memory, 0, AT, PAGES as u64, WRITE as u64]);
            for page in 0..PAGES {
                rig.poke(OFFSET + page as u64 * PAGE, name(object, page));
            }
            rig.ok(Operation::Unmap, SPACE, &[AT, PAGES as u64]);
            rig.ok(Operation::Mint, memory, &[0, MOST[object] as u64])
        });
        rig.kernel.vm.steps.limit(steps);
        World { rig, objects, model: std::vec![None; 2 * PAGES] }
    }

    /// Performs an operation to its end, though it be done in steps.
    fn perform(&mut self, operation: Operation, words: [u64; 6]) -> u64 {
        let rip = self.rig.registers().rip;
        let mut status = self.rig.enter(operation, SPACE, words);
        while self.rig.registers().rip != rip {
            self.rig.registers().rip = rip;
            self.rig.kernel.system_call();
            status = self.rig.registers().rax;
        }
        status
    }

    /// Performs a step; returns its status and what the model says.
    fn act(&mut self, step: Step) -> (u64, Result<(), Error>) {
        let address = |page: usize| AT + page as u64 * PAGE;
        match step {
            Step::Map { object, first, at, pages, rights } => {
                let object_handle = self.objects[object];
                let words =
                    [object_handle, first as u64, address(at), pages as u64, rights as u64, 0];
                let model = self.map(object, first, at, pages, rights);
                (self.perform(Operation::Map, words), model)
            }
            Step::Unmap { at, pages } => {
                self.model[at..at + pages].fill(None);
                (self.perform(Operation::Unmap, [address(at), pages as u64, 0, 0, 0, 0]), Ok(()))
            }
            Step::Protect { at, pages, rights } => {
                let words = [address(at), pages as u64, rights as u64, 0, 0, 0];
                let model = self.protect(at, pages, rights);
                (self.perform(Operation::Protect, words), model)
            }
            Step::Touch { at, write } => {
                let access = if write { Write } else { Read };
                let needed = if write { WRITE } else { READ };
                let allowed = self.model[at].is_some_and(|page| page.2 & needed == needed);
                let model = if allowed { Ok(()) } else { Err(Error::BadAddress) };
                let space = self.rig.kernel.threads[0].space.unwrap();
                let vm = &mut self.rig.kernel.vm;
                let done = loop {
                    vm.steps.renew();
                    let done = vm.fault(space, address(at) as usize, access);
                    if !vm.steps.are_refused() {
                        break done;
                    }
                };
                (done.err().map_or(0, |error| error as u64), model)
            }
        }
    }

    fn map(
        &mut self,
        object: usize,
        first: usize,
        at: usize,
        pages: usize,
        rights: u16,
    ) -> Result<(), Error> {
        let most = MOST[object];
        if most & rights != rights {
            return Err(Error::NoRights);
        }
        if first + pages > PAGES {
            return Err(Error::InvalidArgument);
        }
        if self.model[at..at + pages].iter().any(Option::is_some) {
            return Err(Error::BadRange);
        }
        for page in 0..pages {
            self.model[at + page] = Some((object, first + page, rights, most));
        }
        Ok(())
    }

    fn protect(&mut self, at: usize, pages: usize, rights: u16) -> Result<(), Error> {
        // What is refused is refused at the first page that is in the way.
        for page in &self.model[at..at + pages] {
            let (.., most) = page.ok_or(Error::BadRange)?;
            if most & rights != rights {
                return Err(Error::NoRights);
            }
        }
        self.model[at..at + pages].iter_mut().flatten().for_each(|page| page.2 = rights);
        Ok(())
    }

    /// What page tables show is what the model says, and never more than it allows.
    fn check_tables(&self) {
        let root = self.rig.kernel.threads[0].root.unwrap();
        for (at, page) in self.model.iter().enumerate() {
            let shown = self.rig.kernel.vm.machine.lookup(root, AT as usize + at * 4096);
            let Some((frame, access)) = shown else { continue };
            let (object, number, rights, _) = page.expect("shown although nothing is mapped");
            assert_eq!(self.rig.kernel.vm.machine.load(frame, 0), name(object, number));
            let needed = match access {
                Access::Read => READ,
                Access::Write => WRITE,
                Access::Execute => EXECUTE,
            };
            assert_eq!(rights & needed, needed, "page {at}");
        }
    }

    /// Each page allows what the model says, and shows the page of the object that it says.
    fn check_pages(&mut self) {
        let space = self.rig.kernel.threads[0].space.unwrap();
        self.rig.kernel.vm.steps.limit(u32::MAX);
        for at in 0..self.model.len() {
            let address = AT as usize + at * 4096;
            for (access, needed) in [(Read, READ), (Write, WRITE), (Execute, EXECUTE)] {
                let allowed = self.model[at].is_some_and(|page| page.2 & needed == needed);
                let resolved = self.rig.kernel.vm.resolve(space, address, access);
                assert_eq!(resolved.is_ok(), allowed, "page {at} {access:?}");
                if let (Ok(frame), Some((object, page, ..))) = (resolved, self.model[at]) {
                    assert_eq!(self.rig.kernel.vm.machine.load(frame, 0), name(object, page));
                }
            }
        }
    }
}

/// Returns what is in the first word of an object's page.
fn name(object: usize, page: usize) -> u64 {
    (1 + object as u64) << 32 | page as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn mappings_can_be_cut_up_anyhow(
        limit in prop_oneof![Just(u32::MAX), 1..400u32],
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut world = World::new(limit);
        for step in steps {
            let (status, model) = world.act(step);
            prop_assert_eq!(status, model.err().map_or(0, |error| error as u64), "{:?}", step);
            world.check_tables();
        }
        world.check_pages();
    }
}

#[test]
fn ranges_that_are_none_are_refused() {
    let mut rig = Rig::new();
    let end = kamen_abi::USER_END as u64;
    let bad = Error::InvalidArgument as u64;
    let ranges =
        [(AT + 1, 1), (AT, 0), (end, 1), (end - PAGE, 2), (1 << 63, 1), (AT, 1 << 52), (AT, !0)];
    for (address, pages) in ranges {
        for operation in [Operation::Unmap, Operation::Protect] {
            let refused = rig.invoke(operation, SPACE, &[address, pages, READ as u64]);
            assert_eq!(refused, bad, "{operation:?} {address:x} {pages:x}");
        }
    }
    assert_eq!(rig.invoke(Operation::Unmap, SPACE, &[end - PAGE, 1]), 0, "nothing is there");
    let both = (WRITE | EXECUTE) as u64;
    assert_eq!(rig.invoke(Operation::Protect, SPACE, &[DATA, 1, both]), bad);
    assert_eq!(rig.invoke(Operation::Protect, SPACE, &[DATA, 1, Rights::SEND.0 as u64]), bad);
}

#[test]
fn a_mapping_keeps_to_the_capability_it_was_made_with() {
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[4]);
    let reader = rig.ok(Operation::Mint, memory, &[0, READ as u64]);
    rig.ok(Operation::Map, SPACE, &[reader, 0, AT, 2, READ as u64]);
    // Right behind it, the same object through a capability that allows more: not one mapping.
    rig.ok(Operation::Map, SPACE, &[memory, 2, AT + 2 * PAGE, 2, READ as u64]);
    let denied = Error::NoRights as u64;
    assert_eq!(rig.invoke(Operation::Protect, SPACE, &[AT, 4, WRITE as u64]), denied);
    assert_eq!(rig.invoke(Operation::Protect, SPACE, &[AT + PAGE, 2, WRITE as u64]), denied);
    let space = rig.kernel.threads[0].space.unwrap();
    let writable = |rig: &mut Rig, page: u64| {
        rig.kernel.vm.resolve(space, (AT + page * PAGE) as usize, Write).is_ok()
    };
    assert!((0..4).all(|page| !writable(&mut rig, page)), "a refusal changes nothing");
    rig.ok(Operation::Protect, SPACE, &[AT + 2 * PAGE, 2, WRITE as u64]);
    let now: Vec<bool> = (0..4).map(|page| writable(&mut rig, page)).collect();
    assert_eq!(now, [false, false, true, true]);
}
