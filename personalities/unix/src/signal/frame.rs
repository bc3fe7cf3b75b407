//! The frame on the user stack that a signal handler runs on and returns through.
//!
//! ```text
//!   rsp + 0    return address (trampoline)          asm/sigframe.h, struct rt_sigframe
//!       + 8    ucontext: flags, link, stack (24), registers (256), mask
//!       + 312  siginfo (128)
//!       ...    extended state (fpstate points to it), written and read by the trampoline
//! ```

use alloc::vec::Vec;

use libipc::Registers;

use crate::linux::signals::action;
use crate::linux::structures::Fields;
use crate::process::{AltStack, Trap};
use crate::signal::trampoline::{self, STATE_ALIGN, STATE_BYTES};
use crate::signal::{Action, Info, SignalSet};

/// Bytes below the stack pointer that belong to the interrupted function (psABI 3.2.2).
const RED_ZONE: u64 = 128;
/// Bytes of the frame without the return address.
const BYTES: usize = 8 + 304 + 128;
const CONTEXT_AT: u64 = 8;
const INFO_AT: u64 = 312;
/// Offset of the pointer to the extended state in the frame: `fpstate` of `struct sigcontext`.
const STATE_AT: usize = REGISTERS_AT + 184;
/// Offset of the registers in the frame.
const REGISTERS_AT: usize = 8 + 40;
/// Offset of the mask in the frame.
const MASK_AT: usize = 8 + 40 + 256;
/// Offset of the alternate stack in the frame.
const STACK_AT: usize = 8 + 16;
/// `uc_flags`: the extended state is there in full, SS is saved and restored (asm/ucontext.h,
/// `UC_FP_XSTATE`, `UC_SIGCONTEXT_SS`, `UC_STRICT_RESTORE_SS`).
const CONTEXT_FLAGS: u64 = 1 | 2 | 4;
/// Where software's own bytes of the state area begin (`struct _fpx_sw_bytes`, asm/sigcontext.h).
const SOFTWARE_AT: usize = 464;
/// `FP_XSTATE_MAGIC1` and `FP_XSTATE_MAGIC2`, the latter behind the area.
const MAGIC: [u32; 2] = [0x4650_5853, 0x4650_5845];
/// Selectors of user code and stack in 64-bit mode (asm/segment.h).
const USER_CS: u16 = 0x33;
const USER_SS: u16 = 0x2b;

/// What a handler is about to interrupt.
#[derive(Clone, Copy, Debug)]
pub struct FrameContext {
    /// The registers to go back to.
    pub registers: Registers,
    /// The mask to go back to.
    pub mask: SignalSet,
    /// The thread's stack for handlers.
    pub alt_stack: AltStack,
    /// The thread's last exception.
    pub trap: Trap,
}

/// A frame to be written, and the registers that enter the handler.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Where it goes.
    pub address: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The registers that enter the handler.
    pub registers: Registers,
}

impl Frame {
    /// Returns the frame for a handler.
    pub fn new(context: &FrameContext, action: &Action, info: &Info) -> Frame {
        let (address, state) = place(context, action);
        let mut registers = context.registers;
        registers.rip = trampoline::ENTER;
        registers.r14 = action.handler;
        registers.r15 = state;
        registers.rsp = address;
        registers.rdi = info.signal.into();
        registers.rsi = address + INFO_AT;
        registers.rdx = address + CONTEXT_AT;
        // The handler begins with the direction flag and the trap flag clear (signal.c).
        registers.rflags &= !0x500;
        let mut bytes = emit(context, info);
        bytes[STATE_AT..STATE_AT + 8].copy_from_slice(&state.to_le_bytes());
        bytes.resize((state - address) as usize + SOFTWARE_AT, 0);
        bytes.extend_from_slice(&software_bytes());
        bytes.resize((state - address) as usize + STATE_BYTES, 0);
        bytes.extend_from_slice(&MAGIC[1].to_le_bytes());
        Frame { address, bytes, registers }
    }
}

/// Returns where the frame and the extended state above it go.
fn place(context: &FrameContext, action: &Action) -> (u64, u64) {
    let AltStack { base, len, .. } = context.alt_stack;
    let pointer = context.registers.rsp;
    let switch = action.flags & action::ON_STACK != 0 && len != 0;
    let top = if switch && !context.alt_stack.contains(pointer) {
        base + len
    } else {
        pointer.wrapping_sub(RED_ZONE)
    };
    let state = top.wrapping_sub(STATE_BYTES as u64 + 4) & !(STATE_ALIGN - 1);
    // As after a call: the stack pointer is 8 below a multiple of 16.
    ((state.wrapping_sub(BYTES as u64) & !15).wrapping_sub(8), state)
}

/// Returns what tells debuggers and handlers how far the state area goes: `magic1`,
/// `extended_size`, `xfeatures`, `xstate_size`.
fn software_bytes() -> Vec<u8> {
    /// x87, SSE, AVX (Intel SDM 1 13.1), which the trampoline saves.
    const FEATURES: u64 = 7;
    let area = STATE_BYTES as u32;
    Fields::default().u32(MAGIC[0]).u32(area + 4).u64(FEATURES).u32(area).0
}

fn emit(context: &FrameContext, info: &Info) -> Vec<u8> {
    let r = &context.registers;
    // With room for the extended state and what aligns it, so that nothing is moved to grow.
    let room = Vec::with_capacity(BYTES + STATE_BYTES + 2 * STATE_ALIGN as usize);
    let AltStack { base, len, .. } = context.alt_stack;
    let flags = context.alt_stack.flags(context.registers.rsp);
    let mut fields = Fields(room).u64(trampoline::LEAVE).u64(CONTEXT_FLAGS).u64(0);
    fields = fields.u64(base).u32(flags).u32(0).u64(len);
    let general =
        [r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rdi, r.rsi, r.rbp, r.rbx];
    for value in general.into_iter().chain([r.rdx, r.rax, r.rcx, r.rsp, r.rip, r.rflags]) {
        fields = fields.u64(value);
    }
    let Trap { vector, error, address } = context.trap;
    fields = fields.u16(USER_CS).u16(0).u16(0).u16(USER_SS);
    fields = fields.u64(error).u64(vector).u64(context.mask.0).u64(address);
    let mut bytes = fields.zeros_to(MASK_AT).u64(context.mask.0).0;
    bytes.extend_from_slice(&emit_info(info));
    bytes
}

/// Returns `siginfo_t`: numbers, then what depends on the signal, 128 bytes.
pub fn emit_info(info: &Info) -> Vec<u8> {
    /// Bytes of `siginfo_t`.
    const BYTES: usize = 128;
    let fields = Fields(Vec::with_capacity(BYTES))
        .u32(info.signal.into())
        .u32(0)
        .u32(info.code as u32)
        .u32(0);
    let fields = if info.is_fault() {
        fields.u64(info.value)
    } else {
        fields.u32(info.pid).u32(info.uid).u64(info.value)
    };
    fields.zeros_to(BYTES).0
}

/// What a frame says to go back to.
#[derive(Clone, Copy, Debug)]
pub struct RestoredFrame {
    /// The registers; FS and GS are those passed in.
    pub registers: Registers,
    /// The mask.
    pub mask: SignalSet,
    /// The stack for handlers.
    pub alt_stack: AltStack,
}

impl RestoredFrame {
    /// Bytes that [`RestoredFrame::parse`] wants, beginning 8 bytes below the stack pointer at
    /// rt_sigreturn (the return address is popped by then).
    pub const BYTES: usize = MASK_AT + 8;

    /// Returns what a frame says; `now` supplies the registers that a frame does not hold.
    pub fn parse(bytes: &[u8; Self::BYTES], now: &Registers) -> RestoredFrame {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let general = |index: usize| word(REGISTERS_AT + 8 * index);
        let registers = Registers {
            r8: general(0),
            r9: general(1),
            r10: general(2),
            r11: general(3),
            r12: general(4),
            r13: general(5),
            r14: general(6),
            r15: general(7),
            rdi: general(8),
            rsi: general(9),
            rbp: general(10),
            rbx: general(11),
            rdx: general(12),
            rax: general(13),
            rcx: general(14),
            rsp: general(15),
            rip: general(16),
            rflags: general(17),
            fs_base: now.fs_base,
            gs_base: now.gs_base,
        };
        let flags = word(STACK_AT + 8) as u32;
        let (base, len) = (word(STACK_AT), word(STACK_AT + 16));
        let alt_stack = AltStack::new(base, flags, len);
        RestoredFrame { registers, mask: SignalSet(word(MASK_AT)), alt_stack }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> FrameContext {
        let registers = Registers {
            rax: 1,
            rcx: 2,
            rdx: 3,
            rbx: 4,
            rsp: 0x7000_1234,
            rbp: 6,
            rsi: 7,
            rdi: 8,
            r8: 9,
            r9: 10,
            r10: 11,
            r11: 12,
            r12: 13,
            r13: 14,
            r14: 15,
            r15: 16,
            rip: 17,
            rflags: 0x246,
            fs_base: 18,
            gs_base: 19,
        };
        let (alt_stack, trap) = (AltStack::default(), Trap::default());
        FrameContext { registers, mask: SignalSet(0xf0), alt_stack, trap }
    }

    #[test]
    fn what_a_frame_saves_is_restored() {
        let context = context();
        let action = Action { handler: 0x4000, ..Action::default() };
        let frame = Frame::new(&context, &action, &Info::of_user(2, 5, 0));
        let bytes = frame.bytes[..RestoredFrame::BYTES].try_into().unwrap();
        let restored = RestoredFrame::parse(&bytes, &context.registers);
        assert_eq!(restored.registers, context.registers);
        assert_eq!(restored.mask, context.mask);
    }

    #[test]
    fn handlers_start_as_if_called_below_the_red_zone() {
        let context = context();
        let action = Action { handler: 0x4000, restorer: 0x5000, ..Action::default() };
        let frame = Frame::new(&context, &action, &Info::of_user(2, 5, 0));
        assert_eq!(frame.address % 16, 8);
        assert!(frame.address + frame.bytes.len() as u64 <= context.registers.rsp - RED_ZONE);
        let state = frame.registers.r15;
        assert_eq!(state % STATE_ALIGN, 0);
        assert_eq!(frame.address + frame.bytes.len() as u64, state + STATE_BYTES as u64 + 4);
        let area = &frame.bytes[(state - frame.address) as usize..];
        assert_eq!((&area[464..468], &area[832..]), (&b"SXPF"[..], &b"EXPF"[..]));
        assert_eq!(frame.bytes[..8], trampoline::LEAVE.to_le_bytes());
        assert_eq!(frame.bytes[8 + 224..][..8], state.to_le_bytes(), "where the code looks");
        assert_eq!((frame.registers.r14, frame.registers.rdi), (0x4000, 2));
    }

    #[test]
    fn the_alternate_stack_is_used_when_asked_for() {
        let mut context = context();
        context.alt_stack = AltStack { base: 0x10_0000, len: 0x2000, is_disarmed: false };
        let action = Action { flags: action::ON_STACK, ..Action::default() };
        let frame = Frame::new(&context, &action, &Info::of_system(11));
        assert!(context.alt_stack.contains(frame.address));
        context.registers.rsp = 0x10_1000;
        let nested = Frame::new(&context, &action, &Info::of_system(11));
        assert!(nested.address < 0x10_1000);
    }
}
