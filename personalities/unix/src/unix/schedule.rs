//! Parked calls: making them again when what they wait for has changed, or their time has come.

use crate::context::{Context, Stop};
use crate::process::{Answer, Held, Parked, State, ThreadNumber};
use crate::table;
use crate::unix::Unix;
use crate::wake::Channels;

/// How long files that nobody has open any more are kept at the file server, in ns: so long their
/// blocks are not free when others remove them, and what a death of this server leaves behind there
/// is of that time.
const TIDY_AFTER: u64 = 100_000_000;

impl Unix {
    /// Goes on until nothing that changed concerns a parked call, then gives back what was closed.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if !self.is_settled() {
            self.settle_all();
        }
    }

    /// Returns whether nothing has changed that others wait for, and nothing is to be given back.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.interrupted.is_empty()
            && self.wakes.is_empty()
            && self.closed.is_empty()
            && self.trash.is_empty()
            && self.fifos.is_empty()
            && self.mapped.is_empty()
    }

    fn settle_all(&mut self) {
        if !self.fifos.is_empty() {
            self.fifos.prune(&self.threads);
        }
        loop {
            if !self.mapped.is_empty() {
                self.prune_mapped();
            }
            if let Some(thread) = self.interrupted.pop() {
                self.interrupt(thread);
                continue;
            }
            if !self.wakes.is_empty() {
                self.wake();
                continue;
            }
            if self.closed.is_empty() {
                break;
            }
            for locker in self.closed.take_lockers() {
                self.locks.release_description(locker);
            }
            let nodes = self.closed.take_nodes();
            if !nodes.is_empty() && self.tidy_at.is_none() {
                let at = self.machine.now() + TIDY_AFTER;
                self.tidy_at = Some(at);
                self.wake_at(at);
            }
            for node in nodes {
                self.files.release(node);
            }
            for stream in self.closed.take_streams() {
                self.servers.close(stream);
            }
            self.give_up_numbered();
            self.close_ptys();
        }
        if !self.trash.is_empty() {
            // What cannot be undone comes after the transaction.
            self.commit();
            self.trash.empty(&mut *self.machine);
        }
    }

    /// Makes the calls again that wait for a channel that has changed.
    fn wake(&mut self) {
        let mut channels = self.wakes.exchange(core::mem::take(&mut self.spare.0));
        let mut ready = core::mem::take(&mut self.spare.1);
        self.epolls.changed(&channels);
        for &channel in &channels {
            self.waiters.take(channel, &mut ready);
        }
        for thread in ready.drain(..) {
            self.retry_if(thread, |parked| {
                parked.channels.as_slice().iter().any(|one| channels.contains(one))
            });
        }
        self.retry_exported(&channels);
        channels.clear();
        self.spare = (channels, ready);
    }

    /// Notes in [`Waiters`](crate::wake::Waiters) what a parked thread waits for.
    pub(crate) fn note_waits(&mut self, number: ThreadNumber) {
        let threads = &self.threads;
        let waits_for = |number: ThreadNumber| match &threads.get(&number)?.state {
            State::Parked(parked) => Some(parked.channels.as_slice()),
            State::Running | State::Held(_) => None,
        };
        let waits = |number, channel| waits_for(number).is_some_and(|all| all.contains(&channel));
        self.waiters.add(number, waits_for(number).unwrap_or_default(), waits);
    }

    /// As [`Unix::note_waits`], for a thread that is about to be parked.
    fn note_wait(&mut self, number: ThreadNumber, channels: &Channels) {
        let threads = &self.threads;
        let waits = |one: ThreadNumber, channel| {
            let of_others = || match &threads.get(&one)?.state {
                State::Parked(parked) => Some(parked.channels.as_slice()),
                State::Running | State::Held(_) => None,
            };
            let own = Some(channels.as_slice()).filter(|_| one == number);
            own.or_else(of_others).is_some_and(|all| all.contains(&channel))
        };
        self.waiters.add(number, channels.as_slice(), waits);
    }

    /// Makes a parked call again, unless its process is stopped.
    pub(super) fn retry(&mut self, number: ThreadNumber) {
        self.retry_if(number, |_| true);
    }

    #[inline]
    fn retry_if(&mut self, number: ThreadNumber, is_due: impl FnOnce(&Parked) -> bool) {
        let Some(thread) = self.threads.peek_mut(&number) else { return };
        let pid = thread.pid;
        let State::Parked(parked) = &thread.state else { return };
        let process = self.processes.get(&pid);
        if !is_due(parked) || process.is_none_or(|process| process.is_stopped()) {
            return;
        }
        let Parked { call, number: system_call, words, progress, deadline, .. } = *parked;
        thread.state = State::Running;
        let Some(entry) = table::find(system_call) else { return };
        let mut context = Context::new(self, pid, number, call, words).resumed(progress, deadline);
        let result = entry.handler.run(&mut context);
        self.conclude(number, call, system_call, words, result);
    }

    /// Lets a signal end a parked call, if it still waits and one is there.
    fn interrupt(&mut self, number: ThreadNumber) {
        let Some(thread) = self.threads.peek_mut(&number) else { return };
        match core::mem::replace(&mut thread.state, State::Running) {
            State::Parked(parked) => self.leave(number, parked.call, Answer::Wait(parked)),
            State::Held(Held { answer: Answer::Wait(parked), .. }) => {
                // What it waited for may have come while its process was stopped.
                thread.state = State::Parked(parked);
                self.note_waits(number);
                self.retry(number);
            }
            State::Held(held) => self.leave(number, held.call, held.answer),
            State::Running => {}
        }
    }

    /// Has a parked call looked at again because of a signal.
    pub(super) fn add_interrupted(&mut self, thread: ThreadNumber) {
        if !self.interrupted.contains(&thread) {
            self.interrupted.push(thread);
        }
    }

    /// Parks a call.
    pub(super) fn park(&mut self, number: ThreadNumber, parked: Parked) {
        if let Some(deadline) = parked.deadline {
            self.wake_at(deadline);
        }
        let Some(thread) = self.threads.get(&number) else { return };
        self.commit_wait(thread.row, &parked);
        self.note_wait(number, &parked.channels);
        if let Some(thread) = self.threads.peek_mut(&number) {
            thread.state = State::Parked(parked);
        }
    }

    /// Has the timer expire at a time, or earlier.
    pub(crate) fn wake_at(&mut self, deadline: u64) {
        if deadline < self.timer {
            self.timer = deadline;
            self.machine.set_timer(deadline);
        }
    }

    /// Makes the calls again whose time has come, sends alarms, and sets the timer anew.
    pub(super) fn timer_expired(&mut self) {
        let now = self.machine.now();
        self.timer = u64::MAX;
        let due = self.threads.values().filter(|thread| match &thread.state {
            State::Parked(parked) => parked.deadline.is_some_and(|deadline| deadline <= now),
            State::Running | State::Held(_) => false,
        });
        let due: alloc::vec::Vec<_> = due.map(|thread| thread.number).collect();
        for thread in due {
            self.retry(thread);
        }
        self.send_alarms(now);
        if self.tidy_at.is_some_and(|at| at <= now) {
            self.tidy_at = None;
            self.files.tidy();
        }
        let timers = self.expire_timers();
        let watch = self.processor_time_due(now);
        let deadlines = self.threads.values().filter_map(|thread| match &thread.state {
            State::Parked(parked) => parked.deadline,
            State::Running | State::Held(_) => None,
        });
        let alarms = self.processes.values().filter_map(|process| Some(process.alarm?.at));
        // A stopped process's calls are made again when it is continued.
        let expiry = self.timer_files.expire(now);
        let next = deadlines
            .chain(alarms)
            .chain(timers)
            .chain(watch)
            .chain(self.tidy_at)
            .filter(|&deadline| deadline > now);
        let next = next.chain(expiry).min();
        if let Some(next) = next {
            self.wake_at(next);
        }
    }

    /// Ends a parked call with a value.
    pub(crate) fn finish_parked(&mut self, number: ThreadNumber, value: u64) {
        let Some(thread) = self.threads.peek_mut(&number) else { return };
        if let State::Parked(parked) = core::mem::replace(&mut thread.state, State::Running) {
            let result = Ok::<_, Stop>(value);
            self.conclude(number, parked.call, parked.number, parked.words, result);
        }
    }
}
