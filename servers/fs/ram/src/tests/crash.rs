//! The server dies between any two writes; its next life finds a sound file system.

extern crate std;

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{DIRECTORY, FILE, at, contents, in_root, loading, write};
use crate::BLOCK;
use crate::store::Store;
use crate::tree::Collision;
use crate::volume::Volume;
use protocols::file::{FileError, Ticket};

/// A region whose server dies before a certain write.
struct Mortal<'b> {
    bytes: &'b mut Vec<u8>,
    writes_left: Rc<Cell<usize>>,
}

impl Store for Mortal<'_> {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    fn window(&mut self, at: usize, len: usize) -> &mut [u8] {
        match self.writes_left.get().checked_sub(1) {
            Some(left) => self.writes_left.set(left),
            None => resume_unwind(alloc::boxed::Box::new("death")),
        }
        &mut self.bytes[at..at + len]
    }
}

type Tree<'a, 'b> = Volume<'a, Mortal<'b>>;

/// Runs `change` on a copy of `region` with every possible time of death, the death of the second
/// life during its recovery included, and checks what the next life finds.
fn die_everywhere(
    region: &[u8],
    archive: &[u8],
    change: impl Fn(&mut Tree<'_, '_>),
    judge: impl Fn(&Volume<'_, Vec<u8>>),
) {
    for writes in 0.. {
        let mut bytes = region.to_vec();
        let survived = live(&mut bytes, archive, writes, &change);
        for recovery in 0.. {
            let mut bytes = bytes.clone();
            if live(&mut bytes, archive, recovery, |_| ()) {
                let volume = Volume::open(bytes, archive).unwrap();
                volume.check().unwrap();
                judge(&volume);
                break;
            }
            let volume = Volume::open(bytes, archive).unwrap();
            volume.check().unwrap();
        }
        if survived {
            assert!(writes > 3, "nothing happened");
            return;
        }
    }
}

/// Opens the region and changes it until done or until `writes` writes were made.
fn live(
    bytes: &mut Vec<u8>,
    archive: &[u8],
    writes: usize,
    change: impl Fn(&mut Tree<'_, '_>),
) -> bool {
    let writes_left = Rc::new(Cell::new(writes));
    let store = Mortal { bytes, writes_left };
    let life = AssertUnwindSafe(move || {
        let mut volume = Volume::open(store, archive).unwrap();
        change(&mut volume);
    });
    catch_unwind(life).is_ok()
}

fn base() -> Vec<u8> {
    let mut volume = Volume::open(vec![0; 24 * BLOCK], &[]).unwrap();
    let root = volume.root().node;
    let directory = volume.create(at(root, "d"), DIRECTORY).unwrap().node;
    let file = volume.create(at(directory, "f"), FILE).unwrap().node;
    write(&mut volume, file, 0, &[1; 9 * BLOCK]).unwrap();
    let garbage = volume.create(at(root, "garbage"), FILE).unwrap().node;
    write(&mut volume, garbage, 0, &[0x66; 4 * BLOCK]).unwrap();
    volume.unlink(at(root, "garbage"), 0).unwrap();
    volume.into_store()
}

#[test]
fn formatting() {
    die_everywhere(&vec![0; 16 * BLOCK], &[], |_| (), |_| ());
}

#[test]
fn creating_and_removing() {
    let change = |volume: &mut Tree<'_, '_>| {
        let root = volume.root().node;
        let made = volume.create(at(root, "new"), DIRECTORY).unwrap().node;
        volume.create(at(made, "file"), FILE).unwrap();
        volume.symlink(at(made, "link"), &[b't'; 100], FILE).unwrap();
        volume.unlink(at(made, "file"), 0).unwrap();
        volume.unlink(at(made, "link"), 0).unwrap();
        volume.remove_directory(at(root, "new"), 0).unwrap();
    };
    die_everywhere(&base(), &[], change, |_| ());
}

#[test]
fn unlinking_a_file_frees_all_or_nothing() {
    let change = |volume: &mut Tree<'_, '_>| {
        let directory = volume.lookup(in_root(volume, "d")).unwrap().node;
        volume.unlink(at(directory, "f"), 0).unwrap();
    };
    die_everywhere(&base(), &[], change, |_| ());
}

#[test]
fn renaming_over_a_file_never_loses_both() {
    let change = |volume: &mut Tree<'_, '_>| {
        let root = volume.root().node;
        let directory = volume.lookup(at(root, "d")).unwrap().node;
        let new = volume.create(at(root, "new"), FILE).unwrap().node;
        write(volume, new, 0, b"newer").unwrap();
        volume.rename(at(root, "new"), at(directory, "f"), Collision::Replace, 1).unwrap();
        volume.rename(at(root, "d"), at(root, "e"), Collision::Replace, 1).unwrap();
    };
    die_everywhere(&base(), &[], change, |volume| {
        let old = volume.lookup(in_root(volume, "d"));
        let directory = old.or_else(|_| volume.lookup(in_root(volume, "e"))).unwrap().node;
        let found = contents(volume, volume.lookup(at(directory, "f")).unwrap().node);
        assert!(found == b"newer" || found == [1; 9 * BLOCK]);
    });
}

#[test]
fn writing_shows_no_garbage() {
    let change = |volume: &mut Tree<'_, '_>| {
        let directory = volume.lookup(in_root(volume, "d")).unwrap().node;
        let file = volume.lookup(at(directory, "f")).unwrap().node;
        write(volume, file, 9 * BLOCK as u64 + 100, &[2; 6 * BLOCK]).unwrap();
        volume.resize(file, 3 * BLOCK as u64 + 1, 0).unwrap();
        volume.resize(file, 8 * BLOCK as u64, 0).unwrap();
    };
    die_everywhere(&base(), &[], change, |volume| {
        let directory = volume.lookup(in_root(volume, "d")).unwrap().node;
        let found = contents(volume, volume.lookup(at(directory, "f")).unwrap().node);
        assert!(!found.contains(&0x66));
        let cut = &found[3 * BLOCK + 1..found.len().min(8 * BLOCK)];
        let is_whole = cut.iter().all(|&byte| byte == 1);
        assert!(is_whole || cut.iter().all(|&byte| byte == 0));
    });
}

#[test]
fn loading_and_copying_from_the_archive() {
    let archive = loading::archive();
    let change = |volume: &mut Tree<'_, '_>| {
        volume.load().unwrap();
        let bin = volume.lookup(in_root(volume, "bin")).unwrap().node;
        let large = volume.lookup(at(bin, "large")).unwrap().node;
        write(volume, large, 0, &[0; 5]).unwrap();
    };
    die_everywhere(&vec![0; 24 * BLOCK], &archive, change, |volume| {
        let Ok(bin) = volume.lookup(in_root(volume, "bin")) else { return };
        let Ok(large) = volume.lookup(at(bin.node, "large")) else { return };
        let found = contents(volume, large.node);
        let bytes = (0..40_000u32).map(|byte| byte as u8);
        assert!(found.len() == 40_000 && found.iter().copied().skip(5).eq(bytes.skip(5)));
    });
}

/// Does what may happen once only, each with its ticket.
fn once_each<S: Store>(volume: &mut Volume<'_, S>) {
    const CLIENT: u64 = 7;
    let root = volume.root().node;
    let directory = volume.lookup(at(root, "d")).unwrap().node;
    let held = volume.lookup(at(directory, "f")).unwrap().node;
    let again = |volume: &Volume<'_, S>, node| volume.attributes(node);
    let made = volume.once(CLIENT, Ticket(1), again, |volume| volume.create(at(root, "x"), FILE));
    let done = |_: &Volume<'_, S>, _| Ok(());
    let hold = volume.once(CLIENT, Ticket(2), done, |volume| volume.hold(held));
    let node = made.unwrap().node;
    let link =
        volume.once(CLIENT, Ticket(3), done, |volume| volume.link(node, at(directory, "y"), 1));
    let rename = volume.once(CLIENT, Ticket(4), done, |volume| {
        volume.rename(at(root, "x"), at(root, "z"), Collision::Keep, 1)
    });
    let unlink =
        volume.once(CLIENT, Ticket(5), done, |volume| volume.unlink(at(directory, "y"), 1));
    assert_eq!([hold, link, rename, unlink], [Ok(()); 4]);
}

#[test]
fn repeating_with_the_same_ticket_does_everything_once_whenever_the_server_died() {
    let change = |volume: &mut Tree<'_, '_>| once_each(volume);
    die_everywhere(&base(), &[], change, |volume| {
        let mut next = Volume::open(volume.bytes().to_vec(), &[]).unwrap();
        once_each(&mut next);
        next.check().unwrap();
        let root = next.root().node;
        let directory = next.lookup(at(root, "d")).unwrap().node;
        let held = next.lookup(at(directory, "f")).unwrap().node;
        assert_eq!(next.lookup(at(root, "z")).unwrap().links, 1);
        assert_eq!(next.release_hold(held), Ok(()));
        assert_eq!(next.release_hold(held), Err(FileError::Invalid), "held once");
    });
}

#[test]
fn tickets_are_a_clients_own_and_good_for_the_whole_life_after() {
    let mut bytes = base();
    let done = |_: &Volume<'_, Vec<u8>>, _| Ok(());
    for round in 0..3 {
        let mut volume = Volume::open(bytes, &[]).unwrap();
        let held = volume.lookup(in_root(&volume, "d")).unwrap().node;
        // Round 1: another client, whose operation is done; round 2: the first one's again.
        let client = if round == 1 { 8 } else { 7 };
        volume.once(client, Ticket(1), done, |volume| volume.hold(held)).unwrap();
        bytes = volume.into_store();
    }
    let mut volume = Volume::open(bytes, &[]).unwrap();
    let held = volume.lookup(in_root(&volume, "d")).unwrap().node;
    assert_eq!(volume.release_hold(held), Ok(()));
    assert_eq!(volume.release_hold(held), Ok(()));
    assert_eq!(volume.release_hold(held), Err(FileError::Invalid), "held by two, once each");
    let records = crate::tickets::RECORDS;
    for ticket in 1..=2 * records {
        volume.once(9, Ticket(ticket), done, |volume| volume.hold(held)).unwrap();
    }
    // A slow client asks again after more than there is room for: it is done nevertheless.
    volume.once(7, Ticket(1), done, |volume| volume.hold(held)).unwrap();
    let held_times = |volume: &mut Volume<'_, Vec<u8>>| {
        (0..).take_while(|_| volume.release_hold(held) == Ok(())).count() as u64
    };
    assert_eq!(held_times(&mut volume), 2 * records);
    // The next life has the last ones only.
    let mut volume = Volume::open(volume.into_store(), &[]).unwrap();
    for (client, ticket) in [(7, 1), (9, records), (9, records + 1), (9, 2 * records)] {
        volume.once(client, Ticket(ticket), done, |volume| volume.hold(held)).unwrap();
    }
    assert_eq!(held_times(&mut volume), 2, "those that were overwritten are done anew");
}
