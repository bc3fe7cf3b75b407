//! The paths in and out of the kernel, one per file, in assembly.

pub(crate) mod idle;
pub(crate) mod leave;
pub(crate) mod system_call;
pub(crate) mod trap;
