//! Tests of pseudo-terminals as programs see them.

use protocols::file::mode;

use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::linux::terminal as request;
use crate::process::Pid;
use crate::signal::Info;
use crate::unix::Reply;

const READ: u32 = 0;
const WRITE: u32 = 1;
const OPEN: u32 = 2;
const CLOSE: u32 = 3;
const POLL: u32 = 7;
const IOCTL: u32 = 16;
const PAUSE: u32 = 34;
const FORK: u32 = 57;
const EXIT_GROUP: u32 = 231;
const SETPGID: u32 = 109;
const SETSID: u32 = 112;
const WAIT4: u32 = 61;

const DATA: u64 = SCRATCH + 0x800;
const READ_WRITE: u64 = 2;
const NON_BLOCKING: u64 = 0o4000;
const NO_CONTROL: u64 = 0o400;

/// A program with a master and its unlocked slave.
struct Pair {
    bench: Bench,
    pid: Pid,
    master: u64,
    slave: u64,
}

impl Pair {
    fn new() -> Pair {
        let mut bench = Bench::new();
        // A device's number is its size (5:2).
        bench.files.make("/dev/ptmx", mode::CHARACTER | 0o666, &[0; 0x502]);
        bench.files.make("/dev/tty", mode::CHARACTER | 0o666, &[0; 0x500]);
        let pid = bench.launch();
        let path = bench.string(pid, "/dev/ptmx");
        let master = bench.value(pid, OPEN, &[path, READ_WRITE]);
        let path = bench.string(pid, "/dev/pts/0");
        bench.error(pid, OPEN, &[path, READ_WRITE], Errno::EIO);
        bench.poke(pid, DATA, &[0; 4]);
        bench.value(pid, IOCTL, &[master, request::TIOCSPTLCK, DATA]);
        let slave = bench.value(pid, OPEN, &[path, READ_WRITE | NO_CONTROL]);
        Pair { bench, pid, master, slave }
    }

    fn write(&mut self, fd: u64, bytes: &[u8]) {
        self.bench.poke(self.pid, DATA, bytes);
        let len = bytes.len() as u64;
        assert_eq!(self.bench.value(self.pid, WRITE, &[fd, DATA, len]), len);
    }

    fn read(&mut self, fd: u64) -> alloc::vec::Vec<u8> {
        let count = self.bench.value(self.pid, READ, &[fd, DATA, 0x700]);
        self.bench.peek(self.pid, DATA, count as usize)
    }

    fn ioctl(&mut self, fd: u64, number: u64, bytes: &[u8]) -> u64 {
        self.bench.poke(self.pid, DATA, bytes);
        self.bench.value(self.pid, IOCTL, &[fd, number, DATA])
    }

    /// Reads the modes, changes them and sets them.
    fn modes(&mut self, fd: u64, change: impl FnOnce(&mut protocols::console::Modes)) {
        self.ioctl(fd, request::TCGETS, &[]);
        let bytes = self.bench.peek(self.pid, DATA, request::TERMIOS_BYTES);
        let mut modes = request::parse_termios(&bytes.try_into().unwrap());
        change(&mut modes);
        self.ioctl(fd, request::TCSETS, &request::emit_termios(&modes));
    }

    fn number(&mut self, fd: u64, request: u64) -> u32 {
        self.ioctl(fd, request, &[]);
        u32::from_le_bytes(self.bench.peek(self.pid, DATA, 4).try_into().unwrap())
    }

    /// Returns a child in a session of its own that the terminal controls.
    fn session(&mut self) -> Pid {
        let child = Pid(self.bench.value(self.pid, FORK, &[]) as u32);
        self.bench.value(child, SETSID, &[]);
        assert_eq!(self.bench.value(child, IOCTL, &[self.slave, request::TIOCSCTTY, 0]), 0);
        child
    }
}

#[test]
fn lines_go_through_the_discipline_in_both_directions() {
    let mut pair = Pair::new();
    let (master, slave) = (pair.master, pair.slave);
    pair.write(master, b"he\x7fallo\r");
    assert_eq!(pair.read(slave), b"hallo\n");
    assert_eq!(pair.read(master), b"he\x08 \x08allo\r\n");
    pair.write(slave, b"out\n");
    assert_eq!(pair.number(master, request::FIONREAD), 5);
    assert_eq!(pair.number(slave, request::TIOCOUTQ), 5);
    assert_eq!(pair.read(master), b"out\r\n");
    pair.write(master, b"par\x04tial");
    assert_eq!(pair.number(slave, request::FIONREAD), 3, "what is edited cannot be read");
    assert_eq!(pair.read(slave), b"par");
}

#[test]
fn raw_reads_wait_for_bytes_or_for_time() {
    let mut pair = Pair::new();
    let (pid, master, slave) = (pair.pid, pair.master, pair.slave);
    pair.modes(slave, |modes| {
        (modes.local, modes.output) = (0, 0);
        (modes.characters[5], modes.characters[6]) = (3, 0);
    });
    pair.bench.waits(pid, READ, &[slave, DATA, 9]);
    pair.bench.pass(299_999_999);
    assert_eq!(pair.bench.answer(pid), None);
    pair.bench.pass(1);
    assert_eq!(pair.bench.answer(pid), Some(Reply::Value(0)), "time is over");
    pair.write(master, b"\x03\x7f");
    assert_eq!(pair.read(slave), b"\x03\x7f", "keys mean nothing");
    pair.modes(slave, |modes| (modes.characters[5], modes.characters[6]) = (0, 2));
    pair.write(master, b"1");
    let child = Pid(pair.bench.value(pid, FORK, &[]) as u32);
    pair.bench.waits(child, READ, &[slave, DATA, 9]);
    pair.write(master, b"2");
    assert_eq!(pair.bench.answer(child), Some(Reply::Value(2)), "MIN bytes are there");
}

#[test]
fn who_is_left_alone_is_hung_up() {
    let mut pair = Pair::new();
    let (pid, master, slave) = (pair.pid, pair.master, pair.slave);
    let child = Pid(pair.bench.value(pid, FORK, &[]) as u32);
    pair.write(slave, b"last");
    pair.bench.value(pid, CLOSE, &[slave]);
    assert_eq!(pair.read(master), b"last");
    pair.bench.waits(pid, READ, &[master, DATA, 9]);
    pair.bench.value(child, CLOSE, &[slave]);
    assert_eq!(pair.bench.answer(pid), Some(Reply::Value(Errno::EIO.to_rax())));
    let path = pair.bench.string(pid, "/dev/pts/0");
    let slave = pair.bench.value(pid, OPEN, &[path, READ_WRITE | NO_CONTROL]);
    pair.bench.value(child, CLOSE, &[master]);
    pair.bench.value(pid, CLOSE, &[master]);
    assert_eq!(pair.read(slave), b"", "the end of the file");
    pair.bench.error(pid, WRITE, &[slave, DATA, 1], Errno::EIO);
    pair.bench.error(pid, IOCTL, &[slave, request::TCGETS, DATA], Errno::EIO);
    pair.bench.value(pid, CLOSE, &[slave]);
    assert!(pair.bench.unix.terminals.ptys.is_empty(), "nobody can use it");
    pair.bench.error(pid, OPEN, &[path, READ_WRITE], Errno::ENOENT);
}

#[test]
fn keys_signal_the_foreground_of_their_terminal() {
    let mut pair = Pair::new();
    let (pid, master) = (pair.pid, pair.master);
    let child = pair.session();
    let path = pair.bench.string(child, "/dev/tty");
    let own = pair.bench.value(child, OPEN, &[path, READ_WRITE]);
    pair.bench.waits(child, READ, &[own, DATA, 9]);
    assert_eq!(pair.number(master, request::TIOCGPGRP), child.0);
    pair.write(master, b"x\x03");
    assert_eq!(pair.bench.value(pid, WAIT4, &[u64::from(child.0), DATA, 0, 0]), child.0.into());
    assert_eq!(pair.bench.peek(pid, DATA, 1), [signals::SIGINT]);
    assert_eq!(pair.read(master), b"x^C");
}

#[test]
fn a_leader_s_end_hangs_its_terminal_up() {
    let mut pair = Pair::new();
    let (pid, master, slave) = (pair.pid, pair.master, pair.slave);
    let leader = pair.session();
    let member = Pid(pair.bench.value(leader, FORK, &[]) as u32);
    pair.bench.value(member, SETPGID, &[0, 0]);
    pair.bench.poke(leader, DATA, &member.0.to_le_bytes());
    pair.bench.value(leader, IOCTL, &[slave, request::TIOCSPGRP, DATA]);
    pair.bench.waits(member, READ, &[slave, DATA, 9]);
    pair.bench.waits(leader, PAUSE, &[]);
    pair.bench.unix.send(leader, Info::of_system(signals::SIGKILL));
    pair.bench.unix.notified(0);
    assert!(!pair.bench.unix.processes.contains_key(&member), "SIGHUP ended it");
    pair.bench.error(pid, READ, &[master, DATA, 9], Errno::EIO);
    assert_eq!(pair.read(slave), b"", "the parent's slave is dead as well");
}

#[test]
fn a_closed_master_hangs_the_leader_up() {
    let mut pair = Pair::new();
    let (pid, master) = (pair.pid, pair.master);
    let leader = pair.session();
    pair.bench.value(leader, CLOSE, &[master]);
    pair.bench.waits(leader, READ, &[pair.slave, DATA, 9]);
    pair.bench.value(pid, CLOSE, &[master]);
    assert_eq!(pair.bench.value(pid, WAIT4, &[u64::from(leader.0), DATA, 0, 0]), leader.0.into());
    assert_eq!(pair.bench.peek(pid, DATA, 1), [signals::SIGHUP]);
}

#[test]
fn a_new_size_is_told_once() {
    let mut pair = Pair::new();
    let (master, slave) = (pair.master, pair.slave);
    let child = pair.session();
    let words = [0x40_0180u64, 0, 0, 0];
    let action: alloc::vec::Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    pair.bench.poke(child, DATA, &action);
    pair.bench.value(child, 13, &[signals::SIGWINCH.into(), DATA, 0, 8]);
    pair.bench.waits(child, READ, &[slave, DATA, 9]);
    pair.ioctl(master, request::TIOCSWINSZ, &[50, 0, 132, 0, 0, 0, 0, 0]);
    assert_eq!(pair.bench.answer(child), Some(Reply::Resume), "its handler runs");
    assert_eq!(pair.bench.registers(child).rdi, signals::SIGWINCH.into());
    pair.ioctl(slave, request::TIOCGWINSZ, &[0; 8]);
    assert_eq!(pair.bench.peek(pair.pid, DATA, 8), [50, 0, 132, 0, 0, 0, 0, 0]);
}

#[test]
fn packets_say_what_was_flushed_and_stopped() {
    let mut pair = Pair::new();
    let (master, slave) = (pair.master, pair.slave);
    pair.ioctl(master, request::TIOCPKT, &1u32.to_le_bytes());
    pair.write(slave, b"data");
    assert_eq!(pair.read(master), b"\0data");
    pair.bench.value(pair.pid, IOCTL, &[slave, request::TCFLSH, request::flush::BOTH]);
    assert_eq!(pair.read(master), [3]);
    pair.write(master, b"\x13");
    assert_eq!(pair.read(master), [4]);
    pair.write(master, b"\x11");
    assert_eq!(pair.read(master), [8]);
    pair.ioctl(master, request::TIOCPKT, &0u32.to_le_bytes());
    pair.write(slave, b"data");
    assert_eq!(pair.read(master), b"data");
}

#[test]
fn full_queues_make_writers_wait_and_not_more() {
    let mut pair = Pair::new();
    let (pid, master, slave) = (pair.pid, pair.master, pair.slave);
    let writer = Pid(pair.bench.value(pid, FORK, &[]) as u32);
    let (address, len) = (0x20_0000_0000, 5000);
    pair.bench.call(writer, 9, [address, 8192, 3, 0x32, 0, 0]);
    pair.bench.waits(writer, WRITE, &[slave, address, len]);
    let mut total = 0;
    while total < len as usize {
        total += pair.read(master).len();
    }
    assert_eq!(pair.bench.answer(writer), Some(Reply::Value(len)));
    // A line without an end rings the bell, so that it can be ended.
    assert_eq!(pair.bench.value(writer, WRITE, &[master, address, len]), len);
    pair.write(master, b"\x15short\n");
    assert_eq!(pair.read(slave), b"short\n");
}

#[test]
fn what_cannot_be_had_is_refused() {
    let mut pair = Pair::new();
    let (pid, master, slave) = (pair.pid, pair.master, pair.slave);
    for (fd, number, argument, errno) in [
        (slave, request::TIOCGPTN, DATA, Errno::ENOTTY),
        (slave, request::TIOCSTI, DATA, Errno::EIO),
        (slave, request::TIOCGPGRP, DATA, Errno::ENOTTY),
        (slave, request::TIOCSCTTY, 0, Errno::EPERM),
        (slave, request::TCFLSH, 7, Errno::EINVAL),
        (slave, 0x1234, 0, Errno::ENOTTY),
        (master, request::TIOCSIG, 9, Errno::EINVAL),
        (master, request::TCGETS, 1, Errno::EFAULT),
    ] {
        pair.bench.error(pid, IOCTL, &[fd, number, argument], errno);
    }
    let path = pair.bench.string(pid, "/dev/ptmx");
    for _ in 1..super::MAX_PTYS {
        pair.bench.value(pid, OPEN, &[path, READ_WRITE]);
    }
    pair.bench.error(pid, OPEN, &[path, READ_WRITE], Errno::ENOSPC);
}

// devpts: a slave is its opener's, with mode 0620; `ptmx_open` (drivers/tty/pty.c): each opening of
// a master makes one.
#[test]
fn a_terminal_opened_again_is_asked_for_its_permissions() {
    const SETRESUID: u32 = 117;
    const PRCTL: u32 = 157;
    let mut pair = Pair::new();
    let (pid, master, slave) = (pair.pid, pair.master, pair.slave);
    let path = |fd: u64| alloc::format!("/proc/self/fd/{fd}");
    let at = pair.bench.string(pid, &path(slave));
    let again = pair.bench.value(pid, OPEN, &[at, READ_WRITE | NO_CONTROL]);
    pair.write(again, b"x\n");
    assert_eq!(pair.read(master), b"x\r\n");
    let at = pair.bench.string(pid, &path(master));
    let other = pair.bench.value(pid, OPEN, &[at, READ_WRITE]);
    assert_eq!(pair.ioctl(other, request::TIOCGPTN, &[]), 0);
    assert_eq!(pair.bench.peek(pid, DATA, 4), [1, 0, 0, 0]);
    assert_eq!(pair.bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    assert_eq!(pair.bench.value(pid, PRCTL, &[4, 1]), 0);
    let at = pair.bench.string(pid, &path(slave));
    for bits in [0, 1, READ_WRITE] {
        pair.bench.error(pid, OPEN, &[at, bits | NO_CONTROL], Errno::EACCES);
    }
}

#[test]
fn a_terminal_that_does_not_wait_says_so_and_is_polled() {
    let mut pair = Pair::new();
    let (pid, master) = (pair.pid, pair.master);
    let path = pair.bench.string(pid, "/dev/pts/0");
    let slave = pair.bench.value(pid, OPEN, &[path, READ_WRITE | NO_CONTROL | NON_BLOCKING]);
    pair.bench.error(pid, READ, &[slave, DATA, 9], Errno::EAGAIN);
    let child = Pid(pair.bench.value(pid, FORK, &[]) as u32);
    let entry = (slave as u32).to_le_bytes();
    pair.bench.poke(child, DATA, &[&entry[..], &[1, 0, 0, 0]].concat());
    pair.bench.waits(child, POLL, &[DATA, 1, u64::MAX]);
    pair.write(master, b"x");
    assert_eq!(pair.bench.answer(child), None, "there is no line yet");
    pair.write(master, b"\n");
    assert_eq!(pair.bench.answer(child), Some(Reply::Value(1)));
    assert_eq!(pair.bench.call(child, EXIT_GROUP, [0; 6]), None);
}
