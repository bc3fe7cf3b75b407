//! The state of a simulation, and the choice of who goes on.
extern crate std;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use kamen_abi::{Handle, Tag, WORDS};

use super::actor::{self, Reason};
use super::{Problem, Report, STEPS_MAX};
use crate::loopback::Random;
use crate::request::Parts;
use crate::syscall::{calls, objects};

/// Steps that a trace keeps.
const TRACE_MAX: usize = 2000;
/// One in so many choices, time passes although somebody could go on.
const TIME_PASSES: usize = 8;

/// What an actor waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    /// Its turn only.
    Turn,
    /// The answer to a call.
    Answer { call: u64, deadline: u64 },
    /// A letter at an endpoint, or bits of the notification that is bound to it.
    Letter { endpoint: u64, deadline: u64 },
    /// Bits of a notification.
    Bits { notification: Handle, deadline: u64 },
}

type Life = Arc<dyn Fn(u32) + Send + Sync>;

/// What an actor is.
#[derive(Clone)]
pub(super) enum Role {
    Client,
    Server { life: u32, main: Life },
}

pub(super) struct Actor {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) wait: Wait,
    pub(super) bound: Option<Handle>,
    pub(super) is_dying: bool,
    pub(super) is_ended: bool,
    turn: Arc<Condvar>,
}

/// What lies in an endpoint's queue.
pub(super) enum Letter {
    Request(Box<Sent>),
    Cancelled(u64),
}

/// A request that nobody has received yet.
pub(super) struct Sent {
    pub(super) call: u64,
    pub(super) badge: u64,
    pub(super) tag: Tag,
    pub(super) words: [u64; WORDS],
    pub(super) parts: Parts,
}

/// A call that was received and is not answered.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) receiver: usize,
    pub(super) endpoint: u64,
}

/// When a server dies.
pub(super) struct Deaths {
    pub(super) one_in: usize,
    pub(super) most: usize,
    pub(super) at: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// All clients have ended, or something failed: the others end one after the other.
    Stopping,
    Over,
}

pub(super) struct State {
    pub(super) random: Random,
    pub(super) now: u64,
    pub(super) actors: Vec<Actor>,
    pub(super) queues: BTreeMap<u64, VecDeque<Letter>>,
    /// Who received at an endpoint last.
    pub(super) receivers: BTreeMap<u64, usize>,
    pub(super) open: BTreeMap<u64, Open>,
    /// Calls whose server died.
    pub(super) restarted: BTreeSet<u64>,
    /// Timers that are armed: when, and the timer's handle.
    pub(super) timers: BTreeMap<u64, (u64, Handle)>,
    pub(super) deaths: BTreeMap<String, Deaths>,
    pub(super) labels: Vec<fn(u32) -> Option<&'static str>>,
    pub(super) names: BTreeMap<u64, String>,
    running: Option<usize>,
    phase: Phase,
    report: Report,
    problem: Option<Problem>,
    trace: VecDeque<String>,
    threads: Vec<JoinHandle<()>>,
    waiting: Vec<(usize, Box<dyn FnOnce() + Send>)>,
}

/// A simulation.
pub(super) struct World {
    state: Mutex<State>,
    over: Condvar,
    pub(super) calls: calls::Shared,
    pub(super) handles: objects::Record,
}

impl World {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        let state = State {
            random: Random::new(seed),
            now: 1,
            actors: Vec::new(),
            queues: BTreeMap::new(),
            receivers: BTreeMap::new(),
            open: BTreeMap::new(),
            restarted: BTreeSet::new(),
            timers: BTreeMap::new(),
            deaths: BTreeMap::new(),
            labels: Vec::new(),
            names: BTreeMap::new(),
            running: None,
            phase: Phase::Running,
            report: Report::default(),
            problem: None,
            trace: VecDeque::new(),
            threads: Vec::new(),
            waiting: Vec::new(),
        };
        let (calls, handles) = (calls::Shared::default(), objects::Record::default());
        Arc::new(World { state: Mutex::new(state), over: Condvar::new(), calls, handles })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked left it as it was between two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates an object whose capabilities go when the simulation does.
    pub(super) fn record(&self, create: fn() -> Handle) -> Handle {
        let before = objects::record_in(Some(self.handles.clone()));
        let handle = create();
        objects::record_in(before);
        handle
    }

    /// Adds an actor; a client's body is its only one.
    pub(super) fn add(
        self: &Arc<Self>,
        name: &str,
        role: Role,
        body: Option<Box<dyn FnOnce() + Send>>,
    ) {
        let mut state = self.lock();
        let body = body.unwrap_or_else(|| state.body_of(&role));
        let index = state.actors.len();
        let turn = Arc::new(Condvar::new());
        let (wait, bound, is_dying, is_ended) = (Wait::Turn, None, false, false);
        let name = String::from(name);
        state.actors.push(Actor { name, role, wait, bound, is_dying, is_ended, turn });
        state.waiting.push((index, body));
    }

    /// Runs to the end.
    pub(super) fn run(self: &Arc<Self>) -> (Report, Option<Problem>, Vec<String>) {
        let mut state = self.lock();
        self.start_waiting(&mut state);
        state.choose();
        state.wake(&self.over);
        while state.phase != Phase::Over {
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (threads, problem) = (mem::take(&mut state.threads), state.problem.take());
        let (report, trace) = (state.report, mem::take(&mut state.trace));
        drop(state);
        for thread in threads {
            // It catches what unwinds it.
            let _ = thread.join();
        }
        objects::forget(&self.handles);
        (report, problem, trace.into())
    }

    fn start_waiting(self: &Arc<Self>, state: &mut State) {
        for (index, body) in mem::take(&mut state.waiting) {
            let thread = actor::start(self, index, body);
            state.threads.push(thread);
        }
    }

    /// Waits for an actor's first turn.
    pub(super) fn first_turn(&self, me: usize) {
        self.await_turn(self.lock(), me);
    }

    /// Has an actor wait, and others go on until it may again. One that is killed meanwhile does
    /// not return; one that unwinds does not wait.
    pub(super) fn pass(&self, me: usize, wait: Wait) {
        if std::thread::panicking() {
            return;
        }
        let mut state = self.lock();
        state.actors[me].wait = wait;
        state.choose();
        state.wake(&self.over);
        self.await_turn(state, me);
    }

    fn await_turn(&self, mut state: MutexGuard<'_, State>, me: usize) {
        let turn = state.actors[me].turn.clone();
        while state.running != Some(me) {
            state = turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.actors[me].wait = Wait::Turn;
        if state.actors[me].is_dying {
            drop(state);
            actor::die();
        }
    }

    /// Notes that an actor has ended, and has another one go on.
    pub(super) fn ended(self: &Arc<Self>, me: usize, reason: Option<Reason>) {
        let mut state = self.lock();
        state.actors[me].is_ended = true;
        let name = state.actors[me].name.clone();
        for call in state.abandon(me) {
            self.calls.close(call);
        }
        match reason {
            None => state.note(me, || String::from("ends")),
            Some(Reason::Killed) if state.phase == Phase::Running => {
                state.note(me, || String::from("dies"));
                state.report.deaths += 1;
                if let Role::Server { life, main } = state.actors[me].role.clone() {
                    drop(state);
                    self.add(&name, Role::Server { life: life + 1, main }, None);
                    state = self.lock();
                    self.start_waiting(&mut state);
                }
            }
            Some(Reason::Killed) => {}
            Some(Reason::Panicked(message)) => {
                state.fail(Problem::Panicked { who: name, message });
            }
        }
        state.choose();
        state.wake(&self.over);
    }
}

impl State {
    fn body_of(&self, role: &Role) -> Box<dyn FnOnce() + Send> {
        match role {
            Role::Client => Box::new(|| {}),
            Role::Server { life, main } => {
                let (life, main) = (*life, main.clone());
                Box::new(move || main(life))
            }
        }
    }

    pub(super) fn name_object(&mut self, handle: Handle, name: &str) {
        if let Ok((object, _)) = objects::endpoint(handle) {
            self.names.insert(object, name.into());
        }
    }

    /// Adds a step to the trace, and to the run's fingerprint.
    pub(super) fn note(&mut self, me: usize, what: impl FnOnce() -> String) {
        let step = format!("{} {}: {}", self.now, self.actors[me].name, what());
        // FNV-1a, 64 bits.
        for byte in step.bytes() {
            let mixed = self.report.fingerprint ^ u64::from(byte);
            self.report.fingerprint = mixed.wrapping_mul(0x0000_0100_0000_01b3);
        }
        if self.trace.len() == TRACE_MAX {
            self.trace.pop_front();
        }
        self.trace.push_back(step);
    }

    fn fail(&mut self, problem: Problem) {
        if self.phase == Phase::Running {
            self.problem = Some(problem);
            self.phase = Phase::Stopping;
        }
    }

    /// Ends what an actor had received; returns the calls, which fail with Restarted.
    fn abandon(&mut self, me: usize) -> Vec<u64> {
        let of_me = self.open.iter().filter(|(_, open)| open.receiver == me);
        let calls: Vec<u64> = of_me.map(|(&call, _)| call).collect();
        for call in &calls {
            self.open.remove(call);
            self.restarted.insert(*call);
        }
        calls
    }

    /// Chooses who goes on.
    fn choose(&mut self) {
        self.report.steps += 1;
        if self.report.steps > STEPS_MAX {
            self.fail(Problem::Endless);
        }
        self.running = loop {
            let is_over =
                |actor: &Actor| actor.is_ended || matches!(actor.role, Role::Server { .. });
            if self.phase == Phase::Running && self.actors.iter().all(is_over) {
                self.phase = Phase::Stopping;
            }
            if self.phase != Phase::Running {
                break self.stop_one();
            }
            if let Some(victim) = self.victim() {
                self.actors[victim].is_dying = true;
                break Some(victim);
            }
            let ready: Vec<usize> =
                (0..self.actors.len()).filter(|&index| self.is_ready(index)).collect();
            let next = self.next_time();
            let passes = next.filter(|_| ready.is_empty() || self.random.one_in(TIME_PASSES));
            match (passes, ready.is_empty()) {
                (Some(time), _) => self.advance(time),
                (None, true) => {
                    let (waits, circle) = (self.waits(), self.circle());
                    self.fail(Problem::Deadlock { waits, circle });
                }
                (None, false) => break Some(self.random.pick(&ready)),
            }
        };
        self.report.time = self.now;
    }

    /// Has one after the other end; none is left when all have.
    fn stop_one(&mut self) -> Option<usize> {
        let next = self.actors.iter().position(|actor| !actor.is_ended);
        match next {
            Some(index) => self.actors[index].is_dying = true,
            None => self.phase = Phase::Over,
        }
        next
    }

    /// Returns the server that dies now, if one does.
    fn victim(&mut self) -> Option<usize> {
        let step = self.report.steps;
        for (index, actor) in self.actors.iter().enumerate() {
            if actor.is_ended || actor.is_dying || matches!(actor.role, Role::Client) {
                continue;
            }
            let Some(deaths) = self.deaths.get_mut(&actor.name) else { continue };
            let is_due = deaths.at.is_some_and(|at| at <= step);
            if deaths.most > 0 && (is_due || self.random.one_in(deaths.one_in)) {
                deaths.most -= 1;
                return Some(index);
            }
        }
        None
    }

    fn wake(&self, over: &Condvar) {
        match self.running {
            Some(index) => self.actors[index].turn.notify_all(),
            None => over.notify_all(),
        }
    }
}
