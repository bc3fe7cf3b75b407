//! What a program holds when it starts, told to the log where the environment asks for it.
//!
//! ```text
//!   capabilities=tell     in the environment (a test's /boot/run)
//!   NAME: capability SLOT KIND RIGHTS BADGE VALUE VALUE VALUE AS     one line for each, in hex
//!   NAME: capabilities told
//! ```
//! A table can be read by its owner only (Inspect), so that each program tells of its own; the
//! kernel says what is in it.

use libipc::abi::MAX_SLOTS;
use libipc::start::Start;
use libipc::{Handle, Inspection, Memory, Object, log};

use crate::heap;

const SETTING: &[u8] = b"capabilities=tell";

/// Tells all capabilities, where it is asked for.
pub(crate) fn tell(start: &Start) {
    if !start.arguments().windows(SETTING.len()).any(|bytes| bytes == SETTING) {
        return;
    }
    for slot in (1..=MAX_SLOTS).filter_map(|slot| u16::try_from(slot).ok()) {
        // As memory: what it is, Inspect says.
        if let Ok(Inspection { kind, rights, badge, values }) = Memory(Handle(slot)).inspect() {
            let [first, second, third] = values;
            let name = name(start, Handle(slot));
            let rights = rights.0;
            log!(
                "capability {slot:x} {kind:?} {rights:x} {badge:x} {first:x} {second:x} {third:x} \
                 {name}"
            );
        }
    }
    log!("capabilities told");
}

/// Returns what the program knows a capability as.
fn name(start: &Start, handle: Handle) -> &str {
    if heap::memory() == Some(Memory(handle)) {
        return "heap";
    }
    let named = start.capabilities().find(|(_, other)| *other == handle);
    named.map_or("-", |(name, _)| name)
}
