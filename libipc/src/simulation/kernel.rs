//! System calls of a simulation's actors, in the kernel's place.

use alloc::boxed::Box;
use alloc::format;

use kamen_abi::{
    Error, FOREVER, Handle, Kind, MAX_BYTES, MAX_CAPS, NOW, ObjectKind, Operation, Tag, WORDS,
};

use super::actor::Me;
use super::world::{Letter, Open, Sent, State, Wait};
use crate::request::Parts;
use crate::syscall::{Inbound, Outbound, calls, objects};
use crate::{Time, page};

/// Executes an operation that uses all message registers.
pub(crate) fn message(me: &Me, operation: Operation, outbound: Outbound) -> Result<Inbound, Error> {
    let Outbound { target, tag, deadline: Time(deadline), second, words } = outbound;
    match operation {
        Operation::Call => call(me, Handle(target as u16), tag, words, deadline),
        Operation::Receive => receive(me, Handle(target as u16), deadline),
        Operation::ReplyReceive => {
            // An answer that comes too late is dropped.
            let _ = reply(me, target, tag, words);
            receive(me, second, deadline)
        }
        Operation::Reply => {
            let result = reply(me, target, tag, words);
            me.world.pass(me.index, Wait::Turn);
            result.map(|()| inbound(Tag(0), 0, 0, words))
        }
        Operation::Wait => {
            let bits = wait(me, Handle(target as u16), deadline)?;
            Ok(inbound(Tag(0), 0, 0, [bits, 0, 0, 0, 0, 0]))
        }
        _ => Err(Error::InvalidOperation),
    }
}

/// Executes an operation that uses target and words, if it is one that differs from a test's
/// without a simulation; others choose at most who goes on first.
pub(crate) fn operate(
    me: &Me,
    operation: Operation,
    target: u64,
    words: [u64; WORDS],
) -> Option<Result<(u64, [u64; WORDS]), Error>> {
    let handle = Handle(target as u16);
    match operation {
        Operation::Now => {
            let now = me.world.lock().now;
            Some(Ok((target, [now, 0, 1, 0, 0, 0])))
        }
        Operation::Yield | Operation::Signal | Operation::Copy => {
            if operation == Operation::Signal {
                me.world.lock().note(me.index, || format!("signals {:#x}", words[0]));
            }
            me.world.pass(me.index, Wait::Turn);
            (operation == Operation::Yield).then_some(Ok((target, words)))
        }
        Operation::Bind => {
            me.world.lock().actors[me.index].bound = Some(Handle(words[0] as u16));
            Some(Ok((target, words)))
        }
        Operation::SetTimer => Some(set_timer(me, handle, words[0]).map(|()| (target, words))),
        Operation::Create => Some(create(words).map(|made| (made.0.into(), words))),
        _ => None,
    }
}

fn inbound(tag: Tag, target: u64, badge: u64, words: [u64; WORDS]) -> Inbound {
    Inbound { target, tag, badge, words }
}

/// Forgets a call when its caller goes on, whatever it goes on with.
struct Calling<'a>(&'a Me, u64);

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        let Calling(me, call) = *self;
        let mut state = me.world.lock();
        for queue in state.queues.values_mut() {
            queue.retain(|letter| !matches!(letter, Letter::Request(sent) if sent.call == call));
        }
        if let Some(open) = state.open.remove(&call) {
            let queue = state.queues.entry(open.endpoint).or_default();
            queue.push_front(Letter::Cancelled(call));
        }
        state.restarted.remove(&call);
        drop(state);
        calls::close(call);
    }
}

fn call(
    me: &Me,
    target: Handle,
    tag: Tag,
    words: [u64; WORDS],
    deadline: u64,
) -> Result<Inbound, Error> {
    if alloc_panicking() {
        return Err(Error::Cancelled);
    }
    let (endpoint, badge) = objects::endpoint(target)?;
    let mut parts = Parts::new();
    let leases = page::take_leases();
    parts.leases = leases;
    parts.caps = sent_caps(tag, page::take_caps());
    page::take_bytes(&mut parts.bytes[..tag.bytes().min(MAX_BYTES)]);
    let call = calls::open(leases[..tag.leases().min(leases.len())].to_vec());
    let calling = Calling(me, call);
    {
        let mut state = me.world.lock();
        if deadline == NOW && !state.is_received(endpoint) {
            return Err(Error::WouldBlock);
        }
        let text = state.describe(endpoint, tag.label());
        state.note(me.index, || format!("calls {text}"));
        let letter = Letter::Request(Box::new(Sent { call, badge, tag, words, parts }));
        state.queues.entry(endpoint).or_default().push_back(letter);
    }
    me.world.pass(me.index, Wait::Answer { call, deadline: until(deadline) });
    let is_restarted = me.world.lock().restarted.contains(&call);
    let answer = calls::answer_of(call);
    drop(calling);
    match answer {
        Some(answer) => {
            page::put_caps(sent_caps(answer.tag, answer.caps));
            Ok(inbound(answer.tag, 0, 0, answer.words))
        }
        None if is_restarted => Err(Error::Restarted),
        None => Err(Error::TimedOut),
    }
}

/// Returns a deadline that a wait can have: one that has always passed lets others go first.
fn until(deadline: u64) -> u64 {
    if deadline == NOW { FOREVER } else { deadline }
}

/// Returns the receiver's copies of the capabilities that a message brings.
fn sent_caps(tag: Tag, caps: [Handle; MAX_CAPS]) -> [Handle; MAX_CAPS] {
    let mut copies = [Handle::NULL; MAX_CAPS];
    for (copy, handle) in copies.iter_mut().zip(caps).take(tag.caps()) {
        *copy = objects::copy(handle);
    }
    copies
}

fn reply(me: &Me, call: u64, tag: Tag, words: [u64; WORDS]) -> Result<(), Error> {
    if call == crate::OpenCall::NONE.to_raw() {
        return Ok(());
    }
    // What was done is done, and nobody knows it yet.
    me.world.pass(me.index, Wait::Turn);
    let mut state = me.world.lock();
    match state.open.get(&call) {
        Some(open) if open.receiver == me.index => {}
        _ => return Err(Error::StaleCall),
    }
    calls::answer(call, tag, words)?;
    state.open.remove(&call);
    state.note(me.index, || format!("answers {:#x}", tag.label()));
    Ok(())
}

fn receive(me: &Me, target: Handle, deadline: u64) -> Result<Inbound, Error> {
    let (endpoint, _) = objects::endpoint(target)?;
    me.world.lock().receivers.insert(endpoint, me.index);
    let wait = match deadline {
        NOW => Wait::Turn,
        deadline => Wait::Letter { endpoint, deadline },
    };
    me.world.pass(me.index, wait);
    let mut state = me.world.lock();
    let bound = state.actors[me.index].bound.filter(|&bound| objects::has_bits(bound));
    let has_letter = state.queues.get(&endpoint).is_some_and(|queue| !queue.is_empty());
    if let Some(bound) = bound
        && (!has_letter || state.random.one_in(2))
    {
        let bits = objects::wait(bound, Time::NEVER_WAIT)?;
        state.note(me.index, || format!("hears {bits:#x}"));
        let tag = Tag::short(0).with_kind(Kind::Notification);
        return Ok(inbound(tag, 0, 0, [bits, 0, 0, 0, 0, 0]));
    }
    match state.queues.get_mut(&endpoint).and_then(|queue| queue.pop_front()) {
        Some(Letter::Request(sent)) => {
            let inbound = accept(me, &mut state, endpoint, *sent);
            drop(state);
            me.world.pass(me.index, Wait::Turn);
            Ok(inbound)
        }
        Some(Letter::Cancelled(call)) => {
            let tag = Tag::short(0).with_kind(Kind::Cancelled);
            Ok(inbound(tag, 0, 0, [call, 0, 0, 0, 0, 0]))
        }
        None if !objects::is_there(endpoint) => Err(Error::InvalidHandle),
        None if deadline == NOW => Err(Error::WouldBlock),
        None => Err(Error::TimedOut),
    }
}

/// Hands a request to its receiver.
fn accept(me: &Me, state: &mut State, endpoint: u64, sent: Sent) -> Inbound {
    let Sent { call, badge, tag, words, parts } = sent;
    state.open.insert(call, Open { receiver: me.index, endpoint });
    let text = state.describe(endpoint, tag.label());
    state.note(me.index, || format!("receives {text}"));
    page::put_caps(parts.caps);
    for (index, lease) in parts.leases.into_iter().enumerate() {
        page::put_lease(index, lease);
    }
    page::put_bytes(0, &parts.bytes[..tag.bytes().min(MAX_BYTES)]);
    inbound(tag, call, badge, words)
}

fn wait(me: &Me, notification: Handle, deadline: u64) -> Result<u64, Error> {
    let wait = match deadline {
        NOW => Wait::Turn,
        deadline => Wait::Bits { notification, deadline },
    };
    me.world.pass(me.index, wait);
    match objects::wait(notification, Time::NEVER_WAIT) {
        Err(Error::WouldBlock) if deadline != NOW => Err(Error::TimedOut),
        result => {
            if let Ok(bits) = result {
                me.world.lock().note(me.index, || format!("hears {bits:#x}"));
            }
            result
        }
    }
}

fn set_timer(me: &Me, timer: Handle, time: u64) -> Result<(), Error> {
    let object = objects::timer(timer)?;
    let mut state = me.world.lock();
    state.timers.remove(&object);
    if time != FOREVER {
        let time = time.max(state.now + 1);
        state.timers.insert(object, (time, timer));
    }
    Ok(())
}

fn create(words: [u64; WORDS]) -> Result<Handle, Error> {
    let [kind, first, second, ..] = words;
    match ObjectKind::from_number(kind) {
        Some(ObjectKind::Endpoint) => Ok(objects::create_endpoint()),
        Some(ObjectKind::Notification) => Ok(objects::create_notification()),
        Some(ObjectKind::Memory) if second == 0 => Ok(objects::create_memory(first)),
        Some(ObjectKind::Timer) => Ok(objects::create_timer(Handle(first as u16), second)),
        _ => Err(Error::InvalidOperation),
    }
}

/// Returns whether the calling thread unwinds: what its destructors ask for is not done any more.
fn alloc_panicking() -> bool {
    extern crate std;
    std::thread::panicking()
}

impl State {
    /// Returns whether somebody waits for letters at an endpoint.
    fn is_received(&self, endpoint: u64) -> bool {
        self.actors.iter().any(|actor| {
            !actor.is_ended
                && matches!(actor.wait, Wait::Letter { endpoint: at, .. } if at == endpoint)
        })
    }

    /// Returns an endpoint's and an operation's names.
    fn describe(&self, endpoint: u64, label: u32) -> alloc::string::String {
        let operation = self.labels.iter().find_map(|name| name(label));
        let operation = operation.map_or_else(
            || format!("{}:{}", label >> 16, label & 0xffff),
            alloc::string::String::from,
        );
        match self.names.get(&endpoint) {
            Some(name) => format!("{name} {operation}"),
            None => operation,
        }
    }
}
