//! Bombs and hogs of all kinds: each meets its limit, and another shell goes on meanwhile.
//!
//! A storm is a child in a session of its own that takes all it can get of one thing, keeps it,
//! and says what stopped it. While it holds all that, a shell must start and answer; when it has
//! been killed, nothing may be left.

use crate::numbers as n;
use crate::raw::{call, call3, error, shared, touch};
use crate::state::{State, child, settled};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a storm may take to meet its limit.
const PATIENCE: Duration = Duration::from_secs(15);
/// Where storms work with files.
const HOME: &str = "/tmp/storm";

/// What a storm tells, in shared memory: how much it got, and the error that ended it.
#[derive(Clone, Copy)]
struct Told {
    got: &'static AtomicU64,
    error: &'static AtomicU64,
    /// How many processes have met their limits.
    done: &'static AtomicU64,
}

impl Told {
    /// Takes until an attempt fails; then keeps it all.
    fn take(self, attempt: impl FnMut() -> u64) {
        let why = self.count(attempt);
        self.error.store(why, Ordering::Relaxed);
        keep();
    }

    /// Takes until an attempt fails; returns the error.
    fn count(self, mut attempt: impl FnMut() -> u64) -> u64 {
        loop {
            match error(attempt()) {
                None => self.got.fetch_add(1, Ordering::Relaxed),
                Some(why) => return why,
            };
        }
    }
}

/// Waits to be killed.
pub fn keep() {
    loop {
        call3(n::PAUSE, 0, 0, 0);
    }
}

/// A storm and its name.
type Storm = (&'static str, fn(Told));

/// The storms by their names.
const STORMS: &[Storm] = &[
    ("forks", forks),
    ("zombies", zombies),
    ("threads", threads),
    ("memory", memory),
    ("regions", regions),
    ("descriptors", descriptors),
    ("files", files),
    ("pipes", pipes),
    ("arguments", arguments),
    ("signals", signals),
    ("directories", directories),
    ("links", links),
];

/// Has all storms rage, one after the other; returns whether everything else went on.
pub fn run() -> bool {
    // What fails here is there already.
    let _ = std::fs::create_dir_all(HOME);
    is_answering();
    let words = shared(3);
    let told = Told { got: &words[0], error: &words[1], done: &words[2] };
    let before = State::read();
    STORMS.iter().filter(|(name, storm)| !survived(name, *storm, told, &before)).count() == 0
}

fn survived(name: &str, storm: fn(Told), told: Told, before: &State) -> bool {
    [told.got, told.error, told.done].iter().for_each(|word| word.store(0, Ordering::Relaxed));
    let start = Instant::now();
    let pid = child(|| {
        call3(n::SETSID, 0, 0, 0);
        let _ = std::env::set_current_dir(HOME);
        storm(told);
    });
    let mut ended = error(pid).is_some();
    while told.error.load(Ordering::Relaxed) == 0 && !ended && start.elapsed() < PATIENCE {
        sleep(Duration::from_millis(5));
        ended = call(n::WAIT4, [pid, 0, n::NO_HANG, 0, 0, 0]) != 0;
    }
    let answers = is_answering();
    call3(n::KILL, u64::MAX, n::SIGKILL, 0);
    let left = settled(before);
    let (got, why) = (told.got.load(Ordering::Relaxed), told.error.load(Ordering::Relaxed));
    let end = match why {
        0 if ended => "was killed".to_owned(),
        0 => "met no limit".to_owned(),
        why => format!("error {why}"),
    };
    println!(
        "storm {name}: got {got}, {end}; a shell answers: {answers}, left: {left:?} ({} ms)",
        start.elapsed().as_millis()
    );
    answers && left.is_empty() && (why != 0 || ended)
}

/// Returns whether another shell starts and answers.
fn is_answering() -> bool {
    let words = ["-c", "cat /proc/self/stat > /dev/null; echo fine"];
    match Command::new("/bin/sh").args(words).output() {
        Ok(output) => output.stdout == b"fine\n",
        Err(error) => {
            println!("a shell: {error}");
            false
        }
    }
}

/// Every child forks as well.
fn forks(told: Told) {
    told.take(|| call3(n::FORK, 0, 0, 0));
}

fn zombies(told: Told) {
    told.take(|| match call3(n::FORK, 0, 0, 0) {
        0 => call3(n::EXIT_GROUP, 0, 0, 0),
        result => result,
    });
}

fn threads(told: Told) {
    loop {
        match std::thread::Builder::new().stack_size(16 << 10).spawn(keep) {
            Ok(_) => told.got.fetch_add(1, Ordering::Relaxed),
            Err(why) => {
                let number =
                    why.raw_os_error().map_or(n::EAGAIN, |error| error.unsigned_abs().into());
                told.error.store(number, Ordering::Relaxed);
                break;
            }
        };
    }
    keep();
}

/// Maps, and touches each page.
fn memory(told: Told) {
    const STEP: u64 = 1 << 20;
    told.take(|| {
        let at = call(n::MMAP, [0, STEP, 3, 0x22, u64::MAX, 0]);
        if error(at).is_none() {
            (at..at + STEP).step_by(4096).for_each(touch);
        }
        at
    });
}

/// Regions of one page that cannot be joined, of several processes.
fn regions(told: Told) {
    let mut protection = 0;
    in_many(told, move || {
        protection ^= 1;
        call(n::MMAP, [0, 4096, protection, 0x22, u64::MAX, 0])
    });
}

fn descriptors(told: Told) {
    told.take(|| call3(n::DUP, 0, 0, 0));
}

/// Open files of several processes, each with a long path.
fn files(told: Told) {
    let path = format!("{}/dev/null\0", "/.".repeat(30));
    in_many(told, move || call3(n::OPEN, path.as_ptr() as u64, 2, 0));
}

/// Full pipes of several processes.
fn pipes(told: Told) {
    const NON_BLOCKING: u64 = 0o4000;
    let full = [7u8; 65536];
    in_many(told, move || {
        let mut ends = [0u32; 2];
        let result = call3(n::PIPE2, (&raw mut ends) as u64, NON_BLOCKING, 0);
        if result == 0 {
            call3(n::WRITE, std::hint::black_box(ends)[1].into(), full.as_ptr() as u64, 65536);
        }
        result
    });
}

/// Children that keep long command lines.
fn arguments(told: Told) {
    let long = "x".repeat(100_000) + "\0";
    let program = c"/bin/fuzz".as_ptr() as u64;
    let words = [program, c"keep".as_ptr() as u64, long.as_ptr() as u64, 0];
    told.take(|| match call3(n::FORK, 0, 0, 0) {
        0 => {
            call3(n::EXECVE, program, words.as_ptr() as u64, 0);
            call3(n::EXIT_GROUP, 0, 0, 0)
        }
        result => result,
    });
}

/// Takes with one process after the other until none gets any.
fn in_many(told: Told, mut attempt: impl FnMut() -> u64) {
    /// Processes after which it is one process's limit that was met.
    const MANY: usize = 12;
    for _ in 0..MANY {
        let before = told.got.load(Ordering::Relaxed);
        let done = told.done.load(Ordering::Relaxed);
        let pid = child(|| {
            told.count(&mut attempt);
            told.done.fetch_add(1, Ordering::Relaxed);
            keep();
        });
        while error(pid).is_none() && told.done.load(Ordering::Relaxed) == done {
            sleep(Duration::from_millis(1));
        }
        if before == told.got.load(Ordering::Relaxed) {
            break;
        }
    }
    told.error.store(n::EAGAIN, Ordering::Relaxed);
    keep();
}

/// Signals that nobody takes.
fn signals(told: Told) {
    /// Most: then the limit is that each waits once.
    const MANY: u64 = 20_000;
    let all = u64::MAX;
    call(n::SIGPROCMASK, [0, (&raw const all) as u64, 0, 8, 0, 0]);
    let own = call3(n::GETPID, 0, 0, 0);
    // SI_QUEUE, as sigqueue(3) sends it.
    let mut info = [0u32; 32];
    info[2] = (-1i32) as u32;
    told.take(|| {
        if told.got.load(Ordering::Relaxed) >= MANY {
            return n::EAGAIN.wrapping_neg();
        }
        match call3(n::SIGQUEUEINFO, own, 40, info.as_ptr() as u64) {
            // Without queues: plain ones.
            result if error(result) == Some(38) => call3(n::KILL, own, 40, 0),
            result => result,
        }
    });
}

/// A tree so deep that its path is longer than any.
fn directories(told: Told) {
    /// Depth at which a limit is no longer expected.
    const DEEP: u64 = 3000;
    let name = c"a-directory-with-quite-a-long-name".as_ptr() as u64;
    told.take(|| {
        if told.got.load(Ordering::Relaxed) >= DEEP {
            return n::EAGAIN.wrapping_neg();
        }
        match error(call3(n::MKDIR, name, 0o777, 0)) {
            // It is there from the last time.
            None | Some(17) => call3(n::CHDIR, name, 0, 0),
            Some(why) => why.wrapping_neg(),
        }
    });
}

/// A chain of symbolic links, opened at its end.
fn links(told: Told) {
    let mut last = "/dev/null".to_owned();
    told.take(|| {
        let next = format!("{HOME}/link{}", told.got.load(Ordering::Relaxed));
        // It is there from the last time.
        let _ = std::os::unix::fs::symlink(&last, &next);
        last = next;
        let path = format!("{last}\0");
        let file = call3(n::OPEN, path.as_ptr() as u64, 0, 0);
        call3(n::CLOSE, file, 0, 0);
        file
    });
}
