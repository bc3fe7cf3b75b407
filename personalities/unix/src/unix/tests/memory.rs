//! Tests of mappings as programs make them.

use alloc::vec::Vec;

use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::memory::PAGE;
use crate::process::Pid;
use protocols::file::{Node, mode};

const MMAP: u32 = 9;
const MUNMAP: u32 = 11;
const PREAD: u32 = 17;
const PWRITE: u32 = 18;
const MSYNC: u32 = 26;
const FTRUNCATE: u32 = 77;
const OPEN: u32 = 2;
const READ_WRITE: u64 = 2;
const SHARED: u64 = 1;
const PRIVATE: u64 = 2;

/// Returns a bench with an open file of two and a half pages of letters.
fn open(flags: u64) -> (Bench, Pid, u64, Node) {
    let mut bench = Bench::new();
    let bytes: Vec<u8> = (0..5 * PAGE / 2).map(|at| b'a' + (at / PAGE) as u8).collect();
    let node = bench.files.make("/tmp/letters", mode::FILE | 0o644, &bytes);
    let pid = bench.launch();
    let path = bench.string(pid, "/tmp/letters");
    let fd = bench.value(pid, OPEN, &[path, flags]);
    (bench, pid, fd, node)
}

fn of_file(bench: &mut Bench, node: Node, offset: u64) -> u8 {
    let mut byte = [0];
    bench.unix.files.read(node, offset, &mut byte).unwrap();
    byte[0]
}

#[test]
fn a_shared_mapping_is_the_file() {
    let (mut bench, pid, fd, node) = open(READ_WRITE);
    let at = bench.value(pid, MMAP, &[0, 3 * PAGE, 3, SHARED, fd, 0]);
    assert_eq!(bench.peek(pid, at + PAGE, 1), b"b");
    bench.poke(pid, at + PAGE, b"X");
    assert_eq!(bench.value(pid, PREAD, &[fd, SCRATCH, 2, PAGE]), 2);
    assert_eq!(bench.peek(pid, SCRATCH, 2), b"Xb");
    bench.poke(pid, SCRATCH, b"Y");
    assert_eq!(bench.value(pid, PWRITE, &[fd, SCRATCH, 1, PAGE + 1]), 1);
    assert_eq!(bench.peek(pid, at + PAGE, 2), b"XY");
    assert_eq!(of_file(&mut bench, node, PAGE), b'b', "nothing has gone back yet");
    assert_eq!(bench.value(pid, MSYNC, &[at, 3 * PAGE, 4]), 0);
    assert_eq!(of_file(&mut bench, node, PAGE), b'X');
    bench.poke(pid, at, b"Z");
    assert_eq!(bench.value(pid, MUNMAP, &[at, 3 * PAGE]), 0);
    assert_eq!(of_file(&mut bench, node, 0), b'Z', "the last one writes back");
    assert!(bench.unix.mapped.is_empty());
}

#[test]
fn a_private_mapping_is_a_copy() {
    let (mut bench, pid, fd, node) = open(0);
    let at = bench.value(pid, MMAP, &[0, PAGE, 3, PRIVATE, fd, PAGE]);
    bench.poke(pid, at, b"X");
    assert_eq!(bench.value(pid, PREAD, &[fd, SCRATCH, 1, PAGE]), 1);
    assert_eq!(bench.peek(pid, SCRATCH, 1), b"b");
    bench.value(pid, MUNMAP, &[at, PAGE]);
    assert_eq!(of_file(&mut bench, node, PAGE), b'b');
    bench.error(pid, MMAP, &[0, PAGE, 3, SHARED, fd, 0], Errno::EACCES);
    let only = bench.value(pid, MMAP, &[0, PAGE, 1, SHARED, fd, 0]);
    bench.error(pid, 10, &[only, PAGE, 3], Errno::EACCES);
}

#[test]
fn beyond_the_end_of_a_file_is_a_bus_error_until_it_grows() {
    let (mut bench, pid, fd, _) = open(READ_WRITE);
    let at = bench.value(pid, MMAP, &[0, 4 * PAGE, 3, SHARED, fd, 0]);
    bench.error(pid, PREAD, &[fd, at + 3 * PAGE, 1, 0], Errno::EFAULT);
    assert_eq!(bench.value(pid, FTRUNCATE, &[fd, 4 * PAGE]), 0);
    assert_eq!(bench.value(pid, PREAD, &[fd, at + 3 * PAGE, 1, 0]), 1);
    assert_eq!(bench.value(pid, FTRUNCATE, &[fd, PAGE]), 0);
    bench.error(pid, PREAD, &[fd, at + PAGE, 1, 0], Errno::EFAULT);
    let words = [2, at + PAGE, 0x40_0000, 0, 0, 0];
    let thread = bench.thread(pid);
    bench.event(thread, libipc::Kind::Exception, 14, words);
    let ended = crate::process::Ending::Signal(signals::SIGBUS);
    assert!(
        matches!(bench.unix.processes[&pid].life, crate::process::Life::Zombie(e) if e == ended)
    );
}

#[test]
fn what_is_refused_is_refused_as_on_linux() {
    let (mut bench, pid, fd, _) = open(READ_WRITE);
    let anonymous = PRIVATE | 0x20;
    bench.error(pid, MMAP, &[0, PAGE, 1, 0x20, !0, 0], Errno::EINVAL);
    bench.error(pid, MMAP, &[0, 0, 1, anonymous, !0, 0], Errno::EINVAL);
    bench.error(pid, MMAP, &[0, PAGE, 1, anonymous, !0, 5], Errno::EINVAL);
    bench.error(pid, MMAP, &[0, PAGE, 1, PRIVATE, 77, 0], Errno::EBADF);
    bench.error(pid, MMAP, &[0, PAGE, 1, 3 | 0x8_0000, fd, 0], Errno::EOPNOTSUPP);
    bench.error(pid, MMAP, &[0, PAGE, 1, PRIVATE, fd, !0xfff], Errno::EOVERFLOW);
    bench.error(pid, MMAP, &[0, 1 << 62, 1, anonymous, !0, 0], Errno::ENOMEM);
    bench.error(pid, MMAP, &[0x1000, PAGE, 1, anonymous | 0x10, !0, 0], Errno::EPERM);
    bench.error(pid, MSYNC, &[SCRATCH, PAGE, 5], Errno::EINVAL);
    bench.error(pid, MSYNC, &[0x1000_0000, PAGE, 4], Errno::ENOMEM);
    bench.error(pid, 28, &[SCRATCH, PAGE, 77], Errno::EINVAL);
    bench.error(pid, 28, &[SCRATCH, 8 * PAGE, 4], Errno::ENOMEM);
    bench.error(pid, 25, &[SCRATCH, PAGE, PAGE, 64], Errno::EINVAL);
    bench.error(pid, 25, &[SCRATCH, PAGE, PAGE, 2], Errno::EINVAL);
}

// Linux: vma_merge() (mm/mmap.c) leaves one mapping, or two where a part differs.
#[test]
fn regions_that_are_alike_again_are_joined() {
    const MPROTECT: u32 = 10;
    const MREMAP: u32 = 25;
    const MADVISE: u32 = 28;
    const MLOCK: u32 = 149;
    const MUNLOCKALL: u32 = 152;
    const DONT_FORK: u64 = 10;
    const DO_FORK: u64 = 11;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let regions = |bench: &Bench| {
        let mm = bench.unix.processes[&pid].mm.clone().unwrap();
        let mm = mm.borrow();
        mm.regions().count()
    };
    let at = bench.value(pid, MMAP, &[0, 16 * PAGE, 0, 0x22, u64::MAX, 0]);
    let before = regions(&bench);
    // More often than there may be regions, and than the kernel may have mappings beyond them.
    for (turn, page) in (0..5000).map(|turn| (turn, turn % 16)) {
        let access = if turn / 16 % 2 == 0 { 3 } else { 1 };
        assert_eq!(bench.value(pid, MPROTECT, &[at + page * PAGE, PAGE, access]), 0, "{turn}");
        assert!(regions(&bench) <= before + 1, "{turn}");
    }
    assert_eq!(bench.value(pid, MPROTECT, &[at, 16 * PAGE, 3]), 0);
    assert_eq!(regions(&bench), before);
    bench.poke(pid, at + 5 * PAGE, b"contents");
    for (call, arguments, cuts) in [
        (MPROTECT, [at + 4 * PAGE, 3 * PAGE, 1, 0], 2),
        (MPROTECT, [at + 5 * PAGE, PAGE, 5, 0], 4),
        (MPROTECT, [at + 4 * PAGE, 3 * PAGE, 3, 0], 0),
        (MLOCK, [at + PAGE, PAGE, 0, 0], 2),
        (MUNLOCKALL, [0; 4], 0),
        (MADVISE, [at, PAGE, DONT_FORK, 0], 1),
        (MADVISE, [at, PAGE, DO_FORK, 0], 0),
        (MREMAP, [at + PAGE, PAGE, PAGE, 0], 0),
    ] {
        let result = bench.value(pid, call, &arguments);
        assert!((result as i64) >= 0, "{call} {arguments:x?}");
        assert_eq!(regions(&bench), before + cuts, "{call} {arguments:x?}");
    }
    assert_eq!(bench.peek(pid, at + 5 * PAGE, 8), b"contents");
}

// membarrier(2); registration: membarrier_private_expedited(), kernel/sched/membarrier.c.
#[test]
fn all_who_run_in_the_memory_pass_a_barrier() {
    const MEMBARRIER: u32 = 324;
    const EXECVE: u32 = 59;
    const PRIVATE_EXPEDITED: u64 = 8;
    const REGISTER: u64 = 16;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let other = super::fork(&mut bench, pid);
    let passed = |bench: &mut Bench| core::mem::take(&mut bench.machine.0.borrow_mut().barriers);
    let space = |bench: &Bench, pid: Pid| {
        bench.unix.processes[&pid].mm.as_ref().unwrap().borrow().space().0.0
    };
    assert_eq!(bench.value(pid, MEMBARRIER, &[0]), 1 | PRIVATE_EXPEDITED | REGISTER);
    bench.error(pid, MEMBARRIER, &[PRIVATE_EXPEDITED], Errno::EPERM);
    assert_eq!(bench.value(pid, MEMBARRIER, &[REGISTER]), 0);
    assert!(passed(&mut bench).is_empty());
    assert_eq!(bench.value(pid, MEMBARRIER, &[PRIVATE_EXPEDITED]), 0);
    assert!(passed(&mut bench).into_iter().eq([space(&bench, pid)]));
    bench.error(other, MEMBARRIER, &[PRIVATE_EXPEDITED], Errno::EPERM);
    let child = super::fork(&mut bench, pid);
    assert_eq!(bench.value(child, MEMBARRIER, &[PRIVATE_EXPEDITED]), 0);
    passed(&mut bench);
    assert_eq!(bench.value(pid, MEMBARRIER, &[1]), 0);
    assert_eq!(passed(&mut bench).len(), 3, "all processes");
    for arguments in [[2, 0], [32, 0], [0, 1], [u64::MAX, 0]] {
        bench.error(pid, MEMBARRIER, &arguments, Errno::EINVAL);
    }
    let path = bench.string(pid, "/bin/tiny");
    bench.call(pid, EXECVE, [path, 0, 0, 0, 0, 0]);
    bench.error(pid, MEMBARRIER, &[PRIVATE_EXPEDITED], Errno::EPERM);
}
