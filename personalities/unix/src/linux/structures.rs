//! Structures that system calls fill in.

use alloc::vec::Vec;

use crate::process::RunTime;
use protocols::file::{Attributes, Statistics, mode};

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// Writes little-endian fields one after the other.
#[derive(Default, Debug)]
pub struct Fields(pub Vec<u8>);

impl Fields {
    /// Returns no fields yet, with room for so many bytes.
    pub fn with_room(len: usize) -> Self {
        Fields(Vec::with_capacity(len))
    }

    /// Adds 64 bits.
    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds 32 bits.
    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds 16 bits.
    pub fn u16(mut self, value: u16) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a time as seconds and nanoseconds, 64 bits each (`struct timespec`).
    pub fn time(self, ns: u64) -> Self {
        self.u64(ns / SECOND).u64(ns % SECOND)
    }

    /// Adds a time as seconds and microseconds, 64 bits each (`struct timeval`).
    pub fn time_us(self, ns: u64) -> Self {
        self.u64(ns / SECOND).u64(ns % SECOND / 1000)
    }

    /// Adds zeros up to a length.
    pub fn zeros_to(mut self, len: usize) -> Self {
        self.0.resize(len, 0);
        self
    }
}

/// Returns a `struct rusage`, of which times are told.
pub fn usage(time: RunTime) -> Vec<u8> {
    const USAGE: usize = 144;
    Fields::default().time_us(time.user).time_us(time.system).zeros_to(USAGE).0
}

/// Returns a device number from major and minor (`new_encode_dev`, linux/kdev_t.h).
pub const fn device(major: u32, minor: u32) -> u32 {
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

/// Returns major and minor of a device number.
pub const fn major_minor(device: u32) -> (u32, u32) {
    ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00))
}

/// Returns whether nodes of these attributes are devices, whose size is the device number.
pub fn is_device(attributes: &Attributes) -> bool {
    let kind = attributes.mode & mode::TYPE;
    kind == mode::CHARACTER || kind == BLOCK
}

/// Type bits of block devices, which no file server here makes (POSIX sys/stat.h).
const BLOCK: u32 = 0o060_000;

fn size_and_device(attributes: &Attributes) -> (u64, u64) {
    if is_device(attributes) { (0, attributes.size) } else { (attributes.size, 0) }
}

/// Returns `struct stat` (asm/stat.h, 144 bytes) of a node on device `dev` that was last read at
/// `accessed`, ns since 1970.
pub fn stat(attributes: &Attributes, accessed: u64, dev: u64) -> [u8; 144] {
    let Attributes { node, mode, uid, gid, links, modified, changed, .. } = *attributes;
    let (size, device) = size_and_device(attributes);
    let [accessed, modified, changed] =
        [accessed, modified, changed].map(|ns| (ns / SECOND, ns % SECOND));
    let words = [
        dev,
        node.0 & 0xffff_ffff,
        links.into(),
        u64::from(mode) | u64::from(uid) << 32,
        gid.into(),
        device,
        size,
        4096,
        size.div_ceil(512),
        accessed.0,
        accessed.1,
        modified.0,
        modified.1,
        changed.0,
        changed.1,
    ];
    // Not by way of the heap, as this is what programs ask for most often.
    let mut bytes = [0; 144];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// Returns `struct statx` (linux/stat.h, 256 bytes) of a node on device `dev` that was last read
/// at `accessed`, ns since 1970. Whatever the mask asks for, all is given that there is.
pub fn statx(attributes: &Attributes, accessed: u64, dev: u64) -> Vec<u8> {
    /// `STATX_BASIC_STATS`: everything but the birth time.
    const BASIC: u32 = 0x7ff;
    let Attributes { node, mode, uid, gid, links, modified, changed, .. } = *attributes;
    let (size, device) = size_and_device(attributes);
    let (major, minor) = major_minor(device as u32);
    let times = |fields: Fields, ns: u64| fields.u64(ns / SECOND).u64(ns % SECOND);
    let fields = Fields::with_room(256)
        .u32(BASIC)
        .u32(4096)
        .u64(0)
        .u32(links)
        .u32(uid)
        .u32(gid)
        .u16(mode as u16)
        .u16(0)
        .u64(node.0 & 0xffff_ffff)
        .u64(size)
        .u64(size.div_ceil(512))
        .u64(0);
    let fields = times(times(times(times(fields, accessed), 0), changed), modified);
    fields.u32(major).u32(minor).u32(0).u32(dev as u32).zeros_to(256).0
}

/// `TMPFS_MAGIC` (linux/magic.h).
pub const TMPFS: u64 = 0x0102_1994;
/// `DEVPTS_SUPER_MAGIC` (linux/magic.h).
pub const DEVPTS: u64 = 0x1cd1;
/// `PROC_SUPER_MAGIC` (linux/magic.h).
pub const PROC: u64 = 0x9fa0;

/// Returns `struct statfs` (asm-generic/statfs.h, 120 bytes) of a file system of a kind.
pub fn statfs(kind: u64, statistics: &Statistics) -> Vec<u8> {
    let Statistics { blocks, free_blocks, inodes, free_inodes } = *statistics;
    Fields::default()
        .u64(kind)
        .u64(4096)
        .u64(blocks)
        .u64(free_blocks)
        .u64(free_blocks)
        .u64(inodes)
        .u64(free_inodes)
        .u64(0)
        .u64(255)
        .u64(4096)
        .zeros_to(120)
        .0
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocols::file::Node;

    #[test]
    fn device_numbers_survive_encoding() {
        for pair in [(1, 3), (5, 0), (136, 1023), (259, 70_000)] {
            assert_eq!(major_minor(device(pair.0, pair.1)), pair);
        }
    }

    #[test]
    fn structures_have_linux_sizes_and_offsets() {
        let attributes = Attributes {
            node: Node(7 | 3 << 32),
            mode: 0o100_644,
            uid: 1,
            gid: 2,
            links: 3,
            size: 1000,
            modified: 5 * SECOND + 6,
            changed: 0,
        };
        let stat = stat(&attributes, 4 * SECOND, 9);
        assert_eq!(stat.len(), 144);
        assert_eq!((stat[8], stat[16], stat[48]), (7, 3, 0xe8));
        assert_eq!((stat[72], stat[88], stat[96]), (4, 5, 6));
        let statx = statx(&attributes, 4 * SECOND, 9);
        assert_eq!(statx.len(), 256);
        assert_eq!((statx[40], statx[64], statx[112]), (0xe8, 4, 5));
    }
}
