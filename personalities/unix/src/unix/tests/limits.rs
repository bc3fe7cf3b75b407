//! Tests of resource limits: what they bound, who may raise them.

use super::{DATA, FORK, OPEN, WRITE, fork};
use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::linux::structures::{Fields, SECOND};
use crate::memory::PAGE;
use crate::process::{Ending, Life, Pid};

const DUP: u32 = 32;
const FTRUNCATE: u32 = 77;
const GETRLIMIT: u32 = 97;
const SETUID: u32 = 105;
const SETRLIMIT: u32 = 160;
const PRLIMIT64: u32 = 302;
const CPU: u64 = 0;
const FILE_SIZE: u64 = 1;
const PROCESSES: u64 = 6;
const DESCRIPTORS: u64 = 7;
const DATA_SIZE: u64 = 2;
const LOCKED: u64 = 8;
const ADDRESS_SPACE: u64 = 9;
const MMAP: u32 = 9;
const MPROTECT: u32 = 10;
const MUNMAP: u32 = 11;
const BRK: u32 = 12;
const MREMAP: u32 = 25;
const MLOCK: u32 = 149;
const MUNLOCK: u32 = 150;
const ANONYMOUS: u64 = 0x22;

fn limit(bench: &mut Bench, pid: Pid, resource: u64, soft: u64, hard: u64) -> i64 {
    bench.poke(pid, DATA, &Fields::default().u64(soft).u64(hard).0);
    bench.value(pid, SETRLIMIT, &[resource, DATA]) as i64
}

#[test]
fn descriptors_end_at_their_limit_in_children_too() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(limit(&mut bench, pid, DESCRIPTORS, 4, 4), 0);
    let child = fork(&mut bench, pid);
    assert_eq!(bench.value(child, DUP, &[0]), 3);
    bench.error(child, DUP, &[0], Errno::EMFILE);
    assert_eq!(bench.value(child, GETRLIMIT, &[DESCRIPTORS, DATA]), 0);
    assert_eq!(bench.peek(child, DATA, 16), Fields::default().u64(4).u64(4).0);
}

#[test]
fn a_file_grows_to_the_limit_and_then_a_signal_comes() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(limit(&mut bench, pid, FILE_SIZE, 10, 10), 0);
    let path = bench.string(pid, "/tmp/new");
    assert_eq!(bench.value(pid, OPEN, &[path, 0o102, 0o644]), 3);
    assert_eq!(bench.value(pid, WRITE, &[3, DATA, 8]), 8);
    assert_eq!(bench.value(pid, FTRUNCATE, &[3, 10]), 0);
    super::handle(&mut bench, pid, signals::SIGXFSZ, 0);
    assert_eq!(bench.call(pid, FTRUNCATE, [3, 11, 0, 0, 0, 0]), Some(crate::unix::Reply::Resume));
    assert_eq!(bench.registers(pid).rdi, signals::SIGXFSZ.into());
}

#[test]
fn limits_are_raised_by_the_privileged_and_never_contradict() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(limit(&mut bench, pid, CPU, 2, 1), Errno::EINVAL.to_rax() as i64);
    assert_eq!(limit(&mut bench, pid, 16, 1, 1), Errno::EINVAL.to_rax() as i64);
    assert_eq!(limit(&mut bench, pid, DESCRIPTORS, 1, 1 << 20), Errno::EPERM.to_rax() as i64);
    assert_eq!(limit(&mut bench, pid, CPU, 5, 9), 0);
    let child = fork(&mut bench, pid);
    assert_eq!(bench.value(child, SETUID, &[5]), 0);
    assert_eq!(limit(&mut bench, child, CPU, 9, 9), 0);
    assert_eq!(limit(&mut bench, child, CPU, 9, 10), Errno::EPERM.to_rax() as i64);
    bench.error(child, PRLIMIT64, &[pid.0.into(), CPU, 0, DATA], Errno::EPERM);
    assert_eq!(bench.value(pid, PRLIMIT64, &[child.0.into(), CPU, 0, DATA]), 0);
    assert_eq!(bench.peek(pid, DATA, 8), 9u64.to_le_bytes());
}

#[test]
fn an_ordinary_user_has_no_more_processes_than_allowed() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(limit(&mut bench, pid, PROCESSES, 2, 2), 0);
    fork(&mut bench, pid);
    let child = fork(&mut bench, pid);
    assert_eq!(bench.value(child, SETUID, &[5]), 0);
    fork(&mut bench, child);
    bench.error(child, FORK, &[], Errno::EAGAIN);
    // CLONE_VM, FS, FILES, SIGHAND, THREAD
    bench.error(child, 56, &[0x1_0f00, SCRATCH + 0x1000], Errno::EAGAIN);
}

#[test]
fn processor_time_is_warned_of_and_then_ends() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    super::handle(&mut bench, pid, signals::SIGXCPU, 0);
    assert_eq!(limit(&mut bench, pid, CPU, 1, 3), 0);
    let run = |bench: &mut Bench, seconds: u64| {
        bench.machine.0.borrow_mut().run_time = Some(seconds * SECOND);
        bench.pass(seconds * SECOND);
    };
    run(&mut bench, 1);
    assert!(bench.unix.processes[&pid].pending.set().contains(signals::SIGXCPU));
    run(&mut bench, 3);
    bench.event(bench.thread(pid), libipc::Kind::Recall, 0, [0; 6]);
    let life = bench.unix.processes.get(&pid).map(|process| process.life);
    assert_eq!(life, Some(Life::Zombie(Ending::Signal(signals::SIGKILL))));
}

fn map(bench: &mut Bench, pid: Pid, pages: u64, protection: u64) -> u64 {
    bench.value(pid, MMAP, &[0, pages * PAGE, protection, ANONYMOUS, !0, 0])
}

#[test]
fn address_space_ends_at_its_limit() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let used = bench.unix.processes[&pid].mm.as_ref().unwrap().borrow().size_pages();
    let most = (used + 10) * PAGE;
    assert_eq!(limit(&mut bench, pid, ADDRESS_SPACE, most, most), 0);
    let no_memory = Errno::ENOMEM.to_rax();
    let at = map(&mut bench, pid, 8, 1);
    assert_eq!(map(&mut bench, pid, 3, 0), no_memory);
    bench.error(pid, MREMAP, &[at, 8 * PAGE, 11 * PAGE, 1], Errno::ENOMEM);
    let brk = bench.value(pid, BRK, &[0]);
    assert_eq!(bench.value(pid, BRK, &[brk + 4 * PAGE]), brk, "the break stays");
    let lower = at - 2 * PAGE;
    assert_eq!(bench.value(pid, MMAP, &[lower, 10 * PAGE, 1, ANONYMOUS | 0x10, !0, 0]), lower);
    assert_eq!(bench.value(pid, MUNMAP, &[lower, 5 * PAGE]), 0);
    let child = fork(&mut bench, pid);
    assert!((map(&mut bench, child, 5, 1) as i64) > 0);
    assert_eq!(map(&mut bench, child, 1, 1), no_memory, "a child has its parent's limits");
}

#[test]
fn data_are_private_and_writable() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let used = bench.unix.processes[&pid].mm.as_ref().unwrap().borrow().data_pages();
    let most = (used + 10) * PAGE;
    assert_eq!(limit(&mut bench, pid, DATA_SIZE, most, most), 0);
    let readable = map(&mut bench, pid, 40, 1);
    assert!((readable as i64) > 0);
    bench.error(pid, MPROTECT, &[readable, 11 * PAGE, 3], Errno::ENOMEM);
    assert_eq!(bench.value(pid, MPROTECT, &[readable, 6 * PAGE, 3]), 0);
    assert_eq!(map(&mut bench, pid, 5, 3), Errno::ENOMEM.to_rax());
    assert!((map(&mut bench, pid, 4, 3) as i64) > 0);
    assert_eq!(bench.value(pid, MPROTECT, &[readable, 6 * PAGE, 3]), 0, "it is data already");
}

#[test]
fn locks_are_bounded_for_those_without_the_right() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let at = map(&mut bench, pid, 8, 3);
    assert_eq!(limit(&mut bench, pid, LOCKED, 2 * PAGE, 2 * PAGE), 0);
    assert_eq!(bench.value(pid, MLOCK, &[at, 8 * PAGE]), 0, "the privileged may");
    assert_eq!(bench.value(pid, MUNLOCK, &[at, 8 * PAGE]), 0);
    assert_eq!(bench.value(pid, SETUID, &[5]), 0);
    assert_eq!(bench.value(pid, MLOCK, &[at + 1, PAGE]), 0, "two pages");
    bench.error(pid, MLOCK, &[at + 4 * PAGE, 1], Errno::ENOMEM);
    let locked = [0, PAGE, 3, ANONYMOUS | 0x2000, !0, 0];
    bench.error(pid, MMAP, &locked, Errno::EAGAIN);
    assert_eq!(bench.value(pid, MUNLOCK, &[at, PAGE]), 0);
    assert_eq!(bench.value(pid, MLOCK, &[at + 4 * PAGE, 1]), 0);
    assert_eq!(limit(&mut bench, pid, LOCKED, 0, 0), 0);
    bench.error(pid, MLOCK, &[at, 1], Errno::EPERM);
}
