//! Tests of the personality as programs see it, on a fake machine.

use libipc::Kind;
use protocols::process::ExitStatus;

use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::process::{Life, Pid};
use crate::servers::Handed;
use crate::signal::{Info, trampoline};
use crate::unix::{Reply, event};

mod executing;
mod files;
mod hand_over;
mod identity;
mod inheriting;
mod jobs;
mod limits;
mod lives;
mod looking;
mod memory;
mod moving;
mod pidfd;
mod pointers;
mod random;
mod rights;
mod run_time;
mod sockets;
mod taking;
mod turns;

const READ: u32 = 0;
const WRITE: u32 = 1;
const OPEN: u32 = 2;
const CLOSE: u32 = 3;
const SIGACTION: u32 = 13;
const SIGRETURN: u32 = 15;
const PIPE: u32 = 22;
const DUP2: u32 = 33;
const NANOSLEEP: u32 = 35;
const GETPID: u32 = 39;
const FORK: u32 = 57;
const VFORK: u32 = 58;
const EXECVE: u32 = 59;
const WAIT4: u32 = 61;
const KILL: u32 = 62;
const READLINK: u32 = 89;
const GETPPID: u32 = 110;
const EXIT_GROUP: u32 = 231;
const FUTEX: u32 = 202;

const ANY: u64 = -1i64 as u64;
const DATA: u64 = SCRATCH + 0x800;

fn fork(bench: &mut Bench, parent: Pid) -> Pid {
    Pid(bench.value(parent, FORK, &[]) as u32)
}

fn make_pipe(bench: &mut Bench, pid: Pid) -> (u64, u64) {
    assert_eq!(bench.value(pid, PIPE, &[DATA]), 0);
    let bytes = bench.peek(pid, DATA, 8);
    (bytes[0].into(), bytes[4].into())
}

fn handle(bench: &mut Bench, pid: Pid, signal: u8, flags: u64) {
    let words = [0x40_0180u64, flags, 0x40_0190, 0];
    let bytes: alloc::vec::Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bench.poke(pid, DATA, &bytes);
    assert_eq!(bench.value(pid, SIGACTION, &[signal.into(), DATA, 0, 8]), 0);
}

#[test]
fn a_child_begins_with_its_parent_s_extended_state() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let extended = |bench: &mut Bench, pid| {
        let handle = bench.unix.threads[&bench.thread(pid)].handle.0.0;
        core::mem::replace(
            &mut bench.machine.0.borrow_mut().threads.get_mut(&handle).unwrap().extended,
            7,
        )
    };
    extended(&mut bench, parent);
    let child = fork(&mut bench, parent);
    assert_eq!(extended(&mut bench, child), 7);
}

#[test]
fn a_child_has_its_own_memory_and_its_parent_learns_its_end() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    bench.poke(parent, DATA, b"before");
    let child = fork(&mut bench, parent);
    bench.poke(child, DATA, b"child!");
    assert_eq!(bench.peek(parent, DATA, 6), b"before");
    assert_eq!(bench.value(child, GETPPID, &[]), parent.0.into());
    assert_eq!(bench.registers(child).rax, 0);
    bench.waits(parent, WAIT4, &[ANY, DATA, 0, 0]);
    assert_eq!(bench.call(child, EXIT_GROUP, [7, 0, 0, 0, 0, 0]), None);
    assert_eq!(bench.answer(parent), Some(Reply::Value(child.0.into())));
    assert_eq!(bench.peek(parent, DATA, 4), [0, 7, 0, 0]);
    bench.error(parent, WAIT4, &[ANY, 0, 0, 0], Errno::ECHILD);
}

#[test]
fn a_terminal_goes_on_when_its_server_dies_meanwhile() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.poke(pid, DATA, b"hello");
    bench.servers.0.borrow_mut().deaths = 2;
    assert_eq!(bench.value(pid, WRITE, &[1, DATA, 5]), 5);
    assert_eq!(bench.servers.0.borrow().output, b"hello");
    bench.servers.0.borrow_mut().typed.extend(b"typed");
    bench.servers.0.borrow_mut().deaths = 2;
    assert_eq!(bench.value(pid, READ, &[0, DATA, 9]), 5);
    assert_eq!(bench.peek(pid, DATA, 5), b"typed");
}

#[test]
fn everything_is_given_back_at_the_end() {
    let mut bench = Bench::new();
    let first = bench.launch();
    let child = fork(&mut bench, first);
    make_pipe(&mut bench, child);
    let path = bench.string(child, "/etc/words");
    bench.value(child, OPEN, &[path, 0]);
    assert_eq!(bench.files.holds(), 1);
    for pid in [child, first] {
        bench.call(pid, EXIT_GROUP, [0; 6]);
    }
    bench.unix.images.clear();
    bench.unix.vdso = None;
    bench.unix.notified(0);
    assert_eq!(bench.files.holds(), 0);
    let world = bench.machine.0.borrow();
    let spaces = world.spaces.len() - bench.unix.trash.spares();
    assert_eq!((spaces, world.threads.len(), world.memories.len()), (0, 0, 0));
    assert!(bench.unix.threads.is_empty());
    let seen = bench.servers.0.borrow();
    assert_eq!((seen.closed.len(), seen.notified.len(), seen.taken), (3, 1, false));
}

#[test]
fn a_reader_waits_for_the_writer_and_then_for_its_end() {
    let mut bench = Bench::new();
    let writer = bench.launch();
    let (read, write) = make_pipe(&mut bench, writer);
    let reader = fork(&mut bench, writer);
    bench.value(reader, CLOSE, &[write]);
    bench.waits(reader, READ, &[read, DATA, 100]);
    bench.poke(writer, DATA, b"hello");
    assert_eq!(bench.value(writer, WRITE, &[write, DATA, 5]), 5);
    assert_eq!(bench.answer(reader), Some(Reply::Value(5)));
    assert_eq!(bench.peek(reader, DATA, 5), b"hello");
    bench.waits(reader, READ, &[read, DATA, 100]);
    bench.value(writer, CLOSE, &[write]);
    assert_eq!(bench.answer(reader), Some(Reply::Value(0)));
}

#[test]
fn a_writer_without_readers_ends_by_sigpipe() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let (read, write) = make_pipe(&mut bench, parent);
    let child = fork(&mut bench, parent);
    bench.value(parent, CLOSE, &[read]);
    bench.value(child, CLOSE, &[read]);
    assert_eq!(bench.call(child, WRITE, [write, DATA, 1, 0, 0, 0]), None);
    assert_eq!(bench.value(parent, WAIT4, &[ANY, DATA, 0, 0]), child.0.into());
    assert_eq!(bench.peek(parent, DATA, 1), [signals::SIGPIPE]);
}

#[test]
fn a_large_write_goes_on_where_it_waited() {
    let mut bench = Bench::new();
    let writer = bench.launch();
    let (read, write) = make_pipe(&mut bench, writer);
    let reader = fork(&mut bench, writer);
    let (address, len) = (0x20_0000_0000, 100_000);
    let mapped = bench.call(writer, 9, [address, len, 3, 0x32, 0, 0]);
    assert_eq!(mapped, Some(Reply::Value(address)));
    bench.waits(writer, WRITE, &[write, address, len]);
    let mut total = 0;
    while total < len {
        total += bench.value(reader, READ, &[read, DATA, 2000]);
    }
    assert_eq!((total, bench.answer(writer)), (len, Some(Reply::Value(len))));
}

#[test]
fn vfork_waits_until_the_child_is_gone() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    bench.waits(parent, VFORK, &[]);
    let child = *bench.unix.processes.keys().next_back().unwrap();
    assert_eq!(bench.answer(parent), None);
    bench.call(child, EXIT_GROUP, [0; 6]);
    assert_eq!(bench.answer(parent), Some(Reply::Value(child.0.into())));
}

#[test]
fn exec_replaces_the_program_and_keeps_descriptors() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (read, _) = make_pipe(&mut bench, pid);
    assert_eq!(bench.value(pid, DUP2, &[read, 20]), 20);
    let path = bench.string(pid, "/bin/script");
    assert_eq!(bench.call(pid, EXECVE, [path, 0, 0, 0, 0, 0]), None);
    let registers = bench.registers(pid);
    assert_eq!((registers.rip, registers.rsp % 16), (0x40_0100, 0));
    let argc = bench.peek(pid, registers.rsp, 8);
    assert_eq!(argc, 3u64.to_le_bytes(), "interpreter, its argument, the script");
    bench.add_scratch(pid);
    assert_eq!(bench.value(pid, CLOSE, &[20]), 0);
    let path = bench.string(pid, "/proc/self/exe");
    assert_eq!(bench.machine.0.borrow().threads.len(), 1);
    assert_eq!(bench.value(pid, READLINK, &[path, DATA, 100]), 9);
    assert_eq!(bench.peek(pid, DATA, 9), b"/bin/tiny");
}

#[test]
fn what_is_no_program_is_not_executed() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    for (path, errno) in [
        ("/bin/none", Errno::ENOENT),
        ("/bin/plain", Errno::EACCES),
        ("/tmp", Errno::EACCES),
        ("/bin/tiny/x", Errno::ENOTDIR),
    ] {
        let path = bench.string(pid, path);
        bench.error(pid, EXECVE, &[path, 0, 0], errno);
    }
    assert_eq!(bench.value(pid, GETPID, &[]), pid.0.into());
}

#[test]
fn a_dos_program_is_played_by_a_session() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let child = fork(&mut bench, parent);
    let (read, _) = make_pipe(&mut bench, child);
    bench.value(child, DUP2, &[read, 0]);
    let path = bench.string(child, "/bin/GAME.COM");
    assert_eq!(bench.call(child, EXECVE, [path, 0, 0, 0, 0, 0]), None);
    let [stdin, stdout, _] = bench.servers.0.borrow().spawned[0];
    assert!(matches!(stdin, Handed::File(badge) if bench.unix.exported.contains_key(&badge)));
    assert!(matches!(stdout, Handed::Stream(_)), "the terminal itself");
    bench.waits(parent, WAIT4, &[ANY, DATA, 0, 0]);
    bench.value_of_kill(parent, child);
    assert_eq!(bench.servers.0.borrow().signals, [signals::SIGTERM]);
    bench.servers.0.borrow_mut().ended = Some(ExitStatus(5));
    bench.unix.notified(event::NATIVE);
    assert_eq!(bench.answer(parent), Some(Reply::Value(child.0.into())));
    assert_eq!(bench.peek(parent, DATA, 2), [0, 5]);
    assert!(bench.unix.exported.is_empty());
}

#[test]
fn a_native_program_is_played_by_itself() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let child = fork(&mut bench, parent);
    let path = bench.string(child, "/bin/native");
    assert_eq!(bench.call(child, EXECVE, [path, 0, 0, 0, 0, 0]), None);
    bench.waits(parent, WAIT4, &[ANY, DATA, 0, 0]);
    bench.servers.0.borrow_mut().ended = Some(ExitStatus(7));
    bench.unix.notified(event::NATIVE);
    assert_eq!(bench.answer(parent), Some(Reply::Value(child.0.into())));
    assert_eq!(bench.peek(parent, DATA, 2), [0, 7]);
}

impl Bench {
    /// Sends SIGTERM from another thread than one that waits.
    fn value_of_kill(&mut self, from: Pid, to: Pid) {
        let info = Info::of_user(signals::SIGTERM, from.0, 0);
        self.unix.send(to, info);
    }
}

#[test]
fn a_handler_runs_and_returns_to_where_it_was() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    handle(&mut bench, pid, signals::SIGUSR1, 0x0400_0000);
    let before = bench.registers(pid);
    let own = [pid.0.into(), signals::SIGUSR1.into(), 0, 0, 0, 0];
    assert_eq!(bench.call(pid, KILL, own), Some(Reply::Resume));
    let inside = bench.registers(pid);
    assert_eq!((inside.rip, inside.r14), (trampoline::ENTER, 0x40_0180));
    assert_eq!(inside.rdi, signals::SIGUSR1.into());
    assert_eq!(bench.peek(pid, inside.rsp, 8), trampoline::LEAVE.to_le_bytes());
    let mut returning = inside;
    returning.rsp += 8;
    bench.set_registers(pid, returning);
    assert_eq!(bench.call(pid, SIGRETURN, [0; 6]), Some(Reply::Resume));
    let after = bench.registers(pid);
    assert_eq!((after.rip, after.rsp, after.rax), (before.rip, before.rsp, 0));
}

#[test]
fn a_waiting_call_is_interrupted_or_made_again_as_asked() {
    const RESTART: u64 = 0x1000_0000;
    for (flags, expected) in [(0, Errno::EINTR.to_rax()), (RESTART, READ.into())] {
        let mut bench = Bench::new();
        let parent = bench.launch();
        let child = fork(&mut bench, parent);
        let (read, _) = make_pipe(&mut bench, child);
        handle(&mut bench, child, signals::SIGUSR1, flags);
        bench.waits(child, READ, &[read, DATA, 1]);
        let before = bench.registers(child);
        bench.value(parent, KILL, &[child.0.into(), signals::SIGUSR1.into()]);
        assert_eq!(bench.answer(child), Some(Reply::Resume));
        let mut registers = bench.registers(child);
        registers.rsp += 8;
        bench.set_registers(child, registers);
        bench.call(child, SIGRETURN, [0; 6]);
        let after = bench.registers(child);
        assert_eq!(after.rax, expected);
        assert_eq!(after.rip, before.rip.wrapping_sub(if flags == 0 { 0 } else { 2 }));
    }
}

#[test]
fn keys_signal_the_foreground_and_running_programs_are_recalled() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.unix.notified(protocols::console::event::INTERRUPT);
    let number = bench.thread(pid);
    assert_eq!(bench.machine.0.borrow().recalled.len(), 1);
    assert_eq!(bench.event(number, Kind::Recall, 0, [0; 6]), None);
    let life = bench.unix.processes[&pid].life;
    assert_eq!(life, Life::Zombie(crate::process::Ending::Signal(signals::SIGINT)));
}

#[test]
fn a_stopped_program_goes_on_with_its_answer() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let child = fork(&mut bench, parent);
    let (read, write) = make_pipe(&mut bench, child);
    let writer = fork(&mut bench, child);
    bench.waits(child, READ, &[read, DATA, 1]);
    bench.value(parent, KILL, &[child.0.into(), signals::SIGSTOP.into()]);
    const UNTRACED: u64 = 2;
    assert_eq!(bench.value(parent, WAIT4, &[ANY, DATA, UNTRACED, 0]), child.0.into());
    assert_eq!(bench.peek(parent, DATA, 2), [0x7f, signals::SIGSTOP]);
    assert_eq!(bench.value(writer, WRITE, &[write, DATA, 1]), 1);
    assert_eq!(bench.answer(child), None, "it is stopped");
    bench.value(parent, KILL, &[child.0.into(), signals::SIGCONT.into()]);
    assert_eq!(bench.answer(child), Some(Reply::Value(1)));
}

#[test]
fn faults_end_a_program_with_a_message_to_a_native_parent() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let child = fork(&mut bench, parent);
    let words = [6, 0x10, 0x40_0123, 0, 0, 0];
    assert_eq!(bench.event(bench.thread(child), Kind::Exception, 14, words), None);
    assert_eq!(bench.value(parent, WAIT4, &[ANY, DATA, 0, 0]), child.0.into());
    assert_eq!(bench.peek(parent, DATA, 1), [signals::SIGSEGV]);
    assert_eq!(bench.servers.0.borrow().output, b"", "as on Linux");
    assert_eq!(bench.event(bench.thread(parent), Kind::Exception, 14, words), None);
    let output = bench.servers.0.borrow().output.clone();
    let output = alloc::string::String::from_utf8(output).unwrap();
    assert!(output.contains("tiny") && output.contains("writing 0x10 at 0x400123"), "{output}");
}

#[test]
fn sleeping_ends_in_time_and_not_before() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.poke(pid, DATA, &[0; 16]);
    bench.poke(pid, DATA, &[2]);
    bench.waits(pid, NANOSLEEP, &[DATA, 0]);
    assert_eq!(bench.machine.0.borrow().timer, Some(2_000_000_000));
    bench.pass(1_999_999_999);
    assert_eq!(bench.answer(pid), None);
    bench.pass(1);
    assert_eq!(bench.answer(pid), Some(Reply::Value(0)));
}

#[test]
fn a_futex_wakes_who_waits_for_it() {
    const WAIT: u64 = 128;
    const WAKE: u64 = 129;
    let mut bench = Bench::new();
    let pid = bench.launch();
    const THREAD: u64 = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000;
    let tid = bench.value(pid, 56, &[THREAD, SCRATCH + 0x1000, 0, 0, 0]);
    let second = bench.unix.processes[&pid].threads[1];
    assert_eq!(bench.unix.threads[&second].tid, Pid(tid as u32));
    bench.error(pid, FUTEX, &[DATA, WAIT, 1, 0], Errno::EAGAIN);
    bench.waits(pid, FUTEX, &[DATA, WAIT, 0, 0]);
    let wake = bench.event(second, Kind::SystemCall, FUTEX, [DATA, WAKE, 9, 0, 0, 0]);
    assert_eq!(wake, Some(Reply::Value(1)));
    assert_eq!(bench.answer(pid), Some(Reply::Value(0)));
}

#[test]
fn a_terminal_is_read_when_something_was_typed() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.waits(pid, READ, &[0, DATA, 10]);
    bench.servers.0.borrow_mut().typed.extend(b"key\n");
    bench.unix.notified(protocols::console::event::READABLE);
    assert_eq!(bench.answer(pid), Some(Reply::Value(4)));
    assert_eq!(bench.peek(pid, DATA, 4), b"key\n");
}

#[test]
fn bad_pointers_and_unknown_calls_are_refused() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.error(pid, OPEN, &[0x1234, 0], Errno::EFAULT);
    bench.error(pid, WRITE, &[1, u64::MAX - 5, 100], Errno::EFAULT);
    bench.error(pid, READ, &[99, DATA, 1], Errno::EBADF);
    bench.error(pid, 400, &[], Errno::ENOSYS);
    bench.error(pid, u32::MAX, &[], Errno::ENOSYS);
    assert_eq!(bench.machine.0.borrow().log.len(), 2);
}

#[test]
fn pipes_and_regions_have_a_bound() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    // The last quarter is not for who has most.
    for _ in 0..crate::pipe::MAX_PIPES / 4 * 3 {
        let (read, _) = make_pipe(&mut bench, pid);
        bench.value(pid, CLOSE, &[read]);
    }
    bench.error(pid, PIPE, &[DATA], Errno::ENFILE);
    const MMAP: u32 = 9;
    let results = (0..crate::memory::MAX_REGIONS as u64).map(|index| {
        let address = SCRATCH + (index + 2) * 0x2000;
        bench.value(pid, MMAP, &[address, 0x1000, 1, 0x22, 0, 0])
    });
    let refused = results.filter(|&value| value == Errno::ENOMEM.to_rax()).count();
    assert!(refused > 0);
}

#[test]
fn openers_of_a_named_pipe_wait_for_each_other() {
    let mut bench = Bench::new();
    bench.files.make("/tmp/fifo", protocols::file::mode::FIFO | 0o644, b"");
    let writer = bench.launch();
    let reader = fork(&mut bench, writer);
    let path = bench.string(reader, "/tmp/fifo");
    bench.string(writer, "/tmp/fifo");
    bench.waits(reader, OPEN, &[path, 0]);
    const WRITE_ONLY: u64 = 1;
    let write = bench.value(writer, OPEN, &[path, WRITE_ONLY]);
    let Some(Reply::Value(read)) = bench.answer(reader) else { panic!("the reader waits on") };
    assert_eq!(bench.value(writer, WRITE, &[write, DATA, 3]), 3);
    assert_eq!(bench.value(reader, READ, &[read, DATA, 9]), 3);
    bench.value(writer, CLOSE, &[write]);
    assert_eq!(bench.value(reader, READ, &[read, DATA, 9]), 0);
    bench.value(reader, CLOSE, &[read]);
    assert!(
        bench.unix.fifos.is_empty() || {
            bench.unix.notified(0);
            bench.unix.fifos.is_empty()
        }
    );
}

#[test]
fn an_opener_that_is_killed_leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.files.make("/tmp/fifo", protocols::file::mode::FIFO | 0o644, b"");
    let parent = bench.launch();
    let child = fork(&mut bench, parent);
    let path = bench.string(child, "/tmp/fifo");
    bench.waits(child, OPEN, &[path, 0]);
    bench.value(parent, KILL, &[child.0.into(), signals::SIGKILL.into()]);
    bench.unix.notified(0);
    assert!(bench.unix.fifos.is_empty());
}
