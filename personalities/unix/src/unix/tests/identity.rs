//! Tests of users, groups, capabilities and what a process sets for itself.

use super::{DATA, EXECVE, EXIT_GROUP, GETPPID, KILL, OPEN, WAIT4, fork};
use crate::Errno;
use crate::fake::{Bench, SCRATCH, tiny_program};
use crate::linux::signals;
use crate::process::{Life, Pid};
use crate::unix::Reply;
use libipc::Kind;
use protocols::file::mode;

const SETUID: u32 = 105;
const GETEUID: u32 = 107;
const SETREUID: u32 = 113;
const SETGROUPS: u32 = 116;
const SETRESUID: u32 = 117;
const GETRESUID: u32 = 118;
const SETFSUID: u32 = 122;
const CAPGET: u32 = 125;
const CAPSET: u32 = 126;
const GETPRIORITY: u32 = 140;
const SETPRIORITY: u32 = 141;
const SETSCHEDULER: u32 = 144;
const PRCTL: u32 = 157;
const PERSONALITY: u32 = 135;
const UNAME: u32 = 63;
const KEEP: u64 = -1i64 as u64;

fn ids(bench: &mut Bench, pid: Pid) -> [u32; 3] {
    assert_eq!(bench.value(pid, GETRESUID, &[DATA, DATA + 4, DATA + 8]), 0);
    let bytes = bench.peek(pid, DATA, 12);
    [0, 4, 8].map(|at| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()))
}

#[test]
fn an_ordinary_user_takes_only_ids_that_it_has() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(bench.value(pid, SETRESUID, &[1, 2, 3]), 0);
    assert_eq!(ids(&mut bench, pid), [1, 2, 3]);
    bench.error(pid, SETUID, &[2], Errno::EPERM);
    bench.error(pid, SETUID, &[KEEP], Errno::EINVAL);
    assert_eq!(bench.value(pid, SETUID, &[3]), 0);
    assert_eq!(ids(&mut bench, pid), [1, 3, 3]);
    bench.error(pid, SETGROUPS, &[0, 0], Errno::EPERM);
    bench.error(pid, SETRESUID, &[KEEP, 0, KEEP], Errno::EPERM);
    assert_eq!(bench.value(pid, SETREUID, &[3, 1]), 0);
    assert_eq!(ids(&mut bench, pid), [3, 1, 1]);
}

#[test]
fn files_are_used_for_the_id_for_files() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let node = bench.files.make("/etc/secret", mode::FILE | 0o600, b"x");
    bench.files.own(node, 0);
    let path = bench.string(pid, "/etc/secret");
    assert_eq!(bench.value(pid, SETFSUID, &[5]), 0);
    bench.error(pid, OPEN, &[path, 0], Errno::EACCES);
    assert_eq!(bench.value(pid, SETFSUID, &[KEEP]), 5, "who asks for nothing learns it");
    assert_eq!(bench.value(pid, SETFSUID, &[0]), 5);
    assert_eq!(bench.value(pid, OPEN, &[path, 0]), 3);
}

#[test]
fn a_set_id_bit_counts_unless_no_new_privileges_are_wanted() {
    const SET_NO_NEW_PRIVILEGES: u64 = 38;
    for (refuses, effective) in [(false, 7), (true, 5)] {
        let mut bench = Bench::new();
        let pid = bench.launch();
        let node = bench.files.make("/bin/su", mode::FILE | 0o4755, &tiny_program());
        bench.files.own(node, 7);
        assert_eq!(bench.value(pid, SETUID, &[5]), 0);
        if refuses {
            assert_eq!(bench.value(pid, PRCTL, &[SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0]), 0);
        }
        let path = bench.string(pid, "/bin/su");
        assert_eq!(bench.call(pid, EXECVE, [path, 0, 0, 0, 0, 0]), None);
        assert_eq!(bench.value(pid, GETEUID, &[]), effective);
    }
}

#[test]
fn capabilities_can_be_given_up_and_not_taken_back() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let header: alloc::vec::Vec<u8> =
        [0x2008_0522u32, 0].iter().flat_map(|w| w.to_le_bytes()).collect();
    bench.poke(pid, DATA, &header);
    assert_eq!(bench.value(pid, CAPGET, &[DATA, DATA + 16]), 0);
    let full = bench.peek(pid, DATA + 16, 24);
    assert_ne!(full[..4], [0; 4]);
    bench.poke(pid, DATA + 16, &[0; 24]);
    assert_eq!(bench.value(pid, CAPSET, &[DATA, DATA + 16]), 0);
    bench.poke(pid, DATA + 16, &full);
    bench.error(pid, CAPSET, &[DATA, DATA + 16], Errno::EPERM);
    bench.error(pid, SETUID, &[9], Errno::EPERM);
    bench.poke(pid, DATA, &[0; 4]);
    bench.error(pid, CAPGET, &[DATA, DATA + 16], Errno::EINVAL);
    assert_eq!(bench.peek(pid, DATA, 4), 0x2008_0522u32.to_le_bytes());
}

#[test]
fn orphans_go_to_the_next_adopter_and_hear_of_their_parent_s_end() {
    const SET_PARENT_DEATH_SIGNAL: u64 = 1;
    const SET_SUBREAPER: u64 = 36;
    let mut bench = Bench::new();
    let top = bench.launch();
    assert_eq!(bench.value(top, PRCTL, &[SET_SUBREAPER, 1]), 0);
    let middle = fork(&mut bench, top);
    let (ended, left) = (fork(&mut bench, middle), fork(&mut bench, middle));
    let told = fork(&mut bench, middle);
    assert_eq!(bench.value(told, PRCTL, &[SET_PARENT_DEATH_SIGNAL, 9]), 0);
    bench.call(ended, EXIT_GROUP, [3, 0, 0, 0, 0, 0]);
    bench.call(middle, EXIT_GROUP, [0; 6]);
    bench.event(bench.thread(told), Kind::Recall, 0, [0; 6]);
    assert_eq!(bench.value(left, GETPPID, &[]), top.0.into());
    assert!(matches!(bench.unix.processes[&told].life, Life::Zombie(_)));
    let mut found = alloc::vec::Vec::new();
    for _ in 0..3 {
        found.push(bench.value(top, WAIT4, &[KEEP, 0, 0, 0]) as u32);
    }
    found.sort_unstable();
    assert_eq!(found, [middle.0, ended.0, told.0]);
}

#[test]
fn nice_values_are_kept_inherited_and_lowered_by_the_privileged_only() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(bench.value(pid, SETPRIORITY, &[0, 0, 5]), 0);
    let child = fork(&mut bench, pid);
    assert_eq!(bench.value(child, GETPRIORITY, &[0, 0]), 15);
    assert_eq!(bench.value(child, SETUID, &[5]), 0);
    bench.error(child, SETPRIORITY, &[0, 0, 0], Errno::EACCES);
    bench.error(child, SETPRIORITY, &[0, pid.0.into(), 9], Errno::EPERM);
    bench.error(child, GETPRIORITY, &[0, 999], Errno::ESRCH);
    bench.error(child, GETPRIORITY, &[7, 0], Errno::EINVAL);
    bench.poke(child, DATA, &1u32.to_le_bytes());
    bench.error(child, SETSCHEDULER, &[0, 1, DATA], Errno::EPERM);
    bench.error(child, SETSCHEDULER, &[0, 0, DATA], Errno::EINVAL);
}

#[test]
fn another_personality_has_another_machine_s_name() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(bench.value(pid, PERSONALITY, &[8]), 0);
    assert_eq!(bench.value(pid, PERSONALITY, &[0xffff_ffff]), 8);
    assert_eq!(bench.value(pid, UNAME, &[SCRATCH]), 0);
    assert_eq!(bench.peek(pid, SCRATCH + 4 * 65, 5), b"i686\0");
}

#[test]
fn signals_need_a_user_in_common() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let child = fork(&mut bench, pid);
    bench.value(child, SETUID, &[5]);
    bench.error(child, KILL, &[pid.0.into(), 0], Errno::EPERM);
    assert_eq!(bench.value(pid, KILL, &[child.0.into(), signals::SIGKILL.into()]), 0);
    bench.event(bench.thread(child), Kind::Recall, 0, [0; 6]);
    assert_eq!(bench.call(pid, WAIT4, [KEEP, 0, 0, 0, 0, 0]), Some(Reply::Value(child.0.into())));
}
