//! The processor against instructions recorded on a real 80C86.
//!
//! The recording (16,100 instructions, see its README) comes from elsewhere and is not part of the
//! project: `KAMEN_CPUTESTS` names its directory; without it and without `../shared/cputests`
//! beside the checkout the tests say so and pass. Forms that differ on purpose are listed in
//! [`differs`] with the reason.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use dos_machine::cpu::{Cpu, Exit, Model};
use dos_machine::{Bus, FarPointer};

/// Registers as recorded: ax bx cx dx cs ss ds es sp bp si di ip flags.
type Registers = [u16; 14];

struct Recorded {
    form: String,
    code: Vec<u8>,
    before: Registers,
    memory_before: Vec<(u32, u8)>,
    after: Registers,
    memory_after: Vec<(u32, u8)>,
    flags_at: Option<u32>,
}

/// Returns why a processor does not do what the recorded one did, if it differs on purpose.
fn differs(test: &Recorded, model: Model) -> Option<&'static str> {
    let opcode = u8::from_str_radix(&test.form[..2], 16).expect("forms are hexadecimal");
    if matches!(opcode, 0xe4 | 0xe5) && test.code.last().is_some_and(|port| has_device(*port)) {
        return Some("E4, E5: the machine has a device at that port, the recorder had nothing");
    }
    if model == Model::I8086 {
        return None;
    }
    match opcode {
        0x60..=0x6f => {
            Some("60-6F: conditional jumps on the 8086, instructions of their own since")
        }
        0xc0 | 0xc1 => Some("C0, C1: returns on the 8086, shifts by an immediate since"),
        0xc8 | 0xc9 => Some("C8, C9: returns on the 8086, ENTER and LEAVE since"),
        0xd0..=0xd3 if test.form.ends_with(".6") => Some("D0-D3.6: SETMO on the 8086, SHL since"),
        0xd2 | 0xd3 if test.before[2] & 0xff > 31 => {
            Some("D2, D3: shift counts are modulo 32 since the 80186")
        }
        0xf6 | 0xf7 if test.form.ends_with(".7") && repeated(test) => {
            Some("F6.7, F7.7: a repeat prefix negates IDIV's quotient on the 8086")
        }
        0xff if test.form.ends_with(".7") => Some("FF.7: PUSH on the 8086, undefined since"),
        _ => None,
    }
}

/// Returns whether a device answers at a port, or at the next one, which a word is read from, too:
/// interrupt controllers, timer, keyboard and speaker, clock, A20.
fn has_device(port: u8) -> bool {
    let first = matches!(port, 0x1f..=0x21 | 0x3f..=0x43 | 0x5f..=0x61 | 0x63 | 0x64);
    first || matches!(port, 0x70 | 0x71 | 0x91 | 0x92 | 0x9f..=0xa1)
}

fn repeated(test: &Recorded) -> bool {
    test.code.iter().take_while(|byte| **byte & 0xfe != 0xf6).any(|byte| byte & 0xfe == 0xf2)
}

/// Returns where a division error pushed the flags: the recording does not mark it, but the stack
/// grew by an interrupt's three words. Undefined flags are undefined there, too.
fn pushed_flags(before: &Registers, after: &Registers, form: &str) -> Option<u32> {
    let divides = form.starts_with("F6.") || form.starts_with("F7.") || form == "D4";
    let pushed = after[8] == before[8].wrapping_sub(6);
    (divides && pushed)
        .then(|| (after[5] as u32 * 16 + after[8].wrapping_add(4) as u32) % (1 << 20))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, len: usize) -> &[u8] {
        let (head, tail) = self.0.split_at(len);
        self.0 = tail;
        head
    }
    fn u8(&mut self) -> u8 {
        self.take(1)[0]
    }
    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take(2).try_into().expect("two bytes"))
    }
    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four bytes"))
    }
    fn registers(&mut self) -> Registers {
        std::array::from_fn(|_| self.u16())
    }
    fn memory(&mut self) -> Vec<(u32, u8)> {
        (0..self.u16()).map(|_| (self.u32(), self.u8())).collect()
    }
    fn test(&mut self) -> Recorded {
        let form = String::from_utf8_lossy(self.take(8)).trim().to_owned();
        let len = self.u8() as usize;
        let code = self.take(len).to_vec();
        let (before, memory_before) = (self.registers(), self.memory());
        let (after, memory_after) = (self.registers(), self.memory());
        let _marked = (self.u8(), self.u32());
        let flags_at = pushed_flags(&before, &after, &form);
        Recorded { form, code, before, memory_before, after, memory_after, flags_at }
    }
}

fn directory() -> PathBuf {
    std::env::var_os("KAMEN_CPUTESTS").map(PathBuf::from).unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/cputests")
    })
}

/// Returns each form's mask of defined flags, from the recording's metadata.
fn flag_masks(metadata: &str) -> BTreeMap<String, u16> {
    let mut masks = BTreeMap::new();
    let (mut opcode, mut key) = (String::new(), String::new());
    for line in metadata.lines() {
        let line = line.trim();
        let name = line.split('"').nth(1).unwrap_or_default().to_owned();
        if line.ends_with(":{") && name.len() == 2 {
            opcode = name.clone();
            key = name;
        } else if line.ends_with(":{") && name.len() == 1 {
            key = format!("{opcode}.{name}");
        } else if let Some(mask) = line.strip_prefix("\"flags-mask\":") {
            masks.insert(key.clone(), mask.trim_end_matches(',').parse().expect("a number"));
        }
    }
    masks
}

fn set_registers(cpu: &mut Cpu, r: &Registers) {
    for (number, value) in [r[0], r[2], r[3], r[1], r[8], r[9], r[10], r[11]].iter().enumerate() {
        cpu.set_register(number, *value);
    }
    for (number, value) in [r[7], r[4], r[5], r[6]].iter().enumerate() {
        cpu.set_segment(number, *value);
    }
    cpu.jump(FarPointer::new(r[4], r[12]));
    cpu.set_flags(r[13]);
}

fn registers(cpu: &Cpu) -> Registers {
    let g = |number| cpu.register(number);
    let s = |number| cpu.segment(number);
    let ip = cpu.next_instruction().offset;
    [g(0), g(3), g(1), g(2), s(1), s(2), s(3), s(0), g(4), g(5), g(6), g(7), ip, cpu.flags().word()]
}

fn at(address: u32) -> FarPointer {
    FarPointer::new((address >> 4) as u16, (address & 15) as u16)
}

fn mismatch(test: &Recorded, mask: u16, model: Model, bus: &mut Bus) -> Option<String> {
    for (address, value) in &test.memory_before {
        bus.write8(at(*address), *value);
    }
    let mut cpu = Cpu::new(model);
    set_registers(&mut cpu, &test.before);
    let exit = cpu.run(bus, 1);
    assert!(matches!(exit, Exit::Budget | Exit::Halt), "{}: {exit:?}", test.form);
    let mut found = registers(&cpu);
    let mut expected = test.after;
    found[13] &= mask;
    expected[13] &= mask;
    let mut wrong = String::new();
    if found != expected {
        wrong = format!(
            "registers\n  before   {:04x?}\n  expected {expected:04x?}\n  found    {found:04x?}",
            test.before
        );
    }
    for (address, value) in &test.memory_after {
        let mut got = bus.read8(at(*address));
        let mut want = *value;
        if let Some(flags_at) = test.flags_at {
            let byte = address.wrapping_sub(flags_at);
            if byte < 2 {
                let defined = mask.to_le_bytes()[byte as usize];
                got &= defined;
                want &= defined;
            }
        }
        if got != want {
            wrong += &format!(" memory {address:05x}: expected {want:02x}, found {got:02x}");
        }
    }
    for (address, _) in test.memory_before.iter().chain(&test.memory_after) {
        bus.write8(at(*address), 0);
    }
    (!wrong.is_empty()).then_some(wrong)
}

/// Compares all recorded instructions; those that differ on purpose are printed by reason.
fn compare(model: Model) {
    let directory = directory();
    let Ok(packed) = std::fs::File::open(directory.join("8086.bin.gz")) else {
        println!("skipped: no recorded tests at {} (set KAMEN_CPUTESTS)", directory.display());
        return;
    };
    let metadata = std::fs::read_to_string(directory.join("8086-meta.json")).expect("metadata");
    let masks = flag_masks(&metadata);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("gzip");
    let mut reader = Reader(&bytes);
    assert_eq!(reader.take(4), b"SST1");
    let mut bus = Bus::new();
    let (mut failed, mut exempt) = (BTreeMap::<String, Vec<String>>::new(), BTreeMap::new());
    for _ in 0..reader.u32() {
        let test = reader.test();
        let mask = masks.get(&test.form).copied().unwrap_or(0xffff);
        if let Some(reason) = differs(&test, model) {
            *exempt.entry(reason).or_insert(0) += 1;
        } else if let Some(wrong) = mismatch(&test, mask, model, &mut bus) {
            failed.entry(test.form).or_default().push(format!("{:02x?} {wrong}", test.code));
        }
    }
    for (reason, count) in &exempt {
        println!("{count} instructions differ on purpose: {reason}");
    }
    for (form, list) in &failed {
        println!("{form}: {} failed, first {}", list.len(), list[0]);
    }
    assert!(failed.is_empty(), "{} forms failed", failed.len());
}

#[test]
fn the_8086_does_what_was_recorded() {
    compare(Model::I8086);
}

#[test]
fn the_80186_differs_where_it_says() {
    compare(Model::I80186);
}
