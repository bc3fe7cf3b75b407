//! `kill -9`: it works whatever state who is killed is in.

use crate::numbers as n;
use crate::raw::{call, call3};
use crate::state::{State, child, settled, wait};
use std::thread::sleep;
use std::time::Duration;

/// How long what was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a child may take to get into its state.
const SETTLE: Duration = Duration::from_millis(60);

/// States by their names, and what gets a process into them.
const STATES: &[(&str, fn())] = &[
    ("runs", || {
        loop {
            std::hint::black_box(());
        }
    }),
    ("calls", || {
        loop {
            call3(n::GETPID, 0, 0, 0);
        }
    }),
    ("reads a pipe", || read_pipe()),
    ("writes a full pipe", || write_pipe()),
    ("waits for a child", || {
        child(pause);
        call3(n::WAIT4, u64::MAX, 0, 0);
    }),
    ("sleeps", || {
        let long = [1000u64, 0];
        call3(n::NANOSLEEP, long.as_ptr() as u64, 0, 0);
    }),
    ("waits for a futex", || {
        let word = 0u32;
        call3(n::FUTEX, (&raw const word) as u64, 0, 0);
    }),
    ("polls", || {
        call3(n::POLL, 0, 0, u64::MAX);
    }),
    ("is suspended for signals", || {
        let all = u64::MAX;
        call3(n::SIGSUSPEND, (&raw const all) as u64, 8, 0);
    }),
    ("pauses", pause),
    ("opens a FIFO", || {
        let path = c"/tmp/kills-fifo".as_ptr() as u64;
        call3(n::MKNOD, path, 0o10_666, 0);
        call3(n::OPEN, path, 0, 0);
    }),
    ("lent its memory (vfork)", vfork),
    ("masks all signals", || {
        let all = u64::MAX;
        call(n::SIGPROCMASK, [0, (&raw const all) as u64, 0, 8, 0, 0]);
        pause();
    }),
    ("is stopped while it runs", || {
        call3(n::KILL, call3(n::GETPID, 0, 0, 0), n::SIGSTOP, 0);
        pause();
    }),
    ("has threads that run and wait", || {
        for _ in 0..4 {
            // One thread less does not matter.
            let _ = std::thread::Builder::new().spawn(|| {
                loop {
                    std::hint::black_box(());
                }
            });
            let _ = std::thread::Builder::new().spawn(pause);
        }
        pause();
    }),
];

fn pause() {
    loop {
        call3(n::PAUSE, 0, 0, 0);
    }
}

fn pipe() -> [u32; 2] {
    let mut ends = [0u32; 2];
    call3(n::PIPE2, (&raw mut ends) as u64, 0, 0);
    std::hint::black_box(ends)
}

fn read_pipe() {
    let ends = pipe();
    let byte = [0u8];
    call3(n::READ, ends[0].into(), byte.as_ptr() as u64, 1);
}

fn write_pipe() {
    let ends = pipe();
    let full = [0u8; 65536];
    loop {
        call3(n::WRITE, ends[1].into(), full.as_ptr() as u64, 65536);
    }
}

/// The child lives in this process's memory: it only waits.
fn vfork() {
    if call3(n::VFORK, 0, 0, 0) == 0 {
        pause();
    }
}

/// Kills a child in each state; returns whether each time it was gone, and nothing left.
pub fn run() -> bool {
    // Of what is kept, nothing is counted.
    wait(child(|| {}), PATIENCE);
    let before = State::read();
    let mut good = true;
    for (name, state) in STATES {
        let pid = child(|| {
            call3(n::SETPGID, 0, 0, 0);
            state();
        });
        sleep(SETTLE);
        call3(n::KILL, pid, n::SIGKILL, 0);
        let status = wait(pid, PATIENCE);
        // Children of who was killed.
        call3(n::KILL, pid.wrapping_neg(), n::SIGKILL, 0);
        good &= told(name, status == Some(9), &before);
    }
    // A zombie: it is not there to be killed, and its parent still learns how it ended.
    let pid = child(|| {
        call3(n::EXIT_GROUP, 5, 0, 0);
    });
    sleep(SETTLE);
    call3(n::KILL, pid, n::SIGKILL, 0);
    good &= told("has ended", wait(pid, PATIENCE) == Some(5 << 8), &before);
    good
}

fn told(name: &str, is_gone: bool, before: &State) -> bool {
    let left = settled(before);
    let good = is_gone && left.is_empty();
    println!("kill -9 of who {name}: {}", if good { "gone" } else { "NOT gone" });
    for one in left {
        println!("left: {one}");
    }
    good
}
