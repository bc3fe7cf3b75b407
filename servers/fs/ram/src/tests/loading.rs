//! The boot archive as a tree.

use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::cpio;

use super::{at, contents, in_root, volume, write};
use crate::load::LoadError;
use crate::volume::Volume;
use crate::{BLOCK, Piece};
use protocols::file::{FileError, mode};

pub(super) fn archive() -> Vec<u8> {
    let mut writer = cpio::Writer::new();
    let large: Vec<u8> = (0..40_000u32).map(|byte| byte as u8).collect();
    writer.append(&cpio::Entry::new(b"bin", 0o040755, b"")).unwrap();
    writer.append(&cpio::Entry::new(b"bin/large", 0o100755, &large)).unwrap();
    writer.append(&cpio::Entry::new(b"bin/link", 0o120777, b"large")).unwrap();
    writer.append(&cpio::Entry::new(b"etc/deep/file", 0o100644, b"text")).unwrap();
    let null = cpio::Device { major: 1, minor: 3 };
    let entry = cpio::Entry { device: null, ..cpio::Entry::new(b"dev/null", 0o020666, b"") };
    writer.append(&entry).unwrap();
    writer.finish()
}

fn loaded(archive: &[u8]) -> Volume<'_, Vec<u8>> {
    let mut volume = Volume::open(vec![0; 64 * BLOCK], archive).unwrap();
    assert_eq!(volume.load(), Ok(5));
    volume
}

#[test]
fn archive_becomes_a_tree_without_copying() {
    let archive = archive();
    let volume = loaded(&archive);
    volume.check().unwrap();
    let bin = volume.lookup(in_root(&volume, "bin")).unwrap();
    assert_eq!(bin.mode, mode::DIRECTORY | 0o755);
    let large = volume.lookup(at(bin.node, "large")).unwrap();
    assert_eq!(large.size, 40_000);
    let Ok(Piece::Bytes(piece)) = volume.piece(large.node, 0, 50_000) else { panic!() };
    assert!(archive.as_ptr_range().contains(&piece.as_ptr()) && piece.len() == 40_000);
    let link = volume.lookup(at(bin.node, "link")).unwrap();
    assert_eq!(volume.read_link(link.node), Ok(&b"large"[..]));
    let dev = volume.lookup(in_root(&volume, "dev")).unwrap().node;
    assert_eq!(volume.lookup(at(dev, "null")).unwrap().size, 0x103);
    let (total, free) = volume.block_counts();
    assert_eq!(total - free, 5, "one for each directory");
}

#[test]
fn archived_file_is_copied_when_written() {
    let archive = archive();
    let mut volume = loaded(&archive);
    let bin = volume.lookup(in_root(&volume, "bin")).unwrap().node;
    let large = volume.lookup(at(bin, "large")).unwrap().node;
    let mut expected = contents(&volume, large);
    write(&mut volume, large, 39_999, b"end").unwrap();
    expected.truncate(39_999);
    expected.extend(b"end");
    assert_eq!(contents(&volume, large), expected);
    volume.resize(large, 5_000, 0).unwrap();
    assert_eq!(contents(&volume, large), expected[..5_000]);
    volume.check().unwrap();
}

#[test]
fn archived_file_is_cut_without_copying_the_rest() {
    let archive = archive();
    let mut volume = loaded(&archive);
    let bin = volume.lookup(in_root(&volume, "bin")).unwrap().node;
    let large = volume.lookup(at(bin, "large")).unwrap().node;
    let (_, free) = volume.block_counts();
    volume.resize(large, 100, 0).unwrap();
    assert_eq!(volume.block_counts().1, free - 1);
    volume.resize(large, 0, 0).unwrap();
    assert_eq!(volume.block_counts().1, free);
    volume.unlink(at(bin, "large"), 0).unwrap();
    volume.check().unwrap();
}

#[test]
fn failed_copy_leaves_the_archived_file_whole() {
    let archive = archive();
    let mut volume = Volume::open(vec![0; 16 * BLOCK], &archive).unwrap();
    volume.load().unwrap();
    let bin = volume.lookup(in_root(&volume, "bin")).unwrap().node;
    let large = volume.lookup(at(bin, "large")).unwrap().node;
    let before = contents(&volume, large);
    assert_eq!(write(&mut volume, large, 0, b"x"), Err(FileError::NoSpace));
    assert_eq!(contents(&volume, large), before);
    volume.check().unwrap();
    volume.resize(large, 10, 0).unwrap();
    volume.check().unwrap();
    assert_eq!(contents(&volume, large), before[..10]);
}

#[test]
fn second_life_does_not_load_again() {
    let archive = archive();
    let mut volume = loaded(&archive);
    let bin = volume.lookup(in_root(&volume, "bin")).unwrap().node;
    volume.unlink(at(bin, "large"), 0).unwrap();
    let mut volume = Volume::open(volume.into_store(), &archive).unwrap();
    assert_eq!(volume.load(), Ok(0));
    assert_eq!(volume.lookup(at(bin, "large")), Err(FileError::NotFound));
}

#[test]
fn malformed_archive_is_an_error() {
    let mut volume = Volume::open(vec![0; 64 * BLOCK], b"070701oops").unwrap();
    assert!(matches!(volume.load(), Err(LoadError::Malformed(_))));
    volume.check().unwrap();
}

#[test]
fn vanished_archive_shortens_files_without_panic() {
    let archive = archive();
    let region = loaded(&archive).into_store();
    let volume = Volume::open(region, &archive[..2_000]).unwrap();
    let bin = volume.lookup(in_root(&volume, "bin")).unwrap().node;
    let large = volume.lookup(at(bin, "large")).unwrap().node;
    assert!(contents(&volume, large).len() < 2_000);
}

#[test]
fn empty_file_system_needs_no_archive() {
    let mut volume = volume(64);
    assert_eq!(volume.load(), Err(LoadError::Malformed(cpio::Malformed::Truncated)));
}
