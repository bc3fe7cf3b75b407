//! Tests of the file system without a server: facts, deaths, and a model.

mod crash;
mod facts;
mod loading;
mod model;
mod published;
mod service;

use alloc::vec;
use alloc::vec::Vec;

use crate::inodes::New;
use crate::store::Store;
use crate::tree::Place;
use crate::volume::Volume;
use crate::{BLOCK, Piece};
use protocols::file::{FileError, LIST_HEADER, Node, mode};

pub(super) const FILE: New = New { mode: mode::FILE | 0o644, uid: 1, gid: 2, device: 0, now: 5 };
pub(super) const DIRECTORY: New = New { mode: mode::DIRECTORY | 0o755, ..FILE };

pub(super) fn volume(blocks: usize) -> Volume<'static, Vec<u8>> {
    Volume::open(vec![0; blocks * BLOCK], &[]).unwrap()
}

pub(super) fn at(directory: Node, name: &str) -> Place<'_> {
    Place { directory, name: name.as_bytes() }
}

pub(super) fn in_root<'n, S: Store>(volume: &Volume<'_, S>, name: &'n str) -> Place<'n> {
    Place { directory: volume.root().node, name: name.as_bytes() }
}

pub(super) fn write<S: Store>(
    volume: &mut Volume<'_, S>,
    node: Node,
    offset: u64,
    bytes: &[u8],
) -> Result<u64, FileError> {
    volume.write(node, offset, bytes.len() as u64, 7, |done, window| {
        window.copy_from_slice(&bytes[done as usize..][..window.len()]);
        Ok(())
    })
}

pub(super) fn contents<S: Store>(volume: &Volume<'_, S>, node: Node) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        match volume.piece(node, all.len() as u64, usize::MAX).unwrap() {
            Piece::Bytes(&[]) => return all,
            Piece::Bytes(bytes) => all.extend_from_slice(bytes),
            Piece::Zeros(len) => all.resize(all.len() + len, 0),
        }
    }
}

/// Returns cookie and name of each entry that a listing into `space` bytes holds.
pub(super) fn entries<S: Store>(
    volume: &Volume<'_, S>,
    directory: Node,
    cookie: u64,
    space: usize,
) -> Vec<(u64, Vec<u8>)> {
    let mut buffer = vec![0xaa; space];
    let len = volume.list(directory, cookie, &mut buffer).unwrap();
    let mut rest = &buffer[..len];
    let mut all = Vec::new();
    while !rest.is_empty() {
        let name_len = u16::from_le_bytes([rest[20], rest[21]]) as usize;
        let record_len = u16::from_le_bytes([rest[22], rest[23]]) as usize;
        let cookie = crate::store::word(rest, 8);
        all.push((cookie, rest[LIST_HEADER..][..name_len].to_vec()));
        rest = &rest[record_len..];
    }
    all
}
