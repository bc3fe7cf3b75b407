//! The checks, each a fact about what a thread finds in its registers.

use alloc::vec;
use alloc::vec::Vec;

use libipc::abi::{Operation, boot};
use libipc::{Error, Quota};

use crate::code::Entry;
use crate::subject::Subject;

/// A check: its name, and whether it holds.
pub type Check = (&'static str, bool);

/// The handle of the endpoint at which the two meet.
const MEETING: u64 = 8;
/// The patterns of the two.
const ONE: u8 = 0x11;
const OTHER: u8 = 0x62;

const RECEIVE: u64 = Operation::Receive as u64;
const REPLY: u64 = Operation::Reply as u64;
const CALL: u64 = Operation::Call as u64;

/// Makes all checks.
///
/// # Errors
/// What the kernel refused that it may not refuse.
pub fn checks() -> Result<Vec<Check>, Error> {
    let meeting = Quota(boot::QUOTA).create_endpoint()?;
    let (mut one, other) = (Subject::new(meeting)?, Subject::new(meeting)?);
    let mut found = vec![];

    one.go(Entry::Load, 0, 0, ONE)?;
    one.finish()?;
    other.go(Entry::Save, 0, 0, OTHER)?;
    let (_, saved) = other.finish()?;
    found.push(("after a switch, a thread that never had any sees none", saved.is_initial()));
    one.go(Entry::Save, 0, 0, ONE)?;
    found.push(("a thread keeps its own", one.finish()?.1.shows(ONE)));

    // One loads and calls in the same breath; the other has waited.
    other.go(Entry::Call, RECEIVE, MEETING, OTHER)?;
    one.go(Entry::LoadAndCall, CALL, MEETING, ONE)?;
    let (open, saved) = other.finish()?;
    found.push(("a message brings no registers to who has none", saved.is_initial()));
    other.go(Entry::LoadAndCall, REPLY, open, OTHER)?;
    found.push(("a reply finds the caller's own", one.finish()?.1.shows(ONE)));
    found.push(("and leaves the server's own", other.finish()?.1.shows(OTHER)));

    other.go(Entry::Call, RECEIVE, MEETING, OTHER)?;
    one.go(Entry::LoadAndCall, CALL, MEETING, ONE)?;
    let (open, saved) = other.finish()?;
    found.push(("a message brings no registers to who has others", saved.shows(OTHER)));
    other.go(Entry::Call, REPLY, open, OTHER)?;
    let (caller, server) = (one.finish()?.1, other.finish()?.1);
    found.push(("both go on with their own", caller.shows(ONE) && server.shows(OTHER)));

    one.go(Entry::Load, 0, 0, ONE)?;
    one.finish()?;
    one.renew()?;
    one.go(Entry::Save, 0, 0, ONE)?;
    found.push(("a new thread in a slot that was used sees none", one.finish()?.1.is_initial()));
    other.go(Entry::Save, 0, 0, OTHER)?;
    found.push(("the other is not touched by that", other.finish()?.1.shows(OTHER)));
    Ok(found)
}
