//! Tests of long calls: others are served before they are done.

use super::{DATA, GETPID, OPEN, READ, WRITE, fork, handle};
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::process::Pid;
use crate::signal::Info;
use crate::unix::Reply;
use protocols::file::mode;

const MMAP: u32 = 9;
const PREAD: u32 = 17;
const READV: u32 = 19;
const MSYNC: u32 = 26;
const SENDFILE: u32 = 40;
const FALLOCATE: u32 = 285;
const LEN: u64 = 5 << 19;

/// Returns a bench with a program that has a file of two and a half MiB open, and memory for it.
fn program() -> (Bench, Pid, u64, u64) {
    let mut bench = Bench::new();
    let bytes: alloc::vec::Vec<u8> = (0..LEN).map(|at| (at >> 12) as u8 | 1).collect();
    bench.files.make("/tmp/large", mode::FILE | 0o644, &bytes);
    let pid = bench.launch();
    let path = bench.string(pid, "/tmp/large");
    let fd = bench.value(pid, OPEN, &[path, 2]);
    let at = bench.value(pid, MMAP, &[0, LEN, 3, 0x22, u64::MAX, 0]);
    (bench, pid, fd, at)
}

/// Lets time pass until a call is answered; returns its value and how often it made a pause.
fn finish(bench: &mut Bench, pid: Pid) -> (Option<Reply>, u32) {
    for pauses in 1..100 {
        bench.pass(1_000_000);
        if let Some(reply) = bench.answer(pid) {
            return (Some(reply), pauses);
        }
    }
    (None, 100)
}

#[test]
fn others_are_served_before_a_long_call_is_done() {
    let (mut bench, pid, fd, at) = program();
    let other = fork(&mut bench, pid);
    bench.poke(pid, DATA, &[at, 100, at + 100, LEN - 100].map(u64::to_le_bytes).concat());
    for (call, arguments) in
        [(READV, [fd, DATA, 2, 0]), (PREAD, [fd, at, LEN, 0]), (WRITE, [fd, at, LEN, 0])]
    {
        bench.waits(pid, call, &arguments);
        assert_eq!(bench.value(other, GETPID, &[]), other.0.into());
        assert_eq!(finish(&mut bench, pid), (Some(Reply::Value(LEN)), 2), "{call}");
        for place in [0, 99, 100, LEN / 2, LEN - 1] {
            let byte = [(place >> 12) as u8 | 1];
            assert_eq!(bench.peek(pid, at + place, 1), byte, "{call} {place}");
            // The write is to the end of what was there.
            let file = if call == WRITE { LEN + place } else { place };
            assert_eq!(bench.value(pid, PREAD, &[fd, SCRATCH, 1, file]), 1);
            assert_eq!(bench.peek(pid, SCRATCH, 1), byte, "{call} {file}");
        }
    }
    const ZERO_RANGE: u64 = 0x10;
    bench.waits(pid, FALLOCATE, &[fd, ZERO_RANGE, 1, LEN]);
    assert_eq!(finish(&mut bench, pid), (Some(Reply::Value(0)), 2));
    for (place, byte) in [(0, 1), (1, 0), (LEN, 0), (LEN + 1, 1)] {
        assert_eq!(bench.value(pid, PREAD, &[fd, SCRATCH, 1, place]), 1);
        assert_eq!(bench.peek(pid, SCRATCH, 1), [byte], "{place}");
    }
    let to = bench.string(pid, "/tmp/copy");
    let to = bench.value(pid, OPEN, &[to, 0o101, 0o644]);
    assert_eq!(bench.value(pid, 8, &[fd, 0, 0]), 0);
    assert_eq!(bench.value(pid, SENDFILE, &[to, fd, 0, LEN]), 1 << 20);
}

#[test]
fn a_shared_mapping_is_written_back_by_turns() {
    let (mut bench, pid, fd, _) = program();
    let at = bench.value(pid, MMAP, &[0, LEN, 3, 1, fd, 0]);
    for place in [0, LEN - 1] {
        bench.poke(pid, at + place, b"!");
    }
    const SYNC: u64 = 4;
    bench.waits(pid, MSYNC, &[at, LEN, SYNC]);
    assert_eq!(finish(&mut bench, pid), (Some(Reply::Value(0)), 2));
    let path = bench.string(pid, "/tmp/large");
    let fd = bench.value(pid, OPEN, &[path, 0]);
    for place in [0, LEN - 1] {
        assert_eq!(bench.value(pid, PREAD, &[fd, SCRATCH, 1, place]), 1);
        assert_eq!(bench.peek(pid, SCRATCH, 1), b"!");
    }
}

// Linux: filemap_read() goes on (mm/filemap.c), read_iter_zero() ends (drivers/char/mem.c).
#[test]
fn a_handler_cuts_a_long_read_of_a_device_short_and_none_of_a_file() {
    let (mut bench, pid, fd, at) = program();
    handle(&mut bench, pid, signals::SIGALRM, 0);
    bench.files.make_device("/dev/zero", 1, 5);
    let path = bench.string(pid, "/dev/zero");
    let zero = bench.value(pid, OPEN, &[path, 0]);
    for (fd, value) in [(fd, LEN), (zero, 1 << 20)] {
        bench.waits(pid, READ, &[fd, at, LEN]);
        bench.unix.send(pid, Info::of_system(signals::SIGALRM));
        bench.unix.notified(0);
        let answer = bench.answer(pid).or_else(|| finish(&mut bench, pid).0);
        assert_eq!(answer, Some(Reply::Resume), "the handler");
        let inside = bench.registers(pid);
        bench.set_registers(pid, libipc::Registers { rsp: inside.rsp + 8, ..inside });
        assert_eq!(bench.call(pid, super::SIGRETURN, [0; 6]), Some(Reply::Resume));
        assert_eq!(bench.registers(pid).rax, value);
    }
    bench.waits(pid, READ, &[zero, at, LEN]);
    bench.unix.send(pid, Info::of_system(signals::SIGKILL));
    bench.unix.notified(0);
    assert!(!bench.unix.processes.contains_key(&pid) || bench.unix.processes[&pid].is_zombie());
}

// `fdget_pos` (fs/file.c): a call holds its file and the file's offset to its end.
#[test]
fn a_long_call_keeps_its_file_and_its_place() {
    let (mut bench, pid, fd, at) = program();
    let other = fork(&mut bench, pid);
    bench.waits(pid, READ, &[fd, at, LEN]);
    // The offset is that call's until it is done.
    bench.waits(other, READ, &[fd, SCRATCH, 64 + 1]);
    assert_eq!(bench.value(pid, super::CLOSE, &[fd]), 0);
    assert_eq!(finish(&mut bench, pid), (Some(Reply::Value(LEN)), 2));
    assert_eq!(bench.peek(pid, at + LEN - 1, 1), [((LEN - 1) >> 12) as u8 | 1]);
    assert_eq!(finish(&mut bench, other).0, Some(Reply::Value(0)), "the end");
    assert!(bench.unix.paused.is_empty());
}

// `generic_file_write_iter` (mm/filemap.c) holds the inode: writes are not mixed.
#[test]
fn long_writes_to_one_file_come_one_after_the_other() {
    const APPEND: u64 = 0o2000;
    let (mut bench, pid, _, at) = program();
    let other = fork(&mut bench, pid);
    let mut open = |pid| {
        let path = bench.string(pid, "/tmp/out");
        bench.value(pid, OPEN, &[path, 0o101 | APPEND, 0o644])
    };
    let (one, two) = (open(pid), open(other));
    bench.poke(pid, at, &[b'a'; LEN as usize]);
    bench.waits(pid, WRITE, &[one, at, LEN]);
    bench.waits(other, WRITE, &[two, at, 1000]);
    assert_eq!(finish(&mut bench, pid).0, Some(Reply::Value(LEN)));
    assert_eq!(finish(&mut bench, other).0, Some(Reply::Value(1000)));
    let path = bench.string(pid, "/tmp/out");
    let fd = bench.value(pid, OPEN, &[path, 0]);
    for (place, byte) in [(0, b'a'), (LEN - 1, b'a'), (LEN, 0)] {
        assert_eq!(bench.value(pid, PREAD, &[fd, SCRATCH, 1, place]), 1);
        assert_eq!(bench.peek(pid, SCRATCH, 1), [byte], "{place}");
    }
}

// filemap_read and generic_perform_write (mm/filemap.c) return what was copied before a bad page.
#[test]
fn a_buffer_that_ends_gives_what_was_moved() {
    let (mut bench, pid, fd, _) = program();
    let at = bench.value(pid, MMAP, &[0, 128 << 10, 3, 0x22, u64::MAX, 0]);
    assert_eq!(bench.value(pid, 11, &[at + (64 << 10), 64 << 10]), 0);
    assert_eq!(bench.value(pid, WRITE, &[fd, at, 100_000]), 64 << 10);
    assert_eq!(bench.value(pid, READ, &[fd, at, 100_000]), 64 << 10);
    assert_eq!(bench.value(pid, 8, &[fd, 0, 1]), 128 << 10, "lseek");
}

// generic_write_checks (fs/read_write.c) cuts a write at the limit, without a signal.
#[test]
fn a_write_that_reaches_its_limit_is_short() {
    const SETRLIMIT: u32 = 160;
    let (mut bench, pid, _, at) = program();
    bench.poke(pid, DATA, &[65_536_u64, 65_536].map(u64::to_le_bytes).concat());
    assert_eq!(bench.value(pid, SETRLIMIT, &[1, DATA]), 0);
    let path = bench.string(pid, "/tmp/out");
    let fd = bench.value(pid, OPEN, &[path, 0o101, 0o644]);
    assert_eq!(bench.value(pid, WRITE, &[fd, at, 100_000]), 65_536);
}
