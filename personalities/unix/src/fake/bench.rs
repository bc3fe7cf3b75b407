//! Plays programs: makes their system calls and looks at what comes back.

use alloc::boxed::Box;
use alloc::vec::Vec;

use libipc::{Caller, Endpoint, Foreign, Handle, Kind, Notification, OpenCall, Registers};
use protocols::file::mode;
use protocols::stream::StreamKind;

use crate::Errno;
use crate::fake::{FakeFiles, FakeMachine, FakeServers};
use crate::kept::Kept;
use crate::linux::structures::Fields;
use crate::memory::PAGE;
use crate::open::{Object, Stream};
use crate::process::{Client, Pid, ThreadNumber};
use crate::unix::{Launch, Reply, Unix};

/// Where programs on the bench have two pages of their own to pass arguments in.
pub const SCRATCH: u64 = 0x10_0000_0000;

/// A personality on fakes.
pub struct Bench {
    pub unix: Unix,
    pub machine: FakeMachine,
    pub files: FakeFiles,
    pub servers: FakeServers,
    next_call: u64,
}

/// Returns the smallest static program: one page of code at 0x400000, one of data after it.
pub fn tiny_program() -> Vec<u8> {
    let ident = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
    let mut bytes = ident.to_vec();
    let header = Fields::default().u16(2).u16(62).u32(1).u64(0x40_0100).u64(64).u64(0).u32(0);
    bytes.extend(header.u16(64).u16(56).u16(2).u16(0).u16(0).u16(0).0);
    let mut segment = |flags: u32, offset: u64, address: u64, file: u64, memory: u64| {
        let fields = Fields::default().u32(1).u32(flags).u64(offset).u64(address).u64(address);
        bytes.extend(fields.u64(file).u64(memory).u64(PAGE).0);
    };
    segment(5, 0, 0x40_0000, 0x200, 0x200);
    segment(6, 0x200, 0x40_1200, 0x100, 0x1000);
    bytes.resize(0x300, 0x90);
    bytes
}

impl Bench {
    /// Returns a bench with a small file tree and no process.
    pub fn new() -> Self {
        let (machine, files) = (FakeMachine::default(), FakeFiles::new());
        let servers = FakeServers::default();
        for directory in ["/bin", "/tmp", "/dev", "/etc"] {
            files.make(directory, mode::DIRECTORY | 0o755, b"");
        }
        files.make("/bin/tiny", mode::FILE | 0o755, &tiny_program());
        files.make("/bin/script", mode::FILE | 0o755, b"#!/bin/tiny -x\n");
        files.make("/bin/GAME.COM", mode::FILE | 0o755, b"\xcd\x20");
        files.make("/bin/native", mode::FILE | 0o755, b"\x7fELF\x02\x01\x01\xff");
        files.make("/bin/plain", mode::FILE | 0o644, b"text");
        files.make("/etc/words", mode::FILE | 0o644, b"one two three");
        let unix = Unix::new(
            Box::new(machine.clone()),
            Box::new(files.clone()),
            Box::new(servers.clone()),
            Kept::in_own_memory(),
        );
        Bench { unix, machine, files, servers, next_call: 1 << 16 }
    }

    /// Starts /bin/tiny on a terminal, with scratch pages.
    pub fn launch(&mut self) -> Pid {
        let pid = self.try_launch().unwrap();
        self.add_scratch(pid);
        pid
    }

    /// Starts /bin/tiny on a terminal, without scratch pages, if it can be.
    pub fn try_launch(&mut self) -> Result<Pid, Errno> {
        let stream = || {
            let endpoint = Endpoint(Handle(8));
            Object::Stream(Stream::owned(endpoint, StreamKind::Terminal, &self.unix.closed))
        };
        let streams = [stream(), stream(), stream()];
        let client = Client { badge: 1 << 63, exited: Notification(Handle(9)) };
        let arguments = alloc::vec![b"/bin/tiny".to_vec()];
        let environment = Vec::new();
        let launch = Launch { cwd: b"/".to_vec(), arguments, environment, streams, client };
        let launched = self.unix.launch(launch);
        self.unix.commit();
        launched
    }

    /// Gives a process scratch pages (exec takes them away).
    pub fn add_scratch(&mut self, pid: Pid) {
        let mapped = self.call(pid, 9, [SCRATCH, 2 * PAGE, 3, 0x32, 0, 0]);
        assert_eq!(mapped, Some(Reply::Value(SCRATCH)));
    }

    /// Returns the first thread of a process.
    pub fn thread(&self, pid: Pid) -> ThreadNumber {
        self.unix.processes[&pid].threads[0]
    }

    fn handle(&self, number: ThreadNumber) -> u16 {
        self.unix.threads[&number].handle.0.0
    }

    /// Has something happen to a thread; returns the answer if there is one at once.
    pub fn event(
        &mut self,
        number: ThreadNumber,
        kind: Kind,
        label: u32,
        words: [u64; 6],
    ) -> Option<Reply> {
        self.next_call += 1 << 16;
        let call = OpenCall::from_raw(self.next_call);
        let handle = self.handle(number);
        {
            let mut world = self.machine.0.borrow_mut();
            world.calls.insert(call, handle);
            world.replies.remove(&handle);
        }
        let caller = Caller { badge: number.0, call, replayed: false };
        let reply = self.unix.foreign(&Foreign { caller, kind, number: label, words });
        if reply.is_some() {
            self.machine.0.borrow_mut().calls.remove(&call);
        }
        reply
    }

    /// Makes a system call of a process's first thread.
    pub fn call(&mut self, pid: Pid, number: u32, words: [u64; 6]) -> Option<Reply> {
        self.event(self.thread(pid), Kind::SystemCall, number, words)
    }

    /// Makes a system call that is answered at once with a value.
    pub fn value(&mut self, pid: Pid, number: u32, words: &[u64]) -> u64 {
        let mut all = [0; 6];
        all[..words.len()].copy_from_slice(words);
        match self.call(pid, number, all) {
            Some(Reply::Value(value)) => value,
            other => panic!("system call {number}: {other:?}"),
        }
    }

    /// Makes a system call that fails at once.
    pub fn error(&mut self, pid: Pid, number: u32, words: &[u64], errno: Errno) {
        assert_eq!(self.value(pid, number, words) as i64, errno.to_rax() as i64);
    }

    /// Makes a system call that has to wait.
    pub fn waits(&mut self, pid: Pid, number: u32, words: &[u64]) {
        let mut all = [0; 6];
        all[..words.len()].copy_from_slice(words);
        assert_eq!(self.call(pid, number, all), None);
    }

    /// Returns the answer that a thread which waited has got.
    pub fn answer(&mut self, pid: Pid) -> Option<Reply> {
        let handle = self.handle(self.thread(pid));
        self.machine.0.borrow_mut().replies.remove(&handle)
    }

    /// Writes into a process's memory.
    pub fn poke(&mut self, pid: Pid, address: u64, bytes: &[u8]) {
        let mm = self.unix.processes[&pid].mm.clone().unwrap();
        let mm = mm.borrow();
        let region = mm.region_at(address).unwrap();
        let offset = region.first_page * PAGE + address - region.start;
        let memory = region.backing.memory();
        self.unix.machine.write_memory(memory, offset, bytes).unwrap();
    }

    /// Reads a process's memory.
    pub fn peek(&mut self, pid: Pid, address: u64, len: usize) -> Vec<u8> {
        let mm = self.unix.processes[&pid].mm.clone().unwrap();
        let mm = mm.borrow();
        let region = mm.region_at(address).unwrap();
        let offset = region.first_page * PAGE + address - region.start;
        let mut bytes = alloc::vec![0; len];
        self.unix.machine.read_memory(region.backing.memory(), offset, &mut bytes).unwrap();
        bytes
    }

    /// Puts a NUL-terminated string into a process's scratch pages and returns its address.
    pub fn string(&mut self, pid: Pid, string: &str) -> u64 {
        self.poke(pid, SCRATCH, &[string.as_bytes(), &[0]].concat());
        SCRATCH
    }

    /// Returns the registers of a process's first thread.
    pub fn registers(&self, pid: Pid) -> Registers {
        let handle = self.handle(self.thread(pid));
        self.machine.0.borrow().threads[&handle].registers
    }

    /// Sets them.
    pub fn set_registers(&mut self, pid: Pid, registers: Registers) {
        let handle = self.handle(self.thread(pid));
        self.machine.0.borrow_mut().threads.get_mut(&handle).unwrap().registers = registers;
    }

    /// Lets time pass and the timer expire.
    pub fn pass(&mut self, ns: u64) {
        self.machine.0.borrow_mut().now += ns;
        self.unix.notified(crate::unix::event::TIMER);
    }
}
