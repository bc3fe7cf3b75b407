//! The coprocessor against the host's own: random operands and control words, the whole state compared.
//!
//! `x87/host.c` is compiled when the test runs, and executes the same bytes as the machine does. Where
//! there is no C compiler, or the host is no PC, the tests say so and pass. `KAMEN_SEED` in the environment
//! chooses other operands.

use std::io::Write;
use std::process::{Command, Stdio};

#[path = "support/dice.rs"]
mod dice;

use dice::Dice;
use dos_machine::cpu::{Coprocessor, Cpu, Exit, register, segment};
use dos_machine::{Bus, FarPointer};

/// Cases of each instruction.
const CASES: usize = 1000;
const CODE: FarPointer = FarPointer::new(0x1000, 0x0100);
const RECORD: FarPointer = FarPointer::new(0x2000, 0x0000);
/// Bytes of a record without the state behind it, and of the answer.
const RECORD_BYTES: usize = 64;
const ANSWER_BYTES: usize = RECORD_BYTES + 112;
/// Where FNSAVE's registers begin, in 32-bit and in 16-bit form.
const REGISTERS: (usize, usize) = (RECORD_BYTES + 28, RECORD_BYTES + 14);

impl Dice {
    /// Returns a significand: any, or one with long rows of the same bit, or near a half.
    fn significand(&mut self) -> u64 {
        let bits = self.roll() % 64;
        match self.roll() % 6 {
            0 => u64::MAX << bits,
            1 => 1 << 63 | 1 << bits,
            2 => 1 << 63 | (self.roll() >> 53) << (bits % 53),
            3 => 1 << 63,
            _ => 1 << 63 | self.roll(),
        }
    }

    /// Returns a number of 80 bits, mostly one whose exponent is near that of others.
    fn number(&mut self) -> [u8; 10] {
        let sign = (self.roll() as u16) << 15;
        let (exponent, significand) = match self.roll() % 16 {
            0 => (0, 0),
            1 => (0, self.significand() >> 1),
            2 => (0x7fff, 1 << 63),
            3 => (0x7fff, 1 << 63 | self.roll()),
            4 => (self.roll() as u16 & 0x7fff, self.roll()),
            5 => (self.one(&[0, 1, 2, 0x7ffe, 0x7ffd]), self.significand()),
            6 => (0x3fff + (self.roll() % 70) as u16, self.significand()),
            7 => (0x3fff - 1023 - 60 + (self.roll() % 120) as u16, self.significand()),
            8 => (
                self.one(&[0x3fff + 127, 0x3fff - 126, 0x3fff + 1023, 0x3fff - 149]),
                self.significand(),
            ),
            _ => (0x3fff - 4 + (self.roll() % 9) as u16, self.significand()),
        };
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&significand.to_le_bytes());
        bytes[8..].copy_from_slice(&(exponent | sign).to_le_bytes());
        bytes
    }

    /// Returns what memory operands may be of: any bits, or a float that is no giant.
    fn memory(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        match self.roll() % 5 {
            0 => bytes[..8].copy_from_slice(&(self.roll() as i32 as f64).to_le_bytes()),
            1 => bytes[..4].copy_from_slice(&(self.roll() as i16 as f32 / 8.0).to_le_bytes()),
            2 => bytes.iter_mut().for_each(|byte| {
                *byte = (self.roll() % 10) as u8 | ((self.roll() % 10) as u8) << 4;
            }),
            3 => bytes.iter_mut().for_each(|byte| *byte = self.roll() as u8),
            // NaNs of 32 bits and of 64.
            _ => {
                bytes.iter_mut().for_each(|byte| *byte = self.roll() as u8);
                (bytes[2], bytes[3]) = (bytes[2] | 0x80, bytes[3] | 0x7f);
                (bytes[6], bytes[7]) = (bytes[6] | 0xf0, bytes[7] | 0x7f);
            }
        }
        bytes
    }
}

/// Compiles the host's program; nothing where that cannot be.
fn host(name: &str) -> Option<std::path::PathBuf> {
    if !cfg!(target_arch = "x86_64") {
        println!("skipped: the host has no such coprocessor");
        return None;
    }
    let program = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/x87/host.c");
    let compiled = Command::new("cc").args(["-O1", "-o"]).arg(&program).arg(source).status();
    let Ok(status) = compiled else {
        println!("skipped: no C compiler");
        return None;
    };
    assert!(status.success(), "{source} does not compile");
    Some(program)
}

fn answers(program: &std::path::Path, records: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program was compiled");
    let mut input = child.stdin.take().expect("it is a pipe");
    let records = records.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&records));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads all");
    output.stdout
}

/// Executes a record in the machine; returns it with the state behind it.
fn execute(record: &[u8]) -> Vec<u8> {
    let (mut cpu, mut bus) = (Cpu::default(), Bus::new());
    cpu.set_coprocessor(Coprocessor::I80387);
    let length = record[2] as usize;
    let mut code = vec![0xdb, 0xe3, 0xd9, 0x6f, 0, 0xdb, 0x6f, 32, 0xdb, 0x6f, 16];
    code.extend(&record[3..3 + length]);
    code.extend([0xdd, 0x77, 64]);
    bus.write(CODE, &code);
    bus.write(RECORD, record);
    cpu.set_segment(segment::DS, RECORD.segment);
    cpu.set_register(register::BX, RECORD.offset);
    cpu.jump(CODE);
    let end = CODE.add(code.len() as u16);
    while cpu.next_instruction() != end {
        assert_eq!(cpu.run(&mut bus, 1), Exit::Budget);
    }
    let mut answer = vec![0; ANSWER_BYTES];
    bus.read(RECORD, &mut answer);
    answer
}

/// What is compared of a state: status, tags, what registers hold, memory.
#[derive(PartialEq)]
struct Seen {
    status: u16,
    tags: u16,
    registers: Vec<[u8; 10]>,
    memory: [u8; 10],
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "status {:04x} tags {:04x} memory {:02x?}", self.status, self.tags, self.memory)?;
        self.registers.iter().try_for_each(|one| write!(f, " {}", text(one)))
    }
}

fn text(number: &[u8]) -> String {
    number.iter().rev().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes a state apart whose words are so many bytes apart.
fn seen(answer: &[u8], apart: usize, registers: usize) -> Seen {
    let word = |number: usize| {
        let at = RECORD_BYTES + number * apart;
        u16::from_le_bytes([answer[at], answer[at + 1]])
    };
    let (status, tags) = (word(1), word(2));
    let top = status >> 11 & 7;
    let held = (0..8u16).filter(|index| tags >> (((index + top) & 7) * 2) & 3 != 3).map(|index| {
        let at = registers + usize::from(index) * 10;
        answer[at..at + 10].try_into().expect("ten bytes")
    });
    let memory = answer[48..58].try_into().expect("ten bytes");
    Seen { status, tags, registers: held.collect(), memory }
}

/// How exactly an instruction is compared.
#[derive(Clone, Copy, PartialEq)]
enum Match {
    Exact,
    /// Numbers may differ in the last bits of a double; operands are of moderate size.
    Near,
    /// The same, those of a double near one.
    NearOne,
}

fn value(number: &[u8; 10]) -> f64 {
    let significand = u64::from_le_bytes(number[..8].try_into().expect("eight bytes"));
    let head = u16::from_le_bytes([number[8], number[9]]);
    let magnitude = significand as f64 * 2f64.powi((head & 0x7fff) as i32 - 16383 - 63);
    if head >> 15 != 0 { -magnitude } else { magnitude }
}

fn agrees(found: &Seen, expected: &Seen, how: Match) -> bool {
    if how == Match::Exact {
        return found == expected;
    }
    // Rounding up, and whether a result is exact, are not the same at another precision.
    let rest = !(0x0220 | 0x0010);
    let least = if how == Match::NearOne { 1.0 } else { 1e-300 };
    let near = found.registers.iter().zip(&expected.registers).all(|(found, expected)| {
        let (found, expected) = (value(found), value(expected));
        (found - expected).abs() <= expected.abs().max(least) * 1e-14 || found == expected
    });
    found.status & rest == expected.status & rest && found.tags == expected.tags && near
}

fn compare(
    name: &str,
    codes: &[(&[u8], Match)],
    mut operands: impl FnMut(&mut Dice) -> [[u8; 10]; 2],
) {
    let Some(program) = host(name) else { return };
    let seed = std::env::var("KAMEN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1u64);
    let mut dice = Dice::new(seed);
    let mut records = Vec::new();
    for (code, _) in codes {
        for _ in 0..CASES {
            let mut record = [0u8; RECORD_BYTES];
            // Rounding and precision of every kind; one exception in a while not masked.
            let precision = dice.one(&[0u16, 2, 3, 3]);
            let unmasked = if dice.roll().is_multiple_of(8) { 1 << (dice.roll() % 6) } else { 0 };
            let control = (dice.roll() as u16 & 3) << 10 | precision << 8 | 0x7f & !unmasked;
            record[..2].copy_from_slice(&control.to_le_bytes());
            record[2] = code.len() as u8;
            record[3..3 + code.len()].copy_from_slice(code);
            let [first, second] = operands(&mut dice);
            record[16..26].copy_from_slice(&first);
            record[32..42].copy_from_slice(&second);
            record[48..58].copy_from_slice(&dice.memory());
            records.extend(record);
        }
    }
    let answers = answers(&program, &records);
    assert_eq!(answers.len() / ANSWER_BYTES, records.len() / RECORD_BYTES);
    let mut wrong = std::collections::BTreeMap::<String, Vec<String>>::new();
    let rows = records.chunks(RECORD_BYTES).zip(answers.chunks(ANSWER_BYTES));
    for (number, (record, answer)) in rows.enumerate() {
        let (code, how) = codes[number / CASES];
        let found = seen(&execute(record), 2, REGISTERS.1);
        let expected = seen(answer, 4, REGISTERS.0);
        if !agrees(&found, &expected, how) {
            let control = u16::from_le_bytes([record[0], record[1]]);
            let (a, b, m) = (text(&record[16..26]), text(&record[32..42]), text(&record[48..58]));
            let case = format!("control {control:04x} {a} {b} memory {m}");
            let case = format!("{case}\n  expected {expected:?}\n  found    {found:?}");
            wrong.entry(format!("{code:02x?}")).or_default().push(case);
        }
    }
    for (code, cases) in &wrong {
        println!("{code}: {} of {CASES} wrong, first {}", cases.len(), cases[0]);
    }
    assert!(wrong.is_empty(), "{} instructions differ", wrong.len());
}

fn any(dice: &mut Dice) -> [[u8; 10]; 2] {
    [dice.number(), dice.number()]
}

#[test]
fn arithmetic_is_the_coprocessor_s_to_the_last_bit() {
    let codes: &[&[u8]] = &[
        &[0xd8, 0xc1], // fadd st, st(1), then fmul, fcom, fcomp, fsub, fsubr, fdiv, fdivr
        &[0xd8, 0xc9],
        &[0xd8, 0xd1],
        &[0xd8, 0xd9],
        &[0xd8, 0xe1],
        &[0xd8, 0xe9],
        &[0xd8, 0xf1],
        &[0xd8, 0xf9],
        &[0xd8, 0xc3], // of an empty register
        &[0xdc, 0xe1], // to st(1), and popping
        &[0xdc, 0xe9],
        &[0xde, 0xf1],
        &[0xde, 0xf9],
        &[0xde, 0xd9],
        &[0xda, 0xe9], // fucompp
        &[0xdd, 0xe1], // fucom
        &[0xd9, 0xc1], // fld st(1), fxch, fxch of an empty one
        &[0xd9, 0xc9],
        &[0xd9, 0xca],
        &[0xdd, 0xd9], // fstp st(1), ffree
        &[0xdd, 0xc1],
        &[0xd9, 0xe0], // fchs, fabs, ftst, fxam
        &[0xd9, 0xe1],
        &[0xd9, 0xe4],
        &[0xd9, 0xe5],
        &[0xd9, 0xe8], // constants
        &[0xd9, 0xe9],
        &[0xd9, 0xea],
        &[0xd9, 0xeb],
        &[0xd9, 0xec],
        &[0xd9, 0xed],
        &[0xd9, 0xee],
        &[0xd9, 0xf4], // fxtract
        &[0xd9, 0xf6], // fdecstp, fincstp
        &[0xd9, 0xf7],
        &[0xd9, 0xfa], // fsqrt, frndint, fscale
        &[0xd9, 0xfc],
        &[0xd9, 0xfd],
        &[0xdb, 0xe2], // fnclex
    ];
    let codes: Vec<_> = codes.iter().map(|code| (*code, Match::Exact)).collect();
    compare("x87-arithmetic", &codes, any);
}

#[test]
fn memory_is_read_and_written_as_by_the_coprocessor() {
    // ESC, operation: [bx+48], which is [rdi+48] in 64-bit mode.
    let forms = [
        (0xd8, 0..8),
        (0xda, 0..8),
        (0xdc, 0..8),
        (0xde, 0..8),
        (0xd9, 0..1),
        (0xd9, 2..4),
        (0xd9, 7..8),
        (0xdb, 0..1),
        (0xdb, 2..4),
        (0xdb, 5..6),
        (0xdb, 7..8),
        (0xdd, 0..1),
        (0xdd, 2..4),
        (0xdd, 7..8),
        (0xdf, 0..1),
        (0xdf, 2..8),
    ];
    let codes: Vec<[u8; 3]> = forms
        .into_iter()
        .flat_map(|(escape, operations)| {
            operations.map(move |operation: u8| [escape, 0x47 | operation << 3, 48])
        })
        .collect();
    let codes: Vec<_> = codes.iter().map(|code| (code.as_slice(), Match::Exact)).collect();
    compare("x87-memory", &codes, any);
}

#[test]
fn remainders_of_moderate_quotients_are_exact() {
    let codes: [(&[u8], Match); 2] = [(&[0xd9, 0xf8], Match::Exact), (&[0xd9, 0xf5], Match::Exact)];
    compare("x87-remainder", &codes, |dice| {
        let mut both = any(dice);
        // Exponents less than 64 apart: what remains of greater ones is the processor's choice.
        let exponent = 0x3fff + (dice.roll() % 120) as u16;
        for (number, by) in both.iter_mut().zip([dice.roll() % 63, 0]) {
            let head = u16::from_le_bytes([number[8], number[9]]);
            if head & 0x7fff != 0 && head & 0x7fff != 0x7fff {
                let head = head & 0x8000 | (exponent + by as u16);
                number[8..].copy_from_slice(&head.to_le_bytes());
            }
        }
        both
    });
}

#[test]
fn conditions_of_remainders_are_kept_where_there_is_none() {
    // fxam sets conditions before: infinities, zeros and NaNs leave C0 and C3.
    let codes = [&[0xd9, 0xe5, 0xd9, 0xf8], &[0xd9, 0xe5, 0xd9, 0xf5]];
    compare("x87-conditions", &codes.map(|code| (&code[..], Match::Exact)), |dice| {
        let special = |dice: &mut Dice| loop {
            let number = dice.number();
            let head = u16::from_le_bytes([number[8], number[9]]) & 0x7fff;
            if head == 0x7fff || head > 0 && number[7] < 0x80 || number == [0; 10] {
                return number;
            }
        };
        if dice.roll().is_multiple_of(2) {
            [special(dice), dice.number()]
        } else {
            [[0xff; 10], special(dice)]
        }
    });
}

#[test]
fn a_full_stack_and_an_empty_register_have_their_order() {
    let instructions: [&[u8]; 10] = [
        &[0xd9, 0xc0], // fld st, fld st(1), fld [bx+48] of 32, 64 and 80 bits
        &[0xd9, 0xc1],
        &[0xd9, 0x47, 48],
        &[0xdd, 0x47, 48],
        &[0xdb, 0x6f, 48],
        &[0xd9, 0xe8], // fld1, fptan, fxtract, fsincos, fprem
        &[0xd9, 0xf2],
        &[0xd9, 0xf4],
        &[0xd9, 0xfb],
        &[0xd9, 0xf8],
    ];
    // fincstp makes ST(7) of ST(0); twice, and ST(0) is empty.
    let turned = |turns: usize| instructions.map(|one| [&[0xd9, 0xf7].repeat(turns), one].concat());
    let codes: Vec<_> = (1..3).flat_map(turned).collect();
    let codes: Vec<_> = codes.iter().map(|code| (code.as_slice(), Match::Exact)).collect();
    compare("x87-stack", &codes, any);
}

#[test]
fn functions_have_the_precision_of_doubles() {
    let codes: [(&[u8], Match); 8] = [
        (&[0xd9, 0xf0], Match::Near), // f2xm1
        (&[0xd9, 0xf1], Match::Near), // fyl2x
        (&[0xd9, 0xf2], Match::Near), // fptan
        (&[0xd9, 0xf3], Match::Near), // fpatan
        (&[0xd9, 0xf9], Match::Near), // fyl2xp1
        (&[0xd9, 0xfb], Match::Near), // fsincos
        (&[0xd9, 0xfe], Match::Near), // fsin
        (&[0xd9, 0xff], Match::Near), // fcos
    ];
    compare("x87-functions", &codes, |dice| {
        // Between 2^-8 and 1/4, both positive: valid for each, without cancellation.
        std::array::from_fn(|_| {
            let mut number = [0; 10];
            let exponent = 0x3fff - 8 + (dice.roll() % 6) as u16;
            number[..8].copy_from_slice(&(1 << 63 | dice.roll()).to_le_bytes());
            number[8..].copy_from_slice(&exponent.to_le_bytes());
            number
        })
    });
}

impl Dice {
    /// Returns a positive number of an exponent.
    fn of_exponent(&mut self, exponent: u16) -> [u8; 10] {
        let mut number = [0; 10];
        number[..8].copy_from_slice(&(1 << 63 | self.roll()).to_le_bytes());
        number[8..].copy_from_slice(&exponent.to_le_bytes());
        number
    }
}

#[test]
fn great_angles_lose_whole_turns_exactly() {
    // fsin, fcos, fsincos of numbers from one to 2^63.
    let codes = [[0xd9, 0xfe], [0xd9, 0xff], [0xd9, 0xfb]];
    compare("x87-angles", &codes.each_ref().map(|code| (&code[..], Match::NearOne)), |dice| {
        let exponent = 0x3fff + (dice.roll() % 63) as u16;
        [dice.of_exponent(0x3fff), dice.of_exponent(exponent)]
    });
}

#[test]
fn logarithms_of_numbers_near_one_keep_their_precision() {
    // fyl2x of one and a little.
    compare("x87-logarithms", &[(&[0xd9, 0xf1], Match::Near)], |dice| {
        let little = (dice.roll() >> 32) << (dice.roll() % 31);
        let mut number = dice.of_exponent(0x3fff);
        number[..8].copy_from_slice(&(1 << 63 | little | 1).to_le_bytes());
        [dice.of_exponent(0x3fff), number]
    });
}

#[test]
fn angles_of_numbers_far_apart_are_in_range() {
    // fpatan: of any exponents, and beside infinities.
    compare("x87-directions", &[(&[0xd9, 0xf3], Match::Near)], |dice| {
        std::array::from_fn(|_| {
            let exponent = 1 + (dice.roll() % 0x7ffe) as u16;
            let infinity = [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x7f];
            let number = dice.of_exponent(exponent);
            let mut number = dice.one(&[number, number, infinity]);
            number[9] |= dice.one(&[0, 0x80]);
            number
        })
    });
}
