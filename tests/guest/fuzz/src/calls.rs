//! Random calls of several processes, and the parent that keeps them going.
//!
//! ```text
//!   parent ── fork ──> worker ── threads, children: each calls at random ──> counts in shared memory
//!      │ kill -9 who makes no progress, begin anew with the next seed
//!      └── /proc/kamen: do the tables agree?      at the end: is anything left?
//! ```

use crate::numbers as n;
use crate::raw::{call, call3, error, map, poke, shared};
use crate::state::{State, alone, reap, settled};
use kamen_fuzz::{Call, Dice, Ground, SIGNATURES, draw, scramble};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// Processes that begin.
const WORKERS: usize = 5;
/// Threads of each.
const THREADS: u64 = 2;
/// Calls after which a worker begins anew.
const LIFE: u64 = 3000;
/// Calls of a process that a random call made.
const CHILDHOOD: u64 = 30;
/// Calls between two changes of the memory that arguments are in.
const STIR: u64 = 8;
/// How long a worker may make no call.
const PATIENCE: Duration = Duration::from_millis(300);
/// Between two looks of the parent.
const PAUSE: Duration = Duration::from_millis(10);
/// Between two looks at the personality's tables.
const LOOK: Duration = Duration::from_secs(2);
/// The first user of workers; the first worker is the superuser.
const USER: u64 = 1000;

/// Where workers have the arguments of their calls: texts, then data; after it, nothing.
const TEXTS_AT: u64 = 0x20_0000_0000;
const DATA_AT: u64 = TEXTS_AT + 0x1000;
const DATA: u64 = 0x2000;
/// A page that can only be read.
const CONSTANT_AT: u64 = 0x21_0000_0000;
/// Pages to be mapped at will.
const ARENA: (u64, u64) = (0x22_0000_0000, 0x10_0000);
/// Bytes between two texts.
const TEXT: u64 = 64;
/// The tree that they work in.
const HOME: &str = "/tmp/fuzz";
const TEXTS: &[&str] = &[
    "a",
    "b",
    "c",
    "d",
    "d/e",
    "d/f",
    "link",
    "loop",
    "fifo",
    "socket",
    ".",
    "..",
    "",
    "d/../a",
    "/tmp/fuzz/a",
    "/tmp/fuzz/d",
    "/proc/self/maps",
    "/proc/self/fd/3",
    "/proc/self/status",
    "/proc/self/stat",
    "/proc/self/exe",
    "/proc/self/cwd/a",
    "/proc",
    "/proc/meminfo",
    "user.x",
    "/proc/self/cmdline",
    "/bin/fuzz",
];
/// What only those who are not the superuser name.
const DEVICES: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/full", "/dev/ptmx", "/dev/pts/0", "/dev/tty"];

/// Calls that nobody makes: reboot.
const NEVER: &[u32] = &[169];
/// Calls that the superuser must not make at random: they would end the parent, set the clock,
/// or change the root: kill and its relatives, settimeofday, clock_settime, adjtimex, prlimit64,
/// chroot, mount, umount2, pivot_root.
const NOT_ROOT: &[u32] =
    &[62, 129, 200, 234, 297, 424, 164, 227, 159, 305, 302, 161, 165, 166, 155];
/// Calls that no worker makes between two looks at its count.
const PLAUSIBLE: u64 = 10_000;
/// fork, vfork, clone and clone3.
const FORKS: &[u32] = &[56, 57, 58, 435];

/// Makes so many calls; returns whether the personality took them well.
pub fn run(calls: u64, seed: u64) -> bool {
    prepare();
    // What is kept for later use is there before it is counted.
    let counters = shared(WORKERS);
    round(calls.min(5000), seed.wrapping_mul(31), counters);
    counters.iter().for_each(|one| one.store(0, Ordering::Relaxed));
    alone();
    let before = State::read();
    let start = Instant::now();
    let (made, begun, faults) = round(calls, seed, counters);
    let left = settled(&before);
    println!("calls: {made}, workers: {begun}, {} s", start.elapsed().as_secs());
    for fault in &faults {
        println!("the tables do not agree: {fault}");
    }
    for one in &left {
        println!("left: {one}");
    }
    println!("faults: {}, left: {}", faults.len(), left.len());
    faults.is_empty() && left.is_empty()
}

fn prepare() {
    // What fails here is there already.
    let _ = fs::remove_dir_all(HOME);
    let _ = fs::create_dir_all(format!("{HOME}/d"));
    let _ = fs::write(format!("{HOME}/a"), "one two three");
    let _ = std::os::unix::fs::symlink("loop", format!("{HOME}/loop"));
    let fifo = format!("{HOME}/fifo\0");
    call3(n::MKNOD, fifo.as_ptr() as u64, 0o10_666, 0);
    let home = format!("{HOME}\0");
    call3(90, home.as_ptr() as u64, 0o777, 0);
}

/// Returns how many calls were made, by how many workers, and what did not agree.
fn round(calls: u64, seed: u64, counters: &'static [AtomicU64]) -> (u64, u64, Vec<String>) {
    let mut workers = [0u64; WORKERS];
    let mut seen = [(0, Instant::now()); WORKERS];
    let (mut begun, mut looked, mut faults) = (0, Instant::now(), Vec::new());
    let mut made = 0;
    while made < calls && faults.is_empty() {
        for slot in 0..WORKERS {
            let mut count = counters[slot].load(Ordering::Relaxed);
            match count.wrapping_sub(seen[slot].0) {
                step @ 0..PLAUSIBLE => made += step,
                _ => {
                    // A call of the worker has written there.
                    count = seen[slot].0;
                    counters[slot].store(count, Ordering::Relaxed);
                }
            }
            let pid = workers[slot];
            let ended = pid == 0 || call(n::WAIT4, [pid, 0, n::NO_HANG, 0, 0, 0]) != 0;
            if count != seen[slot].0 && !ended {
                seen[slot] = (count, Instant::now());
            } else if ended || seen[slot].1.elapsed() > PATIENCE {
                end(pid);
                begun += 1;
                workers[slot] = begin(slot, seed.wrapping_add(begun), &counters[slot]);
                seen[slot] = (count, Instant::now());
            }
        }
        reap();
        if looked.elapsed() > LOOK {
            faults = State::read().faults;
            looked = Instant::now();
        }
        sleep(PAUSE);
    }
    if faults.is_empty() {
        faults = State::read().faults;
    }
    // Whatever state they are in.
    call3(n::KILL, u64::MAX, n::SIGKILL, 0);
    (made, begun, faults)
}

fn end(pid: u64) {
    if pid != 0 {
        call3(n::KILL, pid, n::SIGKILL, 0);
        call3(n::KILL, pid.wrapping_neg(), n::SIGKILL, 0);
    }
}

/// Begins a worker and returns its process; 0 where there can be none now.
fn begin(slot: usize, seed: u64, counter: &'static AtomicU64) -> u64 {
    let pid = call3(n::FORK, 0, 0, 0);
    if pid == 0 {
        work(slot, seed, counter);
        call3(n::EXIT_GROUP, 0, 0, 0);
    }
    if error(pid).is_some() {
        // Workers' children have taken all there is.
        call3(n::KILL, u64::MAX, n::SIGKILL, 0);
        return 0;
    }
    pid
}

fn work(slot: usize, seed: u64, counter: &'static AtomicU64) {
    call3(n::SETPGID, 0, 0, 0);
    let null = call3(n::OPEN, c"/dev/null".as_ptr() as u64, 2, 0);
    (0..3).for_each(|number| {
        call3(n::DUP2, null, number, 0);
    });
    // Worse without it, but not wrong.
    let _ = std::env::set_current_dir(HOME);
    let is_root = slot == 0;
    if !is_root {
        call3(n::SETUID, USER + slot as u64, 0, 0);
    }
    interrupt_again_and_again();
    map(TEXTS_AT, DATA_AT - TEXTS_AT + DATA, 3);
    map(CONSTANT_AT, 0x1000, 1);
    let devices = if is_root { &[][..] } else { DEVICES };
    let texts: Vec<&str> = TEXTS.iter().chain(devices).copied().collect();
    for (index, text) in (0u64..).zip(&texts) {
        poke(TEXTS_AT + index * TEXT, format!("{text}\0").as_bytes());
    }
    let texts: Vec<u64> = (0..texts.len() as u64).map(|index| TEXTS_AT + index * TEXT).collect();
    let allowed = |number: &u32| !(NEVER.contains(number) || is_root && NOT_ROOT.contains(number));
    let numbers: Vec<u32> = SIGNATURES.iter().map(|one| one.0).filter(allowed).collect();
    for number in 1..THREADS {
        let (numbers, texts) = (numbers.clone(), texts.clone());
        let seed = seed ^ number << 32;
        // Without it there is one thread less.
        let _ = thread::Builder::new().spawn(move || play(seed, &numbers, &texts, counter, LIFE));
    }
    play(seed, &numbers, &texts, counter, LIFE);
}

/// Has a signal handler end calls that wait, as long as random calls do not change that.
fn interrupt_again_and_again() {
    extern "C" fn nothing(_: i32) {}
    let action = [nothing as *const () as u64, 0, 0, 0];
    call(n::SIGACTION, [n::SIGALRM, action.as_ptr() as u64, 0, 8, 0, 0]);
    let every = [0u64, 5000, 0, 5000];
    call3(n::SETITIMER, 0, every.as_ptr() as u64, 0);
}

fn play(seed: u64, numbers: &[u32], texts: &[u64], counter: &AtomicU64, life: u64) {
    let mut dice = Dice(seed);
    let own = call3(n::GETPID, 0, 0, 0);
    let processes = [0, own, own + 1, own + 2, 1];
    let ground = Ground {
        numbers,
        texts,
        data: (DATA_AT, DATA),
        arena: ARENA,
        bad: &[0, 1, CONSTANT_AT, DATA_AT + DATA, 0x40_0000, 1 << 47, u64::MAX, u64::MAX - 7],
        processes: &processes,
    };
    let mut words = [0u64; 256];
    for turn in 0..life {
        if turn % STIR == 0 {
            scramble(&mut dice, &ground, &mut words);
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let half = dice.roll(2) * (DATA - bytes.len() as u64);
            poke(DATA_AT + half, &bytes);
        }
        let Call { number, words } = draw(&mut dice, &ground);
        if NEVER.contains(&number) || !numbers.contains(&number) && number < 500 {
            continue;
        }
        let result = call(number, words);
        counter.fetch_add(1, Ordering::Relaxed);
        if result == 0 && FORKS.contains(&number) {
            if call3(n::GETPID, 0, 0, 0) != own && life != CHILDHOOD {
                play(dice.any(), numbers, texts, counter, CHILDHOOD);
                call3(n::EXIT_GROUP, 0, 0, 0);
            }
            // A thread without a stack of its own, or a child's child.
            call3(n::EXIT, 0, 0, 0);
        }
    }
}
