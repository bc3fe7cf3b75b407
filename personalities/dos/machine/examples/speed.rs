//! How many instructions the processor executes in a second of the host's.
//!
//! Three loops: a sieve (memory), arithmetic on registers, and calls with MUL and DIV; and REP MOVSW.
//! They are samples, so that they run inside Kamen as well. Time is the thread's own, so that a
//! busy host matters less. `cargo xtask bench dos` runs this and reads
//!
//! ```text
//!   row NAME BEST MEDIAN INSTRUCTIONS    in million instructions, or million bytes, a second
//! ```
//! An argument says how often each runs.

use std::time::Duration;

use dos_machine::cpu::{Cpu, Exit, HOST_SEGMENT, register, segment};
use dos_machine::{Bus, FarPointer};
use rustix::time::{ClockId, clock_gettime};

/// The programs; what they move, where not their instructions count.
const PROGRAMS: [(&str, Option<f64>); 4] = [
    ("SIEVE.COM", None),
    ("ALULOOP.COM", None),
    ("CALLS.COM", None),
    ("MOVES.COM", Some(60_000.0 * 26_624.0)),
];
/// The program's segment.
const SEGMENT: u16 = 0x1000;
/// How often each runs.
const RUNS: usize = 10;
/// Instructions granted at once, as by the session's loop.
const SLICE: u32 = 60_000;

/// Returns a machine with a program, and a DOS that does nothing: host call and IRET.
fn machine(program: &[u8]) -> (Cpu, Bus) {
    let (mut cpu, mut bus) = (Cpu::default(), Bus::new());
    let handler = FarPointer::new(HOST_SEGMENT, 0);
    bus.write_far(FarPointer::new(0, 0x21 * 4), handler);
    bus.write(handler, &[0x0f, 0x21, 0xcf]);
    let entry = FarPointer::new(SEGMENT, 0x100);
    bus.write(entry, program);
    for number in [segment::CS, segment::DS, segment::ES, segment::SS] {
        cpu.set_segment(number, SEGMENT);
    }
    cpu.set_register(register::SP, 0xfffe);
    cpu.jump(entry);
    (cpu, bus)
}

/// Runs a program to its end; returns how many instructions it took, and what time.
fn run(program: &[u8]) -> (u64, Duration) {
    let (mut cpu, mut bus) = machine(program);
    let before = processor_time();
    let mut instructions = 0;
    loop {
        let exit = cpu.run(&mut bus, SLICE);
        instructions += u64::from(SLICE - cpu.remaining());
        match exit {
            Exit::HostCall(_) if cpu.register(register::AX) >> 8 == 0x4c => break,
            Exit::HostCall(_) | Exit::Budget => {}
            other => panic!("{other:?}"),
        }
    }
    (instructions, processor_time() - before)
}

/// Returns the time that this thread has run.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

fn main() {
    let runs = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(RUNS).max(1);
    let samples = dos_samples::all();
    for (name, bytes) in PROGRAMS {
        let program = &samples.iter().find(|(sample, _)| *sample == name).expect("it is there").1;
        let taken: Vec<_> = (0..runs).map(|_| run(program)).collect();
        let instructions = taken[0].0;
        let work = bytes.unwrap_or(instructions as f64);
        let mut rates: Vec<f64> =
            taken.iter().map(|(_, time)| work / time.as_secs_f64() / 1e6).collect();
        rates.sort_by(f64::total_cmp);
        let (best, median) = (rates[rates.len() - 1], rates[rates.len() / 2]);
        println!("row {name} {best:.1} {median:.1} {instructions}");
    }
}
