//! The server of sums on the host: a client that lends, and one that shares a ring.

use core::cell::RefCell;

use libipc::loopback::{self, Loopback};
use libipc::ring::Shape;
use libipc::{Endpoint, Handle};

use super::*;

/// Sums of texts, by zlib's adler32 (as Python's zlib module returns them).
const KNOWN: [(&[u8], u32); 4] =
    [(b"", 0x0000_0001), (b"a", 0x0062_0062), (b"abc", 0x024d_0127), (b"Wikipedia", 0x11e6_0398)];

// ANCHOR: lease
#[test]
fn lent_bytes_are_added_up() {
    let mut server = Server::new(loopback::notification());
    let loopback = Loopback::new(1, |request| serve_checksum(&mut server, request));
    let client = ChecksumClient::with(Endpoint(Handle(1)), loopback);
    for (bytes, sum) in KNOWN {
        assert_eq!(client.sum(bytes), Ok(sum));
    }
    // Longer than one block, and no multiple of it.
    assert_eq!(client.sum(&[7; 10_000]), Ok(0x7c4a_1180));
}
// ANCHOR_END: lease

#[test]
fn what_is_too_long_is_refused() {
    let mut server = Server::new(loopback::notification());
    let loopback = Loopback::new(1, |request| serve_checksum(&mut server, request));
    let client = ChecksumClient::with(Endpoint(Handle(1)), loopback);
    let bytes = vec![0; LEN_MAX as usize + 1];
    assert_eq!(client.sum(&bytes), Err(Failure::Protocol(ChecksumError::TooLong)));
    assert!(client.sum(&bytes[1..]).is_ok());
}

// ANCHOR: ring
#[test]
fn what_is_in_a_ring_is_added_up_at_once() {
    let server = RefCell::new(Server::new(loopback::notification()));
    let loopback = Loopback::new(1, |request| serve_checksum(&mut *server.borrow_mut(), request));
    let client = ChecksumClient::with(Endpoint(Handle(1)), loopback);

    // In the system the manifest's `rings` give the memory; here it comes from the test.
    let shape = Shape::new(4, 4 * 64).expect("4 is a power of two");
    let (memory, bell) = (loopback::memory(shape.pages()), loopback::notification());
    let open = |memory, bell| client.open(memory, bell);
    let mut ring = Client::open(memory, bell, shape, open).expect("the server opens it");

    let pending = submit_parts(&mut ring, &KNOWN.map(|(bytes, _)| bytes)).expect("there is room");
    // The doorbell was rung: what the loop would call.
    assert_eq!(server.borrow_mut().occurred(Source::Ring), Attention::Done);
    assert_eq!(collect_sums(&mut ring, pending), Ok(KNOWN.map(|(_, sum)| sum).to_vec()));
}
// ANCHOR_END: ring

// ANCHOR: hostile
#[test]
fn a_client_that_breaks_the_rules_loses_its_ring() {
    let mut server = Server::new(loopback::notification());
    // Memory that holds no ring.
    let loopback = Loopback::new(1, |request| serve_checksum(&mut server, request));
    let client = ChecksumClient::with(Endpoint(Handle(1)), loopback);
    let opened = client.open(loopback::memory(1), loopback::notification());
    assert_eq!(opened, Err(Failure::Protocol(ChecksumError::Ring)));
}
// ANCHOR_END: hostile

#[test]
fn a_ring_that_is_too_small_refuses_more() {
    let server = RefCell::new(Server::new(loopback::notification()));
    let loopback = Loopback::new(1, |request| serve_checksum(&mut *server.borrow_mut(), request));
    let client = ChecksumClient::with(Endpoint(Handle(1)), loopback);
    let shape = Shape::new(2, 4 * 64).expect("2 is a power of two");
    let (memory, bell) = (loopback::memory(shape.pages()), loopback::notification());
    let open = |memory, bell| client.open(memory, bell);
    let mut ring = Client::open(memory, bell, shape, open).expect("the server opens it");
    let parts: [&[u8]; 3] = [b"a", b"b", b"c"];
    assert_eq!(submit_parts(&mut ring, &parts).err(), Some(RingError::Full));
}
