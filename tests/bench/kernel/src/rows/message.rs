//! Round trips: call + reply-and-receive between two threads.
//!
//! The servers are loops around one system call, as in seL4's benchmark: what a server does with
//! a request is not the kernel's affair.

use core::sync::atomic::Ordering::Relaxed;

use libipc::abi::trace::EventKind;
use libipc::abi::{Lease, MessagePage, PAGE_SIZE, Tag, WORDS, boot};
use libipc::{Error, Object, Trace};

use crate::measure::{BATCH, row};
use crate::raw;
use crate::world::{Entry, Where, World, number};

/// Words of the longer message that lie in the message page.
const PAGE_WORDS: usize = 4;
/// Where they do, in words.
const BYTES_AT: usize = MessagePage::BYTES_AT / 8;
const LEASES_AT: usize = MessagePage::LEASES_AT / 8;

/// 0 words, two spaces.
pub fn rt0_cross(world: &mut World) -> Result<(), Error> {
    empty(world, "rt0_cross", Where::Second)
}

/// The same while the kernel's trace records all but the operations themselves.
pub fn rt0_traced(world: &mut World) -> Result<(), Error> {
    let trace = Trace(boot::TRACE);
    trace.record(EventKind::EVERYTHING & !EventKind::Entry.set())?;
    let measured = empty(world, "rt0_traced", Where::Second);
    trace.record(0)?;
    measured
}

/// 0 words, one space.
pub fn rt0_same(world: &mut World) -> Result<(), Error> {
    empty(world, "rt0_same", Where::Own)
}

/// 6 words either way, two spaces.
pub fn rt6_cross(world: &mut World) -> Result<(), Error> {
    let words = [1, 2, 3, 4, 5, 6];
    serve(world, Where::Second, echo, |endpoint| {
        let mut back = (1, [0; WORDS]);
        let call = || back = raw::call_words(endpoint, 0, words);
        row("rt6_cross", BATCH, call);
        if back == (0, words) { Ok(()) } else { Err(Error::InvalidOperation) }
    })
}

/// 10 words either way, two spaces: 6 in registers, 4 in the message page, which both sides write
/// and read.
pub fn rt10_cross(world: &mut World) -> Result<(), Error> {
    let words = [1, 2, 3, 4, 5, 6];
    let tag = Tag::long(0, PAGE_WORDS * 8, 0, 0).0;
    serve(world, Where::Second, echo_page, |endpoint| {
        let page = raw::page(boot::MESSAGE_PAGE as u64);
        let (mut back, mut sum) = ((1, [0; WORDS]), 0);
        let call = || {
            for at in 0..PAGE_WORDS {
                page[BYTES_AT + at].store(7 + at as u64, Relaxed);
            }
            back = raw::call_words(endpoint, tag, words);
            sum = (0..PAGE_WORDS).map(|at| page[BYTES_AT + at].load(Relaxed)).sum();
        };
        row("rt10_cross", BATCH, call);
        // The server adds one to each.
        if (back, sum) == ((0, words), 7 + 8 + 9 + 10 + 4) {
            Ok(())
        } else {
            Err(Error::InvalidOperation)
        }
    })
}

/// A call that lends 4 KiB; the server copies them in with one operation and replies.
pub fn lease4k(world: &mut World) -> Result<(), Error> {
    let tag = Tag::long(0, 0, 0, 1).0;
    let memory = world.quota.create_memory(1)?;
    memory.write(0, &[7; PAGE_SIZE])?;
    let space = libipc::Space(boot::SPACE);
    space.map(memory, 0, LENT_AT, 1, libipc::Rights::READ)?;
    // As a client that has made what it lends.
    raw::look(LENT_AT);
    let result = serve(world, Where::Second, copy_in, |endpoint| {
        let page = raw::page(boot::MESSAGE_PAGE as u64);
        let lease = Lease::read(LENT_AT, PAGE_SIZE as u64);
        let (mut status, mut copied) = (1, [0; WORDS]);
        let call = || {
            page[LEASES_AT].store(lease.address, Relaxed);
            page[LEASES_AT + 1].store(lease.len_and_access, Relaxed);
            (status, copied) = raw::call_words(endpoint, tag, [0; WORDS]);
        };
        row("lease4k", BATCH, call);
        // The server tells how many bytes it got.
        if (status, copied[0]) == (0, lease.len()) { Ok(()) } else { Err(Error::BadAddress) }
    });
    space.unmap(LENT_AT, 1)?;
    memory.destroy()?;
    result
}

/// Where the lent page lies.
const LENT_AT: u64 = 0x5100_0000_0000;

fn empty(world: &mut World, name: &str, at: Where) -> Result<(), Error> {
    serve(world, at, echo, |endpoint| {
        let mut status = 1;
        row(name, BATCH, || status = raw::call(endpoint, 0));
        if status == 0 { Ok(()) } else { Err(Error::InvalidOperation) }
    })
}

/// Runs `measure` against a server.
#[inline(always)]
fn serve(
    world: &mut World,
    at: Where,
    server: Entry,
    measure: impl FnOnce(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let endpoint = world.quota.create_endpoint()?;
    let thread = world.spawn(at, server, [number(endpoint), 0])?;
    let result = measure(number(endpoint));
    thread.destroy()?;
    endpoint.destroy()?;
    result
}

/// Answers every call with the words that it brought.
extern "C" fn echo(endpoint: u64, _: u64, _: u64) -> ! {
    let (mut call, mut words) = (0, [0; WORDS]);
    loop {
        let received = raw::reply_receive(call, 0, words, endpoint);
        (call, words) = (received.call, received.words);
    }
}

/// Answers every call with the words and one more of each in the page.
extern "C" fn echo_page(endpoint: u64, _: u64, page: u64) -> ! {
    let page = raw::page(page);
    let (mut call, mut tag, mut words) = (0, 0, [0; WORDS]);
    loop {
        let received = raw::reply_receive(call, tag, words, endpoint);
        (call, words) = (received.call, received.words);
        tag = Tag::long(0, PAGE_WORDS * 8, 0, 0).0;
        for at in 0..PAGE_WORDS {
            let word = &page[BYTES_AT + at];
            word.store(word.load(Relaxed) + 1, Relaxed);
        }
    }
}

/// Copies the first lease of every call in and answers with its length.
extern "C" fn copy_in(endpoint: u64, _: u64, _: u64) -> ! {
    // A server looks at what it copies in: the buffer is mapped.
    let buffer = raw::buffer();
    raw::touch(buffer);
    let (mut call, mut words) = (0, [0; WORDS]);
    loop {
        call = raw::reply_receive(call, 0, words, endpoint).call;
        let (status, bytes) = raw::copy(call, buffer, PAGE_SIZE as u64);
        words[0] = if status == 0 { bytes } else { 0 };
    }
}
