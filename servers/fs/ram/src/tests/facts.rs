//! What the file system does, fact by fact.

use alloc::vec::Vec;
use alloc::{format, vec};

use super::{DIRECTORY, FILE, at, contents, entries, in_root, volume, write};
use crate::inodes::New;
use crate::tree::{Change, Collision};
use crate::volume::{Unusable, Volume};
use crate::{BLOCK, FILE_MAX};
use protocols::file::{FileError, Node, mode, set};

#[test]
fn new_file_system_touches_three_pages() {
    let bytes = volume(1000).into_store();
    let touched = bytes.chunks(BLOCK).filter(|page| page.iter().any(|&byte| byte != 0));
    assert_eq!(touched.count(), 3);
}

#[test]
fn contents_survive_reopening() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "kept"), FILE).unwrap().node;
    write(&mut volume, file, 0, b"hello").unwrap();
    let volume = Volume::open(volume.into_store(), &[]).unwrap();
    let found = volume.lookup(in_root(&volume, "kept")).unwrap();
    assert_eq!((found.node, found.size, found.uid, found.gid), (file, 5, 1, 2));
    assert_eq!(contents(&volume, file), b"hello");
}

#[test]
fn foreign_regions_are_not_taken_up() {
    assert_eq!(Volume::open(vec![0; BLOCK], &[]).err(), Some(Unusable::TooSmall));
    let mut bytes = volume(64).into_store();
    bytes.resize(65 * BLOCK, 0);
    assert_eq!(Volume::open(bytes, &[]).err(), Some(Unusable::Foreign));
    assert_eq!(Volume::open(vec![1; 64 * BLOCK], &[]).err(), Some(Unusable::Foreign));
}

#[test]
fn names_are_checked() {
    let mut volume = volume(64);
    let long = "x".repeat(256);
    for name in ["", "a/b", "a\0b", &long] {
        let refused = volume.create(in_root(&volume, name), FILE);
        assert_eq!(refused, Err(FileError::InvalidName), "{name:?}");
        assert_eq!(volume.lookup(in_root(&volume, name)), Err(FileError::InvalidName));
    }
    volume.create(in_root(&volume, &long[..255]), FILE).unwrap();
    assert_eq!(volume.create(in_root(&volume, ".."), FILE), Err(FileError::Exists));
    assert_eq!(volume.unlink(in_root(&volume, "."), 0), Err(FileError::Invalid));
    volume.check().unwrap();
}

#[test]
fn dots_name_the_directory_and_its_parent() {
    let mut volume = volume(64);
    let root = volume.root().node;
    let inner = volume.create(in_root(&volume, "d"), DIRECTORY).unwrap().node;
    assert_eq!(volume.lookup(at(inner, ".")).unwrap().node, inner);
    assert_eq!(volume.lookup(at(inner, "..")).unwrap().node, root);
    assert_eq!(volume.lookup(at(root, "..")).unwrap().node, root);
    assert_eq!(volume.root().links, 3);
}

#[test]
fn stale_and_made_up_nodes_are_refused() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    volume.unlink(in_root(&volume, "f"), 0).unwrap();
    let next = volume.create(in_root(&volume, "g"), FILE).unwrap().node;
    assert_eq!(file.0 as u32, next.0 as u32, "the inode is used again");
    for node in [file, Node(0), Node(u64::MAX), Node(1), Node(next.0 + 1)] {
        assert_eq!(volume.attributes(node), Err(FileError::Stale), "{node:?}");
        assert_eq!(volume.piece(node, 0, 1).err(), Some(FileError::Stale));
    }
}

#[test]
fn holes_read_as_zeros_and_need_no_blocks() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "sparse"), FILE).unwrap().node;
    let (_, free) = volume.block_counts();
    write(&mut volume, file, 100_000, b"x").unwrap();
    assert_eq!(volume.block_counts().1, free - 2, "one block and one of pointers");
    let mut expected = vec![0; 100_001];
    expected[100_000] = b'x';
    assert_eq!(contents(&volume, file), expected);
}

#[test]
fn files_reach_through_double_indirection_to_the_limit() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "large"), FILE).unwrap().node;
    assert_eq!(write(&mut volume, file, FILE_MAX - 3, b"abcdef"), Ok(3));
    assert_eq!(write(&mut volume, file, FILE_MAX, b"a"), Err(FileError::TooLarge));
    assert_eq!(write(&mut volume, file, u64::MAX, b"a"), Err(FileError::TooLarge));
    assert_eq!(volume.resize(file, FILE_MAX + 1, 0), Err(FileError::TooLarge));
    assert_eq!(volume.attributes(file).unwrap().size, FILE_MAX);
    volume.check().unwrap();
    volume.unlink(in_root(&volume, "large"), 0).unwrap();
    let (total, free) = volume.block_counts();
    assert_eq!(total - free, 1, "the root's");
    volume.check().unwrap();
}

#[test]
fn shrinking_and_growing_zeroes_what_was_cut() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    write(&mut volume, file, 0, &[1; 50_000]).unwrap();
    volume.resize(file, 10, 0).unwrap();
    volume.check().unwrap();
    volume.resize(file, 6_000, 0).unwrap();
    let mut expected = vec![1; 10];
    expected.resize(6_000, 0);
    assert_eq!(contents(&volume, file), expected);
}

#[test]
fn used_blocks_show_nothing_of_their_last_owner() {
    let mut volume = volume(64);
    let secret = volume.create(in_root(&volume, "secret"), FILE).unwrap().node;
    write(&mut volume, secret, 0, &[0x55; 100_000]).unwrap();
    volume.unlink(in_root(&volume, "secret"), 0).unwrap();
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    write(&mut volume, file, 5_000, b"abc").unwrap();
    write(&mut volume, file, 60_000, b"abc").unwrap();
    assert!(!contents(&volume, file).contains(&0x55));
    volume.check().unwrap();
}

#[test]
fn full_file_system_refuses_and_recovers() {
    let mut volume = volume(16);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    let written = write(&mut volume, file, 0, &[1; 20 * BLOCK]).unwrap();
    assert!(written > 0 && written < 20 * BLOCK as u64);
    assert_eq!(write(&mut volume, file, written, b"x"), Err(FileError::NoSpace));
    volume.check().unwrap();
    volume.resize(file, 0, 0).unwrap();
    assert_eq!(write(&mut volume, file, 0, b"x"), Ok(1));
    volume.check().unwrap();
}

#[test]
fn inodes_run_out_and_come_back() {
    let mut volume = volume(64);
    let mut count = 0;
    while volume.create(in_root(&volume, &format!("{count}")), FILE).is_ok() {
        count += 1;
    }
    assert_eq!(count, 30);
    assert_eq!(volume.inode_counts(), (31, 0));
    volume.unlink(in_root(&volume, "7"), 0).unwrap();
    volume.create(in_root(&volume, "again"), FILE).unwrap();
    volume.check().unwrap();
}

#[test]
fn held_file_outlives_its_name() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    volume.hold(file).unwrap();
    volume.unlink(in_root(&volume, "f"), 0).unwrap();
    write(&mut volume, file, 0, b"still here").unwrap();
    assert_eq!(contents(&volume, file), b"still here");
    volume.check().unwrap();
    volume.release_hold(file).unwrap();
    assert_eq!(volume.attributes(file), Err(FileError::Stale));
    assert_eq!(volume.release_hold(volume.root().node), Err(FileError::Invalid));
    volume.check().unwrap();
}

#[test]
fn nothing_is_created_in_a_removed_directory() {
    let mut volume = volume(64);
    let directory = volume.create(in_root(&volume, "d"), DIRECTORY).unwrap().node;
    volume.hold(directory).unwrap();
    volume.remove_directory(in_root(&volume, "d"), 0).unwrap();
    assert_eq!(volume.create(at(directory, "f"), FILE), Err(FileError::NotFound));
    assert_eq!(volume.lookup(at(directory, "..")).unwrap().node, directory);
    volume.release_hold(directory).unwrap();
    volume.check().unwrap();
}

#[test]
fn hard_links_share_and_count() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "a"), FILE).unwrap().node;
    let directory = volume.create(in_root(&volume, "d"), DIRECTORY).unwrap().node;
    volume.link(file, at(directory, "b"), 9).unwrap();
    assert_eq!(volume.attributes(file).unwrap().links, 2);
    assert_eq!(volume.link(file, in_root(&volume, "a"), 0), Err(FileError::Exists));
    assert_eq!(volume.link(directory, in_root(&volume, "x"), 0), Err(FileError::IsDirectory));
    volume.unlink(in_root(&volume, "a"), 0).unwrap();
    assert_eq!(volume.lookup(at(directory, "b")).unwrap().node, file);
    volume.check().unwrap();
}

#[test]
fn rename_replaces_what_fits_only() {
    let mut volume = volume(64);
    let root = volume.root().node;
    let file = volume.create(at(root, "file"), FILE).unwrap().node;
    let other = volume.create(at(root, "other"), FILE).unwrap().node;
    let empty = volume.create(at(root, "empty"), DIRECTORY).unwrap().node;
    let full = volume.create(at(root, "full"), DIRECTORY).unwrap().node;
    volume.create(at(full, "x"), FILE).unwrap();
    let mut rename = |from, to, collision| {
        let result = volume.rename(at(root, from), at(root, to), collision, 1);
        volume.check().unwrap();
        result
    };
    let replace = Collision::Replace;
    assert_eq!(rename("file", "other", Collision::Keep), Err(FileError::Exists));
    assert_eq!(rename("file", "empty", replace), Err(FileError::IsDirectory));
    assert_eq!(rename("empty", "file", replace), Err(FileError::NotDirectory));
    assert_eq!(rename("empty", "full", replace), Err(FileError::NotEmpty));
    assert_eq!(rename("none", "file", replace), Err(FileError::NotFound));
    assert_eq!(rename("file", "file", replace), Ok(()));
    assert_eq!(rename("file", "other", replace), Ok(()));
    assert_eq!(rename("full", "empty", replace), Ok(()));
    assert_eq!(volume.attributes(other), Err(FileError::Stale));
    assert_eq!(volume.attributes(empty), Err(FileError::Stale));
    assert_eq!(volume.lookup(at(root, "other")).unwrap().node, file);
    assert_eq!(volume.lookup(at(root, "empty")).unwrap().node, full);
    assert_eq!(volume.root().links, 3);
}

#[test]
fn directory_does_not_become_its_own_ancestor() {
    let mut volume = volume(64);
    let root = volume.root().node;
    let outer = volume.create(at(root, "a"), DIRECTORY).unwrap().node;
    let inner = volume.create(at(outer, "b"), DIRECTORY).unwrap().node;
    let mut rename = |from, to| volume.rename(from, to, Collision::Replace, 1);
    assert_eq!(rename(at(root, "a"), at(inner, "c")), Err(FileError::Invalid));
    assert_eq!(rename(at(root, "a"), at(outer, "c")), Err(FileError::Invalid));
    assert_eq!(rename(at(outer, "b"), at(root, "b")), Ok(()));
    assert_eq!(rename(at(root, "a"), at(inner, "c")), Ok(()));
    assert_eq!(volume.lookup(at(outer, "..")).unwrap().node, inner);
    volume.check().unwrap();
}

#[test]
fn symbolic_links_keep_short_and_long_targets() {
    let mut volume = volume(64);
    let root = volume.root().node;
    for (name, len) in [("inline", 72), ("block", 73), ("longest", 4095)] {
        let target = vec![b't'; len];
        let link = volume.symlink(at(root, name), &target, FILE).unwrap();
        assert_eq!(link.mode, mode::SYMLINK | 0o777);
        assert_eq!(volume.read_link(link.node), Ok(&target[..]));
        assert_eq!(volume.piece(link.node, 0, 1), Err(FileError::Invalid));
        volume.check().unwrap();
        volume.unlink(at(root, name), 0).unwrap();
        volume.check().unwrap();
    }
    assert_eq!(volume.symlink(at(root, "l"), b"", FILE), Err(FileError::Invalid));
    assert_eq!(volume.symlink(at(root, "l"), &[b'x'; 4096], FILE), Err(FileError::Invalid));
    assert_eq!(volume.read_link(root), Err(FileError::Invalid));
}

#[test]
fn device_nodes_keep_their_number() {
    let mut volume = volume(64);
    let new = New { mode: mode::CHARACTER | 0o666, device: 0x103, ..FILE };
    let device = volume.create(in_root(&volume, "null"), new).unwrap();
    assert_eq!((device.size, device.mode), (0x103, mode::CHARACTER | 0o666));
    assert_eq!(write(&mut volume, device.node, 0, b"x"), Err(FileError::Invalid));
    let link = New { mode: mode::SYMLINK, ..FILE };
    assert_eq!(volume.create(in_root(&volume, "l"), link), Err(FileError::Invalid));
    volume.check().unwrap();
}

#[test]
fn only_chosen_attributes_change() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap();
    let change = Change { which: set::MODE | set::GID, mode: !0, uid: 9, gid: 9, modified: 9 };
    let changed = volume.set_attributes(file.node, change, 100).unwrap();
    assert_eq!((changed.mode, changed.uid, changed.gid), (mode::FILE | 0o7777, 1, 9));
    assert_eq!((changed.modified, changed.changed), (5, 100));
}

#[test]
fn listing_goes_on_after_any_cookie() {
    let mut volume = volume(64);
    let root = volume.root().node;
    for number in 0..20 {
        volume.create(at(root, &format!("file-{number}")), FILE).unwrap();
    }
    let all = entries(&volume, root, 0, 10_000);
    assert_eq!(all.len(), 22);
    let mut cookie = 0;
    let mut stepwise = Vec::new();
    loop {
        let some = entries(&volume, root, cookie, 70);
        let Some(last) = some.last() else { break };
        cookie = last.0;
        stepwise.extend(some);
    }
    assert_eq!(stepwise, all);
    assert_eq!(volume.list(root, 0, &mut [0; 20]), Err(FileError::Invalid));
}

#[test]
fn deleting_what_was_listed_hides_nothing() {
    let mut volume = volume(2048);
    let directory = volume.create(in_root(&volume, "d"), DIRECTORY).unwrap().node;
    for number in 0..500 {
        volume.create(at(directory, &format!("file-{number}")), FILE).unwrap();
    }
    let (mut cookie, mut removed) = (2, 0);
    while let Some((next, name)) = entries(&volume, directory, cookie, 56).first().cloned() {
        volume.unlink(at(directory, str::from_utf8(&name).unwrap()), 0).unwrap();
        cookie = next;
        removed += 1;
    }
    assert_eq!(removed, 500);
    volume.remove_directory(in_root(&volume, "d"), 0).unwrap();
    volume.check().unwrap();
}

#[test]
fn failed_write_leaves_no_trace() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    write(&mut volume, file, 0, b"begin").unwrap();
    let (_, free) = volume.block_counts();
    let failed = volume.write(file, 5, 100_000, 0, |_, window| {
        window.fill(0x77);
        Err(FileError::Invalid)
    });
    assert_eq!(failed, Err(FileError::Invalid));
    assert_eq!(volume.block_counts().1, free);
    volume.resize(file, 9_000, 0).unwrap();
    assert!(!contents(&volume, file).contains(&0x77));
    volume.check().unwrap();
}

#[test]
fn write_that_fails_midway_says_how_far_it_came() {
    let mut volume = volume(64);
    let file = volume.create(in_root(&volume, "f"), FILE).unwrap().node;
    let written = volume.write(file, 0, 200_000, 0, |done, window| {
        window.fill(1);
        if done < 70_000 { Ok(()) } else { Err(FileError::Invalid) }
    });
    let size = volume.attributes(file).unwrap().size;
    assert_eq!(written, Ok(size));
    assert!((70_000..200_000).contains(&size));
    volume.check().unwrap();
}
