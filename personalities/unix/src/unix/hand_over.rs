//! Bytes that go straight to a reader who waits for them.
//!
//! Where a pipe or a stream of sockets is empty and one thread is parked in read(2) on it, a writer's
//! few bytes are copied to that thread's memory at once: nothing is put where it would be taken
//! from, and no call is made again. Both calls count in one transaction, which the reader's answer
//! waits for.

use libipc::OpenCall;

use crate::process::State;
use crate::unix::signals::goes_on;
use crate::unix::{Reply, Unix};
use crate::wake::Channel;

/// The number of read(2): `table`.
const READ: u32 = 0;

/// An answer that is given when the transaction under way has ended.
pub(super) type Handed = Option<(OpenCall, u64)>;

impl Unix {
    /// Gives bytes, at least one, to the thread that waits to read them, if there is one, and only
    /// one, which has nothing else to do and room for them all; else nothing has happened.
    #[inline]
    pub(crate) fn hand_over(&mut self, channel: Channel, bytes: &[u8]) -> Option<()> {
        let number = self.waiters.only(channel)?;
        if !self.goes_on(self.acting) {
            // The writer's answer, with which the reader's is given, would not come at once.
            return None;
        }
        let thread = self.threads.peek_mut(&number)?;
        let State::Parked(parked) = &thread.state else { return None };
        let [_, address, room, ..] = parked.words;
        let reads = parked.number == READ && parked.channels.as_slice() == [channel];
        let process = self.processes.get(&thread.pid)?;
        let is_fit = reads && room >= bytes.len() as u64 && goes_on(thread, process);
        if !is_fit || self.handed.is_some() {
            return None;
        }
        let (call, row) = (parked.call, thread.row);
        // What cannot be copied now is a page to be found, or a bad address: the reader's affair.
        if self.machine.copy_out(call, address, bytes) != bytes.len() {
            return None;
        }
        thread.state = State::Running;
        self.waiters.remove(channel, number);
        self.keep_answer(row, call, Reply::Value(bytes.len() as u64));
        self.handed = Some((call, bytes.len() as u64));
        Some(())
    }
}
