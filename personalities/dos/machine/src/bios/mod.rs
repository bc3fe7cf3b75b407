//! The BIOS: stubs behind the interrupt vectors, its data area, and interrupts 8 to 1Ah.
//!
//! ```text
//!   vector n ─► F000:4n  0F n IRET ─► host_call ─► clock, keyboard, system, video; dos
//!   8, 9, 70, 75 ─► F000:FEA5, E987, E800, E9B0: what the host cannot do in one step, in instructions
//! ```
//!
//! Data area and services: IBM PC AT Technical Reference, BIOS listing; RBIL MEMORY.LST, INT 08
//! to INT 1A.

pub(crate) mod clock;
pub(crate) mod data;
pub(crate) mod fingers;
mod keyboard;
pub(crate) mod keys;
mod printer;
mod system;
pub(crate) mod video;

use crate::calls::{
    BREAK_RETURN, CRITICAL_RETURN, DEVICE_REQUEST, EXPANDED_RETURN, EXTENDED_MEMORY,
};
use crate::cpu::HOST_SEGMENT;
use crate::dos::time::DateTime;
use crate::host::Host;
use crate::session::{End, Session};
use crate::{Bus, FarPointer, MEMORY_BYTES, memory};
use data::count_ticks;

/// Opcode of a host call, see [`crate::cpu`].
const HOST_CALL: u8 = 0x0f;
const IRET: u8 = 0xcf;
const RETF: u8 = 0xcb;
const JUMP_FAR: u8 = 0xea;

/// Where INT 8 and INT 9 begin in IBM's ROM.
const TICK: FarPointer = FarPointer::new(HOST_SEGMENT, 0xfea5);
const KEY: FarPointer = FarPointer::new(HOST_SEGMENT, 0xe987);
/// Where INT 75h begins: behind INT 9.
const COPROCESSOR: FarPointer = FarPointer::new(HOST_SEGMENT, 0xe9b0);
/// Where this one has INT 70h.
const CLOCK: FarPointer = FarPointer::new(HOST_SEGMENT, 0xe800);

/// INT 8: counts, calls INT 1Ch, ends the interrupt.
const TICK_CODE: [u8; 11] = [
    HOST_CALL, 0x08, // count
    0xcd, 0x1c, // int 1Ch
    0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, // push ax; mov al, 20h; out 20h, al; pop ax
    IRET,
];
/// INT 9: reads a scan code, shows it to INT 15h/4F, which can swallow it, and stores the key.
const KEY_CODE: [u8; 19] = [
    0x50, 0xe4, 0x60, // push ax; in al, 60h
    0xb4, 0x4f, 0xf9, 0xcd, 0x15, // mov ah, 4Fh; stc; int 15h
    0x73, 0x02, // jnc past the host call
    HOST_CALL, 0x09, // store
    0xb0, 0x20, 0xe6, 0x20, // mov al, 20h; out 20h, al
    0x58, IRET, 0x90, // pop ax; iret
];

/// INT 75h: releases the coprocessor, ends the interrupt, calls INT 2.
const COPROCESSOR_CODE: [u8; 15] = [
    0x50, 0x30, 0xc0, 0xe6, 0xf0, // push ax; xor al, al; out 0F0h, al
    0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20,
    0x58, // mov al, 20h; out 0A0h, al; out 20h, al; pop ax
    0xcd, 0x02, // int 2
    IRET,
];

/// INT 70h, the real-time clock: reads what it tells, calls INT 4Ah at the alarm, ends the interrupt.
const CLOCK_CODE: [u8; 21] = [
    0x50, 0xb0, 0x0c, 0xe6, 0x70, 0xe4, 0x71, // push ax; status C
    0xa8, 0x20, 0x74, 0x02, 0xcd, 0x4a, // test al, 20h; jz past; int 4Ah
    0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, // mov al, 20h; out A0h, al; out 20h, al
    0x58, IRET, // pop ax
];

/// Writes vectors, stubs and data area.
pub(crate) fn install(bus: &mut Bus, host: &mut impl Host) {
    for vector in 0..=0xff {
        install_stub(bus, vector);
    }
    let coded = [
        (8u16, TICK, &TICK_CODE[..]),
        (9, KEY, &KEY_CODE),
        (0x70, CLOCK, &CLOCK_CODE),
        (0x75, COPROCESSOR, &COPROCESSOR_CODE),
    ];
    for (vector, at, code) in coded {
        bus.write(at, code);
        bus.write_far(FarPointer::new(0, vector * 4), at);
    }
    // The far call at PSP:5 wraps to here; it covers vector 30h and the first byte of 31h.
    bus.write(FarPointer::new(0, 0xc0), &[JUMP_FAR, 0xc0, 0x00, 0x00, 0xf0]);
    // With A20 on it does not wrap.
    if let Some(bytes) = bus.flat_mut(MEMORY_BYTES + 0xc0, 5) {
        bytes.copy_from_slice(&[JUMP_FAR, 0xc0, 0x00, 0x00, 0xf0]);
    }
    let (now, time) = (host.monotonic(), host.time());
    bus.devices.start(now, time);
    data::install(bus, DateTime::from_ns(time).ticks());
    video::install(bus);
    system::install(bus);
    memory::install(bus);
}

/// User vectors, free for programs, which look for a null pointer (RBIL INT 60).
fn is_free(vector: u8) -> bool {
    matches!(vector, 0x30..=0x32 | 0x60..=0x6f | 0x78..=0xff)
}

fn install_stub(bus: &mut Bus, vector: u8) {
    let at = stub(vector);
    let last = if matches!(vector, 0x25 | 0x26) { RETF } else { IRET };
    bus.write(at, &[HOST_CALL, vector, last]);
    if !is_free(vector) {
        bus.write_far(FarPointer::new(0, vector as u16 * 4), at);
    }
}

/// Returns where an interrupt's stub is.
pub(crate) fn stub(vector: u8) -> FarPointer {
    FarPointer::new(HOST_SEGMENT, vector as u16 * 4)
}

/// Returns whether a program hooked an interrupt.
pub(crate) fn is_hooked(bus: &Bus, vector: u8) -> bool {
    bus.read_far(FarPointer::new(0, vector as u16 * 4)).segment != HOST_SEGMENT
}

/// Returns whether a program hooked the tick, 08h or 1Ch.
pub(crate) fn tick_is_hooked(bus: &Bus) -> bool {
    is_hooked(bus, 0x08) || is_hooked(bus, 0x1c)
}

/// Counts ticks for which nobody wants to be interrupted.
pub(crate) fn skip_ticks(bus: &mut Bus, count: u32) {
    if count > 0 {
        count_ticks(bus, count);
    }
}

impl<H: Host> Session<H> {
    /// Answers a host call: the stub of an interrupt was reached.
    pub(crate) fn host_call(&mut self, number: u8) {
        self.note_service(number);
        match number {
            0x00 => self.fault("division by zero or quotient too large", self.caller()),
            0x06 => self.fault("invalid instruction", self.caller()),
            // The BIOS of a PC returns to the instruction, which calls it again, for ever.
            0x07 => self.fault("nobody emulates the coprocessor", self.caller()),
            0x08 => self.tick(),
            0x09 => self.scan_code(),
            0x10 => self.video(),
            0x11 => {
                let word = self.bus.read16(data::EQUIPMENT);
                self.set_ax(word);
            }
            0x12 => {
                let kib = self.bus.read16(data::MEMORY_KIB);
                self.set_ax(kib);
            }
            0x13 | 0x14 => self.refuse_service(0x80),
            0x15 => self.system_service(),
            0x16 => self.keyboard(),
            0x17 => self.printer(),
            0x18 | 0x19 => self.finish(End::Exit(0)),
            0x1a => self.clock(),
            0x1b => self.ask_for_break(),
            0x20..=0x30 | BREAK_RETURN | CRITICAL_RETURN | DEVICE_REQUEST => {
                self.dos_interrupt(number)
            }
            0x33 => self.mouse(),
            0x67 => self.expanded_memory(),
            EXPANDED_RETURN => self.expanded_call_returned(),
            EXTENDED_MEMORY => self.extended_memory_call(),
            _ => {}
        }
    }
}
