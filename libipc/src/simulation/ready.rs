//! Who can go on, when the next time comes, and who waits for whom.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use kamen_abi::FOREVER;

use super::world::{Letter, Role, State, Wait};
use crate::syscall::objects;

impl State {
    /// Returns whether an actor can go on.
    pub(super) fn is_ready(&self, index: usize) -> bool {
        let actor = &self.actors[index];
        if actor.is_ended {
            return false;
        }
        match actor.wait {
            Wait::Turn => true,
            Wait::Answer { call, deadline } => {
                let is_answered = !self.open.contains_key(&call) && !self.is_queued(call);
                is_answered || deadline <= self.now
            }
            Wait::Letter { endpoint, deadline } => {
                let has_letter = self.queues.get(&endpoint).is_some_and(|queue| !queue.is_empty());
                let has_bits = actor.bound.is_some_and(objects::has_bits);
                has_letter || has_bits || deadline <= self.now || !objects::is_there(endpoint)
            }
            Wait::Bits { notification, deadline } => {
                objects::has_bits(notification) || deadline <= self.now
            }
        }
    }

    /// Returns whether a call waits to be received.
    pub(super) fn is_queued(&self, call: u64) -> bool {
        self.queues.values().flatten().any(|letter| match letter {
            Letter::Request(sent) => sent.call == call,
            Letter::Cancelled(_) => false,
        })
    }

    /// Returns when the next timer or deadline comes.
    pub(super) fn next_time(&self) -> Option<u64> {
        let deadline = |wait: Wait| match wait {
            Wait::Turn => FOREVER,
            Wait::Answer { deadline, .. }
            | Wait::Letter { deadline, .. }
            | Wait::Bits { deadline, .. } => deadline,
        };
        let actors = self.actors.iter().filter(|actor| !actor.is_ended);
        let deadlines = actors.map(|actor| deadline(actor.wait));
        let times = deadlines.chain(self.timers.values().map(|&(time, _)| time));
        times.filter(|&time| time > self.now && time != FOREVER).min()
    }

    /// Lets time pass; timers whose time has come signal.
    pub(super) fn advance(&mut self, time: u64) {
        self.now = time;
        let due = self.timers.iter().filter(|(_, (at, _))| *at <= time);
        let due: Vec<_> = due.map(|(&timer, &(_, handle))| (timer, handle)).collect();
        for (timer, handle) in due {
            self.timers.remove(&timer);
            objects::fire(handle);
        }
    }

    /// Returns what each client, and each server in the middle of something, waits for.
    pub(super) fn waits(&self) -> Vec<String> {
        let mut waits = Vec::new();
        for (index, actor) in self.actors.iter().enumerate().filter(|(_, actor)| !actor.is_ended) {
            let for_what = match actor.wait {
                Wait::Answer { call, .. } => match self.holder(index) {
                    Some(holder) if self.open.contains_key(&call) => {
                        format!("the answer of {}", self.actors[holder].name)
                    }
                    Some(holder) => format!("{} to receive its call", self.actors[holder].name),
                    None => "somebody to receive its call".to_string(),
                },
                Wait::Bits { .. } => "a signal".to_string(),
                Wait::Letter { .. } if matches!(actor.role, Role::Client) => {
                    "a request".to_string()
                }
                Wait::Letter { .. } | Wait::Turn => continue,
            };
            waits.push(format!("{} waits for {for_what}", actor.name));
        }
        waits
    }

    /// Returns whose turn it is to do something about an actor's call.
    fn holder(&self, index: usize) -> Option<usize> {
        let Wait::Answer { call, .. } = self.actors[index].wait else { return None };
        if let Some(open) = self.open.get(&call) {
            return Some(open.receiver);
        }
        let queues = self.queues.iter();
        let is_here =
            |letter: &Letter| matches!(letter, Letter::Request(sent) if sent.call == call);
        let mut found = queues.filter(|(_, queue)| queue.iter().any(is_here)).map(|(&at, _)| at);
        found.next().and_then(|endpoint| self.receivers.get(&endpoint).copied())
    }

    /// Returns the names of those who wait for each other in a circle, the first once more last.
    pub(super) fn circle(&self) -> Vec<String> {
        for start in 0..self.actors.len() {
            let (mut at, mut path) = (start, Vec::from([start]));
            while let Some(next) = self.holder(at).filter(|_| path.len() <= self.actors.len()) {
                path.push(next);
                if next == start {
                    return path.iter().map(|&index| self.actors[index].name.clone()).collect();
                }
                at = next;
            }
        }
        Vec::new()
    }
}
