//! Page tables over a vector of frames.

extern crate std;
use super::*;
use std::collections::BTreeSet;
use std::vec::Vec;

/// Frames in a vector, dirty until they are zeroed.
pub(crate) struct Fake {
    frames: Vec<[u64; 512]>,
    next: u32,
}

impl Fake {
    pub(crate) fn new(frames: usize) -> Self {
        Fake { frames: std::vec![[!0; 512]; frames], next: 1 }
    }
}

impl Tables for Fake {
    fn load(&self, frame: Frame, index: usize) -> u64 {
        self.frames[frame.0 as usize][index]
    }
    fn store(&mut self, frame: Frame, index: usize, value: u64) {
        self.frames[frame.0 as usize][index] = value;
    }
    fn zero(&mut self, frame: Frame) {
        self.frames[frame.0 as usize] = [0; 512];
    }
}

const ROOT: Frame = Frame(0);
const PAGES: [usize; 5] = [0x1000, 0x2000, 0x4000_0000, 0x7fff_ffff_e000, 0x1234_5678_9000];

fn space() -> Fake {
    let mut fake = Fake::new(32);
    fake.zero(ROOT);
    for (number, page) in PAGES.into_iter().enumerate() {
        let mut next = fake.next;
        let mut allocate = || {
            next += 1;
            Some(Frame(next - 1))
        };
        let frame = Frame(100 + number as u32);
        assert_eq!(map(&mut fake, ROOT, page, frame, Access::Read, &mut allocate), Ok(false));
        fake.next = next;
    }
    fake
}

#[test]
fn a_mapped_page_is_found_and_unmapped() {
    let mut fake = space();
    for (number, page) in PAGES.into_iter().enumerate() {
        let frame = Frame(100 + number as u32);
        assert_eq!(lookup(&fake, ROOT, page), Some((frame, Access::Read)));
        assert_eq!(unmap(&mut fake, ROOT, page), Some(frame));
        assert_eq!(unmap(&mut fake, ROOT, page), None);
        assert_eq!(lookup(&fake, ROOT, page), None);
    }
}

#[test]
fn access_survives_the_table() {
    let mut fake = space();
    for access in [Access::Read, Access::Write, Access::Execute] {
        let mapped = map(&mut fake, ROOT, 0x1000, Frame(7), access, &mut || None);
        assert_eq!(mapped, Ok(true));
        assert_eq!(lookup(&fake, ROOT, 0x1000), Some((Frame(7), access)));
    }
}

#[test]
fn a_map_without_frames_for_tables_is_refused() {
    let mut fake = space();
    let refused = map(&mut fake, ROOT, 0x5000_0000_0000, Frame(7), Access::Read, &mut || None);
    assert_eq!(refused, Err(NoFrame));
}

#[test]
fn unmap_next_finds_every_page_and_little_else() {
    let mut fake = space();
    let end = kamen_abi::USER_END;
    let (mut found, mut calls, mut at) = (BTreeSet::new(), 0, 0);
    while at < end {
        let (next, unmapped) = unmap_next(&mut fake, ROOT, at, end);
        assert!(next > at);
        at = next;
        calls += 1;
        if unmapped {
            found.insert(at - PAGE_SIZE);
            assert_eq!(lookup(&fake, ROOT, at - PAGE_SIZE), None);
        }
    }
    assert_eq!(found, BTreeSet::from(PAGES));
    // Each page's tables on the two upper levels, and the root, may lack all but one entry.
    let missing = USER_ENTRIES + 2 * ENTRIES * PAGES.len();
    assert!(calls < 2 * PAGES.len() + missing / SKIPS, "{calls} calls");
}

#[test]
fn take_table_returns_each_table_once_and_leaves_the_kernel_half() {
    let mut fake = space();
    fake.store(ROOT, 256, entry(Frame(31), bits::PRESENT));
    let mut taken = BTreeSet::new();
    let mut at = 0;
    while at < kamen_abi::USER_END {
        let (table, next) = take_table(&mut fake, ROOT, at);
        assert!(next > at || table.is_some());
        assert!(table.is_none_or(|table| taken.insert(table.0)));
        at = next;
    }
    assert_eq!(taken, (1..fake.next).collect());
    assert_eq!(fake.load(ROOT, 256), entry(Frame(31), bits::PRESENT));
}
