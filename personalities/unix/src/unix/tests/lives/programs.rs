//! What programs do on a server that dies.

use super::Lives;
use crate::Errno;
use crate::fake::SCRATCH;
use crate::process::Pid;
use crate::unix::tests::{CLOSE, DATA, DUP2, EXIT_GROUP, FORK, OPEN, PIPE, READ, WAIT4, WRITE};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

const SEEDS: u64 = 12;
const DUP: u32 = 32;
const SIGPROCMASK: u32 = 14;
const SIGTIMEDWAIT: u32 = 128;
const SIGQUEUE: u32 = 129;

/// Plays with several seeds, in which servers have to die.
fn play(game: impl Fn(&mut Lives)) {
    let mut deaths = 0;
    for seed in 1..=SEEDS {
        let mut lives = Lives::new(seed);
        game(&mut lives);
        deaths += lives.deaths;
    }
    assert!(deaths > 100, "only {deaths} deaths");
}

/// Returns a process and its child.
fn two(lives: &mut Lives) -> (Pid, Pid) {
    let parent = lives.bench.launch();
    let child = Pid(lives.value(parent, FORK, &[]) as u32);
    (parent, child)
}

#[test]
fn a_pipe_gives_each_byte_once() {
    const BYTES: u64 = 60_000;
    play(|lives| {
        let writer = lives.bench.launch();
        assert_eq!(lives.value(writer, PIPE, &[DATA]), 0);
        let ends = lives.bench.peek(writer, DATA, 8);
        let (from, to) = (u64::from(ends[0]), u64::from(ends[4]));
        let reader = Pid(lives.value(writer, FORK, &[]) as u32);
        assert_eq!(lives.value(reader, CLOSE, &[to]), 0);
        assert_eq!(lives.value(writer, CLOSE, &[from]), 0);
        let (mut written, mut read) = (0, 0);
        // Of each: what its call that waits is about.
        let (mut writing, mut reading) = (None, false);
        while read < BYTES {
            let count = match writing {
                Some(count) => lives.answer(writer).inspect(|&done| assert_eq!(done, count)),
                None if written < BYTES => {
                    let most = if lives.dice.one_in(2) { 60 } else { 3000 };
                    let count = (1 + lives.dice.roll(most)).min(BYTES - written);
                    let bytes: Vec<u8> = (written..written + count).map(|at| at as u8).collect();
                    lives.bench.poke(writer, SCRATCH, &bytes);
                    writing = Some(count);
                    lives.call(writer, WRITE, &[to, SCRATCH, count])
                }
                None => None,
            };
            if let Some(count) = count {
                assert_eq!(Some(count), writing);
                (written, writing) = (written + count, None);
            }
            let count = if reading {
                lives.answer(reader)
            } else {
                reading = true;
                let most = 1 + lives.dice.roll(5000);
                lives.call(reader, READ, &[from, SCRATCH, most])
            };
            if let Some(count) = count {
                reading = false;
                let bytes = lives.bench.peek(reader, SCRATCH, count as usize);
                assert!(bytes.iter().zip(read..).all(|(&byte, at)| byte == at as u8));
                read += count;
            }
        }
        assert_eq!((read, reading), (BYTES, false));
        assert_eq!(lives.value(writer, CLOSE, &[to]), 0);
        assert_eq!(lives.value(reader, READ, &[from, SCRATCH, 10]), 0);
    });
}

#[test]
fn a_file_is_read_and_written_on_where_it_was() {
    play(|lives| {
        let text: Vec<u8> = (0..3000u32).map(|at| (at % 251) as u8).collect();
        lives.bench.files.make("/tmp/from", protocols::file::mode::FILE | 0o644, &text);
        lives.bench.files.make("/tmp/to", protocols::file::mode::FILE | 0o644, b"");
        let pid = lives.bench.launch();
        let path = lives.bench.string(pid, "/tmp/from");
        let from = lives.value(pid, OPEN, &[path, 0]);
        let path = lives.bench.string(pid, "/tmp/to");
        let to = lives.value(pid, OPEN, &[path, 2]);
        loop {
            let most = 1 + lives.dice.roll(100);
            match lives.value(pid, READ, &[from, SCRATCH, most]) {
                0 => break,
                count => assert_eq!(lives.value(pid, WRITE, &[to, SCRATCH, count]), count),
            }
        }
        // The whole again, by another description.
        let path = lives.bench.string(pid, "/tmp/to");
        let again = lives.value(pid, OPEN, &[path, 0]);
        let mut copy = Vec::new();
        loop {
            let count = lives.value(pid, READ, &[again, SCRATCH, 4000]);
            copy.extend(lives.bench.peek(pid, SCRATCH, count as usize));
            if count == 0 {
                break;
            }
        }
        assert!(copy == text, "{} bytes", copy.len());
    });
}

#[test]
fn descriptors_are_made_and_closed_once() {
    play(|lives| {
        let pid = lives.bench.launch();
        // What each is: the terminal's three, and files by when they were opened.
        let mut open: BTreeMap<u64, u64> = (0..3).map(|number| (number, number)).collect();
        let lowest = |open: &BTreeMap<u64, u64>| (0..).find(|number| !open.contains_key(number));
        for step in 3..150 {
            let any = lives.dice.roll(12);
            let other = lives.dice.roll(12);
            let known = open.get(&any).copied();
            match lives.dice.roll(4) {
                0 => {
                    let path = lives.bench.string(pid, "/etc/words");
                    let number = lowest(&open).unwrap();
                    assert_eq!(lives.value(pid, OPEN, &[path, 0]), number);
                    open.insert(number, step);
                }
                1 => {
                    let expected =
                        if open.remove(&any).is_some() { 0 } else { Errno::EBADF.to_rax() };
                    assert_eq!(lives.value(pid, CLOSE, &[any]), expected, "close({any})");
                }
                2 => {
                    let number = lowest(&open).unwrap();
                    let value = lives.value(pid, DUP, &[any]);
                    match known {
                        Some(file) => {
                            assert!(open.insert(number, file).is_none() && value == number)
                        }
                        None => assert_eq!(value, Errno::EBADF.to_rax()),
                    }
                }
                _ => {
                    let value = lives.value(pid, DUP2, &[any, other]);
                    match known {
                        Some(file) => {
                            open.insert(other, file);
                            assert_eq!(value, other);
                        }
                        None => assert_eq!(value, Errno::EBADF.to_rax()),
                    }
                }
            }
        }
        let process = &lives.bench.unix.processes[&pid];
        let numbers: Vec<u64> = process.descriptors.iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, open.keys().copied().collect::<Vec<_>>());
        // Those that are one description still are.
        let file = |number: &u64| process.descriptors.file(*number).unwrap();
        for (one, what) in &open {
            for (other, same) in &open {
                let shared = alloc::rc::Rc::ptr_eq(&file(one), &file(other));
                assert_eq!(shared, what == same, "{one} {other}");
            }
        }
    });
}

#[test]
fn each_child_is_made_and_waited_for_once() {
    play(|lives| {
        let parent = lives.bench.launch();
        let mut children = BTreeMap::new();
        let mut ended = 0;
        for step in 0..40u64 {
            if lives.dice.one_in(2) {
                let child = lives.value(parent, FORK, &[]) as u32;
                assert!(children.insert(child, None).is_none(), "{child} twice");
            } else if let Some((&child, _)) = children.iter().find(|(_, code)| code.is_none()) {
                // Nobody is told of an exit.
                assert_eq!(lives.call(Pid(child), EXIT_GROUP, &[step]), None);
                children.insert(child, Some(step));
                ended += 1;
            }
            if lives.dice.one_in(3) && ended > 0 {
                let child = lives.value(parent, WAIT4, &[u64::MAX, DATA, 0]) as u32;
                let status = lives.bench.peek(parent, DATA, 4);
                let code = children.remove(&child).flatten();
                assert_eq!(code.map(|code| [0, code as u8, 0, 0]), status.try_into().ok());
                ended -= 1;
            }
            assert_eq!(lives.bench.unix.processes.len(), 1 + children.len());
        }
        for (child, code) in children {
            if code.is_none() {
                assert_eq!(lives.call(Pid(child), EXIT_GROUP, &[0]), None);
            }
            assert_eq!(lives.value(parent, WAIT4, &[child.into(), 0, 0]), child.into());
        }
        let none = lives.value(parent, WAIT4, &[u64::MAX, 0, 0]);
        assert_eq!(none, Errno::ECHILD.to_rax());
    });
}

#[test]
fn queued_signals_come_once_and_in_order() {
    const SIGNAL: u64 = 40;
    play(|lives| {
        let (from, to) = two(lives);
        let set = (1u64 << (SIGNAL - 1)).to_le_bytes();
        lives.bench.poke(to, DATA, &set);
        assert_eq!(lives.value(to, SIGPROCMASK, &[0, DATA, 0, 8]), 0);
        let (mut sent, mut taken, mut waits) = (0u64, 0u64, false);
        while taken < 60 {
            if lives.dice.one_in(2) && sent < 60 {
                // si_signo, si_errno, si_code = SI_QUEUE; si_value at 24 (asm-generic/siginfo.h).
                let mut info = [0; 128];
                info[0] = SIGNAL as u8;
                info[8..12].copy_from_slice(&(-1i32).to_le_bytes());
                info[24..32].copy_from_slice(&sent.to_le_bytes());
                lives.bench.poke(from, DATA, &info);
                assert_eq!(lives.value(from, SIGQUEUE, &[to.0.into(), SIGNAL, DATA]), 0);
                sent += 1;
            }
            let answer = if waits {
                lives.answer(to)
            } else {
                waits = true;
                lives.call(to, SIGTIMEDWAIT, &[DATA, SCRATCH, 0, 8])
            };
            if let Some(signal) = answer {
                waits = false;
                assert_eq!(signal, SIGNAL);
                let info = lives.bench.peek(to, SCRATCH, 32);
                assert_eq!(info[24..32], taken.to_le_bytes());
                taken += 1;
            }
        }
        assert_eq!(sent, taken);
    });
}
