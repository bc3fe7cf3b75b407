//! Programs that mean harm: DOS's tables, vectors and stacks overwritten between real calls.
//!
//! ```text
//!   0100 deeds, one after the other    3000 names, blocks and bytes for pointers    33F0 IRET
//! ```
//!
//! A deed is a call with pointers that are good or wild, or damage: to the PSP, the chain of memory,
//! what the list of lists points at, interrupt vectors, the stack, flags. Whatever they do, the machine
//! ends in its time, and nothing of the host's stays open or locked.

use dos_machine::{End, Session};

use super::robustness::{LIMIT, Random, seeds};
use crate::support::{MemoryHost, start};

/// Deeds of a program.
const DEEDS: usize = 60;
const DATA: u16 = 0x3000;
const DATA_BYTES: u16 = 0x3f0;
/// Where an IRET is.
const IRET: u16 = DATA + DATA_BYTES;
/// Names of files that are there or not, for the host and for DOS.
const NAMES: &[u8] =
    b"C:\\A.TXT\0*.*\0SUB\\B\0HOSTILE.COM\0CHILD.EXE\0\\X\0CON\0C:\\\0NEW.TXT\0SUB\0PRN\0";

/// The numbers of word registers in MOV, as 80386 Programmer's Reference Manual 17.2.2.1 has them.
const AX: u8 = 0;
const BX: u8 = 3;
const SP: u8 = 4;
const ES: u8 = 0;
const SS: u8 = 2;
const DS: u8 = 3;

/// A program in the making.
struct Deeds<'a> {
    random: &'a mut Random,
    code: Vec<u8>,
}

impl Deeds<'_> {
    fn chance(&mut self, of: u16) -> bool {
        self.random.next().is_multiple_of(of)
    }

    fn load(&mut self, register: u8, value: u16) {
        self.code.push(0xb8 | register);
        self.code.extend(value.to_le_bytes());
    }

    fn load_segment(&mut self, segment: u8, value: u16) {
        self.load(AX, value);
        self.code.extend([0x8e, 0xc0 | segment << 3]);
    }

    fn interrupt(&mut self, number: u8) {
        self.code.extend([0xcd, number]);
    }

    /// Returns what a register may be called with: a pointer to data, a handle, anything.
    fn argument(&mut self) -> u16 {
        match self.random.next() % 8 {
            0..3 => DATA + self.random.next() % DATA_BYTES,
            3 => DATA + [0, 9, 13, 19, 31, 41, 45, 49][self.random.next() as usize % 8],
            4 | 5 => self.random.next() % 24,
            _ => self.random.word(),
        }
    }

    /// All registers, seldom segments as well.
    fn arguments(&mut self) {
        if self.chance(6) {
            let segment = [0, 0xffff, 0xf000, 0xb800, 0x0040, 0xfff0, self.random.next()];
            let value = segment[self.random.next() as usize % segment.len()];
            let number = [ES, DS][self.random.next() as usize % 2];
            self.load_segment(number, value);
        }
        for register in [1, 2, 3, 5, 6, 7] {
            let value = self.argument();
            self.load(register, value);
        }
    }

    /// DS, ES, SS and SP as they were, whatever flags.
    fn restore(&mut self) {
        // push cs works on any stack but needs one; mov ax, cs needs none.
        self.code.extend([0x8c, 0xc8, 0x8e, 0xd0, 0xbc, 0xf0, 0xff, 0x8e, 0xd8, 0x8e, 0xc0]);
    }

    fn call_dos(&mut self) {
        self.arguments();
        let function = match self.random.next() % 8 {
            0 => 0x71,
            // Files, directories, memory, programs.
            1..4 => 0x39 + (self.random.next() % 0x20) as u8,
            _ => (self.random.next() % 0x70) as u8,
        };
        // What ends the program or waits for keys would end most of them at once.
        if matches!(function, 0x00..=0x01 | 0x07..=0x08 | 0x0a | 0x0c | 0x31 | 0x4c)
            && !self.chance(8)
        {
            return;
        }
        let al = match (function, self.random.next() % 4) {
            (0x71, _) => {
                [0x39, 0x3b, 0x41, 0x43, 0x47, 0x4e, 0x4f, 0x56, 0x60, 0x6c, 0xa0, 0xa1, 0xa6]
                    [self.random.next() as usize % 13]
            }
            (_, 0) => self.random.next() as u8,
            _ => (self.random.next() % 8) as u8,
        };
        self.load(AX, u16::from_be_bytes([function, al]));
        self.interrupt(0x21);
    }

    fn call_other(&mut self) {
        self.arguments();
        let number = [
            0x10, 0x11, 0x13, 0x14, 0x15, 0x16, 0x17, 0x1a, 0x25, 0x26, 0x28, 0x29, 0x2a, 0x2f,
            0x2f, 0x33, 0x67, 0x67, 0x05, 0x12,
        ][self.random.next() as usize % 20];
        let function = match (number, self.random.next() % 2) {
            (0x2f, 0) => {
                [0x1200, 0x4300, 0x4310, 0x1600, 0xae00, 0x1a00, 0xb700]
                    [self.random.next() as usize % 7]
                    | (self.random.next() & 0x3f)
            }
            (0x67, _) => 0x4000 + self.random.next() % 0x1e00,
            (0x10, 0) => self.random.next() % 0x1400,
            (0x16, _) => 0x0100 | (self.random.next() % 0x1300),
            _ => self.random.word() ^ self.random.next() << 8,
        };
        self.load(AX, function);
        self.interrupt(number);
        if matches!(number, 0x25 | 0x26) {
            self.code.push(0x9d);
        }
    }

    /// Calls the driver of extended memory.
    fn call_xms(&mut self) {
        self.load(AX, 0x4310);
        self.interrupt(0x2f);
        // mov cs:[DATA], bx; mov cs:[DATA + 2], es
        self.code.extend([0x2e, 0x89, 0x1e, 0x00, 0x30, 0x2e, 0x8c, 0x06, 0x02, 0x30]);
        self.arguments();
        let function = self.random.next() % 0x13;
        self.load(AX, function << 8 | self.random.0 as u16 & 1);
        self.code.extend([0x2e, 0xff, 0x1e, 0x00, 0x30]);
    }

    /// Stores a word at ES:offset, or at ES:BX + offset.
    fn store(&mut self, offset: u16, is_based: bool) {
        let value = if self.chance(2) { self.random.word() } else { self.random.next() };
        self.code.extend([0x26, 0xc7, if is_based { 0x87 } else { 0x06 }]);
        self.code.extend(offset.to_le_bytes());
        self.code.extend(value.to_le_bytes());
    }

    /// Overwrites the program's PSP, or its control block of memory and others before.
    fn damage_own(&mut self) {
        let distance = [0, 0, 1, self.random.next() % 0x60][self.random.next() as usize % 4];
        // mov ax, cs; sub ax, distance; mov es, ax
        self.code.extend([0x8c, 0xc8, 0x2d]);
        self.code.extend(distance.to_le_bytes());
        self.code.extend([0x8e, 0xc0]);
        for _ in 0..=self.random.next() % 4 {
            let offset =
                if distance == 0 { self.random.next() % 0x82 } else { self.random.next() % 16 };
            self.store(offset, false);
        }
    }

    /// Overwrites the list of lists or what it points at: DPB, SFT, CDS, devices, the first block.
    fn damage_lists(&mut self) {
        self.load(AX, 0x5200);
        self.interrupt(0x21);
        match self.random.next() % 3 {
            0 => {
                let offset = (self.random.next() % 0x44).wrapping_sub(4);
                self.store(offset, true);
            }
            1 => {
                // les bx, es:[bx + n]
                let field =
                    [0x00, 0x04, 0x08, 0x0c, 0x12, 0x16, 0x1a][self.random.next() as usize % 7];
                self.code.extend([0x26, 0xc4, 0x5f, field]);
                let offset = self.random.next() % 0x120;
                self.store(offset, true);
            }
            _ => {
                // mov es, es:[bx - 2]
                self.code.extend([0x26, 0x8e, 0x47, 0xfe]);
                let offset = self.random.next() % 16;
                self.store(offset, false);
            }
        }
    }

    /// Points an interrupt at IRET or anywhere.
    fn damage_vector(&mut self) {
        self.load_segment(ES, 0);
        let number = match self.random.next() % 3 {
            0 => [0, 1, 3, 4, 6, 8, 9, 0x1c, 0x1b, 0x22, 0x23, 0x24, 0x28, 0x2f]
                [self.random.next() as usize % 14],
            _ => self.random.next() % 0x70,
        };
        if self.chance(3) {
            self.store(number * 4, false);
            return;
        }
        // mov word es:[n], IRET; mov es:[n + 2], cs
        self.code.extend([0x26, 0xc7, 0x06]);
        self.code.extend((number * 4).to_le_bytes());
        self.code.extend(IRET.to_le_bytes());
        self.code.extend([0x26, 0x8c, 0x0e]);
        self.code.extend((number * 4 + 2).to_le_bytes());
    }

    /// A call with a stack at an edge.
    fn damage_stack(&mut self) {
        if self.chance(2) {
            let segment = [0, 0xffff, 0xf000, 0x0040, 0xb800, self.random.next()];
            let value = segment[self.random.next() as usize % segment.len()];
            self.load_segment(SS, value);
        }
        let offset = if self.chance(3) { self.random.word() } else { self.random.next() % 8 };
        self.load(SP, offset);
        match self.chance(2) {
            true => self.call_dos(),
            false => self.call_other(),
        }
    }

    /// Sets TF, its handler being IRET, or other flags.
    fn set_flags(&mut self) {
        self.load_segment(ES, 0);
        self.code.extend([0x26, 0xc7, 0x06, 0x04, 0x00]);
        self.code.extend(IRET.to_le_bytes());
        self.code.extend([0x26, 0x8c, 0x0e, 0x06, 0x00]);
        let flags = if self.chance(2) { 0x0302 } else { self.random.next() };
        self.load(AX, flags);
        self.code.extend([0x50, 0x9d]);
    }

    /// EXEC of a program by a block of parameters that is good in parts.
    fn execute(&mut self) {
        self.load(BX, DATA + 0x200);
        for field in (0..14).step_by(2) {
            let value = match self.random.next() % 3 {
                0 => 0,
                1 => self.argument(),
                _ => self.random.word(),
            };
            // mov word [DATA + 200 + field], value
            self.code.extend([0xc7, 0x06]);
            self.code.extend((DATA + 0x200 + field).to_le_bytes());
            self.code.extend(value.to_le_bytes());
        }
        let name = [0u16, 19, 31, 31, 31, 41][self.random.next() as usize % 6];
        self.load(2, DATA + name);
        // Most of memory is the program's own.
        if self.chance(2) {
            let paragraphs = self.random.next() % 0x1000;
            self.load(BX, paragraphs);
            self.load(AX, 0x4a00);
            self.interrupt(0x21);
            self.load(BX, DATA + 0x200);
        }
        let kind = [0, 0, 1, 3, 5][self.random.next() as usize % 5];
        self.load(AX, 0x4b00 + kind);
        self.interrupt(0x21);
    }

    /// Code at the segment's end, which goes on at its beginning.
    fn run_over_the_end(&mut self) {
        let tail = [0x90, 0xcd, 0x21, 0x50, 0x66, 0xf3, 0x0f, 0xd8];
        for place in 0xfff8..=0xffffu16 {
            let byte = tail[self.random.next() as usize % tail.len()];
            self.code.extend([0xc6, 0x06]);
            self.code.extend(place.to_le_bytes());
            self.code.push(byte);
        }
        // jmp there, seldom: mostly the program ends by it.
        if self.chance(6) {
            self.code.extend([0xb8, 0xf8, 0xff, 0xff, 0xe0]);
        }
    }

    fn touch_port(&mut self) {
        let port = [
            0x20, 0x21, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0xa0, 0xa1,
            0x3d4, 0x3d5,
        ][self.random.next() as usize % 16];
        self.load(2, port);
        let value = self.random.next();
        self.load(AX, value);
        // out dx, al or ax; in al or ax, dx
        self.code.push([0xee, 0xef, 0xec, 0xed][self.random.next() as usize % 4]);
    }

    fn run_anything(&mut self) {
        (0..self.random.next() % 12).for_each(|_| self.code.push(self.random.next() as u8));
    }

    fn deed(&mut self) {
        match self.random.next() % 24 {
            0..9 => self.call_dos(),
            9..12 => self.call_other(),
            12 => self.call_xms(),
            13 => self.damage_own(),
            14 | 15 => self.damage_lists(),
            16 => self.damage_vector(),
            17 => self.damage_stack(),
            18 => self.set_flags(),
            19 | 20 => self.execute(),
            21 => self.run_over_the_end(),
            22 => self.touch_port(),
            _ if self.chance(4) => self.run_anything(),
            _ => {}
        }
        self.restore();
    }
}

/// Returns a .COM program of random deeds.
fn program(random: &mut Random) -> Vec<u8> {
    let mut deeds = Deeds { random, code: Vec::new() };
    (0..DEEDS).for_each(|_| deeds.deed());
    let mut code = deeds.code;
    code.extend(b"\xb8\x00\x4c\xcd\x21");
    assert!(code.len() < usize::from(DATA) - 0x100, "{} bytes", code.len());
    code.resize(usize::from(DATA) - 0x100, 0x90);
    code.extend(NAMES);
    while code.len() < usize::from(IRET) - 0x100 {
        code.push(random.next() as u8);
    }
    code.extend([0xcf; 16]);
    code
}

/// Returns an .EXE program whose header is good in parts, and whose code is a few calls.
fn child(random: &mut Random) -> Vec<u8> {
    let mut file = vec![0x90; 0x200];
    let header = [0x5a4d, 0x100, 2, 1, 4, 0, 0xffff, 0, 0x100, 0, 0, 0, 0x1c, 0];
    for (place, word) in file.chunks_exact_mut(2).zip(header) {
        let word = if random.next().is_multiple_of(8) { random.word() } else { word };
        place.copy_from_slice(&word.to_le_bytes());
    }
    // mov ax, n; int 21, twice; then its end.
    for place in [0x40, 0x45] {
        file[place] = 0xb8;
        file[place + 1..place + 3].copy_from_slice(&random.next().to_le_bytes());
        file[place + 3..place + 5].copy_from_slice(b"\xcd\x21");
    }
    file[0x4a..0x4f].copy_from_slice(b"\xb8\x00\x4c\xcd\x21");
    file
}

/// Runs the program of a seed; returns how it ended, and the host.
fn run(seed: u64) -> (End, MemoryHost) {
    let mut random = Random(seed);
    let mut host = MemoryHost::new(b"some input\r\nfor those that read\r\n");
    host.add("A.TXT", b"text");
    host.add("HOSTILE.COM", &program(&mut random));
    host.add("CHILD.EXE", &child(&mut random));
    host.add_directory("SUB");
    host.ends_at = Some(LIMIT);
    host.most_bytes = 1 << 20;
    host.output_limit = 1 << 20;
    let mut session = Session::new(host);
    let end = session.run(&start("HOSTILE.COM", &[]));
    (end, session.into_host())
}

#[test]
fn whatever_is_overwritten_the_machine_ends_and_nothing_stays_open() {
    for seed in seeds() {
        let (_, host) = run(seed);
        assert_eq!((host.open, host.locks.len()), (0, 0), "seed {seed}: open, locked");
    }
}
