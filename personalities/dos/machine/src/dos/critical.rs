//! Critical errors: interrupt 24h asks what to do when a device fails.
//!
//! ```text
//!   stack of the program, as the handler finds it (RBIL INT 24):
//!   IP CS flags (of INT 24h)   AX BX CX DX SI DI BP DS ES   IP CS flags (of its INT 21h)
//! ```
//!
//! The handler's IRET leads to a host call, which does what AL says. A handler may also drop the
//! first three words and return to the program itself.

use alloc::string::String;

use super::console::BreakKey;
use super::files::{AUXILIARY, PRINTER};
use super::layout::SWAPPABLE;
use super::{Call, DosError, Refusal, fcb};
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
/// The error is no disk's; the device is at BP:SI in any case.
const DEVICE: u8 = 0x80;
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
        let writing = if writes(self.ah()) { WRITING } else { 0 };
        let device = self.failing_device();
        let kind = if device.is_some() { DEVICE } else { 0 };
        let device = device.unwrap_or(super::tables::BLOCK_DEVICE);
        self.set_ax(u16::from_le_bytes([self.dos.drive, ALLOWED | writing | kind]));
        // Errors 13h and up are the handler's 0 and up.
        self.cpu.set_register(DI, error as u16 - 0x13);
        self.cpu.set_register(BP, device.segment);
        self.cpu.set_register(SI, device.offset);
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
                if answer != IGNORE {
                    self.note_error(DosError::CriticalFailure);
                }
                self.end_failed_function(answer == IGNORE);
            }
        }
    }

    /// Tells the program how its function ended, in the function's own way.
    fn end_failed_function(&mut self, is_ignored: bool) {
        match (fcb::failure_of(self.ah()), self.ah()) {
            (Some(al), _) => self.set_al(if is_ignored { 0 } else { al }),
            // Functions on characters tell of no errors.
            (None, ..0x38) => {}
            (None, _) => {
                self.set_carry(!is_ignored);
                if !is_ignored {
                    self.set_ax(DosError::AccessDenied as u16);
                }
            }
        }
    }

    /// Returns the header of the character device that the current function is about.
    fn failing_device(&mut self) -> Option<FarPointer> {
        let entry = match self.ah() {
            0x04 => AUXILIARY,
            0x05 => PRINTER,
            function @ 0x01..=0x0c => self.entry(writes(function).into()).ok()?,
            0x14 | 0x15 | 0x21 | 0x22 | 0x27 | 0x28 => self.fcb_entry(self.fcb()).ok()?.0,
            0x3f | 0x40 => self.entry(self.bx()).ok()?,
            _ => return None,
        };
        super::tables::device_of(self.dos.files.get(entry).ok()?.kind)
    }

    /// Returns the drive or device that INT 24h is about, by name.
    fn failing_place(&self) -> String {
        if self.ah() & DEVICE == 0 {
            return alloc::format!("drive {}", b'A'.wrapping_add(self.al()) as char);
        }
        let header = FarPointer::new(self.cpu.register(BP), self.cpu.register(SI));
        let mut name = [0; 8];
        self.bus.read(header.add(0x0a), &mut name);
        alloc::format!("device {}", String::from_utf8_lossy(&name).trim_end())
    }

    /// INT 24h without a handler: a person at a terminal is asked, otherwise the function fails.
    pub(super) fn ask_about_error(&mut self) -> Call {
        if !self.host.is_terminal(Stream::Input) || !self.dos.output.is_terminal(Stream::Output) {
            return self.answer(FAIL);
        }
        if !self.dos.is_asking {
            self.dos.is_asking = true;
            let way = if self.ah() & WRITING != 0 { "writing" } else { "reading" };
            let what = match self.cpu.register(DI) as u8 {
                0x0a => "Write fault error",
                0x0b => "Read fault error",
                _ => "General failure",
            };
            let place = self.failing_place();
            let text = alloc::format!("\r\n{what} {way} {place}\r\n{QUESTION}");
            self.print(text.as_bytes())?;
        }
        loop {
            let key = match self.read_key_byte(BreakKey::Passes) {
                Err(Refusal::Waiting) => return Err(Refusal::Waiting),
                Err(_) => b'a',
                Ok(0x1a) if self.keys_have_ended() => b'a',
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

/// Returns whether a function writes.
fn writes(function: u8) -> bool {
    const OF_CHARACTERS: [u8; 5] = [0x02, 0x04, 0x05, 0x06, 0x09];
    const OF_FILES: [u8; 7] = [0x13, 0x15, 0x16, 0x17, 0x22, 0x28, 0x40];
    OF_CHARACTERS.contains(&function) || OF_FILES.contains(&function)
}
