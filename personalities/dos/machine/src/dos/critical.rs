//! Critical errors: interrupt 24h asks what to do when a device fails.
//!
//! ```text
//!   stack of the program, as the handler finds it (RBIL INT 24):
//!   IP CS flags (of INT 24h)   AX BX CX DX SI DI BP DS ES   IP CS flags (of its INT 21h)
//! ```
//!
//! The handler's IRET leads to a host call, which does what AL says. A handler may also drop the
//! first three words and return to the program itself.

use super::console::BreakKey;
use super::layout::{NULL_DEVICE, SWAPPABLE};
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::calls::CRITICAL_RETURN;
use crate::cpu::HOST_SEGMENT;
use crate::cpu::register::{AX, BP, BX, CX, DI, DX, SI};
use crate::cpu::segment::{DS, ES};
use crate::host::{Host, Stream};
use crate::session::Session;

/// What a handler may answer: fail, retry, ignore; the error is in the data area (RBIL INT 24,
/// bits of AH).
const ALLOWED: u8 = 0x3e;
const WRITING: u8 = 1;
/// How a program ended (RBIL INT 21/AH=4D).
const ENDED_BY_ERROR: u8 = 2;

/// What the handler wants (RBIL INT 24, AL).
const IGNORE: u8 = 0;
const RETRY: u8 = 1;
const ABORT: u8 = 2;
const FAIL: u8 = 3;

const QUESTION: &str = "Abort, Retry, Fail? ";

/// Registers as they are pushed.
const SAVED: [usize; 7] = [BP, DI, SI, DX, CX, BX, AX];

impl<H: Host> Session<H> {
    /// Returns whether an error is one that interrupt 24h is asked about.
    pub(super) fn is_critical(&self, error: DosError) -> bool {
        let critical =
            matches!(error, DosError::GeneralFailure | DosError::ReadFault | DosError::WriteFault);
        // The handler itself fails without further questions.
        critical && self.bus.read8(SWAPPABLE) == 0
    }

    /// Asks interrupt 24h about the error of the current function.
    pub(super) fn raise_critical(&mut self, error: DosError) {
        self.note_error(error);
        for segment in [ES, DS] {
            let value = self.cpu.segment(segment);
            self.cpu.push(&mut self.bus, value);
        }
        for register in SAVED {
            let value = self.cpu.register(register);
            self.cpu.push(&mut self.bus, value);
        }
        let writing = if self.ah() == 0x40 { WRITING } else { 0 };
        self.set_ax(u16::from_le_bytes([self.dos.drive, ALLOWED | writing]));
        // Errors 13h and up are the handler's 0 and up.
        self.cpu.set_register(DI, error as u16 - 0x13);
        self.cpu.set_register(BP, NULL_DEVICE.segment);
        self.cpu.set_register(SI, NULL_DEVICE.offset);
        self.bus.write(SWAPPABLE, &[1, 0]);
        self.cpu.jump(FarPointer::new(HOST_SEGMENT, CRITICAL_RETURN as u16 * 4));
        self.cpu.interrupt(&mut self.bus, 0x24);
    }

    /// The handler has returned: does what it wants.
    pub(super) fn critical_returned(&mut self) {
        let answer = self.al();
        for register in SAVED.into_iter().rev() {
            let value = self.cpu.pop(&self.bus);
            self.cpu.set_register(register, value);
        }
        for segment in [DS, ES] {
            let value = self.cpu.pop(&self.bus);
            self.cpu.set_segment(segment, value);
        }
        self.bus.write(SWAPPABLE, &[0, 0]);
        self.cpu.jump(FarPointer::new(HOST_SEGMENT, 0x21 * 4));
        match answer {
            // The stub calls the function anew.
            RETRY => {}
            ABORT => {
                let ended = self.terminate(0, ENDED_BY_ERROR);
                self.dos.lay_down(&mut self.bus);
                self.settle(ended);
            }
            answer => {
                self.cpu.jump(FarPointer::new(HOST_SEGMENT, 0x21 * 4 + 2));
                self.set_carry(answer != IGNORE);
                if answer != IGNORE {
                    self.note_error(DosError::CriticalFailure);
                    self.set_ax(DosError::AccessDenied as u16);
                }
            }
        }
    }

    /// INT 24h without a handler: a person at a terminal is asked, otherwise the function fails.
    pub(super) fn ask_about_error(&mut self) -> Call {
        if !self.host.is_terminal(Stream::Input) || !self.dos.output.is_terminal(Stream::Output) {
            return self.answer(FAIL);
        }
        if !self.dos.is_asking {
            self.dos.is_asking = true;
            let way = if self.ah() & WRITING != 0 { "writing" } else { "reading" };
            let drive = (b'A' + self.al()) as char;
            let text = alloc::format!("\r\nGeneral failure {way} drive {drive}\r\n{QUESTION}");
            self.print(text.as_bytes())?;
        }
        loop {
            let key = match self.read_key_byte(BreakKey::Passes) {
                Err(Refusal::Waiting) => return Err(Refusal::Waiting),
                Err(_) => b'a',
                Ok(0x1a) if self.dos.input.has_ended() => b'a',
                Ok(key) => key,
            };
            let answer = match key.to_ascii_lowercase() {
                b'a' => ABORT,
                b'r' => RETRY,
                b'f' => FAIL,
                _ => continue,
            };
            self.dos.is_asking = false;
            self.print(&[key, b'\r', b'\n'])?;
            return self.answer(answer);
        }
    }
}
