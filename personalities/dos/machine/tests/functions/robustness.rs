//! Programs that ask for anything: no call, however wild, may end the machine itself.

use dos_machine::{End, Session};

use crate::support::{MemoryHost, start};

/// Programs that each run makes up, where KAMEN_STREAMS says nothing else.
const PROGRAMS: u64 = 300;
/// Calls of each.
const CALLS: usize = 40;
/// When somebody ends what goes on and on, ns: some millions of instructions.
pub(super) const LIMIT: u64 = 40_000_000;

/// Returns the seeds of the programs: as many as KAMEN_STREAMS, from KAMEN_SEED on.
pub(super) fn seeds() -> std::ops::Range<u64> {
    let setting =
        |name, default| std::env::var(name).map_or(default, |text| text.parse().expect(name));
    let first = setting("KAMEN_SEED", 0);
    first..first + setting("KAMEN_STREAMS", PROGRAMS)
}

/// A linear congruential generator (Numerical Recipes' constants).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u16 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u16
    }

    /// Returns a word that is often at an edge.
    pub(super) fn word(&mut self) -> u16 {
        match self.next() % 6 {
            0 => 0,
            1 => 0xffff,
            2 => self.next() % 32,
            3 => 0x200 + self.next() % 0x200,
            4 => 0xfff0 + self.next() % 16,
            _ => self.next(),
        }
    }
}

/// Appends what stores a word where DOS keeps its own: the program's PSP and handles, the control
/// blocks of memory around it, and whatever lies below.
fn damage(random: &mut Random, code: &mut Vec<u8>) {
    let value = random.word();
    let (distance, offset) = match random.next() % 4 {
        // Its own PSP.
        0 => (0, random.next() % 0x100),
        // Its own control block.
        1 => (1, random.next() % 6),
        // The environment's block and what lies before.
        2 => (random.next() % 0x40, random.next() % 16),
        // DOS's tables, and what lies before them.
        _ => (random.next() % 0x200, random.next() % 16),
    };
    // mov ax, cs; sub ax, distance; mov es, ax; mov word es:[offset], value; push cs; pop es
    code.extend([0x8c, 0xc8, 0x2d]);
    code.extend(distance.to_le_bytes());
    code.extend([0x8e, 0xc0, 0x26, 0xc7, 0x06]);
    code.extend(offset.to_le_bytes());
    code.extend(value.to_le_bytes());
    code.extend([0x0e, 0x07]);
}

/// Returns a .COM program that makes random calls of an interrupt with random registers.
fn program(random: &mut Random) -> Vec<u8> {
    let mut code = Vec::new();
    for _ in 0..CALLS {
        let function = random.next() as u8;
        // mov bx, cx, dx, si, di, bp
        for opcode in [0xbb, 0xb9, 0xba, 0xbe, 0xbf, 0xbd] {
            code.push(opcode);
            code.extend(random.word().to_le_bytes());
        }
        if random.next().is_multiple_of(4) {
            damage(random, &mut code);
        }
        // Now and then wild segments: mov ax, x, mov ds, ax, mov ax, x, mov es, ax.
        if random.next().is_multiple_of(4) {
            for segment in [0xd8, 0xc0] {
                code.push(0xb8);
                code.extend(random.word().to_le_bytes());
                code.extend([0x8e, segment]);
            }
        }
        let al = if random.next().is_multiple_of(2) { random.next() % 16 } else { random.next() };
        code.extend([0xb8, al as u8, function]);
        let interrupt = match random.next() % 16 {
            0 => 0x2f,
            1 => 0x25 + (random.next() % 5) as u8,
            _ => 0x21,
        };
        // What ends the program would end most of them at once.
        if interrupt == 0x21 && matches!(function, 0x00 | 0x31 | 0x4c) {
            continue;
        }
        // int n, push cs, pop ds, push cs, pop es
        code.extend([0xcd, interrupt, 0x0e, 0x1f, 0x0e, 0x07]);
    }
    code.extend(b"\xb8\x00\x4c\xcd\x21");
    // Names and bytes for pointers near the program's beginning.
    let names = b"C:\\A.TXT\0*.*\0SUB\\B\0PROG.COM\0\\\\X\0CON\0";
    let text: Vec<u8> = names.iter().copied().cycle().take(0x400).collect();
    code.extend(text);
    code
}

#[test]
fn random_calls_end_the_program_at_most() {
    for seed in seeds() {
        let mut random = Random(seed);
        let mut host = MemoryHost::new(b"some input\r\nfor those that read\r\n");
        host.add("A.TXT", b"text");
        host.add("PROG.COM", &program(&mut random));
        host.add_directory("SUB");
        host.ends_at = Some(LIMIT);
        let end = Session::new(host).run(&start("PROG.COM", &[]));
        if let End::Fault(text) = end {
            assert!(!text.contains("panic"), "seed {seed}: {text}");
        }
    }
}

#[test]
fn random_exe_headers_are_refused_or_run() {
    for seed in seeds() {
        let mut random = Random(seed);
        let mut file = vec![0x90; 2000];
        file[..2].copy_from_slice(b"MZ");
        for place in (2..0x1c).step_by(2) {
            let word = match random.next() % 3 {
                0 => random.word(),
                _ => random.next() % 8,
            };
            file[place..place + 2].copy_from_slice(&word.to_le_bytes());
        }
        // What is run ends: int 20.
        for place in (0x20..2000).step_by(2) {
            file[place..place + 2].copy_from_slice(b"\xcd\x20");
        }
        let mut host = MemoryHost::new(b"");
        host.add("PROG.EXE", &file);
        host.ends_at = Some(LIMIT);
        Session::new(host).run(&start("PROG.EXE", &[]));
    }
}

#[test]
fn what_a_program_had_open_when_it_was_stopped_is_closed() {
    // mov ax, 3d00; mov dx, 10c; int 21; cli; hlt, which is a fault; or jmp to itself, until it is stopped.
    for last in [b"\xfa\xf4", b"\xeb\xfe"] {
        let mut host = MemoryHost::new(b"");
        host.add("A.TXT", b"text");
        let program = [&b"\xb8\x00\x3d\xba\x0c\x01\xcd\x21"[..], last, b"\x90\x90A.TXT\0"].concat();
        host.add("PROG.COM", &program);
        host.ends_at = Some(LIMIT);
        let mut session = Session::new(host);
        let end = session.run(&start("PROG.COM", &[]));
        assert!(matches!(end, End::Fault(_) | End::Terminated), "{end:?}");
        assert_eq!(session.into_host().open, 0);
    }
}
