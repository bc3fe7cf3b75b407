//! Facts about rings, both sides in one thread; what needs more is in the modules.
extern crate std;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use kamen_abi::{Error, Handle};

use super::*;
use crate::syscall::objects;
use crate::{Memory, Object, Time, loopback};

mod hostile;
mod model;
mod threads;
mod wake;

#[derive(crate::ProtocolError, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
pub(super) enum Refused {
    Refused = 3,
}

/// Both sides of a ring, and what they share.
pub(super) struct Pair {
    pub(super) client: Client,
    pub(super) server: Server,
    pub(super) words: &'static [AtomicU64],
    client_bell: Notification,
    server_bell: Notification,
}

pub(super) fn shape(entries: u32) -> Shape {
    Shape::new(entries, 4096).unwrap()
}

pub(super) fn pair(entries: u32) -> Pair {
    let (client_bell, server_bell) = (loopback::notification(), loopback::notification());
    let memory = loopback::memory(shape(entries).pages());
    let words = objects::words(memory.handle()).unwrap();
    let client = Client::over(words, shape(entries), client_bell, server_bell).unwrap();
    let server = Server::over(words, client_bell).unwrap();
    Pair { client, server, words, client_bell, server_bell }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = (self.client_bell.delete(), self.server_bell.delete());
    }
}

fn done(token: u32, value: u64) -> Result<Option<Completion>, RingError> {
    Ok(Some(Completion { token, status: 0, value }))
}

/// Takes a submission that is there.
fn take(server: &mut Server) -> (Ticket, Submission) {
    server.take().unwrap().unwrap()
}

#[test]
fn what_was_submitted_is_taken_and_completed_in_any_order() {
    let mut pair = pair(4);
    let first = Submission::new(7, 1).with_buffer(Buffer::new(8, 16)).with_arguments([5, 6]);
    pair.client.submit(first).unwrap();
    pair.client.submit(Submission::new(8, 2)).unwrap();
    assert_eq!(pair.server.take(), Ok(None), "nothing is seen before the flush");
    pair.client.flush().unwrap();
    let (one, submission) = take(&mut pair.server);
    assert_eq!((one.token(), submission), (7, first));
    let (two, _) = take(&mut pair.server);
    pair.server.complete(two, Ok::<_, Refused>(9));
    pair.server.complete(one, Err(Refused::Refused));
    assert_eq!(pair.client.poll(), Ok(None), "nothing is seen before the flush");
    pair.server.flush().unwrap();
    assert_eq!(pair.client.poll(), done(8, 9));
    let refused = pair.client.poll().unwrap().unwrap();
    assert_eq!((refused.token, refused.result()), (7, Err(Failure::Protocol(Refused::Refused))));
    assert_eq!(pair.client.wait(Time::FOREVER), Ok(None), "nothing is in flight");
}

#[test]
fn a_full_ring_takes_no_more_until_a_completion_is_taken() {
    let mut pair = pair(2);
    for token in 0..2 {
        pair.client.submit(Submission::new(token, 0)).unwrap();
    }
    assert_eq!(pair.client.submit(Submission::new(2, 0)), Err(RingError::Full));
    pair.client.flush().unwrap();
    let (ticket, _) = take(&mut pair.server);
    pair.server.complete(ticket, Ok::<_, Refused>(0));
    pair.server.flush().unwrap();
    assert_eq!(pair.client.submit(Submission::new(2, 0)), Err(RingError::Full));
    assert_eq!(pair.client.poll(), done(0, 0));
    assert_eq!(pair.client.submit(Submission::new(2, 0)), Ok(()));
}

#[test]
fn a_buffer_outside_of_the_area_is_refused_by_either_side() {
    let outside = [(4096, 1), (0, 4097), (4, 4), (0xffff_fff8, u32::MAX), (4088, 9)];
    for (at, len) in outside {
        let mut pair = pair(2);
        let submission = Submission::new(0, 0).with_buffer(Buffer::new(at, len));
        assert_eq!(pair.client.submit(submission), Err(RingError::Outside), "{at} {len}");
        // A client that does not care.
        pair.client.submit(Submission::new(0, 0)).unwrap();
        pair.words[33].store(u64::from(len) << 32 | u64::from(at), Relaxed);
        pair.client.flush().unwrap();
        let closed = RingError::Peer(PeerError::Buffer);
        assert_eq!(pair.server.take(), Err(closed), "{at} {len}");
        assert_eq!(pair.server.rest(), Err(closed), "it stays closed");
    }
}

#[test]
fn a_count_that_runs_ahead_or_back_closes_the_ring() {
    let closed = RingError::Peer(PeerError::Count);
    for (submitted, count) in [(0, 3), (1, 4), (2, 1), (1, 0), (0, u64::from(u32::MAX))] {
        let mut pair = pair(2);
        let mut tickets = Vec::new();
        for token in 0..submitted {
            pair.client.submit(Submission::new(token, 0)).unwrap();
            pair.client.flush().unwrap();
            tickets.push(take(&mut pair.server));
        }
        pair.words[8].store(1 << 32 | count, Relaxed);
        assert_eq!(pair.server.take(), Err(closed), "{submitted} {count}");
        assert_eq!(pair.server.take(), Err(closed), "it stays closed");
        pair.words[16].store(1 << 32 | (u64::from(submitted) + 1), Relaxed);
        assert_eq!(pair.client.poll(), Err(closed), "{submitted} {count}");
        assert_eq!(pair.client.submit(Submission::new(9, 0)), Err(closed), "it stays closed");
    }
}

#[test]
fn who_sleeps_is_rung_once_for_a_batch_and_who_is_awake_never() {
    let mut pair = pair(8);
    let submit = |client: &mut Client, token| {
        client.submit(Submission::new(token, 0)).unwrap();
        client.flush().unwrap();
    };
    submit(&mut pair.client, 0);
    assert_eq!(pair.server_bell.poll(), Ok(1), "who has just opened the ring sleeps");
    submit(&mut pair.client, 1);
    assert_eq!(pair.server_bell.poll(), Ok(0), "it was rung already");
    assert_eq!(pair.server.rest(), Ok(false), "there is something to take");
    let _tickets = [take(&mut pair.server), take(&mut pair.server)];
    submit(&mut pair.client, 2);
    assert_eq!(pair.server_bell.poll(), Ok(0), "it is awake");
    let _ticket = take(&mut pair.server);
    assert_eq!(pair.server.rest(), Ok(true));
    submit(&mut pair.client, 3);
    assert_eq!(pair.server_bell.poll(), Ok(1));
}

#[test]
fn what_is_submitted_before_the_ring_is_open_is_served() {
    let (memory, bell) = (loopback::memory(shape(4).pages()), loopback::notification());
    let mut client = Client::create(memory, loopback::notification(), shape(4)).unwrap();
    client.submit(Submission::new(1, 0)).unwrap();
    client.flush().unwrap();
    let mut server = None;
    let opened = client.connect(|memory, client_bell| {
        server = Some(attach(memory, client_bell)?);
        Ok::<_, RingError>(bell)
    });
    assert_eq!((opened, bell.poll()), (Ok(()), Ok(1)));
    assert_eq!(take(&mut server.unwrap()).0.token(), 1);
}

#[test]
fn serving_ends_after_a_whole_ring_and_says_so() {
    let mut pair = pair(2);
    let mut served = 0;
    // A client that submits again as soon as it can.
    pair.client.submit(Submission::new(0, 0)).unwrap();
    pair.client.flush().unwrap();
    let end = pair.server.serve(|server, ticket, _| {
        served += 1;
        server.complete(ticket, Ok::<_, Refused>(0));
        server.flush().unwrap();
        pair.client.poll().unwrap();
        pair.client.submit(Submission::new(0, 0)).unwrap();
        pair.client.flush().unwrap();
    });
    assert_eq!((end, served), (Ok(Served::More), 2));
}

#[test]
fn memory_that_holds_no_ring_is_refused_and_its_capabilities_deleted() {
    let rings = [(0, 0), (0, u64::MAX), (1, 0), (1, 3), (1, 1 << 12), (1, 1 << 63), (8, 0)];
    for (word, value) in rings {
        let (memory, bell) = (loopback::memory(2), loopback::notification());
        let words = objects::words(memory.handle()).unwrap();
        let client = Client::over(words, shape(8), bell, bell).unwrap();
        words[word].store(value, Relaxed);
        let refused = Server::attach(memory, bell).err();
        assert_eq!(refused, Some(RingError::Peer(PeerError::Layout)), "{word} {value}");
        assert_eq!((memory.pages(), bell.poll().err()), gone(), "{word} {value}");
        drop(client);
    }
}

fn gone<T>() -> (Result<T, Error>, Option<Error>) {
    (Err(Error::InvalidHandle), Some(Error::InvalidHandle))
}

#[test]
fn an_object_that_is_too_small_or_too_large_or_none_is_refused() {
    let bell = loopback::notification;
    let small = Client::create(loopback::memory(1), bell(), shape(8)).err();
    assert_eq!(small, Some(RingError::Kernel(Error::InvalidArgument)));
    let large = Client::create(loopback::memory(MAX_PAGES + 1), bell(), shape(8)).err();
    assert_eq!(large, Some(RingError::Kernel(Error::InvalidArgument)));
    let none = Client::create(Memory(Handle(7)), bell(), shape(8)).err();
    assert_eq!(none, Some(RingError::Kernel(Error::InvalidOperation)));
    assert_eq!(Shape::new(8, 16 << 20), None);
    assert_eq!(Shape::new(2 * MAX_ENTRIES, 0), None);
}

/// Attaches to copies, as the server gets them.
fn attach(memory: Memory, bell: Notification) -> Result<Server, RingError> {
    Server::attach(Memory(objects::copy(memory.0)), Notification(objects::copy(bell.0)))
}

/// Opens a ring by its capabilities, as a protocol's operation does.
fn open(servers: &mut Vec<Server>, bell: Notification) -> (Client, Memory) {
    let memory = loopback::memory(shape(4).pages());
    let opened = Client::open(memory, loopback::notification(), shape(4), |memory, client_bell| {
        servers.push(attach(memory, client_bell)?);
        Ok::<_, RingError>(bell.mint(crate::Rights::SEND, 1)?)
    });
    (opened.unwrap(), memory)
}

#[test]
fn both_sides_delete_their_capabilities() {
    let (mut servers, bell) = (Vec::new(), loopback::notification());
    let (client, memory) = open(&mut servers, bell);
    drop(client);
    assert_eq!(memory.pages(), Err(Error::InvalidHandle));
    let server = servers.pop().unwrap();
    assert!(server.area().contains(Buffer::new(0, 4096)), "the server's copy lives on");
}

#[test]
fn a_server_whose_doorbell_is_gone_has_ended_and_the_ring_is_opened_again() {
    let (mut servers, bell) = (Vec::new(), loopback::notification());
    let (mut client, _) = open(&mut servers, bell);
    let mut pending = Pending::new();
    for name in ["one", "two"] {
        client.submit(Submission::new(pending.insert(name), 0)).unwrap();
    }
    client.flush().unwrap();
    let mut first = servers.pop().unwrap();
    let (ticket, _) = take(&mut first);
    first.complete(ticket, Ok::<_, Refused>(0));
    first.flush().unwrap();
    pending.remove(client.poll().unwrap().unwrap().token).unwrap();
    let _ = take(&mut first);
    assert_eq!(first.rest(), Ok(true));
    drop(first);
    bell.destroy().unwrap();
    client.submit(Submission::new(pending.insert("three"), 0)).unwrap();
    assert_eq!(client.flush(), Err(RingError::Ended));
    let next = loopback::notification();
    let reopened = client.connect(|memory, client_bell| {
        servers.push(attach(memory, client_bell)?);
        Ok::<_, RingError>(next)
    });
    assert_eq!((reopened, client.in_flight()), (Ok(()), 0));
    for (token, _) in pending.iter() {
        client.submit(Submission::new(token, 0)).unwrap();
    }
    client.flush().unwrap();
    let server = servers.last_mut().unwrap();
    let served = server.serve(|server, ticket, _| server.complete(ticket, Ok::<_, Refused>(1)));
    assert_eq!(served, Ok(Served::All));
    let mut names = Vec::new();
    while let Some(done) = client.wait(Time::FOREVER).unwrap() {
        names.push(pending.remove(done.token).unwrap());
    }
    names.sort();
    assert_eq!(names, ["three", "two"]);
}

#[test]
fn a_new_life_that_opens_the_same_ring_tells_the_client() {
    let mut pair = pair(4);
    pair.client.submit(Submission::new(1, 0)).unwrap();
    pair.client.flush().unwrap();
    let _ = take(&mut pair.server);
    assert_eq!(pair.client.rest(), Ok(true));
    let mut next = Server::over(pair.words, pair.client_bell).unwrap();
    assert_eq!(pair.client_bell.poll(), Ok(1), "the client is woken");
    assert_eq!(pair.client.poll(), Err(RingError::Ended));
    assert_eq!(next.take(), Ok(None), "what another life may have done is not done again");
    assert_eq!(next.rest(), Ok(true));
    pair.client.reset();
    pair.client.submit(Submission::new(2, 0)).unwrap();
    pair.client.flush().unwrap();
    assert_eq!(pair.server_bell.poll(), Ok(1), "the new life is woken");
    let (ticket, _) = take(&mut next);
    next.complete(ticket, Ok::<_, Refused>(5));
    next.flush().unwrap();
    assert_eq!(pair.client.poll(), done(2, 5));
}

#[test]
fn a_reset_drops_old_answers_and_does_not_raise_what_a_server_holds() {
    let mut pair = pair(2);
    let mut tickets = Vec::new();
    for round in 0..4 {
        for token in 0..2 {
            pair.client.submit(Submission::new(round * 2 + token, 0)).unwrap();
        }
        pair.client.flush().unwrap();
        while let Some((ticket, _)) = pair.server.take().unwrap() {
            tickets.push(ticket);
        }
        assert_eq!((tickets.len(), pair.server.held()), (2, 2));
        pair.client.reset();
    }
    pair.client.submit(Submission::new(100, 0)).unwrap();
    pair.client.flush().unwrap();
    assert_eq!(pair.server.rest(), Ok(true), "there is no room");
    for ticket in tickets {
        pair.server.complete(ticket, Ok::<_, Refused>(0));
    }
    let served =
        pair.server.serve(|server, ticket, _| server.complete(ticket, Ok::<_, Refused>(7)));
    assert_eq!(served, Ok(Served::All));
    assert_eq!((pair.client.poll(), pair.client.poll()), (done(100, 7), Ok(None)));
}

#[test]
fn generations_wrap_past_none_and_the_mark_of_an_end() {
    let before = |generation: u64| {
        let word: &'static AtomicU64 =
            Vec::leak(std::vec![AtomicU64::new(generation << 32)]).first().unwrap();
        line::Line::new(word, word).position()
    };
    for (generation, next) in [(0, 1), (1, 2), (0x7fff_ffff, 1), (0x8000_0001, 2), (0xffff_ffff, 1)]
    {
        let after = line::Generation::after(before(generation));
        assert_eq!(before(next).generation(), Some(after), "{generation:x}");
    }
}

#[test]
fn bytes_of_any_length_are_copied_and_nothing_beside_them() {
    let pair = pair(2);
    let area = pair.client.area();
    for len in (0..200).chain([4000, 4096, 5000]) {
        area.write(Buffer::new(0, 4096), &[0xee; 4096]);
        let bytes: Vec<u8> = (0..len).map(|at: usize| (at * 7 + 1) as u8).collect();
        let buffer = Buffer::new(8, 4088);
        let written = area.write(buffer, &bytes);
        assert_eq!(written, len.min(4088));
        let mut back = std::vec![0; len + 3];
        assert_eq!(area.read(buffer.first(written as u32), &mut back), written);
        assert_eq!(
            (&back[..written], &back[written..]),
            (&bytes[..written], &std::vec![0; len + 3 - written][..])
        );
        let beside: [u64; 1] = area.load(Buffer::new(0, 8)).unwrap();
        assert_eq!(beside, [0xeeee_eeee_eeee_eeee]);
        let next = 8 + written.next_multiple_of(8) as u32;
        if next < 4096 {
            assert_eq!(area.load(Buffer::new(next, 8)), Some([0xeeee_eeee_eeee_eeee]), "{len}");
        }
    }
    assert_eq!(area.read(Buffer::new(4090, 100), &mut [0; 100]), 8);
    assert_eq!(area.write(Buffer::new(u32::MAX, u32::MAX), &[1; 100]), 0);
    assert_eq!(area.load::<2>(Buffer::new(0, 15)), None);
    assert!(!area.store(Buffer::new(4096, 8), [1]));
    assert_eq!(area.buffers(1000).count(), 4);
    assert_eq!(area.buffers(0).count(), 0);
}

#[test]
fn tokens_are_given_out_once() {
    let mut pending = Pending::default();
    let tokens: Vec<u32> = (0..5).map(|value| pending.insert(value)).collect();
    assert_eq!((pending.remove(tokens[2]), pending.len()), (Some(2), 4));
    let again = pending.insert(9);
    assert!(!tokens.contains(&again));
    assert_eq!((pending.remove(tokens[2]), pending.get(again)), (None, Some(&9)));
    assert_eq!((pending.remove(u32::MAX), pending.remove(5)), (None, None));
}
