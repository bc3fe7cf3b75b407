//! Tests of signals: which comes first, what they do not interrupt, who may send them.

use libipc::Kind;

use super::{ANY, DATA, EXIT_GROUP, KILL, SIGACTION, VFORK, WAIT4, fork, handle};
use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::process::Pid;
use crate::signal::Info;
use crate::unix::Reply;

const EXECVE: u32 = 59;
const CLONE: u32 = 56;
const SIGPROCMASK: u32 = 14;
const SETRESUID: u32 = 117;
const SETSID: u32 = 112;
const TGKILL: u32 = 234;
/// CLONE_VM, FS, FILES, SIGHAND and THREAD.
const THREAD: u64 = 0x1_0f00;

/// Returns the child that was made last.
fn last_child(bench: &Bench) -> Pid {
    *bench.unix.processes.keys().next_back().unwrap()
}

fn alarm(bench: &mut Bench, pid: Pid) {
    bench.unix.send(pid, Info::of_system(signals::SIGALRM));
    bench.unix.notified(0);
}

// Linux: wait_for_vfork_done() waits as TASK_KILLABLE (kernel/fork.c).
#[test]
fn vfork_is_not_interrupted_by_handlers() {
    const RESTART: u64 = 0x1000_0000;
    for flags in [0, RESTART] {
        let mut bench = Bench::new();
        let pid = bench.launch();
        handle(&mut bench, pid, signals::SIGALRM, flags);
        bench.waits(pid, VFORK, &[]);
        let child = last_child(&bench);
        alarm(&mut bench, pid);
        assert_eq!(bench.answer(pid), None);
        let path = bench.string(child, "/bin/tiny");
        assert_eq!(bench.call(child, EXECVE, [path, 0, 0, 0, 0, 0]), None);
        assert_eq!(bench.answer(pid), Some(Reply::Resume), "the handler");
        let inside = bench.registers(pid);
        assert_eq!(inside.rdi, signals::SIGALRM.into());
        bench.set_registers(pid, libipc::Registers { rsp: inside.rsp + 8, ..inside });
        assert_eq!(bench.call(pid, super::SIGRETURN, [0; 6]), Some(Reply::Resume));
        assert_eq!(bench.registers(pid).rax, child.0.into(), "vfork's value");
    }
}

#[test]
fn vfork_is_stopped_when_the_child_is_gone_and_ended_at_once() {
    const VM_AND_VFORK: u64 = 0x4100;
    let mut bench = Bench::new();
    let parent = bench.launch();
    let pid = fork(&mut bench, parent);
    bench.waits(pid, CLONE, &[VM_AND_VFORK, 0, 0, 0, 0]);
    let child = last_child(&bench);
    bench.unix.send(pid, Info::of_system(signals::SIGSTOP));
    bench.unix.notified(0);
    assert!(!bench.unix.processes[&pid].is_stopped());
    bench.call(child, EXIT_GROUP, [0; 6]);
    assert!(bench.unix.processes[&pid].is_stopped());
    bench.unix.send(pid, Info::of_system(signals::SIGCONT));
    bench.unix.notified(0);
    assert_eq!(bench.answer(pid), Some(Reply::Value(child.0.into())));

    bench.waits(pid, VFORK, &[]);
    bench.unix.send(pid, Info::of_system(signals::SIGTERM));
    bench.unix.notified(0);
    assert_eq!(bench.value(parent, WAIT4, &[ANY, DATA, 0, 0]), pid.0.into());
    assert_eq!(bench.peek(parent, DATA, 2), [signals::SIGTERM, 0]);
}

// Linux: dequeue_synchronous_signal() and next_signal() (kernel/signal.c).
#[test]
fn a_fault_s_frame_is_the_first() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    for signal in [signals::SIGHUP, signals::SIGTRAP, signals::SIGSEGV] {
        handle(&mut bench, pid, signal, 0);
    }
    let number = bench.thread(pid);
    bench.unix.send(pid, Info::of_system(signals::SIGHUP));
    bench.unix.send_to_thread(number, Info::of_user(signals::SIGTRAP, pid.0, 0));
    bench.unix.notified(0);
    let faulting = bench.registers(pid).rip;
    let words = [6, 0x10, faulting, 0, 0, 0];
    assert_eq!(bench.event(number, Kind::Exception, 14, words), Some(Reply::Resume));
    // The last frame's handler runs first; each tells where the one before was interrupted.
    let mut order = alloc::vec::Vec::new();
    for _ in 0..3 {
        let inside = bench.registers(pid);
        order.push(inside.rdi as u8);
        bench.set_registers(pid, libipc::Registers { rsp: inside.rsp + 8, ..inside });
        assert_eq!(bench.call(pid, super::SIGRETURN, [0; 6]), Some(Reply::Resume));
    }
    assert_eq!(order, [signals::SIGHUP, signals::SIGTRAP, signals::SIGSEGV]);
    assert_eq!(bench.registers(pid).rip, faulting);
}

// Linux: kill_ok_by_cred(), check_kill_permission() and kill_something_info() (kernel/signal.c).
#[test]
fn who_may_signal_whom_is_as_on_linux() {
    let mut bench = Bench::new();
    let root = bench.launch();
    let pid = fork(&mut bench, root);
    let child = fork(&mut bench, root);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let [pid_of, term, cont] = [child.0, signals::SIGTERM.into(), signals::SIGCONT.into()];
    bench.error(pid, KILL, &[pid_of.into(), term.into()], Errno::EPERM);
    assert_eq!(bench.value(pid, KILL, &[pid_of.into(), cont.into()]), 0, "of one session");
    assert_eq!(bench.value(pid, KILL, &[ANY, term.into()]), 0, "all, but nobody");
    assert_eq!(bench.value(child, SETSID, &[]), u64::from(pid_of));
    bench.error(pid, KILL, &[pid_of.into(), cont.into()], Errno::EPERM);
    bench.error(pid, TGKILL, &[pid_of.into(), pid_of.into(), cont.into()], Errno::EPERM);
    bench.error(pid, KILL, &[30_000, 0], Errno::ESRCH);
}

// Linux: find_vpid() finds any thread, whose process is signalled (kill_pid_info()).
#[test]
fn a_thread_s_number_names_its_process_to_kill() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let tid = bench.value(pid, CLONE, &[THREAD, SCRATCH + 0x1000]);
    let other = fork(&mut bench, pid);
    assert_eq!(bench.value(other, KILL, &[tid, signals::SIGTERM.into()]), 0);
    let pending = &bench.unix.processes[&pid].pending;
    assert!(pending.set().contains(signals::SIGTERM));
}

// Linux: do_sigaction() flushes what is ignored from all threads of the process.
#[test]
fn what_is_ignored_goes_from_all_threads() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let usual = signals::SIGUSR1;
    bench.poke(pid, DATA, &(1u64 << (usual - 1)).to_le_bytes());
    assert_eq!(bench.value(pid, SIGPROCMASK, &[0, DATA, 0, 8]), 0);
    let tid = bench.value(pid, CLONE, &[THREAD, SCRATCH + 0x1000]);
    let threads = bench.unix.processes[&pid].threads.clone();
    for tid in [pid.0.into(), tid] {
        assert_eq!(bench.value(pid, TGKILL, &[pid.0.into(), tid, usual.into()]), 0);
    }
    let waiting = |bench: &Bench| {
        let waits = |number| bench.unix.threads[number].pending.set().contains(usual);
        threads.iter().filter(|number| waits(number)).count()
    };
    assert_eq!(waiting(&bench), 2);
    bench.poke(pid, DATA, &[1u64, 0, 0, 0].map(u64::to_le_bytes).concat());
    assert_eq!(bench.value(pid, SIGACTION, &[usual.into(), DATA, 0, 8]), 0);
    assert_eq!(waiting(&bench), 0);
}

// `exit_to_user_mode_loop` (kernel/entry/common.c) looks at what came until the thread leaves.
#[test]
fn what_a_call_brings_about_is_taken_before_it_is_answered() {
    const PAUSE: u32 = 34;
    const SIGCHLD: u8 = 17;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let child = fork(&mut bench, pid);
    handle(&mut bench, pid, SIGCHLD, 0);
    bench.waits(child, PAUSE, &[]);
    let before = bench.registers(pid).rip;
    let reply = bench.call(pid, KILL, [child.0.into(), 9, 0, 0, 0, 0]);
    assert_eq!(reply, Some(Reply::Resume));
    assert_ne!(bench.registers(pid).rip, before, "the handler runs");
    assert!(bench.machine.0.borrow().recalled.is_empty());
}
