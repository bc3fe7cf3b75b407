//! Sending signals, and what a thread does about them before it goes back to its program.

use libipc::{OpenCall, Registers};

use crate::Errno;
use crate::linux::signals::{self, Default as DefaultAction, action};
use crate::linux::structures::Fields;
use crate::process::{
    Alarm, AltStack, Answer, Ending, Held, Life, Parked, Pid, Process, Report, State, Thread,
    ThreadNumber,
};
use crate::signal::{Action, Frame, FrameContext, Info, Pending, SignalSet};
use crate::table::{self, Restart};
use crate::timers::SHORTEST;
use crate::unix::faults::Told;
use crate::unix::{Reply, Unix};
use crate::wake::Channel;

/// Signals that stop a process unless it handles them.
const STOPS: SignalSet = SignalSet::of(signals::SIGSTOP)
    .union(SignalSet::of(signals::SIGTSTP))
    .union(SignalSet::of(signals::SIGTTIN))
    .union(SignalSet::of(signals::SIGTTOU));

/// What became of a signal that a thread took.
enum Taken {
    /// It had no effect on the thread.
    Nothing,
    /// The thread will enter a handler: its registers are set.
    Handler,
    /// The thread is gone.
    Ended,
}

/// Returns whether a thread has nothing to do before it goes back to its program: no signal to
/// take, no mask to restore, no stop.
#[inline]
pub(super) fn goes_on(thread: &Thread, process: &Process) -> bool {
    let waiting = thread.pending.set().union(process.pending.set());
    let quiet = waiting.without(thread.mask) == SignalSet(0) && !process.is_stopped();
    quiet && thread.mask_after.is_none()
}

/// Returns the signals that do not end a thread whose call only its end may cut short: those that
/// are masked, and those that are ignored, stop it or have a handler (`sig_fatal`, kernel/signal.c).
fn bearable(thread: &Thread, process: &Process) -> SignalSet {
    let ends = |&signal: &u8| {
        let is_default = process.actions.of(signal).handler == signals::DEFAULT;
        is_default && signals::default(signal) == DefaultAction::End
    };
    let fatal = (1..=signals::MAX).filter(ends).map(SignalSet::of);
    thread.mask.union(SignalSet(!0).without(fatal.fold(SignalSet(0), SignalSet::union)))
}

impl Unix {
    /// Sends a signal to a process.
    pub fn send(&mut self, pid: Pid, info: Info) {
        let Some(process) = self.processes.peek_mut(&pid).filter(|process| !process.is_zombie())
        else {
            return;
        };
        let signal = info.signal;
        if let Some(native) = process.native {
            if signal == signals::SIGINT {
                // The key came here after all, or somebody meant this process alone.
                process.has_keys = false;
                process.is_touched = true;
                self.processes.mark(pid);
            }
            return self.send_native(native, signal);
        }
        self.stop_or_continue(pid, signal);
        let Some(process) = self.processes.peek_mut(&pid) else { return };
        let threads = process.threads.clone();
        let open = |thread: &&ThreadNumber| {
            self.threads.get(thread).is_some_and(|thread| !thread.mask.contains(signal))
        };
        let taker = threads.iter().find(open).copied();
        // A blocked signal stays, whatever would be done about it: a signal descriptor may want it
        // (`sig_ignored`, kernel/signal.c).
        if process.actions.ignores(signal) && taker.is_some() {
            return;
        }
        // What has no room is lost where nobody can be told (signal(7)); who queues asks before.
        process.pending.add(info);
        self.processes.mark(pid);
        self.tell_signal_files(pid);
        match taker {
            Some(taker) => self.alert(taker),
            None => self.wakes.add(Channel::Signals(pid)),
        }
    }

    /// Does what SIGCONT, SIGKILL and the signals that stop do when they are sent, whoever blocks
    /// or ignores them (POSIX 2.4.1).
    fn stop_or_continue(&mut self, pid: Pid, signal: u8) {
        let continues = signal == signals::SIGCONT || signal == signals::SIGKILL;
        let dropped = match signal {
            _ if continues => STOPS,
            signal if STOPS.contains(signal) => SignalSet::of(signals::SIGCONT),
            _ => return,
        };
        self.drop_pending(pid, dropped);
        if continues {
            self.continue_process(pid);
        }
    }

    /// Drops signals that wait for a process or for one of its threads.
    pub(crate) fn drop_pending(&mut self, pid: Pid, dropped: SignalSet) {
        let waits = |pending: &Pending| pending.set().0 & dropped.0 != 0;
        let Some(process) = self.processes.get(&pid) else { return };
        let (is_pending, threads) = (waits(&process.pending), process.threads.clone());
        if is_pending && let Some(process) = self.processes.get_mut(&pid) {
            process.pending.drop_all(dropped);
        }
        for number in threads {
            if self.threads.get(&number).is_some_and(|thread| waits(&thread.pending))
                && let Some(thread) = self.threads.get_mut(&number)
            {
                thread.pending.drop_all(dropped);
            }
        }
    }

    /// Sends a signal to one thread.
    pub fn send_to_thread(&mut self, number: ThreadNumber, info: Info) {
        let Some(pid) = self.threads.get(&number).map(|thread| thread.pid) else { return };
        self.stop_or_continue(pid, info.signal);
        let Some(thread) = self.threads.peek_mut(&number) else { return };
        let takes = !thread.mask.contains(info.signal);
        let ignores = |process: &Process| process.actions.ignores(info.signal);
        if takes && self.processes.get(&pid).is_some_and(ignores) {
            return;
        }
        thread.pending.add(info);
        self.threads.mark(number);
        self.tell_signal_files(pid);
        if takes {
            self.alert(number);
        } else {
            self.wakes.add(Channel::Signals(pid));
        }
    }

    /// Wakes who waits for a signal through a descriptor, if there is any.
    fn tell_signal_files(&self, pid: Pid) {
        if !self.signal_files.is_empty() {
            self.wakes.add(Channel::Signals(pid));
        }
    }

    /// Sends a signal to every process of a group; returns whether it has any.
    pub fn send_to_group(&mut self, group: Pid, info: Info) -> bool {
        let members = self.processes.values().filter(|p| p.group == group && !p.is_zombie());
        let members: alloc::vec::Vec<_> = members.map(|process| process.pid).collect();
        for &pid in &members {
            self.send(pid, info);
        }
        !members.is_empty()
    }

    /// Has a thread look at its signals: at once if its call waits, through a recall if it runs.
    fn alert(&mut self, number: ThreadNumber) {
        let Some(thread) = self.threads.get(&number) else { return };
        match thread.state {
            State::Parked(_) | State::Held(_) => self.add_interrupted(number),
            State::Running if self.current.is_some_and(|(current, _)| current == number) => {}
            State::Running => self.machine.recall(thread.handle),
        }
    }

    /// Has a thread that was started look at the signals that it already has.
    pub(crate) fn recall_for_signals(&mut self, number: ThreadNumber) {
        let Some(thread) = self.threads.get(&number) else { return };
        let Some(process) = self.processes.get(&thread.pid) else { return };
        let waiting = thread.pending.set().union(process.pending.set());
        if waiting.without(thread.mask) != SignalSet(0) {
            self.machine.recall(thread.handle);
        }
    }

    /// Makes a thread take a signal that its own doing caused; if it cannot handle it, it ends
    /// with a message that says what happened.
    pub(crate) fn force_signal(&mut self, number: ThreadNumber, info: Info, what: &str) {
        let Some(thread) = self.threads.get_mut(&number) else { return };
        let Some(process) = self.processes.get_mut(&thread.pid) else { return };
        let handler = process.actions.of(info.signal).handler;
        let blocked = thread.mask.contains(info.signal);
        if blocked || handler == signals::DEFAULT || handler == signals::IGNORE {
            process.actions.set(info.signal, Action::default());
            thread.mask = thread.mask.without(SignalSet::of(info.signal));
            let pid = thread.pid;
            self.report_fault(pid, info.signal, what, Told::Starter);
        }
        if let Some(thread) = self.threads.get_mut(&number) {
            thread.pending.add(info);
        }
    }

    /// Returns whether a thread goes straight back to its program ([`goes_on`]).
    #[inline]
    pub(super) fn goes_on(&self, number: ThreadNumber) -> bool {
        let thread = self.threads.get(&number);
        thread.is_some_and(|thread| {
            let process = self.processes.get(&thread.pid);
            process.is_some_and(|process| goes_on(thread, process))
        })
    }

    /// Lets a thread go back to its program: takes its signals first, and stays if its process is
    /// stopped or its call waits.
    pub(super) fn leave(&mut self, number: ThreadNumber, call: OpenCall, answer: Answer) {
        let mut answer = answer;
        loop {
            let Some(thread) = self.threads.peek_mut(&number) else { return };
            let Some(process) = self.processes.peek_mut(&thread.pid) else { return };
            if process.is_stopped() {
                return self.hold(number, call, answer);
            }
            let mask = match &answer {
                Answer::Wait(parked) if parked.is_killable() => bearable(thread, process),
                _ => thread.mask,
            };
            let pid = thread.pid;
            // The thread's own come first (`dequeue_signal`, kernel/signal.c).
            let own = thread.pending.next(mask);
            let taken = match own {
                Some(signal) => thread.pending.take(signal),
                None => process.pending.next(mask).and_then(|signal| process.pending.take(signal)),
            };
            let Some(info) = taken else { break };
            if own.is_some() {
                self.threads.mark(number);
            } else {
                self.processes.mark(pid);
            }
            let info = self.taken(pid, info);
            match self.take_signal(number, call, &answer, &info) {
                Taken::Nothing => {}
                Taken::Handler => answer = Answer::Registers,
                Taken::Ended => return,
            }
        }
        self.go(number, call, answer);
    }

    /// Has an answer wait until the process is continued: what was done counts.
    fn hold(&mut self, number: ThreadNumber, call: OpenCall, answer: Answer) {
        let Some(thread) = self.threads.peek_mut(&number) else { return };
        let row = thread.row;
        match &answer {
            Answer::Value(value) => self.keep_answer(row, call, Reply::Value(*value)),
            Answer::Registers => self.keep_answer(row, call, Reply::Resume),
            Answer::Wait(parked) => self.keep_wait(row, parked),
        }
        if let Some(thread) = self.threads.peek_mut(&number) {
            thread.state = State::Held(Held { call, answer });
        }
    }

    fn go(&mut self, number: ThreadNumber, call: OpenCall, answer: Answer) {
        let Some(thread) = self.threads.peek_mut(&number) else { return };
        let reply = match answer {
            Answer::Wait(parked) => return self.park(number, parked),
            Answer::Value(value) => Reply::Value(value),
            Answer::Registers => Reply::Resume,
        };
        thread.state = State::Running;
        if let Some(mask) = thread.mask_after.take() {
            thread.mask = mask;
            thread.is_touched = true;
            self.threads.mark(number);
            let Some(thread) = self.threads.get(&number) else { return };
            let pending = self.processes.get(&thread.pid).map(|process| process.pending.set());
            let waiting = thread.pending.set().union(pending.unwrap_or_default());
            if waiting.without(mask) != SignalSet(0) {
                // The old mask lets signals through: look again, with nothing to restore now.
                return self.leave(number, call, answer);
            }
        }
        self.answer(number, call, reply);
    }

    fn take_signal(
        &mut self,
        number: ThreadNumber,
        call: OpenCall,
        answer: &Answer,
        info: &Info,
    ) -> Taken {
        let Some(thread) = self.threads.get(&number) else { return Taken::Ended };
        let pid = thread.pid;
        let Some(process) = self.processes.get(&pid) else { return Taken::Ended };
        let (group, action) = (process.group, process.actions.of(info.signal));
        match (action.handler, signals::default(info.signal)) {
            (signals::IGNORE, _) | (signals::DEFAULT, DefaultAction::Ignore) => Taken::Nothing,
            (signals::DEFAULT, DefaultAction::Continue) => Taken::Nothing,
            // Nobody could continue what a native program has started.
            (signals::DEFAULT, DefaultAction::Stop) if process.client.is_some() => Taken::Nothing,
            // POSIX XSH 2.4.3: the stops that come from a terminal are not for orphaned groups.
            (signals::DEFAULT, DefaultAction::Stop)
                if info.signal != signals::SIGSTOP && self.is_orphaned(group) =>
            {
                Taken::Nothing
            }
            (signals::DEFAULT, DefaultAction::Stop) => {
                self.stop_process(pid, info.signal);
                Taken::Nothing
            }
            (signals::DEFAULT, DefaultAction::End) => {
                self.end_process(pid, Ending::Signal(info.signal));
                Taken::Ended
            }
            _ => match self.enter_handler(number, call, answer, &action, info) {
                Ok(()) => Taken::Handler,
                Err(_) => {
                    self.end_process(pid, Ending::Signal(signals::SIGSEGV));
                    Taken::Ended
                }
            },
        }
    }

    /// Puts the frame of a handler on the stack and sets the registers that enter it.
    fn enter_handler(
        &mut self,
        number: ThreadNumber,
        call: OpenCall,
        answer: &Answer,
        action: &Action,
        info: &Info,
    ) -> Result<(), Errno> {
        let mut registers = self.machine.registers(call)?;
        match answer {
            Answer::Value(value) => registers.rax = *value,
            Answer::Registers => {}
            Answer::Wait(parked) => {
                interrupted(&mut registers, parked, action);
                self.tell_remaining(number, call, parked);
            }
        }
        let thread = self.threads.get_mut(&number).ok_or(Errno::ESRCH)?;
        let mask = thread.mask_after.take().unwrap_or(thread.mask);
        let (alt_stack, trap) = (thread.alt_stack, thread.trap);
        let context = FrameContext { registers, mask, alt_stack, trap };
        let frame = Frame::new(&context, action, info);
        if thread.alt_stack.is_disarmed {
            thread.alt_stack = AltStack::default();
        }
        let mut masked = thread.mask.union(action.mask);
        if action.flags & action::NO_DEFER == 0 {
            masked = masked.union(SignalSet::of(info.signal));
        }
        thread.mask = masked.maskable();
        let pid = thread.pid;
        if action.flags & action::RESET != 0
            && let Some(process) = self.processes.get_mut(&pid)
        {
            process.actions.set(info.signal, Action::default());
        }
        let mut context = crate::context::Context::new(self, pid, number, call, [0; 6]);
        context.copy_out(frame.address, &frame.bytes)?;
        self.machine.set_registers(call, &frame.registers)?;
        Ok(())
    }

    /// Writes how long a sleep that a handler ends would have gone on (nanosleep(2)).
    fn tell_remaining(&mut self, number: ThreadNumber, call: OpenCall, parked: &Parked) {
        let Some(deadline) = parked.deadline else { return };
        let Some((address, emit)) = crate::calls::time::remaining_at(parked) else { return };
        let left = deadline.saturating_sub(self.machine.now());
        let Some(pid) = self.threads.get(&number).map(|thread| thread.pid) else { return };
        let mut context = crate::context::Context::new(self, pid, number, call, [0; 6]);
        // A sleep whose rest cannot be told fails all the same, by EINTR here and by EFAULT there.
        let _ = context.copy_out(address, &emit(Fields::default(), left).0);
    }

    fn stop_process(&mut self, pid: Pid, signal: u8) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        process.life = Life::Stopped(signal);
        process.report = Some(Report::Stopped(signal));
        for number in process.threads.clone() {
            if let Some(thread) = self.threads.get(&number)
                && thread.state == State::Running
            {
                self.alert(number);
            }
        }
        self.tell_parent(pid, signals::code::CHILD_STOPPED, signal.into());
    }

    fn continue_process(&mut self, pid: Pid) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        if !process.is_stopped() {
            return;
        }
        process.life = Life::Running;
        process.report = Some(Report::Continued);
        for number in process.threads.clone() {
            self.add_interrupted(number);
            // What a parked call waited for may have come while its process was stopped.
            if let Some(thread) = self.threads.get(&number)
                && let State::Parked(parked) = &thread.state
            {
                for &channel in parked.channels.as_slice() {
                    self.wakes.add(channel);
                }
                if let Some(deadline) = parked.deadline {
                    self.wake_at(deadline.max(1));
                }
            }
        }
        self.tell_parent(pid, signals::code::CHILD_CONTINUED, signals::SIGCONT.into());
    }

    /// Sends SIGCHLD about a stop or continuation, and wakes a parent that waits.
    fn tell_parent(&mut self, pid: Pid, code: i32, value: u64) {
        let Some(process) = self.processes.get(&pid) else { return };
        let (parent, uid) = (process.parent, process.credentials.user.real);
        self.wakes.add(Channel::Children(parent));
        let Some(parent_process) = self.processes.get(&parent) else { return };
        let flags = parent_process.actions.of(signals::SIGCHLD).flags;
        if flags & action::NO_CHILD_STOP == 0 {
            let signal = signals::SIGCHLD;
            self.send(parent, Info { signal, code, pid: pid.0, uid, value });
        }
    }

    /// Sends SIGALRM to the processes whose time has come.
    pub(super) fn send_alarms(&mut self, now: u64) {
        let mut due = alloc::vec::Vec::new();
        for process in self.processes.values() {
            if let Some(alarm) = process.alarm.filter(|alarm| alarm.at <= now) {
                due.push((process.pid, alarm));
            }
        }
        for (pid, alarm) in due {
            let next = Alarm { at: now.saturating_add(alarm.interval.max(SHORTEST)), ..alarm };
            if let Some(process) = self.processes.get_mut(&pid) {
                process.alarm = (alarm.interval != 0).then_some(next);
            }
            self.send(pid, Info::of_system(signals::SIGALRM));
        }
    }
}

/// Sets the registers of a thread whose waiting call is ended by a handler: it has an error, what
/// it got done, or is made again when the handler returns.
fn interrupted(registers: &mut Registers, parked: &Parked, action: &Action) {
    /// Bytes of the `syscall` instruction.
    const SYSCALL: u64 = 2;
    let restart = table::find(parked.number).map_or(Restart::Never, |entry| entry.restart);
    // A wait for a futex with a time is not begun anew (signal(7)).
    let timed =
        parked.deadline.is_some() && parked.channels.as_slice().iter().any(Channel::is_futex);
    let restart = if timed { Restart::Never } else { restart };
    let (number, words) = (parked.number, parked.words);
    let is_anew = crate::calls::futex::inheriting::is_lock(number, words[1]);
    // With a timeout (`SO_RCVTIMEO` and its like) a call is not made again (signal(7)).
    let is_asked = action.flags & action::RESTART != 0 && parked.deadline.is_none();
    if parked.progress != 0 && restart == Restart::IfAsked {
        registers.rax = parked.progress;
    } else if is_anew || restart == Restart::IfAsked && is_asked {
        registers.rip = registers.rip.wrapping_sub(SYSCALL);
        registers.rax = parked.number.into();
    } else {
        registers.rax = Errno::EINTR.to_rax();
    }
}
