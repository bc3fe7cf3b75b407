//! Where the stacks and message pages of a program's threads lie.
//!
//! ```text
//!   MESSAGE_PAGE - 2 STRIDE   … - STRIDE           MESSAGE_PAGE
//!   | page |                  | page |             | page |           message pages
//!        ^ 4 GiB above the end of ...
//!   | guard | stack |         | guard | stack |    | guard | stack |
//!                   ^ STACK_TOP - 2 STRIDE, … - STRIDE     ^ STACK_TOP
//! ```
//!
//! A thread finds its message page by its stack pointer: the same distance above the end of the
//! stack for all, the first thread included, where the kernel and init have put it. That costs a few
//! instructions where a message does not fit in registers, and nothing where it does; a base in FS
//! would make every switch between threads dearer (decisions/0028).
//!
//! ```
//! use libipc::stacks::{STRIDE, message_page, top};
//! assert_eq!(top(0) - top(1), STRIDE);
//! assert_eq!(message_page(top(0) - 8) - message_page(top(1) - 8), STRIDE);
//! ```

use kamen_abi::{PAGE_SIZE, boot};

/// Bytes from the end of one stack to that of the next.
pub const STRIDE: usize = 1 << 20;
/// Bytes from the end of a stack to the message page of its thread.
const DISTANCE: usize = boot::MESSAGE_PAGE - boot::STACK_TOP;

const _: () = assert!(boot::STACK_TOP.is_multiple_of(STRIDE));
const _: () = assert!(boot::STACK_BYTES + PAGE_SIZE <= STRIDE, "a guard page is below each stack");

/// Returns the end of the stack of a program's thread; 0: its first one.
///
/// ```
/// use libipc::stacks::{STRIDE, top};
/// assert_eq!(top(3), top(0) - 3 * STRIDE);
/// ```
pub const fn top(thread: usize) -> usize {
    boot::STACK_TOP - thread * STRIDE
}

/// Returns the message page of the thread in whose stack an address lies.
///
/// ```
/// use libipc::stacks::{message_page, top};
/// assert_eq!(message_page(top(2) - 8), message_page(top(2) - 4096), "wherever in the stack");
/// ```
#[inline(always)]
pub const fn message_page(stack: usize) -> usize {
    (stack | (STRIDE - 1)) + 1 + DISTANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thread_has_the_page_that_it_was_given() {
        assert_eq!(top(0), boot::STACK_TOP);
        assert_eq!(message_page(boot::STACK_TOP - 8), boot::MESSAGE_PAGE);
        assert_eq!(message_page(boot::STACK_TOP - boot::STACK_BYTES), boot::MESSAGE_PAGE);
    }

    #[test]
    fn every_thread_has_its_own_page() {
        for thread in 0..100 {
            let page = message_page(top(thread) - 1);
            assert_eq!(message_page(top(thread) - boot::STACK_BYTES), page);
            assert_eq!(page, boot::MESSAGE_PAGE - thread * STRIDE);
        }
    }
}
