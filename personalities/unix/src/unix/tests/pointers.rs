//! Bad pointers in every argument of every system call.

extern crate std;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use kamen_fuzz::{Use, signature};

use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::memory::PAGE;
use crate::process::Pid;
use crate::table::{CALLS, Entry};
use crate::unix::Reply;

/// Where the good arguments are.
const STRING: u64 = SCRATCH;
const RANGES: u64 = SCRATCH + 0x100;
const STRINGS: u64 = SCRATCH + 0x200;
const DATA: u64 = SCRATCH + 0x400;
/// A page that can only be read, and a hole after it.
const CONSTANT: u64 = SCRATCH + 4 * PAGE;
/// The highest address that a program can have, plus one.
const USER_END: u64 = 0x8000_0000_0000;

/// Addresses at which there is nothing, whatever is asked of them.
const NOWHERE: &[u64] = &[
    1,
    0x1000,
    SCRATCH + 3 * PAGE,
    USER_END - 1,
    USER_END,
    0xffff_8000_0000_0000,
    u64::MAX - PAGE + 1,
    u64::MAX - 7,
    u64::MAX,
];

/// What else Linux does with a bad pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Else {
    /// It does not follow it, with these arguments.
    Untouched,
    /// It fails with an error that is found earlier.
    Fails(Errno),
}

/// Where Linux answers otherwise than with EFAULT: the call, the argument, what, and why.
const EXCEPTIONS: &[(&str, usize, Else, &str)] = &[
    ("nanosleep", 1, Else::Untouched, "written when it is interrupted"),
    ("clock_nanosleep", 3, Else::Untouched, "written when it is interrupted"),
    ("select", 4, Else::Untouched, "a time that cannot be written stays (select.c)"),
    ("clone", 2, Else::Untouched, "without CLONE_PARENT_SETTID"),
    ("clone", 3, Else::Untouched, "without CLONE_CHILD_SETTID"),
    ("getgroups", 1, Else::Untouched, "there are no groups"),
    ("listxattr", 1, Else::Untouched, "there are no attributes"),
    ("llistxattr", 1, Else::Untouched, "there are no attributes"),
    ("flistxattr", 1, Else::Untouched, "there are no attributes"),
    ("sched_setparam", 1, Else::Fails(Errno::EINVAL), "null is no parameter (sched/core.c)"),
    ("sched_getparam", 1, Else::Fails(Errno::EINVAL), "null is no parameter (sched/core.c)"),
    ("sched_setattr", 1, Else::Fails(Errno::EINVAL), "null is no attribute (sched/core.c)"),
    ("futex", 0, Else::Fails(Errno::EINVAL), "what is not aligned is no futex (futex/core.c)"),
];

/// Returns a program with an open file as descriptor 3, a directory as 4, a pipe as 5 and 6, and
/// good arguments in its memory.
fn program() -> (Bench, Pid) {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let constant = [CONSTANT, PAGE, 1, 0x32, 0, 0];
    assert_eq!(bench.value(pid, 9, &constant), CONSTANT);
    let words = bench.string(pid, "/etc/words");
    assert_eq!(bench.value(pid, 2, &[words, 2]), 3);
    let directory = bench.string(pid, "/etc");
    assert_eq!(bench.value(pid, 2, &[directory, 0o200_000]), 4);
    assert_eq!(bench.value(pid, 22, &[DATA]), 0);
    bench.poke(pid, DATA, &[0; 0x400]);
    bench.string(pid, "/etc/words");
    let pair = |a: u64, b: u64| [a.to_le_bytes(), b.to_le_bytes()].concat();
    bench.poke(pid, RANGES, &pair(DATA, 8));
    bench.poke(pid, STRINGS, &pair(STRING, 0));
    (bench, pid)
}

/// Returns good arguments for a call.
fn good(entry: &Entry, pid: Pid) -> Vec<(Use, bool, u64)> {
    let uses = signature(entry.number);
    let uses = uses.unwrap_or_else(|| panic!("{}: add it to kamen_fuzz::SIGNATURES", entry.name));
    let one = |(what, optional): (Use, bool)| {
        let word = match what {
            Use::Descriptor => 3,
            Use::Directory => -100i64 as u64,
            Use::Text => STRING,
            Use::In | Use::Out | Use::InOut | Use::Message => DATA,
            Use::Ranges => RANGES,
            Use::Strings => STRINGS,
            Use::Address => SCRATCH + 8 * PAGE,
            Use::Length => 8,
            Use::Number => 1,
            Use::Flags => 0,
            Use::Process => pid.0.into(),
            Use::Signal => 10,
            Use::User => 0,
        };
        (what, optional, word)
    };
    uses.map(one).collect()
}

fn words(arguments: &[(Use, bool, u64)]) -> [u64; 6] {
    let mut words = [0; 6];
    for (word, (.., value)) in words.iter_mut().zip(arguments) {
        *word = *value;
    }
    words
}

/// What calls broke.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    /// Makes a call with these arguments in a new program; the personality's tables must agree.
    fn attempt(&mut self, entry: &Entry, arguments: impl Fn(Pid) -> [u64; 6]) -> Option<Reply> {
        let attempt = || {
            let (mut bench, pid) = program();
            let words = arguments(pid);
            let reply = bench.call(pid, entry.number, words);
            let faults = bench.unix.inconsistencies();
            assert!(faults.is_empty(), "{faults:#?}");
            reply
        };
        // One that panics must not keep the others from being told.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt));
        if result.is_err() {
            self.0.push(format!("{} {:x?}: see above", entry.name, arguments(Pid(2))));
        }
        result.unwrap_or(None)
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        assert!(self.0.is_empty(), "{} faults:\n{}", self.0.len(), self.0.join("\n"));
    }
}

fn errno(reply: Option<Reply>) -> Option<u64> {
    match reply {
        Some(Reply::Value(value)) if value > -4096i64 as u64 => Some(value),
        _ => None,
    }
}

/// Returns what is wrong with the answer to a bad pointer, where good arguments had `base`.
fn fault_of(otherwise: Option<Else>, base: Option<Reply>, bad: Option<Reply>) -> Option<String> {
    let efault = Errno::EFAULT.to_rax();
    let allowed = errno(bad) == Some(efault)
        || (errno(base).is_some() && errno(bad) == errno(base))
        // What waits before it looks at the pointer waits with a bad one too.
        || (base.is_none() && bad.is_none())
        || match otherwise {
            Some(Else::Untouched) => bad == base,
            Some(Else::Fails(other)) => errno(bad) == Some(other.to_rax()),
            None => false,
        };
    (!allowed).then(|| format!("{bad:?}, with good arguments {base:?}"))
}

#[test]
fn bad_pointers_in_every_argument_of_every_call_fail() {
    let mut faults = Faults::default();
    for entry in CALLS {
        let base = faults.attempt(entry, |pid| words(&good(entry, pid)));
        let arguments = good(entry, Pid(0));
        for (index, (what, optional, _)) in arguments.iter().enumerate() {
            if !what.is_pointer() {
                continue;
            }
            let exception = EXCEPTIONS.iter().find(|one| (one.0, one.1) == (entry.name, index));
            let otherwise = exception.map(|one| one.2);
            let null = if *optional { &[][..] } else { &[0] };
            let written = matches!(what, Use::Out | Use::InOut);
            let constant = if written { &[CONSTANT][..] } else { &[] };
            for &address in NOWHERE.iter().chain(null).chain(constant) {
                let with = |pid| {
                    let mut words = words(&good(entry, pid));
                    words[index] = address;
                    words
                };
                if let Some(fault) = fault_of(otherwise, base, faults.attempt(entry, with)) {
                    faults
                        .0
                        .push(format!("{}, argument {index}, {address:#x}: {fault}", entry.name));
                }
            }
        }
    }
}

/// What is not a pointer may be anything as well; only the ends of memory are looked at here: the
/// random tests do the rest.
#[test]
fn extreme_words_in_every_argument_of_every_call_break_nothing() {
    /// reboot(2) and the calls that end the program.
    const ENDS: [u32; 4] = [60, 169, 231, 59];
    const EXTREME: &[u64] = &[
        0,
        1,
        u64::MAX,
        i64::MAX as u64,
        i64::MIN as u64,
        u32::MAX as u64,
        1 << 31,
        !0xfff,
        1 << 47,
    ];
    let calls = CALLS.iter().filter(|entry| !ENDS.contains(&entry.number));
    let mut faults = Faults::default();
    for entry in calls {
        for index in 0..6 {
            for &extreme in EXTREME {
                faults.attempt(entry, |pid| {
                    let mut words = words(&good(entry, pid));
                    words[index] = extreme;
                    words
                });
            }
        }
        faults.attempt(entry, |_| [u64::MAX; 6]);
    }
}

/// The last byte before a hole: what needs one byte more fails, whatever else is good.
#[test]
fn memory_that_ends_in_the_middle_breaks_nothing() {
    let end = SCRATCH + 2 * PAGE;
    let mut faults = Faults::default();
    for entry in CALLS {
        let arguments = good(entry, Pid(0));
        for (index, _) in arguments.iter().enumerate().filter(|(_, one)| one.0.is_pointer()) {
            for before in [1, 3, 7, 8, 15] {
                faults.attempt(entry, |pid| {
                    let mut words = words(&good(entry, pid));
                    words[index] = end - before;
                    words
                });
            }
        }
    }
}
