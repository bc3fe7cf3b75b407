//! The system calls of Linux programs, one a line, as strace shows them.

use alloc::string::String;
use core::fmt::{self, Write};

use libipc::Kind;

use super::calls::Call;
use super::told;
use super::tree::Bounds;

/// Writes the calls of Linux programs in their order; `name` tells who had a slot at a time.
///
/// # Errors
/// What `out` returns.
pub fn list(
    calls: &[Call],
    name: impl Fn(u16, u64) -> String,
    bounds: Bounds,
    out: &mut dyn Write,
) -> fmt::Result {
    let of_linux =
        |call: &&Call| call.asked.is_some_and(|asked| asked.tag.kind() == Kind::SystemCall);
    for call in calls.iter().filter(of_linux).take(bounds.calls) {
        let (caller, asked) = (name(call.caller, call.begun), told::request(call));
        writeln!(out, "{caller}: {asked} = {}", told::outcome(call))?;
    }
    match calls.iter().filter(of_linux).count().saturating_sub(bounds.calls) {
        0 => Ok(()),
        more => writeln!(out, "… and {more} more calls; --calls N shows more"),
    }
}
