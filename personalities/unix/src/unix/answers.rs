//! Answers that outlive this server: a call that is made again is not done twice.
//!
//! ```text
//!   handler changes tables ─> commit, with the answer in the thread's row ─> reply
//!            │ death: undone, the call is made again            │ death: it is made again,
//!            └──────────────────────────────────────            └ and has its answer already
//! ```
//!
//! What changed nothing needs no record: it is done anew. A record is of one call: each time that
//! a life receives a call the kernel gives it the next sequence number, so that a replayed call
//! whose number is beyond the record's by more than the lives since then is a later one.

use libipc::{Error, OpenCall, Thread as Handle, abi};

use crate::Errno;
use crate::kept::{Row, thread};
use crate::process::{Parked, Pid, ThreadNumber};
use crate::unix::{Reply, Unix};

impl Unix {
    /// Keeps a new thread; returns its row.
    ///
    /// # Errors
    /// EAGAIN: there are too many.
    pub(super) fn keep_thread(
        &mut self,
        number: ThreadNumber,
        pid: Pid,
        tid: Pid,
        handle: Handle,
    ) -> Result<Row, Errno> {
        let Some(row) = self.kept.threads.take() else {
            self.machine.destroy_thread(handle);
            return Err(Error::QuotaExhausted.into());
        };
        let process = u64::from(tid.0) << 32 | u64::from(pid.0);
        let values = [number.0, process, u64::from(handle.0.0), 0, 0, 0, 0, 0, 0, 0];
        self.kept.threads.put_all(row, 0, &values);
        Ok(row)
    }

    /// Makes what was changed since the last time count, and with it that a call has its answer.
    #[inline]
    pub(super) fn commit_answer(&mut self, number: ThreadNumber, call: OpenCall, reply: Reply) {
        if self.kept.store.entries() == 0 {
            return;
        }
        if let Some(known) = self.threads.get(&number) {
            let (is_value, value) = match reply {
                Reply::Value(value) => (1, value),
                Reply::Resume => (0, 0),
            };
            let life = self.kept.store.life() << 1 | is_value;
            let values = [call.to_raw(), life, value];
            self.kept.threads.put_all(known.row, thread::ANSWERED, &values);
        }
        self.kept.store.commit();
    }

    /// Makes what a parked call has done count, and keeps what it needs to go on.
    pub(super) fn commit_wait(&mut self, row: Row, parked: &Parked) {
        if parked.progress != 0 || parked.deadline.is_some() {
            let deadline = parked.deadline.unwrap_or(u64::MAX);
            let life = self.kept.store.life();
            let values = [parked.call.to_raw(), life, parked.progress, deadline];
            self.kept.threads.put_all(row, thread::WAITING, &values);
        }
        self.kept.store.commit();
    }

    /// Returns the answer that an earlier life had for a replayed call.
    pub(super) fn answered_before(&self, number: ThreadNumber, call: OpenCall) -> Option<Reply> {
        let row = self.threads.get(&number)?.row;
        let [of, life, value] = self.fields(row, thread::ANSWERED);
        if !self.is_same(call, of, life >> 1) {
            return None;
        }
        Some(if life & 1 == 0 { Reply::Resume } else { Reply::Value(value) })
    }

    /// Returns how much of a replayed call an earlier life did, and when it is to end.
    pub(crate) fn waited_before(
        &self,
        number: ThreadNumber,
        call: OpenCall,
    ) -> Option<(u64, Option<u64>)> {
        let row = self.threads.get(&number)?.row;
        let [of, life, progress, deadline] = self.fields(row, thread::WAITING);
        let deadline = Some(deadline).filter(|&deadline| deadline != u64::MAX);
        self.is_same(call, of, life).then_some((progress, deadline))
    }

    /// Returns whether a replayed call is the one that `life` received as `of`.
    fn is_same(&self, call: OpenCall, of: u64, life: u64) -> bool {
        let (call, of) = (abi::OpenCall(call.to_raw()), abi::OpenCall(of));
        let lives = self.kept.store.life().saturating_sub(life);
        let received = call.sequence().saturating_sub(of.sequence());
        of != abi::OpenCall::NONE && of.thread() == call.thread() && (1..=lives).contains(&received)
    }

    fn fields<const N: usize>(&self, row: Row, from: usize) -> [u64; N] {
        core::array::from_fn(|index| self.kept.threads.get(row, from + index))
    }
}
