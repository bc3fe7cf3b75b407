//! Reading files from the pages that the file server publishes, straight to the caller.
//!
//! The kernel copies from the file server's memory to the caller's; neither server sees the bytes.
//! Where the file changed meanwhile, or anything is unusual, nothing is said to be read and the
//! ordinary way does it again.

use crate::context::Context;
use crate::io::Position;
use crate::open::{Description, Object};

/// Copies bytes of a file to the caller's memory; returns how many (0 at the end of the file), or
/// nothing where they must be read.
pub fn read(
    context: &mut Context<'_>,
    file: &Description,
    position: Position,
    address: u64,
    len: u64,
) -> Option<u64> {
    let mut open = file.borrow_mut();
    let Object::File(held) = &open.object else { return None };
    let node = held.node();
    // What was written to a shared mapping may not be there yet (`unix/contents.rs`).
    if context.unix.mapped.get(&node).is_some_and(|file| file.is_written()) {
        return None;
    }
    let at = match position {
        Position::Current => open.offset(),
        Position::At(offset) => offset,
    };
    let pages = context.unix.files.pages(node, at).ok()??;
    let len = pages.len.min(len);
    let call = context.call;
    if len != 0 {
        let machine = &mut context.unix.machine;
        let copied = machine.copy_pages(pages.memory, pages.at, call, address, len as usize);
        if copied as u64 != len {
            return None;
        }
    }
    // Whatever changed the file since its place was asked for has changed its generation first.
    if context.unix.files.generation(node) != pages.generation {
        return None;
    }
    if position == Position::Current {
        open.set_offset(at + len);
    }
    Some(len)
}
