//! Files without a name, exchanged names, times of reading, and what clients read themselves.

use alloc::vec::Vec;

use super::{DIRECTORY, FILE, at, in_root, volume, write};
use crate::BLOCK;
use crate::inodes::Inode;
use crate::tree::Collision;
use crate::volume::Volume;
use protocols::file::{FileError, mode, place};

#[test]
fn an_unnamed_file_is_gone_with_its_hold_or_gets_a_name() {
    let mut volume = volume(256);
    let root = volume.root().node;
    let gone = volume.create_unnamed(FILE).unwrap();
    assert_eq!((gone.links, gone.mode & mode::TYPE), (0, mode::FILE));
    write(&mut volume, gone.node, 0, b"text").unwrap();
    volume.release_hold(gone.node).unwrap();
    assert_eq!(volume.attributes(gone.node), Err(FileError::Stale));
    let kept = volume.create_unnamed(FILE).unwrap().node;
    volume.link(kept, at(root, "named"), 5).unwrap();
    volume.release_hold(kept).unwrap();
    assert_eq!(volume.lookup(at(root, "named")).map(|found| found.links), Ok(1));
    volume.check().unwrap();
}

#[test]
fn names_are_exchanged_whatever_they_name() {
    let mut volume = volume(256);
    let root = volume.root().node;
    let outer = volume.create(at(root, "outer"), DIRECTORY).unwrap().node;
    let inner = volume.create(at(outer, "inner"), DIRECTORY).unwrap().node;
    let file = volume.create(at(root, "file"), FILE).unwrap().node;
    let mut exchange = |from, to| volume.rename(from, to, Collision::Exchange, 1);
    assert_eq!(exchange(at(root, "file"), at(outer, "inner")), Ok(()));
    assert_eq!(exchange(at(root, "file"), at(root, "absent")), Err(FileError::NotFound));
    assert_eq!(exchange(at(root, "outer"), at(outer, "inner")), Err(FileError::Invalid));
    assert_eq!(volume.lookup(at(root, "file")).unwrap().node, inner);
    assert_eq!(volume.lookup(at(outer, "inner")).unwrap().node, file);
    assert_eq!(volume.lookup(at(inner, "..")).unwrap().node, root);
    volume.check().unwrap();
    let same = volume.rename(at(root, "file"), at(root, "file"), Collision::Exchange, 1);
    assert_eq!((same, volume.check()), (Ok(()), Ok(())));
}

#[test]
fn the_first_reading_after_a_change_counts_and_one_a_day() {
    const DAY: u64 = 86_400_000_000_000;
    let mut volume = volume(256);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    volume.write(file, 0, 1, 100, |_, _| Ok(())).unwrap();
    for (now, accessed) in [(150, 150), (200, 150), (DAY, 150), (DAY + 150, DAY + 150)] {
        volume.touch_accessed(file, now).unwrap();
        assert_eq!(volume.accessed(file), Ok(accessed));
    }
    volume.set_accessed(file, 7, 300).unwrap();
    assert_eq!(volume.accessed(file), Ok(7));
}

#[test]
fn changes_make_another_generation_and_holds_do_not() {
    let mut volume = volume(64);
    let root = volume.root().node;
    let file = volume.create(at(root, "f"), FILE).unwrap().node;
    let mut last = (volume.generation(root), volume.generation(file));
    let mut changed = |volume: &Volume<'_, Vec<u8>>| {
        let now = (volume.generation(root), volume.generation(file));
        let changed = (now.0 != last.0, now.1 != last.1);
        assert_eq!((now.0 % 2, now.1 % 2), (0, 0));
        last = now;
        changed
    };
    write(&mut volume, file, 0, b"text").unwrap();
    assert_eq!(changed(&volume), (false, true));
    volume.hold(file).unwrap();
    assert_eq!(changed(&volume), (false, false));
    volume.create(at(root, "g"), FILE).unwrap();
    assert_eq!(changed(&volume), (true, false));
    volume.unlink(at(root, "f"), 1).unwrap();
    assert_eq!(changed(&volume), (true, true));
    assert_eq!(volume.unlink(at(root, "f"), 1), Err(FileError::NotFound));
    assert_eq!(changed(&volume), (false, false));
    volume.release_hold(file).unwrap();
    assert_eq!(changed(&volume), (false, true));
}

#[test]
fn a_change_that_a_death_cuts_short_is_odd_until_the_next_life() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    let before = volume.generation(file);
    volume.begin_change(Inode(file.0 as u32));
    assert_eq!(volume.generation(file), before + 1);
    let volume = Volume::open(volume.into_store(), &[]).unwrap();
    assert_eq!(volume.generation(file), before + 2);
}

#[test]
fn extents_say_where_the_bytes_lie() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    write(&mut volume, file, 2 * BLOCK as u64, &[7; 2 * BLOCK]).unwrap();
    let hole = volume.extent(file, 5).unwrap();
    assert_eq!((hole.place, hole.len), (place::HOLE, 2 * BLOCK as u64 - 5));
    let bytes = volume.extent(file, 2 * BLOCK as u64 + 1).unwrap();
    assert_eq!((bytes.place, bytes.len), (place::REGION, 2 * BLOCK as u64 - 1));
    let region = &volume.bytes()[bytes.at as usize..][..bytes.len as usize];
    assert!(region.iter().all(|&byte| byte == 7));
    assert_eq!(volume.extent(file, 4 * BLOCK as u64).unwrap().len, 0);
    assert_eq!(volume.extent(volume.root().node, 0), Err(FileError::IsDirectory));
}
