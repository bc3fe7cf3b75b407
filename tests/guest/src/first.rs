//! Tests of programs that run as first task, alone on the kernel.

use crate::case::{Action, Case, Way};

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![
        first("first: libipc against the kernel", "ipc-test", "").logs(IPC_CHECKS),
        first("first: a pager, contiguous memory and a virtio device", "memory-test", "virtio")
            .logs(MEMORY_CHECKS),
        first("first: a pager and its client on two processors", "memory-test", "virtio")
            .on(2)
            .logs(MEMORY_CHECKS),
        Case::first_task("first: a pager, contiguous memory and the HPET", "memory-test", "hpet")
            .by(Way::Q35)
            .logs(MEMORY_CHECKS),
        first("fpu: registers are their thread's own", "fpu-test", "")
            .logs(&["holds: a new thread in a slot that was used sees none", "verdict: Ok(9)"]),
        chaos(100_000, 1),
        first(
            "exhaust: who takes all he can leaves others what they were promised",
            "exhaust-test",
            "",
        )
        .within(120)
        .logs(&["holds: ", "broken promises: 0", "verdict: true"]),
        first("smp: instruction clock", "smp-test", "")
            .on(2)
            .within(240)
            .logs(&["verdict: Ok(0) fail"]),
        Case::first_task("smp: on q35", "smp-test", "")
            .by(Way::Q35)
            .on(2)
            .logs(&["verdict: Ok(0) fail"]),
        Case::first_task("smp: on microvm", "smp-test", "")
            .by(Way::Microvm)
            .on(2)
            .logs(&["verdict: Ok(0) fail"]),
    ]
    .into_iter()
    .chain(stresses())
    .chain([Case::new("bench: no row takes more instructions than committed", Action::Benchmark)])
    .collect()
}

/// What the log of `ipc-test` must say, the last of its checks included.
const IPC_CHECKS: &[&str] = &[
    "holds: empty call returns",
    "holds: reads over a ring arrive",
    "holds: what was in flight is read from the next life",
    "verdict: Ok(true)",
];

/// What the log of `memory-test` must say, the last of its checks included.
const MEMORY_CHECKS: &[&str] = &[
    "holds: a copy from lent memory goes on past missing pages",
    "holds: a device's register is read",
    "holds: RAM and the kernel's devices are no devices",
    "verdict: Ok(0) fail",
];

/// Returns the test of random system calls: how many, from which seed on.
pub fn chaos(calls: u64, seed: u64) -> Case {
    let arguments = format!("seed={seed} calls={calls}");
    first("chaos: random system calls change nothing for others", "chaos", &arguments)
        .logs(&["seed ", "leaks: 0", "wrong: 0", "verdict: Ok(true)"])
        .within(60 + calls / 2000)
}

/// Returns the tests of the kernel's long operations (tests/bench/kernel).
pub fn stresses() -> Vec<Case> {
    let stress = |group| {
        let name = format!("stress: long operations on {group}");
        first(&name, "kernel-bench", &format!("stress {group}")).within(120)
    };
    ["memory", "objects", "threads"].map(stress).into()
}

/// Returns a test that runs a program as first task under the instruction clock; it must leave
/// with status 0.
fn first(name: &str, program: &str, arguments: &str) -> Case {
    Case::first_task(name, program, arguments).by(Way::InstructionClock)
}
