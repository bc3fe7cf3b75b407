//! Tests of signals: which comes first, what they do not interrupt, who may send them.

use libipc::Kind;

use super::{ANY, DATA, EXIT_GROUP, VFORK, WAIT4, fork, handle};
use crate::fake::Bench;
use crate::linux::signals;
use crate::process::Pid;
use crate::signal::Info;
use crate::unix::Reply;

const EXECVE: u32 = 59;
const CLONE: u32 = 56;

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
