//! How many instructions the processor executes in a second of the host's.
//!
//! Three loops: a sieve (memory), arithmetic on registers, and calls with MUL and DIV; and REP
//! MOVSW. Time is the processor's where Linux tells it, so that a busy host matters less. Run with `cargo run --release -p kamen-dos-machine --example speed`.

use std::time::{Duration, Instant};

use dos_machine::cpu::{Cpu, register, segment};
use dos_machine::{Bus, FarPointer};

const ALU: &[u8] = &[
    0xb9, 0x00, 0x00, // mov cx, 0
    0x01, 0xd8, // add ax, bx
    0x31, 0xc2, // xor dx, ax
    0x29, 0xd3, // sub bx, dx
    0x46, // inc si
    0x21, 0xf7, // and di, si
    0xe2, 0xf5, // loop
    0xeb, 0xf0, // jmp
];
const SIEVE: &[u8] = &[
    0xfc, 0xbf, 0x00, 0x20, 0xb9, 0x00, 0x40, 0xb0, 0x01, // cld; di=2000; cx=4000; al=1
    0xf3, 0xaa, // rep stosb
    0xbb, 0x02, 0x00, // mov bx, 2
    0x80, 0xbf, 0x00, 0x20, 0x00, // next: cmp byte [bx+2000], 0
    0x74, 0x10, // je skip
    0x89, 0xde, // mov si, bx
    0x01, 0xde, // mark: add si, bx
    0x81, 0xfe, 0x00, 0x40, // cmp si, 4000
    0x73, 0x07, // jae skip
    0xc6, 0x84, 0x00, 0x20, 0x00, // mov byte [si+2000], 0
    0xeb, 0xf1, // jmp mark
    0x43, // skip: inc bx
    0x81, 0xfb, 0x00, 0x20, // cmp bx, 2000
    0x72, 0xe2, // jb next
    0xeb, 0xd2, // jmp start
];
const CALLS: &[u8] = &[
    0xb9, 0x64, 0x00, // start: mov cx, 100
    0x51, // push cx
    0xe8, 0x06, 0x00, // call f
    0x59, // pop cx
    0xe2, 0xf9, // loop
    0xeb, 0xf4, // jmp start
    0x90, 0xb8, 0x39, 0x30, // f: nop; mov ax, 12345
    0xf7, 0xe1, // mul cx
    0xbb, 0x07, 0x00, // mov bx, 7
    0x31, 0xd2, // xor dx, dx
    0xf7, 0xf3, // div bx
    0x01, 0xd0, // add ax, dx
    0xc3, // ret
];
const MOVE: &[u8] = &[
    0xfc, 0x31, 0xf6, 0xbf, 0x00, 0x40, 0xb9, 0x00, 0x10, // cld; si=0; di=4000; cx=1000
    0xf3, 0xa5, // rep movsw
    0xeb, 0xf4, // jmp
];

fn measure(name: &str, code: &[u8], unit: &str, per_instruction: f64) {
    let mut bus = Bus::new();
    bus.write(FarPointer::new(0x1000, 0x100), code);
    let mut cpu = Cpu::default();
    for number in [segment::CS, segment::DS, segment::ES, segment::SS] {
        cpu.set_segment(number, 0x1000);
    }
    cpu.set_register(register::SP, 0xfffe);
    cpu.jump(FarPointer::new(0x1000, 0x100));
    let instructions = if per_instruction > 1.0 { 20_000_000 } else { 200_000_000 };
    let best = (0..3)
        .map(|_| {
            let (start, before) = (Instant::now(), processor_time());
            cpu.run(&mut bus, instructions);
            match (before, processor_time()) {
                (Some(before), Some(after)) => after - before,
                _ => start.elapsed(),
            }
        })
        .min()
        .expect("three runs");
    let rate = instructions as f64 * per_instruction / best.as_secs_f64() / 1e6;
    println!("{name:10} {rate:8.0} {unit}");
}

/// Returns the time that this thread has run, from Linux' scheduler statistics.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn main() {
    measure("sieve", SIEVE, "MIPS", 1.0);
    measure("alu", ALU, "MIPS", 1.0);
    measure("calls", CALLS, "MIPS", 1.0);
    // Six instructions a round, one of which moves 8 KiB.
    measure("rep movsw", MOVE, "MB/s", 8192.0 / 6.0);
}
