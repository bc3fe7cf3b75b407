//! Message pages for tests on the host: one per thread.
extern crate std;

use core::cell::UnsafeCell;
use std::boxed::Box;

use kamen_abi::MessagePage;

std::thread_local! {
    static PAGE: Box<UnsafeCell<[u64; 1024]>> = Box::new(UnsafeCell::new([0; 1024]));
}

/// Returns the calling thread's page.
pub(super) fn page() -> *mut MessagePage {
    PAGE.with(|page| page.get().map_addr(|address| address.next_multiple_of(4096)).cast())
}
