//! EMS: jumps and calls to what other pages have.
//!
//! ```text
//!   DS:SI, jump (55h)    00 target, far   04 count of pairs   05 pairs, far
//!   DS:SI, call (56h)    as above         09 count of old pairs   0A old pairs, far   0E reserved, 8
//!
//!   stack within a call, from its top:
//!     return to the host   AL, count   old pairs, far   handle   IP CS flags (of INT 67h)
//! ```
//!
//! A pair is a logical page and a slot, as AH=50 takes them. Source: EMS 4.0, functions 22 and 23.

use super::{Answer, EmsError};
use crate::FarPointer;
use crate::calls::EXPANDED_RETURN;
use crate::cpu::HOST_SEGMENT;
use crate::cpu::register::SP;
use crate::host::Host;
use crate::session::Session;

/// Bytes of an interrupt's frame.
const FRAME_BYTES: u16 = 6;
/// Bytes of the stack that a call takes: what is kept of it, and the interrupt's frame.
const CALL_BYTES: u16 = 12 + FRAME_BYTES;

impl<H: Host> Session<H> {
    /// AH=55: maps pages and goes on at the target; INT 67h does not return.
    pub(super) fn map_and_jump(&mut self) -> Answer {
        let at = self.ds_si();
        self.map_list(at.add(4), self.al(), self.dx())?;
        let flags = self.bus.read16(self.cpu.stack().add(4));
        self.cpu.set_register(SP, self.cpu.stack().offset.wrapping_add(FRAME_BYTES));
        self.enter_target(at, flags);
        Ok(())
    }

    /// AH=56: maps pages and calls the target; AL=02 tells in BX how much of the stack that takes.
    pub(super) fn map_and_call(&mut self) -> Answer {
        let (at, function, handle) = (self.ds_si(), self.al(), self.dx());
        if function == 2 {
            self.set_bx(CALL_BYTES);
            return Ok(());
        }
        self.map_list(at.add(4), function, handle)?;
        let flags = self.bus.read16(self.cpu.stack().add(4));
        let old = self.bus.read_far(at.add(10));
        let count = self.bus.read8(at.add(9));
        let kept = u16::from_le_bytes([function, count]);
        let back = FarPointer::new(HOST_SEGMENT, u16::from(EXPANDED_RETURN) * 4);
        for word in [handle, old.segment, old.offset, kept, back.segment, back.offset] {
            self.cpu.push(&mut self.bus, word);
        }
        self.enter_target(at, flags);
        Ok(())
    }

    /// What was called has returned: maps the old pages; the stub's IRET returns from INT 67h.
    pub(crate) fn expanded_call_returned(&mut self) {
        let [function, count] = self.cpu.pop(&self.bus).to_le_bytes();
        let offset = self.cpu.pop(&self.bus);
        let old = FarPointer::new(self.cpu.pop(&self.bus), offset);
        let handle = self.cpu.pop(&self.bus);
        self.bus.reflect();
        let answer = self.map_pairs(old, count.into(), function, handle);
        self.answer_ems(answer);
        self.mirror_frame();
    }

    /// Maps the pairs of a list: a count, and where they are.
    fn map_list(&mut self, at: FarPointer, function: u8, handle: u16) -> Answer {
        if function > 1 {
            return Err(EmsError::NoSubfunction);
        }
        let (count, pairs) = (self.bus.read8(at), self.bus.read_far(at.add(1)));
        self.map_pairs(pairs, count.into(), function, handle)
    }

    /// Goes on at the far pointer there with the caller's flags.
    fn enter_target(&mut self, at: FarPointer, flags: u16) {
        let target = self.bus.read_far(at);
        self.cpu.set_flags(flags);
        self.cpu.jump(target);
    }
}
