//! Where a program of the system has its message page.

use kamen_abi::{MessagePage, boot};

/// Returns the page: mapped read-write for the program's whole life by whoever started it.
#[inline(always)]
pub(super) fn page() -> *mut MessagePage {
    core::ptr::with_exposed_provenance_mut(boot::MESSAGE_PAGE)
}
