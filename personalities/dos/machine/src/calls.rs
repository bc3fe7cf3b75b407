//! Numbers of the host calls that are no interrupts'.
//!
//! The bytes 0F n in segment F000 leave the processor with n ([`crate::cpu`]). Stubs of interrupts
//! have the interrupt's number; what else returns to the host takes one from F0 on, whose
//! interrupts' stubs nobody points at.

/// All of them in one place: two with the same number do not compile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum OwnCall {
    BreakReturn = 0xf0,
    CriticalReturn = 0xf1,
    ExtendedMemory = 0xf3,
    ExpandedReturn = 0xf4,
    DeviceRequest = 0xf5,
}

/// A program's Ctrl-C handler returned.
pub(crate) const BREAK_RETURN: u8 = OwnCall::BreakReturn as u8;
/// A program's handler of critical errors returned.
pub(crate) const CRITICAL_RETURN: u8 = OwnCall::CriticalReturn as u8;
/// The XMS driver's entry was called.
pub(crate) const EXTENDED_MEMORY: u8 = OwnCall::ExtendedMemory as u8;
/// What was called by the EMS driver returned.
pub(crate) const EXPANDED_RETURN: u8 = OwnCall::ExpandedReturn as u8;
/// A device driver's interrupt routine was called.
pub(crate) const DEVICE_REQUEST: u8 = OwnCall::DeviceRequest as u8;
