//! The client: touches memory that is not there, and tells what it finds.

use libipc::abi::PAGE_SIZE;
use libipc::{Error, Mapping, Memory, Transport};

use crate::errand::ErrandClient;
use crate::{PAGES, content};

/// What the client checks, by number.
pub const CHECKS: [&str; 8] = [
    "a page that is touched is supplied",
    "each page is asked for once",
    "a written page keeps what was written",
    "the pager reads what was written",
    "a page taken away is asked for again",
    "a copy from lent memory goes on past missing pages",
    "a copy to lent memory goes on past missing pages",
    "lent memory was filled",
];

/// Makes the checks in a paged object and reports each.
///
/// # Errors
/// The object cannot be mapped.
pub fn run<T: Transport>(memory: Memory, pager: &ErrandClient<T>) -> Result<(), Error> {
    let mut mapping = Mapping::new(memory)?;
    let mut number = 0;
    let mut report = |holds| {
        // What does not arrive is missing in the pager's report.
        let _ = pager.found(number, holds);
        number += 1;
    };
    let at = |page: usize| page * PAGE_SIZE;
    let half = PAGES as usize / 2;

    let bytes = mapping.bytes();
    report((0..half).all(|page| bytes[at(page)] == content(page as u64)));
    let again = (0..half).all(|page| bytes[at(page) + 1] == content(page as u64));
    report(again && pager.supplied() == Ok(half as u64));

    mapping.bytes_mut()[at(2)] = 0xaa;
    let bytes = mapping.bytes();
    report(bytes[at(2)] == 0xaa && bytes[at(2) + 1] == content(2));
    report(pager.take(2) == Ok(0xaa));
    report(mapping.bytes()[at(2)] == content(2) && pager.supplied() == Ok(half as u64 + 1));

    // From the middle of a page that is there to the middle of one that is not.
    let lent = at(half - 1) + 100..at(half + 2) + 100;
    let sum = lent.clone().map(|byte| u64::from(content((byte / PAGE_SIZE) as u64))).sum();
    report(pager.sum(&mapping.bytes()[lent]) == Ok(sum));
    let lent = at(half + 2) + 50..at(half + 4) + 50;
    report(pager.fill(7, &mut mapping.bytes_mut()[lent.clone()]) == Ok(()));
    let bytes = mapping.bytes();
    let filled = bytes[lent.clone()].iter().all(|&byte| byte == 7);
    let (before, after) = (bytes[lent.start - 1], bytes[lent.end]);
    report(filled && before == content(half as u64 + 2) && after == content(half as u64 + 4));
    Ok(())
}
