//! Files as programs see them: names, times, flags, holes.

use super::{CLOSE, DATA, FORK, OPEN, READ, WRITE};
use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::process::Pid;
use protocols::file::mode;

const STAT: u32 = 4;
const FSTAT: u32 = 5;
const LSEEK: u32 = 8;
const PWRITE: u32 = 18;
const GETDENTS: u32 = 78;
const MKDIR: u32 = 83;
const LINK: u32 = 86;
const UNLINK: u32 = 87;
const CHMOD: u32 = 90;
const UTIME: u32 = 132;
const SETUID: u32 = 105;
const SETXATTR: u32 = 188;
const LISTXATTR: u32 = 194;
const FADVISE: u32 = 221;
const UTIMES: u32 = 235;
const LINKAT: u32 = 265;
const UTIMENSAT: u32 = 280;
const FALLOCATE: u32 = 285;
const RENAMEAT2: u32 = 316;
const COPY_FILE_RANGE: u32 = 326;
const PREADV2: u32 = 327;
const STATX: u32 = 332;

const HERE: u64 = -100i64 as u64;
const READ_WRITE: u64 = 2;
const CREATE: u64 = 0o100;
const EXCLUSIVE: u64 = 0o200;
const APPEND: u64 = 0o2000;
const NO_ACCESS_TIME: u64 = 0o1_000_000;
const UNNAMED: u64 = 0o20_200_000;
const PATH: u64 = 0o10_000_000;
const SECOND: u64 = 1_000_000_000;

/// Puts a second string into scratch memory.
fn second(bench: &mut Bench, pid: Pid, string: &str) -> u64 {
    bench.poke(pid, SCRATCH + 0x200, &[string.as_bytes(), &[0]].concat());
    SCRATCH + 0x200
}

fn words(bench: &mut Bench, pid: Pid, words: &[u64]) -> u64 {
    let bytes: alloc::vec::Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bench.poke(pid, DATA, &bytes);
    DATA
}

fn word(bench: &mut Bench, pid: Pid, address: u64) -> u64 {
    u64::from_le_bytes(bench.peek(pid, address, 8).try_into().unwrap())
}

fn open(bench: &mut Bench, pid: Pid, path: &str, bits: u64) -> u64 {
    let path = bench.string(pid, path);
    bench.value(pid, OPEN, &[path, bits, 0o644])
}

/// Returns seconds of access and modification.
fn times(bench: &mut Bench, pid: Pid, path: &str) -> (u64, u64) {
    let path = bench.string(pid, path);
    assert_eq!(bench.value(pid, STAT, &[path, DATA]), 0);
    (word(bench, pid, DATA + 72), word(bench, pid, DATA + 88))
}

#[test]
fn times_are_set_alone_together_or_not_at_all() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    const OMIT: u64 = 0x3fff_fffe;
    let set = |bench: &mut Bench, times: [u64; 4]| {
        let (path, times) = (bench.string(pid, "/etc/words"), words(bench, pid, &times));
        bench.value(pid, UTIMENSAT, &[HERE, path, times, 0])
    };
    assert_eq!(set(&mut bench, [11, 0, 22, 0]), 0);
    assert_eq!(times(&mut bench, pid, "/etc/words"), (11, 22));
    assert_eq!(set(&mut bench, [33, 0, 0, OMIT]), 0);
    assert_eq!(times(&mut bench, pid, "/etc/words"), (33, 22));
    assert_eq!(set(&mut bench, [0, OMIT, 44, 0]), 0);
    assert_eq!(times(&mut bench, pid, "/etc/words"), (33, 44));
    assert_eq!(set(&mut bench, [0, OMIT, 0, OMIT]), 0);
    assert_eq!(set(&mut bench, [0, SECOND, 0, 0]) as i64, Errno::EINVAL.to_rax() as i64);
    let path = bench.string(pid, "/etc/words");
    let at = words(&mut bench, pid, &[5, 6]);
    assert_eq!(bench.value(pid, UTIME, &[path, at]), 0);
    assert_eq!(times(&mut bench, pid, "/etc/words"), (5, 6));
    let path = bench.string(pid, "/etc/words");
    let at = words(&mut bench, pid, &[7, 0, 8, 999_999]);
    assert_eq!(bench.value(pid, UTIMES, &[path, at]), 0);
    assert_eq!(times(&mut bench, pid, "/etc/words"), (7, 8));
    let at = words(&mut bench, pid, &[7, 1_000_000, 8, 0]);
    bench.error(pid, UTIMES, &[path, at], Errno::EINVAL);
}

#[test]
fn others_may_set_times_to_now_if_they_may_write() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let path = bench.string(pid, "/etc/words");
    assert_eq!(bench.value(pid, CHMOD, &[path, 0o666]), 0);
    assert_eq!(bench.value(pid, SETUID, &[7]), 0);
    assert_eq!(bench.value(pid, UTIMENSAT, &[HERE, path, 0, 0]), 0);
    let at = words(&mut bench, pid, &[1, 0, 1, 0]);
    bench.error(pid, UTIMENSAT, &[HERE, path, at, 0], Errno::EPERM);
    bench.error(pid, OPEN, &[path, NO_ACCESS_TIME], Errno::EPERM);
    let path = bench.string(pid, "/bin/plain");
    bench.error(pid, UTIMENSAT, &[HERE, path, 0, 0], Errno::EACCES);
}

#[test]
fn a_file_without_a_name_gets_one_by_its_descriptor_unless_it_was_opened_exclusively() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let fd = open(&mut bench, pid, "/tmp", UNNAMED | READ_WRITE);
    bench.poke(pid, DATA, b"text");
    assert_eq!(bench.value(pid, WRITE, &[fd, DATA, 4]), 4);
    assert_eq!(bench.value(pid, FSTAT, &[fd, DATA]), 0);
    assert_eq!(word(&mut bench, pid, DATA + 16), 0);
    let old = bench.string(pid, &alloc::format!("/proc/self/fd/{fd}"));
    let new = second(&mut bench, pid, "/tmp/named");
    assert_eq!(bench.value(pid, LINKAT, &[HERE, old, HERE, new, 0x400]), 0);
    let again = open(&mut bench, pid, "/tmp/named", 0);
    assert_eq!(bench.value(pid, READ, &[again, DATA, 9]), 4);
    let fd = open(&mut bench, pid, "/tmp", UNNAMED | READ_WRITE | EXCLUSIVE);
    let (empty, new) = (bench.string(pid, ""), second(&mut bench, pid, "/tmp/other"));
    bench.error(pid, LINKAT, &[fd, empty, HERE, new, 0x1000], Errno::ENOENT);
    bench.value(pid, CLOSE, &[fd]);
    let path = bench.string(pid, "/tmp");
    bench.error(pid, OPEN, &[path, UNNAMED], Errno::EINVAL);
    let path = bench.string(pid, "/etc/words");
    bench.error(pid, OPEN, &[path, UNNAMED | READ_WRITE], Errno::ENOTDIR);
}

#[test]
fn renameat2_keeps_and_exchanges() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (words, plain) = (bench.string(pid, "/etc/words"), second(&mut bench, pid, "/bin/plain"));
    let rename = [HERE, words, HERE, plain];
    let with = |bits: u64| [rename.as_slice(), &[bits]].concat();
    bench.error(pid, RENAMEAT2, &with(1), Errno::EEXIST);
    bench.error(pid, RENAMEAT2, &with(3), Errno::EINVAL);
    bench.error(pid, RENAMEAT2, &with(4), Errno::EINVAL);
    assert_eq!(bench.value(pid, RENAMEAT2, &with(2)), 0);
    let fd = open(&mut bench, pid, "/etc/words", 0);
    assert_eq!(bench.value(pid, READ, &[fd, DATA, 99]), 4);
    let absent = second(&mut bench, pid, "/tmp/absent");
    let words = bench.string(pid, "/etc/words");
    bench.error(pid, RENAMEAT2, &[HERE, words, HERE, absent, 2], Errno::ENOENT);
    assert_eq!(bench.value(pid, RENAMEAT2, &[HERE, words, HERE, absent, 1]), 0);
}

#[test]
fn proc_descriptors_lead_to_their_files() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let fd = open(&mut bench, pid, "/etc/words", 0);
    let path = bench.string(pid, &alloc::format!("/proc/self/fd/{fd}"));
    assert_eq!(bench.value(pid, STAT, &[path, DATA]), 0);
    assert_eq!(word(&mut bench, pid, DATA + 48), 13);
    let unlinked = bench.string(pid, "/etc/words");
    bench.value(pid, UNLINK, &[unlinked]);
    let gone = open(&mut bench, pid, "/bin/plain", PATH);
    bench.error(pid, LSEEK, &[gone, 0, 0], Errno::EBADF);
    bench.error(pid, READ, &[gone, DATA, 1], Errno::EBADF);
}

#[test]
fn statx_refuses_what_it_does_not_know() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let path = bench.string(pid, "/etc/words");
    assert_eq!(bench.value(pid, STATX, &[HERE, path, 0, 0x7ff, DATA]), 0);
    assert_eq!(word(&mut bench, pid, DATA) as u32, 0x7ff);
    bench.error(pid, STATX, &[HERE, path, 0x6000, 0x7ff, DATA], Errno::EINVAL);
    bench.error(pid, STATX, &[HERE, path, 2, 0x7ff, DATA], Errno::EINVAL);
    bench.error(pid, STATX, &[HERE, path, 0, 0x8000_0000, DATA], Errno::EINVAL);
}

#[test]
fn appending_wins_over_offsets_and_holes_are_zeros() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let fd = open(&mut bench, pid, "/tmp/f", CREATE | READ_WRITE | APPEND);
    bench.poke(pid, DATA, b"abcdef");
    assert_eq!(bench.value(pid, WRITE, &[fd, DATA, 6]), 6);
    assert_eq!(bench.value(pid, PWRITE, &[fd, DATA, 2, 0]), 2);
    let fd = open(&mut bench, pid, "/tmp/f", READ_WRITE);
    assert_eq!(bench.value(pid, FALLOCATE, &[fd, 3, 1, 2]), 0);
    assert_eq!(bench.value(pid, FALLOCATE, &[fd, 1, 100, 2]), 0);
    assert_eq!(bench.value(pid, READ, &[fd, DATA, 99]), 8);
    assert_eq!(bench.peek(pid, DATA, 8), b"a\0\0defab");
    assert_eq!(bench.value(pid, FALLOCATE, &[fd, 0x10, 7, 3]), 0);
    assert_eq!(bench.value(pid, LSEEK, &[fd, 0, 2]), 10);
    for (mode, offset, len, errno) in [
        (8, 0, 4096, Errno::EOPNOTSUPP),
        (2, 0, 1, Errno::EOPNOTSUPP),
        (0, 0, 0, Errno::EINVAL),
        (0, u64::MAX, 1, Errno::EINVAL),
    ] {
        bench.error(pid, FALLOCATE, &[fd, mode, offset, len], errno);
    }
    assert_eq!(bench.value(pid, LSEEK, &[fd, 3, 3]), 3);
    assert_eq!(bench.value(pid, LSEEK, &[fd, 3, 4]), 10);
    bench.error(pid, LSEEK, &[fd, 10, 3], Errno::ENXIO);
}

#[test]
fn ranges_are_copied_between_files_and_not_onto_themselves() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let from = open(&mut bench, pid, "/etc/words", 0);
    let to = open(&mut bench, pid, "/tmp/copy", CREATE | READ_WRITE);
    let at = words(&mut bench, pid, &[4]);
    assert_eq!(bench.value(pid, COPY_FILE_RANGE, &[from, at, to, 0, 3, 0]), 3);
    assert_eq!(word(&mut bench, pid, at), 7);
    assert_eq!(bench.value(pid, COPY_FILE_RANGE, &[from, 0, to, 0, 99, 0]), 13);
    assert_eq!(bench.value(pid, COPY_FILE_RANGE, &[from, 0, to, 0, 99, 0]), 0);
    assert_eq!(bench.value(pid, LSEEK, &[to, 0, 1]), 16);
    let at = words(&mut bench, pid, &[0]);
    bench.error(pid, COPY_FILE_RANGE, &[to, at, to, 0, 99, 0], Errno::EINVAL);
    bench.error(pid, COPY_FILE_RANGE, &[from, at, to, 0, 1, 1], Errno::EINVAL);
    bench.error(pid, COPY_FILE_RANGE, &[to, at, from, 0, 1, 0], Errno::EBADF);
    let ranges = words(&mut bench, pid, &[DATA + 64, 3]);
    bench.value(pid, LSEEK, &[to, 0, 0]);
    assert_eq!(bench.value(pid, PREADV2, &[to, ranges, 1, u64::MAX, 0, 1]), 3);
    assert_eq!(bench.peek(pid, DATA + 64, 3), b"two");
    bench.error(pid, PREADV2, &[to, ranges, 1, 0, 0, 8], Errno::EOPNOTSUPP);
}

#[test]
fn a_directory_with_the_set_group_bit_gives_its_group() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let path = bench.string(pid, "/tmp/d");
    assert_eq!(bench.value(pid, MKDIR, &[path, 0o755]), 0);
    assert_eq!(bench.value(pid, CHMOD, &[path, 0o2775]), 0);
    let path = bench.string(pid, "/tmp/d/e");
    assert_eq!(bench.value(pid, MKDIR, &[path, 0o755]), 0);
    assert_eq!(bench.value(pid, STAT, &[path, DATA]), 0);
    assert_eq!(word(&mut bench, pid, DATA + 24) as u32, 0o042_755);
}

#[test]
fn what_has_no_place_for_attributes_says_so_and_what_is_absent_too() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (path, name) = (bench.string(pid, "/etc/words"), second(&mut bench, pid, "user.x"));
    bench.error(pid, SETXATTR, &[path, name, DATA, 1, 0], Errno::EOPNOTSUPP);
    assert_eq!(bench.value(pid, LISTXATTR, &[path, 0, 0]), 0);
    let path = bench.string(pid, "/etc/none");
    bench.error(pid, LISTXATTR, &[path, 0, 0], Errno::ENOENT);
    let fd = open(&mut bench, pid, "/etc", 0);
    bench.error(pid, FADVISE, &[fd, 0, 0, 6], Errno::EINVAL);
    assert!(bench.value(pid, GETDENTS, &[fd, DATA, 512]) > 24);
}

#[test]
fn a_directory_gets_no_second_name() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let child = Pid(bench.value(pid, FORK, &[]) as u32);
    let (old, new) = (bench.string(child, "/etc"), second(&mut bench, child, "/tmp/etc"));
    bench.error(child, LINK, &[old, new], Errno::EPERM);
    let (old, new) = (bench.string(child, "/proc/version"), second(&mut bench, child, "/tmp/v"));
    bench.error(child, LINK, &[old, new], Errno::EXDEV);
}

#[test]
fn a_file_of_proc_is_made_anew_for_who_reads_from_its_beginning() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    // The number of what is opened there is free until then.
    let path = bench.string(pid, "/etc/words");
    assert_eq!(bench.value(pid, OPEN, &[path, 0]), 3);
    let path = bench.string(pid, "/proc/self/fdinfo/3");
    assert_eq!(bench.value(pid, OPEN, &[path, 0]), 4);
    const DUP2: u32 = 33;
    assert_eq!(bench.value(pid, DUP2, &[4, 3]), 3);
    assert_eq!(bench.value(pid, READ, &[3, DATA, 6]), 6);
    assert_eq!(bench.peek(pid, DATA, 6), b"pos:\t0");
    const PREAD: u32 = 17;
    assert_eq!(bench.value(pid, PREAD, &[3, DATA, 6, 0]), 6);
    assert_eq!(bench.peek(pid, DATA, 6), b"pos:\t6", "it tells of the description itself");
}

// getcwd(2): the path is where the directory is now.
#[test]
fn working_directories_move_along_with_the_directories_above_them() {
    const GETCWD: u32 = 79;
    const CHDIR: u32 = 80;
    let mut bench = Bench::new();
    let pid = bench.launch();
    for directory in ["/tmp/a", "/tmp/a/b", "/tmp/ab", "/tmp/c"] {
        let path = bench.string(pid, directory);
        assert_eq!(bench.value(pid, MKDIR, &[path, 0o755]), 0);
    }
    let others = [(); 3].map(|()| Pid(bench.value(pid, FORK, &[]) as u32));
    for (pid, path) in others.into_iter().zip(["/tmp/a/b", "/tmp/ab", "/tmp/c"]) {
        let path = bench.string(pid, path);
        assert_eq!(bench.value(pid, CHDIR, &[path]), 0);
    }
    for (old, new, bits, paths) in [
        ("/tmp/a", "/tmp/x", 0, ["/tmp/x/b", "/tmp/ab", "/tmp/c"]),
        ("/tmp/x", "/tmp/c", 2, ["/tmp/c/b", "/tmp/ab", "/tmp/x"]),
        ("/etc/words", "/tmp/ab", 2, ["/tmp/c/b", "/etc/words", "/tmp/x"]),
    ] {
        let (old, new) = (bench.string(pid, old), second(&mut bench, pid, new));
        assert_eq!(bench.value(pid, RENAMEAT2, &[HERE, old, HERE, new, bits]), 0);
        for (pid, path) in others.into_iter().zip(paths) {
            let len = bench.value(pid, GETCWD, &[DATA, 100]);
            assert_eq!(bench.peek(pid, DATA, len as usize - 1), path.as_bytes());
        }
    }
    assert_eq!(bench.unix.inconsistencies(), alloc::vec![alloc::string::String::new(); 0]);
}

// `do_open` (fs/namei.c) opens what `/proc/PID/fd/N` leads to as any file; fifo_open (fs/pipe.c).
#[test]
fn what_is_opened_again_is_opened_as_asked() {
    const NO_FOLLOW: u64 = 0o400_000;
    const DIRECTORY: u64 = 0o200_000;
    const TRUNCATE: u64 = 0o1000;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let file = open(&mut bench, pid, "/etc/words", 0);
    let directory = open(&mut bench, pid, "/proc/self/fd", 0);
    let path =
        |bench: &mut Bench, fd: u64| bench.string(pid, &alloc::format!("/proc/self/fd/{fd}"));
    let at = path(&mut bench, file);
    bench.error(pid, OPEN, &[at, DIRECTORY], Errno::ENOTDIR);
    bench.error(pid, OPEN, &[at, NO_FOLLOW], Errno::ELOOP);
    let only = bench.value(pid, OPEN, &[at, PATH]);
    bench.error(pid, READ, &[only, DATA, 9], Errno::EBADF);
    bench.value(pid, OPEN, &[at, 1 | TRUNCATE]);
    assert_eq!(bench.value(pid, READ, &[file, DATA, 9]), 0);
    let at = path(&mut bench, directory);
    bench.error(pid, OPEN, &[at, 1], Errno::EISDIR);
    let again = bench.value(pid, OPEN, &[at, DIRECTORY]);
    assert_ne!(bench.value(pid, GETDENTS, &[again, DATA, 512]), 0);
    let (read, write) = super::make_pipe(&mut bench, pid);
    let at = path(&mut bench, read);
    let other = bench.value(pid, OPEN, &[at, 1]);
    bench.value(pid, CLOSE, &[write]);
    bench.error(pid, READ, &[other, DATA, 1], Errno::EBADF);
    assert_eq!(bench.value(pid, WRITE, &[other, DATA, 1]), 1);
    assert_eq!(bench.value(pid, READ, &[read, DATA, 9]), 1);
    bench.value(pid, CLOSE, &[other]);
    assert_eq!(bench.value(pid, READ, &[read, DATA, 9]), 0, "nobody writes any more");
}

// chroot(2), path_resolution(7); getcwd(2): "(unreachable)".
#[test]
fn a_process_with_a_root_of_its_own_stays_below_it() {
    const SYMLINK: u32 = 88;
    const CHDIR: u32 = 80;
    const GETCWD: u32 = 79;
    const CHROOT: u32 = 161;
    let mut bench = Bench::new();
    let pid = bench.launch();
    for path in ["/tmp/jail", "/tmp/jail/etc", "/tmp/jail/bin"] {
        bench.files.make(path, mode::DIRECTORY | 0o755, b"");
    }
    bench.files.make("/tmp/jail/etc/words", mode::FILE | 0o644, b"below");
    let program = crate::fake::tiny_program();
    bench.files.make("/tmp/jail/bin/own", mode::FILE | 0o755, &program);
    bench.files.make("/tmp/jail/bin/script", mode::FILE | 0o755, b"#!/bin/own\n");
    let (to, link) = (bench.string(pid, "/etc/words"), second(&mut bench, pid, "/tmp/jail/link"));
    assert_eq!(bench.value(pid, SYMLINK, &[to, link]), 0);
    let cwd = |bench: &mut Bench, pid: Pid| {
        let len = bench.value(pid, GETCWD, &[DATA, 100]);
        alloc::string::String::from_utf8(bench.peek(pid, DATA, len as usize - 1)).unwrap()
    };
    let contents = |bench: &mut Bench, pid: Pid, path: &str| {
        let path = bench.string(pid, path);
        let fd = bench.value(pid, OPEN, &[path, 0]);
        let len = bench.value(pid, READ, &[fd, DATA, 100]);
        bench.peek(pid, DATA, len as usize)
    };
    let path = bench.string(pid, "/tmp/jail/etc/words");
    bench.error(pid, CHROOT, &[path], Errno::ENOTDIR);
    let path = bench.string(pid, "/tmp/jail");
    assert_eq!(bench.value(pid, CHROOT, &[path]), 0);
    assert_eq!(cwd(&mut bench, pid), "(unreachable)/");
    let path = bench.string(pid, "/etc");
    assert_eq!(bench.value(pid, CHDIR, &[path]), 0);
    let child = Pid(bench.value(pid, FORK, &[]) as u32);
    for path in ["/etc/words", "words", "../link", "/../../etc/words", "../../../link"] {
        assert_eq!(contents(&mut bench, child, path), b"below", "{path}");
    }
    assert_eq!(cwd(&mut bench, child), "/etc");
    for path in ["/tmp", "/proc", "/bin/tiny"] {
        let path = bench.string(child, path);
        bench.error(child, OPEN, &[path, 0], Errno::ENOENT);
    }
    assert_eq!(bench.unix.inconsistencies(), alloc::vec![alloc::string::String::new(); 0]);
    let path = bench.string(child, "/bin/script");
    assert_eq!(bench.call(child, 59, [path, 0, 0, 0, 0, 0]), None);
    assert_eq!(&bench.unix.processes[&child].executable[..], b"/tmp/jail/bin/own");
    bench.add_scratch(child);
    assert_eq!(bench.value(pid, 117, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "/etc");
    bench.error(pid, CHROOT, &[path], Errno::EPERM);
    assert_eq!(contents(&mut bench, child, "/etc/words"), b"below", "after exec");
}
