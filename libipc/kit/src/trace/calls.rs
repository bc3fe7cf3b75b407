//! Calls, made of events: who called whom, during which other call, and what came of it.
//!
//! ```text
//!   Queued?  Message  Words*    …    Reply  Words*        or  Broken, or nothing any more
//!      │        │                      │
//!    begun   received              ended
//! ```
//!
//! A server works on the call that it received last, until it has answered it or receives
//! something else: calls that it makes meanwhile are children of that one. Between answers it
//! works for nobody. Calls may be answered late, out of order, and by other threads.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use libipc::Tag;
use libipc::abi::trace::{Event, EventKind, NOBODY};
use libipc::abi::{OpenCall, WORDS};

/// What was recorded of a message: its tag, its words, and the first bytes of its page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// The tag.
    pub tag: Tag,
    /// The words.
    pub words: [u64; WORDS],
    /// The first 16 bytes of the part in the page.
    pub bytes: [u8; 16],
}

/// What came of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing, as far as the trace goes.
    Open,
    /// It was answered.
    Answered(Message),
    /// The kernel ended it with the error of that number.
    Broken(u32),
    /// It went to another server: handed over, or made again after its server's death.
    Passed,
}

/// A call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Slot of the caller.
    pub caller: u16,
    /// Slot of the thread that received it; of the one that answered, where only that is known.
    pub server: u16,
    /// What was asked; nothing where the trace begins later.
    pub asked: Option<Message>,
    /// When it was made, in ns since boot: the same as `received` where the server waited for it.
    pub begun: u64,
    /// When the server received it. Where the trace begins later, both are the answer's time.
    pub received: u64,
    /// When the server turned to something else; the answer, or the next thing that it received.
    pub left: Option<u64>,
    /// When it was over.
    pub ended: Option<u64>,
    /// What came of it.
    pub outcome: Outcome,
    /// For how long the server ran while it worked on the call and no other.
    pub own_ns: u64,
    /// Which call its caller worked on, by its place in the list.
    pub parent: Option<usize>,
}

impl Call {
    /// Returns how long it took from the call to the answer, both included in the trace.
    pub fn total_ns(&self) -> Option<u64> {
        self.asked.and(self.ended).map(|ended| ended.saturating_sub(self.begun))
    }
}

/// Returns the calls in the order in which they were received.
pub fn calls(events: &[Event]) -> Vec<Call> {
    let mut builder = Builder::default();
    events.iter().for_each(|event| builder.add(event));
    builder.calls
}

/// Whose words come next.
#[derive(Clone, Copy)]
enum Last {
    Request(usize),
    Answer(usize),
}

#[derive(Default)]
struct Builder {
    calls: Vec<Call>,
    /// Calls that are not over, by open call.
    open: BTreeMap<u64, usize>,
    /// The last open call of each caller.
    asking: BTreeMap<u16, u64>,
    /// When threads made calls that nobody has received yet.
    queued: BTreeMap<u16, u64>,
    /// What servers work on.
    current: BTreeMap<u16, usize>,
    /// What processors recorded last.
    last: BTreeMap<u8, Last>,
    /// Who runs on processors, and since when that is counted.
    running: BTreeMap<u8, (u16, u64)>,
}

impl Builder {
    fn add(&mut self, event: &Event) {
        let Event { time, processor, thread, detail, values: [call, tag], .. } = *event;
        self.count(processor, time);
        match event.kind {
            EventKind::Queued => {
                self.queued.insert(thread, time);
            }
            EventKind::Message => self.received(event, call, Tag(tag)),
            EventKind::Reply => self.answered(event, call, Tag(tag)),
            EventKind::Words => self.words(processor, detail, event.values),
            EventKind::Broken => {
                self.queued.remove(&thread);
                if let Some(index) = self.open.remove(&call) {
                    self.end(index, time, Outcome::Broken(detail));
                }
            }
            EventKind::Switch => {
                self.running.insert(processor, (thread, time));
            }
            EventKind::Entry | EventKind::Fault | EventKind::Interrupt => {}
        }
        if !matches!(event.kind, EventKind::Message | EventKind::Reply | EventKind::Words) {
            self.last.remove(&processor);
        }
    }

    /// Counts the time that has passed on a processor for what its thread works on.
    fn count(&mut self, processor: u8, time: u64) {
        let Some((thread, since)) = self.running.get_mut(&processor) else { return };
        let passed = time.saturating_sub(core::mem::replace(since, time));
        if let Some(call) = self.current.get(thread).and_then(|index| self.calls.get_mut(*index)) {
            call.own_ns += passed;
        }
    }

    /// Counts the time of a server that is about to turn to something else, wherever it runs.
    fn count_server(&mut self, server: u16, time: u64) {
        let on = self.running.iter().find(|(_, (thread, _))| *thread == server);
        if let Some(processor) = on.map(|(processor, _)| *processor) {
            self.count(processor, time);
        }
    }

    fn received(&mut self, event: &Event, number: u64, tag: Tag) {
        let (time, caller, server) = (event.time, event.thread, event.detail as u16);
        self.count_server(server, time);
        self.leave(server, time);
        self.last.remove(&event.processor);
        let begun = self.queued.remove(&caller).unwrap_or(time);
        if caller == NOBODY || OpenCall(number) == OpenCall::NONE {
            return;
        }
        // A thread has one call at a time.
        let before = self.asking.insert(caller, number).and_then(|old| self.open.remove(&old));
        if let Some(index) = before {
            self.end(index, time, Outcome::Passed);
        }
        let index = self.calls.len();
        self.calls.push(Call {
            caller,
            server,
            asked: Some(Message { tag, ..Message::default() }),
            begun,
            received: time,
            left: None,
            ended: None,
            outcome: Outcome::Open,
            own_ns: 0,
            parent: self.current.get(&caller).copied(),
        });
        self.open.insert(number, index);
        self.current.insert(server, index);
        self.last.insert(event.processor, Last::Request(index));
    }

    fn answered(&mut self, event: &Event, number: u64, tag: Tag) {
        let (time, server, caller) = (event.time, event.thread, event.detail as u16);
        let index = self.open.remove(&number).unwrap_or_else(|| {
            self.calls.push(Call {
                caller,
                server,
                asked: None,
                begun: time,
                received: time,
                left: None,
                ended: None,
                outcome: Outcome::Open,
                own_ns: 0,
                parent: None,
            });
            self.calls.len() - 1
        });
        self.end(index, time, Outcome::Answered(Message { tag, ..Message::default() }));
        self.last.insert(event.processor, Last::Answer(index));
    }

    fn words(&mut self, processor: u8, first: u32, values: [u64; 2]) {
        let message = match self.last.get(&processor) {
            Some(Last::Request(index)) => {
                self.calls.get_mut(*index).and_then(|call| call.asked.as_mut())
            }
            Some(Last::Answer(index)) => {
                self.calls.get_mut(*index).and_then(|call| match &mut call.outcome {
                    Outcome::Answered(message) => Some(message),
                    Outcome::Open | Outcome::Broken(_) | Outcome::Passed => None,
                })
            }
            None => None,
        };
        let Some(message) = message else { return };
        if first as usize == WORDS {
            for (byte, from) in
                message.bytes.iter_mut().zip(values.map(u64::to_le_bytes).as_flattened())
            {
                *byte = *from;
            }
        }
        for (word, value) in message.words.iter_mut().skip(first as usize).zip(values) {
            *word = value;
        }
    }

    fn end(&mut self, index: usize, time: u64, outcome: Outcome) {
        let Some(server) = self.calls.get(index).map(|call| call.server) else { return };
        self.count_server(server, time);
        let Some(call) = self.calls.get_mut(index) else { return };
        (call.ended, call.outcome) = (Some(time), outcome);
        if self.current.get(&server) == Some(&index) {
            self.leave(server, time);
        }
    }

    /// A server turns away from what it worked on.
    fn leave(&mut self, server: u16, time: u64) {
        let left = self.current.remove(&server);
        if let Some(call) = left.and_then(|index| self.calls.get_mut(index)) {
            call.left = Some(time);
        }
    }
}

#[cfg(test)]
mod tests;
