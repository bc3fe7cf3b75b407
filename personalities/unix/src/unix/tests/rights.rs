//! Rights that a program has, and those that it does not get on the way round.

use super::{OPEN, fork};
use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use protocols::file::mode;

const MMAP: u32 = 9;
const ACCESS: u32 = 21;
const CLONE: u32 = 56;
const CHOWN: u32 = 92;
const SETRESUID: u32 = 117;
const KEEP: u64 = -1i64 as u64;

#[test]
fn a_child_s_number_is_written_where_it_may_write_only() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let other = fork(&mut bench, pid);
    let path = bench.string(pid, "/etc/words");
    let fd = bench.value(pid, OPEN, &[path, 0]);
    let at = bench.value(pid, MMAP, &[0, 4096, 1, 2, fd, 0]);
    let path = bench.string(other, "/etc/words");
    let fd = bench.value(other, OPEN, &[path, 0]);
    let theirs = bench.value(other, MMAP, &[0, 4096, 1, 2, fd, 0]);
    assert_eq!(bench.peek(other, theirs, 4), b"one ");
    let child = bench.value(pid, CLONE, &[0x0100_0011, 0, 0, at, 0]);
    assert!((child as i64) > 0, "{child:x}");
    assert_eq!(bench.peek(other, theirs, 4), b"one ");
}

#[test]
fn a_file_opened_again_is_asked_for_its_permissions() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let node = bench.files.make("/etc/secret", mode::FILE | 0o644, b"x");
    bench.files.own(node, 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "/etc/secret");
    let fd = bench.value(pid, OPEN, &[path, 0]);
    bench.error(pid, OPEN, &[path, 2], Errno::EACCES);
    let path = bench.string(pid, &alloc::format!("/proc/self/fd/{fd}"));
    // is_dumpable is off after setresuid: exec would set it
    assert_eq!(bench.value(pid, 157, &[4, 1]), 0);
    bench.error(pid, OPEN, &[path, 2], Errno::EACCES);
}

#[test]
fn access_asks_for_the_real_user() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let node = bench.files.make("/etc/secret", mode::FILE | 0o600, b"x");
    bench.files.own(node, 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 0, 0]), 0);
    let path = bench.string(pid, "/etc/secret");
    bench.error(pid, ACCESS, &[path, 4], Errno::EACCES);
}

#[test]
fn who_does_not_own_a_file_takes_no_set_id_bits() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let node = bench.files.make("/bin/su", mode::FILE | 0o4755, b"x");
    bench.files.own(node, 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "/bin/su");
    bench.error(pid, CHOWN, &[path, KEEP, KEEP], Errno::EPERM);
}

#[test]
fn the_longest_arguments_are_executed() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let at = bench.value(pid, MMAP, &[0, 1 << 20, 3, 0x22, KEEP, 0]);
    for page in 0..127u64 {
        bench.poke(pid, at + page * 4096, &[b'a'; 4096]);
    }
    let path = bench.string(pid, "/bin/tiny");
    bench.poke(pid, SCRATCH + 4096, &[path, at, 0].map(u64::to_le_bytes).concat());
    bench.call(pid, 59, [path, SCRATCH + 4096, 0, 0, 0, 0]);
    assert_eq!(bench.unix.processes[&pid].command_line.len(), 10 + 127 * 4096 + 1);
}

#[test]
fn exec_makes_sigchld_the_signal_of_the_end() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let child = crate::process::Pid(bench.value(pid, CLONE, &[0, 0, 0, 0, 0]) as u32);
    let path = bench.string(child, "/bin/tiny");
    bench.call(child, 59, [path, 0, 0, 0, 0, 0]);
    bench.call(child, 231, [0; 6]);
    assert_eq!(bench.value(pid, 61, &[KEEP, 0, 0, 0]) as i64, i64::from(child.0));
}

#[test]
fn who_may_not_use_all_files_starts_no_program_that_may() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.files.make("/bin/OTHER.COM", mode::FILE | 0o755, b"\xc3");
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "/bin/OTHER.COM");
    bench.error(pid, 59, &[path, 0, 0], Errno::EACCES);
}
