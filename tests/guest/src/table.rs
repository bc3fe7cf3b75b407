//! The list of tests: every way to boot, and the exact form of `cargo xtask run`.

use crate::case::{Case, Way};

/// Tests that are there a second time with two processors. All others can be, too:
/// `cargo xtask test --guest --cpus 2`.
const ON_TWO: &[&str] = &[
    "boot: PVH on q35",
    "chaos:",
    "first: libipc",
    "pipe:",
    "signal:",
    "mixed:",
    "worker: threads",
];

/// Returns all tests.
pub fn cases() -> Vec<Case> {
    let mut cases = [
        boots(),
        form(),
        crate::first::cases(),
        crate::native::cases(),
        crate::restart::cases(),
        crate::campaign::cases(),
        crate::net::cases(),
        crate::backtrace::cases(),
        crate::debug::cases(),
        crate::top::cases(),
        crate::capabilities::cases(),
        crate::worker::cases(),
        crate::unix::cases(),
        crate::fuzz::cases(),
        crate::debian::cases(),
        crate::languages::cases(),
        crate::memory::cases(),
        crate::applets::cases(),
        crate::dos::cases(),
        crate::shells::cases(),
        crate::terminal::cases(),
        crate::tracing::cases(),
        crate::tutorial::cases(),
    ]
    .concat();
    let chosen = |case: &&Case| ON_TWO.iter().any(|name| case.name.starts_with(name));
    let again: Vec<Case> =
        cases.iter().filter(chosen).filter_map(|case| case.clone().moved_to(2)).collect();
    cases.extend(again);
    cases
}

/// Every way in ends with a program that runs.
fn boots() -> Vec<Case> {
    let boot = |name, way| Case::program(name, &["echo", "kamen"]).prints("kamen\n").by(way);
    vec![
        boot("boot: PVH on q35", Way::Q35),
        boot("boot: PVH on microvm", Way::Microvm),
        boot("boot: instruction clock", Way::InstructionClock),
        boot("boot: ISO under SeaBIOS", Way::Bios).within(120),
        boot("boot: ISO under OVMF", Way::Uefi).within(240),
    ]
}

/// `cargo xtask run -- PROGRAM` is exact.
fn form() -> Vec<Case> {
    let every_byte: Vec<u8> = (0..=255u8).cycle().take(64 << 10).collect();
    vec![
        Case::line("program: its exit status is ours", "exit 42").prints("").exits(42),
        Case::program("program: arguments arrive as they are", &["printf", "%s|", "a b", "", "é$"])
            .prints("a b||é$|"),
        Case::program("program: every byte passes both ways", &["cat"])
            .reads(&every_byte)
            .prints(&every_byte),
        Case::program("program: output has no carriage returns", &["printf", "a\nb\n"])
            .prints("a\nb\n"),
        Case::program("program: one that is not there", &["no-such-program"]).exits(127),
        Case::program("program: a time limit ends it", &["sleep", "1000"]).exits(124).within(8),
        Case::script("script: the shell ends at the end of its input", "echo one\necho two\n")
            .prints("one\ntwo\n"),
        Case::script("script: its last status is ours", "exit 3\n").prints("").exits(3),
    ]
}
