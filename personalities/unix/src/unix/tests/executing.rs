//! Tests of executing by descriptors: the file itself counts, not what has its name.

use alloc::format;
use alloc::vec::Vec;

use protocols::file::mode;

use super::{DATA, EXECVE, OPEN, WRITE, fork, make_pipe};
use crate::Errno;
use crate::fake::{Bench, tiny_program};
use crate::process::Pid;

const UNLINK: u32 = 87;
const SETRESUID: u32 = 117;
const MEMFD_CREATE: u32 = 319;
const EXECVEAT: u32 = 322;
const HERE: u64 = -100i64 as u64;
const EMPTY_PATH: u64 = 0x1000;
const NO_FOLLOW: u64 = 0x100;
const CLOSE_ON_EXEC: u64 = 0o2_000_000;
const PATH_ONLY: u64 = 0o10_000_000;
const KEEP_LINK: u64 = 0o400_000;

fn open(bench: &mut Bench, pid: Pid, path: &str, bits: u64) -> u64 {
    let path = bench.string(pid, path);
    bench.value(pid, OPEN, &[path, bits])
}

/// Executes what a descriptor leads to.
fn execute(bench: &mut Bench, pid: Pid, fd: u64, path: &str, bits: u64) {
    let path = bench.string(pid, path);
    let done = bench.call(pid, EXECVEAT, [fd, path, 0, 0, bits, 0]);
    assert_eq!(done, None, "it goes on elsewhere");
}

fn refuses(bench: &mut Bench, pid: Pid, fd: u64, path: &str, bits: u64, errno: Errno) {
    let path = bench.string(pid, path);
    bench.error(pid, EXECVEAT, &[fd, path, 0, 0, bits], errno);
}

/// Returns the arguments on a new program's stack.
fn arguments(bench: &mut Bench, pid: Pid) -> Vec<Vec<u8>> {
    let stack = bench.registers(pid).rsp;
    let word =
        |bench: &mut Bench, at: u64| u64::from_le_bytes(bench.peek(pid, at, 8).try_into().unwrap());
    let count = word(bench, stack);
    let string = |bench: &mut Bench, index: u64| {
        let at = word(bench, stack + 8 + 8 * index);
        let bytes = (at..).map(|at| bench.peek(pid, at, 1)[0]);
        bytes.take_while(|&byte| byte != 0).collect()
    };
    (0..count).map(|index| string(bench, index)).collect()
}

// `do_open_execat` (fs/exec.c) opens the file behind the descriptor; execveat(2), fexecve(3).
#[test]
fn the_file_that_is_open_is_executed_whatever_has_its_name() {
    for by_proc in [false, true] {
        let mut bench = Bench::new();
        let pid = bench.launch();
        let fd = open(&mut bench, pid, "/bin/tiny", 0);
        let path = bench.string(pid, "/bin/tiny");
        assert_eq!(bench.value(pid, UNLINK, &[path]), 0);
        let mut other = tiny_program();
        other[0x100..0x104].copy_from_slice(&[0xcc; 4]);
        bench.files.make("/bin/tiny", mode::FILE | 0o755, &other);
        if by_proc {
            let path = bench.string(pid, &format!("/proc/self/fd/{fd}"));
            assert_eq!(bench.call(pid, EXECVE, [path, 0, 0, 0, 0, 0]), None);
        } else {
            execute(&mut bench, pid, fd, "", EMPTY_PATH);
        }
        assert_eq!(bench.peek(pid, 0x40_0100, 4), [0x90; 4]);
        // `__set_task_comm(me, kbasename(bprm->filename))`.
        assert_eq!(bench.unix.processes[&pid].name, format!("{fd}").into_bytes());
    }
}

#[test]
fn a_file_without_a_name_is_executed() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let name = bench.string(pid, "x");
    let fd = bench.value(pid, MEMFD_CREATE, &[name, 0]);
    let program = tiny_program();
    bench.poke(pid, DATA, &program);
    assert_eq!(bench.value(pid, WRITE, &[fd, DATA, program.len() as u64]), program.len() as u64);
    execute(&mut bench, pid, fd, "", EMPTY_PATH);
    assert_eq!(bench.registers(pid).rip, 0x40_0100);
}

#[test]
fn directories_above_need_not_be_searched() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.files.make("/tmp/p", mode::DIRECTORY | 0o700, b"");
    bench.files.make("/tmp/p/q", mode::DIRECTORY | 0o755, b"");
    bench.files.make("/tmp/p/q/x", mode::FILE | 0o755, &tiny_program());
    let child = fork(&mut bench, pid);
    for (pid, path, name, bits) in
        [(pid, "/tmp/p/q/x", "", EMPTY_PATH), (child, "/tmp/p/q", "x", 0)]
    {
        bench.add_scratch(pid);
        let fd = open(&mut bench, pid, path, 0);
        assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
        execute(&mut bench, pid, fd, name, bits);
        assert_eq!(bench.unix.processes[&pid].executable[..], *b"/tmp/p/q/x");
    }
}

// execveat(2), ENOENT: a script by a descriptor that is closed then.
#[test]
fn an_interpreter_gets_the_script_s_descriptor_if_that_stays_open() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let closing = open(&mut bench, pid, "/bin/script", CLOSE_ON_EXEC);
    refuses(&mut bench, pid, closing, "", EMPTY_PATH, Errno::ENOENT);
    let fd = open(&mut bench, pid, "/bin/script", 0);
    execute(&mut bench, pid, fd, "", EMPTY_PATH);
    let script = format!("/dev/fd/{fd}").into_bytes();
    assert_eq!(arguments(&mut bench, pid), [&b"/bin/tiny"[..], b"-x", &script]);
}

#[test]
fn what_is_no_program_is_refused_by_its_descriptor() {
    const SYMLINK: u32 = 88;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (read, _) = make_pipe(&mut bench, pid);
    let plain = open(&mut bench, pid, "/bin/plain", 0);
    let directory = open(&mut bench, pid, "/bin", 0);
    for fd in [read, plain, directory, HERE] {
        refuses(&mut bench, pid, fd, "", EMPTY_PATH, Errno::EACCES);
    }
    refuses(&mut bench, pid, 99, "", EMPTY_PATH, Errno::EBADF);
    for fd in [plain, directory, 99] {
        refuses(&mut bench, pid, fd, "", 0, Errno::ENOENT);
    }
    refuses(&mut bench, pid, plain, "x", 0, Errno::ENOTDIR);
    bench.poke(pid, DATA, b"/tmp/link\0");
    let target = bench.string(pid, "/bin/tiny");
    assert_eq!(bench.value(pid, SYMLINK, &[target, DATA]), 0);
    let link = open(&mut bench, pid, "/tmp/link", PATH_ONLY | KEEP_LINK);
    refuses(&mut bench, pid, link, "", EMPTY_PATH, Errno::ELOOP);
    refuses(&mut bench, pid, HERE, "/tmp/link", NO_FOLLOW, Errno::ELOOP);
    execute(&mut bench, pid, HERE, "/tmp/link", 0);
}
