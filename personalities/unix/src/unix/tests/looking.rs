//! Tests of who may look into which process through /proc, and that open files stay that one's.

use alloc::format;

use super::{DATA, EXECVE, EXIT_GROUP, OPEN, READ, READLINK, WAIT4, WRITE, fork};
use crate::Errno;
use crate::fake::Bench;
use crate::process::Pid;

const SETRESUID: u32 = 117;
const SETRESGID: u32 = 119;
const PRCTL: u32 = 157;
const SET_DUMPABLE: u64 = 4;

fn open(bench: &mut Bench, pid: Pid, of: Pid, name: &str, bits: u64) -> i64 {
    let path = bench.string(pid, &format!("/proc/{}/{name}", of.0));
    bench.value(pid, OPEN, &[path, bits]) as i64
}

// `proc_single_show`, `environ_read` and `comm_write` (fs/proc/base.c): a file keeps the process.
#[test]
fn a_file_about_a_process_says_nothing_of_the_next_one_with_its_number() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let child = fork(&mut bench, pid);
    let [status, environment, maps] =
        ["status", "environ", "maps"].map(|name| open(&mut bench, pid, child, name, 0) as u64);
    let name = open(&mut bench, pid, child, "comm", 2) as u64;
    assert_ne!(bench.value(pid, READ, &[status, DATA, 9]), 0);
    bench.error(pid, WRITE, &[name, DATA, 3], Errno::EINVAL);
    bench.call(child, EXIT_GROUP, [0; 6]);
    assert_eq!(bench.value(pid, WAIT4, &[child.0.into(), 0, 0, 0]), child.0.into());
    bench.pass(1);
    bench.unix.last_pid = child.0 - 1;
    assert_eq!(fork(&mut bench, pid), child, "the number comes again");
    const PREAD: u32 = 17;
    for fd in [status, maps, name] {
        bench.error(pid, PREAD, &[fd, DATA, 9, 0], Errno::ESRCH);
    }
    assert_eq!(bench.value(pid, READ, &[environment, DATA, 9]), 0);
    bench.error(pid, WRITE, &[name, DATA, 3], Errno::ESRCH);
}

// `proc_mem_open` (fs/proc/base.c): the memory is that of the time of open().
#[test]
fn memory_that_a_program_has_left_is_not_shown_as_the_next_one_s() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let child = fork(&mut bench, pid);
    let [auxiliary, maps] =
        ["auxv", "maps"].map(|name| open(&mut bench, pid, child, name, 0) as u64);
    let status = open(&mut bench, pid, child, "status", 0) as u64;
    let path = bench.string(child, "/bin/tiny");
    assert_eq!(bench.call(child, EXECVE, [path, 0, 0, 0, 0, 0]), None);
    assert_eq!(bench.value(pid, READ, &[auxiliary, DATA, 9]), 0);
    assert_eq!(bench.value(pid, READ, &[maps, DATA, 9]), 0);
    assert_eq!(bench.value(pid, READ, &[status, DATA, 9]), 9);
    let again = open(&mut bench, pid, child, "auxv", 0) as u64;
    assert_eq!(bench.value(pid, READ, &[again, DATA, 9]), 9);
}

// proc(5): cwd, exe, root, fd, maps, auxv and environ ask PTRACE_MODE_READ_FSCREDS.
#[test]
fn a_process_is_looked_into_by_its_own_user() {
    let mut bench = Bench::new();
    let root = bench.launch();
    let users = [fork(&mut bench, root), fork(&mut bench, root), fork(&mut bench, root)];
    for (pid, id) in users.into_iter().zip([1000, 1000, 1001]) {
        assert_eq!(bench.value(pid, SETRESGID, &[1000, 1000, 1000]), 0);
        assert_eq!(bench.value(pid, SETRESUID, &[id, id, id]), 0);
        assert_eq!(bench.value(pid, PRCTL, &[SET_DUMPABLE, 1]), 0);
    }
    let [one, same, other] = users;
    let hidden = Pid(bench.value(other, super::FORK, &[]) as u32);
    assert_eq!(bench.value(hidden, SETRESUID, &[1001, 1001, 1001]), 0);
    assert_eq!(bench.value(hidden, PRCTL, &[SET_DUMPABLE, 0]), 0);
    let pairs = [(one, one), (one, same), (root, one), (root, hidden), (hidden, hidden)];
    let may = pairs.map(|pair| (pair, true));
    let may_not = [(one, root), (one, other), (other, hidden)].map(|pair| (pair, false));
    for ((reader, of), may) in may.into_iter().chain(may_not) {
        let link = bench.string(reader, &format!("/proc/{}/cwd", of.0));
        let link = bench.value(reader, READLINK, &[link, DATA, 9]) as i64;
        let through = open(&mut bench, reader, of, "cwd/etc/words", 0);
        let maps = open(&mut bench, reader, of, "maps", 0);
        let refused = Errno::EACCES.to_rax() as i64;
        assert_eq!([link, through, maps].map(|value| value != refused), [may; 3]);
        assert!(open(&mut bench, reader, of, "stat", 0) >= 0, "everybody's to read");
    }
}
