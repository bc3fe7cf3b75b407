//! `/proc/kamen`: what the personality holds, and whether its tables agree.
//!
//! ```text
//!   processes 3          a count a line
//!   …
//!   fault TEXT           what does not agree, if anything (unix/consistency.rs)
//! ```
//! For tests that look for leaks, and for people who look for what a program holds.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;

use crate::unix::Unix;

/// Returns the text.
pub(super) fn text(unix: &mut Unix) -> String {
    let slots = unix.processes.values().flat_map(|process| process.descriptors.iter());
    let files = slots.map(|(_, slot)| &slot.file).chain(unix.exported.values());
    let files: BTreeSet<_> = files.map(|file| Rc::as_ptr(file) as usize).collect();
    let (mut spaces, mut regions) = (BTreeSet::new(), 0);
    for mm in unix.processes.values().filter_map(|process| process.mm.as_ref()) {
        if spaces.insert(mm.borrow().space().0.0) {
            regions += mm.borrow().regions().count();
        }
    }
    let (pages, objects, _) = unix.machine.charged();
    let counts = [
        ("processes", unix.processes.len() as u64),
        ("threads", unix.threads.len() as u64),
        ("files", files.len() as u64),
        ("pipes", unix.pipes.count() as u64),
        ("spaces", spaces.len() as u64),
        ("regions", regions as u64),
        ("pages", pages),
        // Of these, what is in the images of programs that nobody runs now.
        ("kept", unix.images.idle_pages()),
        ("objects", objects),
        ("heap", unix.machine.heap().0),
    ];
    let counts = counts.iter().map(|(name, count)| format!("{name} {count}\n"));
    let faults = unix.inconsistencies().into_iter().map(|fault| format!("fault {fault}\n"));
    counts.chain(faults).collect()
}
