//! The server: does what it is asked, keeps one call until its timer comes, and serves a ring.

use alloc::vec::Vec;

use libipc::ring::{self, Served, Submission, Ticket};
use libipc::{
    Caller, Endpoint, Error, Event, Memory, Message, Notification, Object, Quota, ReadLease,
    Rights, Time, Timer, WriteLease, log, now,
};

use crate::probe::{Answered, Probe, ProbeError, Sum, probe_reply, serve_probe};
use crate::reader::{READ, content};

/// Bytes moved at once between leases.
const CHUNK: usize = 4096;
/// The bit of the bound notification by which the ring's client rings; the others are the timer's.
pub const RING_BIT: u64 = 2;

/// The server of the protocol.
#[derive(Debug)]
pub struct Server {
    quota: Quota,
    timer: Option<Timer>,
    parked: Option<Caller>,
    bell: Option<Notification>,
    ring: Option<ring::Server>,
}

impl Server {
    /// Returns a server that creates objects from a quota, and whose timer signals the bound
    /// notification, as does `bell`, by [`RING_BIT`], for the ring's client.
    pub const fn new(quota: Quota, timer: Option<Timer>, bell: Option<Notification>) -> Self {
        Server { quota, timer, parked: None, bell, ring: None }
    }

    /// Handles an event.
    pub fn handle(&mut self, event: Event<'_>) -> Option<Message> {
        match event {
            Event::Request(request) => serve_probe(self, &request),
            Event::Notified(bits) => {
                if bits & RING_BIT != 0 {
                    self.serve_ring();
                }
                if bits & !RING_BIT != 0 {
                    self.answer_parked();
                }
                None
            }
            Event::Foreign(_) | Event::Cancelled(_) => None,
        }
    }

    /// Answers the parked call.
    pub fn answer_parked(&mut self) {
        let Some(caller) = self.parked.take() else { return };
        let written = caller.call.lease_write(0, 0, b"later").map_err(Error::from);
        let result = written.map(|()| Answered::Later).map_err(kernel("parked lease"));
        if let Err(error) = caller.call.reply(&probe_reply::later(result)) {
            log!("late reply: {error:?}");
        }
    }

    /// Takes what was submitted, and completes the last first.
    fn serve_ring(&mut self) {
        let Some(ring) = &mut self.ring else { return };
        let mut taken = Vec::new();
        let served = ring.serve(|_, ticket, submission| taken.push((ticket, submission)));
        while let Some((ticket, submission)) = taken.pop() {
            read(ring, ticket, submission);
        }
        let end = served.and_then(|served| ring.flush().map(|()| served));
        match (end, self.bell) {
            (Ok(Served::All), _) | (Ok(Served::More), None) => {}
            // The bell is this server's own; its next receive brings it back here.
            (Ok(Served::More), Some(bell)) => drop(bell.signal(RING_BIT)),
            (Err(error), _) => {
                log!("ring: {error:?}");
                self.ring = None;
            }
        }
    }

    fn memory(&self) -> Result<Memory, Error> {
        let memory = self.quota.create_memory(1)?;
        memory.write(0, b"memory")?;
        memory.mint(Rights::READ.union(Rights::GRANT), 0)
    }
}

/// Returns what turns an error of the kernel into one of the protocol.
fn kernel(what: &str) -> impl Fn(Error) -> ProbeError {
    move |error| {
        log!("{what}: {error:?}");
        ProbeError::Kernel
    }
}

fn read(ring: &mut ring::Server, ticket: Ticket, submission: Submission) {
    let [block, _] = submission.arguments;
    let buffer = submission.buffer;
    let result = match submission.operation {
        READ => {
            let bytes = [content(block); CHUNK];
            ring.area().write(buffer, &bytes);
            Ok(block)
        }
        _ => Err(ProbeError::Refused),
    };
    ring.complete(ticket, result);
}

impl Probe for Server {
    fn nothing(&mut self, _: &Caller) -> Result<(), ProbeError> {
        Ok(())
    }

    fn refuse(&mut self, _: &Caller) -> Result<(), ProbeError> {
        Err(ProbeError::Refused)
    }

    fn add(
        &mut self,
        _: &Caller,
        a: u64,
        b: u64,
        c: u64,
        d: u64,
        e: u64,
        f: u64,
    ) -> Result<u64, ProbeError> {
        let words = [a, b, c, d, e, f];
        Ok(words.into_iter().fold(0, u64::wrapping_add))
    }

    fn sum(
        &mut self,
        caller: &Caller,
        one: &[u8],
        text: &str,
        two: &[u8],
    ) -> Result<Sum, ProbeError> {
        let bytes = || one.iter().chain(text.as_bytes()).chain(two);
        let sum = bytes().map(|&byte| u64::from(byte)).sum();
        Ok(Sum { sum, count: bytes().count() as u32, badge: caller.badge as u32 })
    }

    fn increase(
        &mut self,
        _: &Caller,
        from: ReadLease<'_>,
        into: WriteLease<'_>,
    ) -> Result<u64, ProbeError> {
        let len = from.len().min(into.len());
        let (mut chunk, mut done) = ([0; CHUNK], 0);
        while done < len {
            let part = &mut chunk[..(len - done).min(CHUNK as u64) as usize];
            from.read_at(done, part).map_err(kernel("read"))?;
            part.iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
            into.write_at(done, part).map_err(kernel("write"))?;
            done += part.len() as u64;
        }
        Ok(done)
    }

    fn trespass(
        &mut self,
        caller: &Caller,
        from: ReadLease<'_>,
        into: WriteLease<'_>,
    ) -> Result<u32, ProbeError> {
        let mut byte = [0];
        let refusals = [
            from.read_at(from.len(), &mut byte).is_err(),
            into.write_at(u64::MAX, &byte).is_err(),
            caller.call.lease_read(into.index(), 0, &mut byte).is_err(),
            caller.call.lease_write(3, 0, &byte).is_err(),
        ];
        Ok(refusals.into_iter().filter(|&refused| refused).count() as u32)
    }

    fn exchange(
        &mut self,
        _: &Caller,
        bits: u64,
        signal: Notification,
        other: Endpoint,
    ) -> Result<(Memory, u32, Endpoint), ProbeError> {
        signal.signal(bits).map_err(kernel("signal"))?;
        signal.delete().map_err(kernel("delete"))?;
        Ok((self.memory().map_err(kernel("memory"))?, 6, other))
    }

    fn later(
        &mut self,
        caller: &Caller,
        after_ms: u64,
        _into: WriteLease<'_>,
    ) -> Option<Result<Answered, ProbeError>> {
        if after_ms == 0 {
            return Some(Ok(Answered::AtOnce));
        }
        self.parked = Some(*caller);
        let time: Time = now().after_ms(after_ms);
        let set = self.timer.map_or(Ok(()), |timer| timer.set(time));
        set.err().map(|error| Err(kernel("timer")(error)))
    }

    fn ring(
        &mut self,
        _: &Caller,
        memory: Memory,
        bell: Notification,
    ) -> Result<Notification, ProbeError> {
        let ring = ring::Server::attach(memory, bell).map_err(|error| {
            log!("ring: {error:?}");
            ProbeError::Kernel
        })?;
        self.ring = Some(ring);
        self.bell.ok_or(ProbeError::Refused)
    }

    fn fault(&mut self, _: &Caller) -> Result<(), ProbeError> {
        panic!("as asked for")
    }
}
