//! Tests of what moves bytes between descriptors: nothing is lost, and offsets tell what was moved.

use protocols::file::mode;

use super::{CLOSE, DATA, OPEN, READ, SIGACTION, WRITE, handle, make_pipe};
use crate::Errno;
use crate::fake::Bench;
use crate::linux::signals;
use crate::process::Pid;
use crate::signal::Info;

const LSEEK: u32 = 8;
const SENDFILE: u32 = 40;
const SETRLIMIT: u32 = 160;
const SPLICE: u32 = 275;
const COPY_FILE_RANGE: u32 = 326;
const FILE_SIZE: u64 = 1;

fn offset(bench: &mut Bench, pid: Pid, fd: u64) -> u64 {
    bench.value(pid, LSEEK, &[fd, 0, 1])
}

fn ignore(bench: &mut Bench, pid: Pid, signal: u8) {
    bench.poke(pid, DATA, &[1u64, 0, 0, 0].map(u64::to_le_bytes).concat());
    assert_eq!(bench.value(pid, SIGACTION, &[signal.into(), DATA, 0, 8]), 0);
}

fn limit_files(bench: &mut Bench, pid: Pid, bytes: u64) {
    ignore(bench, pid, signals::SIGXFSZ);
    bench.poke(pid, DATA, &[bytes, bytes].map(u64::to_le_bytes).concat());
    assert_eq!(bench.value(pid, SETRLIMIT, &[FILE_SIZE, DATA]), 0);
}

fn open(bench: &mut Bench, pid: Pid, path: &str, bits: u64) -> u64 {
    let path = bench.string(pid, path);
    bench.value(pid, OPEN, &[path, bits, 0o644])
}

// A pipe's buffer is given up once it is written (`splice_from_pipe_feed`, fs/splice.c).
#[test]
fn a_pipe_keeps_what_splice_could_not_write() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.files.make_device("/dev/full", 1, 7);
    let full = open(&mut bench, pid, "/dev/full", 1);
    let file = open(&mut bench, pid, "/tmp/f", 0o102);
    let (read, write) = make_pipe(&mut bench, pid);
    bench.poke(pid, DATA, b"abcde");
    assert_eq!(bench.value(pid, WRITE, &[write, DATA, 5]), 5);
    bench.error(pid, SPLICE, &[read, 0, full, 0, 5], Errno::EINVAL);
    limit_files(&mut bench, pid, 3);
    assert_eq!(bench.value(pid, SPLICE, &[read, 0, file, 0, 5]), 3);
    bench.error(pid, SPLICE, &[read, 0, file, 0, 5], Errno::EFBIG);
    assert_eq!(bench.value(pid, READ, &[read, DATA, 9]), 2);
    assert_eq!(bench.peek(pid, DATA, 2), b"de");
}

#[test]
fn a_file_stays_where_it_is_when_nobody_reads_the_pipe() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    ignore(&mut bench, pid, signals::SIGPIPE);
    let file = open(&mut bench, pid, "/etc/words", 0);
    let (read, write) = make_pipe(&mut bench, pid);
    assert_eq!(bench.value(pid, SPLICE, &[file, 0, write, 0, 4]), 4);
    assert_eq!(offset(&mut bench, pid, file), 4);
    bench.value(pid, CLOSE, &[read]);
    bench.error(pid, SPLICE, &[file, 0, write, 0, 4], Errno::EPIPE);
    assert_eq!(offset(&mut bench, pid, file), 4);
}

// setrlimit(2), RLIMIT_FSIZE; `generic_write_checks` (mm/filemap.c) is in the way of all of them.
#[test]
fn the_limit_of_files_sizes_holds_for_copies() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let from = open(&mut bench, pid, "/etc/words", 0);
    let to = open(&mut bench, pid, "/tmp/f", 0o102);
    limit_files(&mut bench, pid, 3);
    assert_eq!(bench.value(pid, SENDFILE, &[to, from, 0, 9]), 3);
    assert_eq!(offset(&mut bench, pid, from), 3);
    bench.error(pid, SENDFILE, &[to, from, 0, 9], Errno::EFBIG);
    bench.value(pid, LSEEK, &[to, 1, 0]);
    assert_eq!(bench.value(pid, COPY_FILE_RANGE, &[from, 0, to, 0, 9, 0]), 2);
    bench.error(pid, COPY_FILE_RANGE, &[from, 0, to, 0, 9, 0], Errno::EFBIG);
}

// `do_sendfile` (fs/read_write.c) writes the offset whatever ended it.
#[test]
fn sendfile_that_a_handler_ends_has_moved_its_offset() {
    for by_address in [false, true] {
        let mut bench = Bench::new();
        let pid = bench.launch();
        handle(&mut bench, pid, signals::SIGALRM, 0);
        bench.files.make("/tmp/big", mode::FILE | 0o644, &[7; 200_000]);
        let file = open(&mut bench, pid, "/tmp/big", 0);
        let (_, write) = make_pipe(&mut bench, pid);
        bench.poke(pid, DATA, &[0; 8]);
        let at = if by_address { DATA } else { 0 };
        bench.waits(pid, SENDFILE, &[write, file, at, 200_000]);
        bench.unix.send(pid, Info::of_system(signals::SIGALRM));
        bench.unix.notified(0);
        let moved = u64::from_le_bytes(bench.peek(pid, DATA, 8).try_into().unwrap());
        let offset = offset(&mut bench, pid, file);
        let both = if by_address { (0, 65_536) } else { (65_536, 0) };
        assert_eq!((offset, moved), both);
    }
}

#[test]
fn sendfile_that_waits_sends_every_byte_once() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let bytes: alloc::vec::Vec<u8> = (0..70_000u32).map(|at| (at / 300) as u8).collect();
    bench.files.make("/tmp/big", mode::FILE | 0o644, &bytes);
    let file = open(&mut bench, pid, "/tmp/big", 0);
    let (read, write) = make_pipe(&mut bench, pid);
    let reader = super::fork(&mut bench, pid);
    bench.waits(pid, SENDFILE, &[write, file, 0, 69_000]);
    let mut got = alloc::vec::Vec::new();
    while got.len() < 69_000 {
        let count = bench.value(reader, READ, &[read, DATA, 1000]);
        got.extend(bench.peek(reader, DATA, count as usize));
    }
    assert!(got == bytes[..69_000]);
    assert_eq!(bench.answer(pid), Some(crate::unix::Reply::Value(69_000)));
    assert_eq!(offset(&mut bench, pid, file), 69_000);
}
