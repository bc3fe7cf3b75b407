//! The fixed parts of `/proc` and `/sys`: what of the system programs look at (proc(5), sysfs(5)).
//!
//! What is not here is absent (ENOENT), as in a Linux that was built without it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use protocols::file::mode;

use crate::calls::identity::MAX_GROUPS;
use crate::calls::system::VERSION;
use crate::calls::{RELEASE, SYSTEM};
use crate::credentials::LAST;
use crate::memory::MAX_REGIONS;
use crate::open::MAX_DESCRIPTORS;
use crate::pipe::CAPACITY;
use crate::proc::Entry;
use crate::process::{MAX_THREADS, Pid};
use crate::unix::Unix;

/// What a node of the fixed tree is.
#[derive(Clone, Copy, Debug)]
pub enum Node {
    /// A directory.
    Folder,
    /// A file with what this returns.
    Text(fn(&mut Unix) -> String),
}

use Node::{Folder, Text};

/// All nodes by their paths; a directory comes before what is in it.
pub static NODES: &[(&str, Node)] = &[
    ("proc/sys", Folder),
    ("proc/sys/fs", Folder),
    ("proc/sys/fs/file-max", Text(|_| (MAX_DESCRIPTORS * MAX_THREADS).to_string())),
    ("proc/sys/fs/nr_open", Text(|_| MAX_DESCRIPTORS.to_string())),
    ("proc/sys/fs/pipe-max-size", Text(|_| CAPACITY.to_string())),
    ("proc/sys/kernel", Folder),
    ("proc/sys/kernel/cap_last_cap", Text(|_| LAST.to_string())),
    ("proc/sys/kernel/domainname", Text(|unix| name(unix.domain_name.as_deref(), "(none)"))),
    ("proc/sys/kernel/hostname", Text(|unix| name(unix.host_name.as_deref(), "kamen"))),
    ("proc/sys/kernel/ngroups_max", Text(|_| MAX_GROUPS.to_string())),
    ("proc/sys/kernel/osrelease", Text(|_| RELEASE.to_string())),
    ("proc/sys/kernel/ostype", Text(|_| SYSTEM.to_string())),
    ("proc/sys/kernel/overflowgid", Text(|_| "65534".to_string())),
    ("proc/sys/kernel/overflowuid", Text(|_| "65534".to_string())),
    ("proc/sys/kernel/pid_max", Text(|_| (Pid::MAX + 1).to_string())),
    ("proc/sys/kernel/random", Folder),
    ("proc/sys/kernel/random/boot_id", Text(boot_id)),
    ("proc/sys/kernel/random/entropy_avail", Text(|_| "256".to_string())),
    ("proc/sys/kernel/random/poolsize", Text(|_| "256".to_string())),
    ("proc/sys/kernel/random/uuid", Text(random_id)),
    ("proc/sys/kernel/threads-max", Text(|_| MAX_THREADS.to_string())),
    ("proc/sys/kernel/version", Text(|_| VERSION.to_string())),
    ("proc/sys/net", Folder),
    ("proc/sys/net/core", Folder),
    ("proc/sys/net/core/somaxconn", Text(|_| "4096".to_string())),
    ("proc/sys/vm", Folder),
    ("proc/sys/vm/max_map_count", Text(|_| MAX_REGIONS.to_string())),
    ("proc/sys/vm/mmap_min_addr", Text(|_| "65536".to_string())),
    ("proc/sys/vm/overcommit_memory", Text(|_| "0".to_string())),
    ("sys", Folder),
    ("sys/devices", Folder),
    ("sys/devices/system", Folder),
    ("sys/devices/system/cpu", Folder),
    ("sys/devices/system/cpu/online", Text(|_| "0".to_string())),
    ("sys/devices/system/cpu/possible", Text(|_| "0".to_string())),
    ("sys/devices/system/cpu/present", Text(|_| "0".to_string())),
    ("sys/fs", Folder),
    ("sys/kernel", Folder),
];

/// Returns type and permission bits of a node.
pub fn mode(place: u16) -> u32 {
    match NODES.get(usize::from(place)) {
        Some((_, Folder)) => mode::DIRECTORY | 0o555,
        _ => mode::FILE | 0o444,
    }
}

/// Returns what a file says; nothing for directories.
pub fn text(unix: &mut Unix, place: u16) -> Option<Vec<u8>> {
    match NODES.get(usize::from(place))?.1 {
        Folder => None,
        Text(write) => Some((write(unix) + "\n").into_bytes()),
    }
}

/// Returns the node of a path without its leading slash.
pub fn find(path: &str) -> Option<Entry> {
    let place = NODES.iter().position(|(one, _)| *one == path)?;
    Some(Entry::Fixed(place as u16))
}

/// Returns the node of a name in a directory, `None` being `/proc`.
pub fn lookup(directory: Option<u16>, name: &[u8]) -> Option<Entry> {
    let name = core::str::from_utf8(name).ok()?;
    find(&format!("{}/{name}", path(directory)?))
}

/// Returns names and nodes in a directory, `None` being `/proc`.
pub fn list(directory: Option<u16>) -> Vec<(Vec<u8>, Entry)> {
    let Some(folder) = path(directory) else { return Vec::new() };
    let inside = |(place, (path, _)): (u16, &(&str, Node))| {
        let name = path.strip_prefix(folder)?.strip_prefix('/')?;
        (!name.contains('/')).then(|| (name.as_bytes().to_vec(), Entry::Fixed(place)))
    };
    (0..).zip(NODES).filter_map(inside).collect()
}

/// Returns the directory of a node; nothing where that is the file server's root.
pub fn parent(place: u16) -> Option<Entry> {
    let (path, _) = NODES.get(usize::from(place))?;
    let (folder, _) = path.rsplit_once('/')?;
    if folder == "proc" { Some(Entry::Root) } else { find(folder) }
}

fn path(directory: Option<u16>) -> Option<&'static str> {
    match directory {
        None => Some("proc"),
        Some(place) => NODES.get(usize::from(place)).map(|(path, _)| *path),
    }
}

fn name(set: Option<&[u8]>, otherwise: &str) -> String {
    set.map_or(otherwise.to_string(), |name| String::from_utf8_lossy(name).into_owned())
}

fn random_id(unix: &mut Unix) -> String {
    let mut bytes = [0; 16];
    unix.machine.random(&mut bytes);
    id(bytes)
}

fn boot_id(unix: &mut Unix) -> String {
    let bytes = match unix.boot_id {
        Some(bytes) => bytes,
        None => {
            let mut bytes = [0; 16];
            unix.machine.random(&mut bytes);
            *unix.boot_id.insert(bytes)
        }
    };
    id(bytes)
}

/// Returns a random UUID of these bytes (RFC 9562, 5.4).
fn id(bytes: [u8; 16]) -> String {
    let mut word = u128::from_be_bytes(bytes);
    word = word & !(0xf << 76) | 4 << 76;
    word = word & !(3 << 62) | 2 << 62;
    let hex = format!("{word:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::{NODES, find, id, list, lookup, parent};
    use crate::proc::Entry;

    #[test]
    fn every_node_is_found_in_its_directory() {
        for (place, (path, _)) in (0..).zip(NODES) {
            let Some((folder, name)) = path.rsplit_once('/') else { continue };
            let directory = match parent(place) {
                Some(Entry::Fixed(directory)) => Some(directory),
                other => {
                    assert_eq!((other, folder), (Some(Entry::Root), "proc"));
                    None
                }
            };
            assert_eq!(lookup(directory, name.as_bytes()), Some(Entry::Fixed(place)));
            let listed = list(directory);
            assert!(listed.contains(&(name.as_bytes().to_vec(), Entry::Fixed(place))), "{path}");
        }
        assert_eq!(find("proc/sys/kernel/nothing"), None);
    }

    #[test]
    fn identifiers_are_random_uuids() {
        assert_eq!(id([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
