//! Answers that outlive this server: a call that is made again is not done twice.
//!
//! ```text
//!   handler changes tables ─> commit, with the answer in the thread's row ─> reply
//!            │ death: undone, the call is made again            │ death: it is made again,
//!            └──────────────────────────────────────            └ and has its answer already
//! ```
//!
//! What changed nothing needs no record: it is done anew. Each time that a server receives a call
//! the kernel gives it the next sequence number, so that the call of a record comes again with the
//! number after the record's, and any later one with a higher number.

use libipc::{Error, OpenCall, Thread as Handle, abi};

use crate::Errno;
use crate::kept::{Row, thread};
use crate::process::{Parked, ThreadNumber};
use crate::unix::{Reply, Unix};

impl Unix {
    /// Keeps a new thread; returns its row.
    ///
    /// # Errors
    /// EAGAIN: there are too many.
    pub(super) fn keep_thread(&mut self, handle: Handle) -> Result<Row, Errno> {
        let Some(row) = self.kept.threads.take() else {
            self.machine.destroy_thread(handle);
            return Err(Error::QuotaExhausted.into());
        };
        // The rest is written with the thread.
        for field in [thread::ANSWERED, thread::WAITING, thread::PENDING, thread::PENDING + 1] {
            self.kept.threads.put(row, field, 0);
        }
        Ok(row)
    }

    /// Makes what was changed since the last time count, and with it that a call has its answer.
    #[inline]
    pub(super) fn commit_answer(&mut self, number: ThreadNumber, call: OpenCall, reply: Reply) {
        if !self.keep_changed() {
            return;
        }
        if let Some(known) = self.threads.get(&number) {
            self.keep_answer(known.row, call, reply);
        }
        self.end_transaction();
    }

    /// Keeps the answer of a call, which counts when the transaction ends.
    #[inline(always)]
    pub(super) fn keep_answer(&self, row: Row, call: OpenCall, reply: Reply) {
        let (is_value, value) = match reply {
            Reply::Value(value) => (1, value),
            Reply::Resume => (0, 0),
        };
        // The answer means nothing without the call, which the transaction makes count: the
        // call before had its answer, as this one has come.
        let (table, store) = (&self.kept.threads, self.kept.store);
        store.set(table.field(row, thread::IS_VALUE), is_value);
        store.set(table.field(row, thread::VALUE), value);
        table.put(row, thread::ANSWERED, call.to_raw());
    }

    /// Writes the processes and threads that have changed to their rows; returns whether anything
    /// has changed since the last commit.
    #[inline]
    fn keep_changed(&mut self) -> bool {
        if self.processes.has_changed() || self.threads.has_changed() {
            self.keep_records();
        }
        self.kept.store.entries() != 0
    }

    fn keep_records(&mut self) {
        let kept = self.kept;
        self.processes.keep_changed(|process| process.keep(kept));
        self.threads.keep_changed(|thread| thread.keep(kept));
    }

    /// Returns whether a transaction is under way.
    #[inline]
    pub(super) fn is_changing(&self) -> bool {
        let records = self.processes.has_changed() || self.threads.has_changed();
        records || self.kept.store.entries() != 0
    }

    /// Makes what was changed since the last time count.
    #[inline]
    pub(crate) fn commit(&mut self) {
        if self.keep_changed() {
            self.end_transaction();
        }
    }

    fn end_transaction(&mut self) {
        self.kept.store.commit();
        if let Some((call, value)) = self.handed.take() {
            self.machine.reply(call, value);
        }
        for thread in self.doomed.drain(..) {
            self.machine.destroy_thread(thread);
        }
    }

    /// Makes what a parked call has done count, and keeps what it needs to go on.
    pub(super) fn commit_wait(&mut self, row: Row, parked: &Parked) {
        self.keep_wait(row, parked);
        self.commit();
    }

    /// Keeps what a call that waits needs to go on, which counts when the transaction ends.
    #[inline(always)]
    pub(super) fn keep_wait(&self, row: Row, parked: &Parked) {
        if parked.progress != 0 || parked.deadline.is_some() {
            let deadline = parked.deadline.unwrap_or(u64::MAX);
            let values = [parked.call.to_raw(), parked.progress, deadline];
            self.kept.threads.put_all(row, thread::WAITING, &values);
        }
    }

    /// Returns the answer that an earlier life had for a replayed call.
    pub(super) fn answered_before(&self, number: ThreadNumber, call: OpenCall) -> Option<Reply> {
        let row = self.threads.get(&number)?.row;
        self.is_same(call, row, thread::ANSWERED).then(|| {
            match self.fields(row, thread::ANSWERED + 1) {
                [0, _] => Reply::Resume,
                [_, value] => Reply::Value(value),
            }
        })
    }

    /// Returns how much of a replayed call an earlier life did, and when it is to end.
    pub(crate) fn waited_before(
        &self,
        number: ThreadNumber,
        call: OpenCall,
    ) -> Option<(u64, Option<u64>)> {
        let row = self.threads.get(&number)?.row;
        let [progress, deadline] = self.fields(row, thread::WAITING + 1);
        let deadline = Some(deadline).filter(|&deadline| deadline != u64::MAX);
        self.is_same(call, row, thread::WAITING).then_some((progress, deadline))
    }

    /// Returns whether a replayed call is the one of a record, which is of the call as it came now
    /// from then on, should this life end before the answer.
    fn is_same(&self, call: OpenCall, row: Row, record: usize) -> bool {
        let of = abi::OpenCall(self.kept.threads.get(row, record));
        let now = abi::OpenCall(call.to_raw());
        let is_same = of != abi::OpenCall::NONE
            && of.thread() == now.thread()
            && of.sequence() + 1 == now.sequence();
        if is_same {
            self.kept.store.set(self.kept.threads.field(row, record), now.0);
        }
        is_same
    }

    fn fields<const N: usize>(&self, row: Row, from: usize) -> [u64; N] {
        core::array::from_fn(|index| self.kept.threads.get(row, from + index))
    }
}
