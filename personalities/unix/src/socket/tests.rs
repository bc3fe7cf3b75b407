//! Sockets against one another, without a system around them.

use alloc::vec::Vec;

use super::*;
use crate::context::Wait;
use crate::open::{Closed, Kind as Table, Numbered, Object, OpenFile};

const WHO: Who = Who { pid: 7, uid: 1000, gid: 100 };

fn pair(kind: Kind) -> (Sockets, Wakes) {
    let wakes = Wakes::default();
    let mut sockets = Sockets::new(&wakes);
    for number in [1, 2] {
        sockets.add(number, kind, WHO).unwrap();
    }
    sockets.pair(1, 2).unwrap();
    (sockets, wakes)
}

fn send(sockets: &mut Sockets, number: u64, bytes: &[u8]) -> Result<usize, Stop> {
    let mut control = Control::default();
    match sockets.get(number).unwrap().kind {
        Kind::Stream => sockets.send_bytes(number, bytes, &mut control, || WHO),
        _ => sockets.send_packet(number, None, bytes, &mut control, || WHO),
    }
}

fn receive(sockets: &mut Sockets, number: u64, most: usize) -> Result<Vec<u8>, Stop> {
    let mut into = alloc::vec![0; most];
    let count = sockets.receive(number, &mut into, How::default())?.count;
    into.truncate(count);
    Ok(into)
}

fn waits(channel: Channel) -> Stop {
    Stop::Wait(Wait::on(channel))
}

#[test]
fn a_stream_carries_bytes_both_ways_until_an_end_is_closed() {
    let (mut sockets, wakes) = pair(Kind::Stream);
    assert_eq!(receive(&mut sockets, 2, 9), Err(waits(Channel::SocketIn(2))));
    assert_eq!(send(&mut sockets, 1, b"one"), Ok(3));
    assert_eq!(wakes.take(), [Channel::SocketIn(2)]);
    assert_eq!(send(&mut sockets, 1, b"two"), Ok(3));
    assert_eq!(send(&mut sockets, 2, b"back"), Ok(4));
    assert_eq!(receive(&mut sockets, 2, 4), Ok(b"onet".to_vec()));
    sockets.remove(1);
    assert_eq!(receive(&mut sockets, 2, 9), Ok(b"wo".to_vec()));
    // What came to 1 was never received.
    assert_eq!(receive(&mut sockets, 2, 9), Err(Errno::ECONNRESET.into()));
    assert_eq!(receive(&mut sockets, 2, 9), Ok(Vec::new()));
    assert_eq!(send(&mut sockets, 2, b"x"), Err(Errno::EPIPE.into()));
    sockets.remove(2);
    assert_eq!((sockets.len(), sockets.queued), (0, 0));
}

#[test]
fn a_sender_waits_until_a_quarter_is_left_under_way() {
    let (mut sockets, wakes) = pair(Kind::Stream);
    let bytes = alloc::vec![7; DEFAULT_BUFFER + 10];
    assert_eq!(send(&mut sockets, 1, &bytes), Ok(DEFAULT_BUFFER));
    assert_eq!(send(&mut sockets, 1, b"x"), Err(waits(Channel::SocketOut(1))));
    assert!(!sockets.readiness(1).can_write());
    wakes.take();
    receive(&mut sockets, 2, DEFAULT_BUFFER / 2).unwrap();
    assert!(wakes.is_empty());
    receive(&mut sockets, 2, DEFAULT_BUFFER / 4).unwrap();
    assert_eq!(wakes.take(), [Channel::SocketOut(1)]);
    assert!(sockets.readiness(1).can_write());
}

#[test]
fn messages_keep_their_bounds_and_have_a_largest() {
    let (mut sockets, _) = pair(Kind::Sequenced);
    for message in [&b"first"[..], b"", b"second"] {
        assert_eq!(send(&mut sockets, 1, message), Ok(message.len()));
    }
    assert_eq!(receive(&mut sockets, 2, 3), Ok(b"fir".to_vec()));
    assert_eq!(receive(&mut sockets, 2, 9), Ok(Vec::new()));
    assert_eq!(receive(&mut sockets, 2, 9), Ok(b"second".to_vec()));
    let large = alloc::vec![0; DEFAULT_BUFFER - 31];
    assert_eq!(send(&mut sockets, 1, &large), Err(Errno::EMSGSIZE.into()));
    sockets.remove(2);
    assert_eq!(send(&mut sockets, 1, b"x"), Err(Errno::EPIPE.into()));
}

#[test]
fn small_messages_cost_what_they_occupy() {
    let (mut sockets, _) = pair(Kind::Datagram);
    let sent = (0..1000).take_while(|_| send(&mut sockets, 1, b"x").is_ok()).count();
    assert!((200..400).contains(&sent), "{sent}");
}

#[test]
fn datagrams_of_strangers_wait_where_the_queue_is_full() {
    let wakes = Wakes::default();
    let mut sockets = Sockets::new(&wakes);
    for number in [1, 2] {
        sockets.add(number, Kind::Datagram, WHO).unwrap();
    }
    sockets.bind_name(2, b"name").unwrap();
    let to = sockets.by_name(Kind::Datagram, b"name");
    let post =
        |sockets: &mut Sockets| sockets.send_packet(1, to, b"x", &mut Control::default(), || WHO);
    for _ in 0..=MAX_DATAGRAMS {
        assert_eq!(post(&mut sockets), Ok(1));
    }
    assert_eq!(post(&mut sockets), Err(waits(Channel::SocketQueue(2))));
    receive(&mut sockets, 2, 1).unwrap();
    assert!(wakes.take().contains(&Channel::SocketQueue(2)));
    assert_eq!(post(&mut sockets), Ok(1));
    sockets.aim(2, Some(2)).unwrap();
    assert_eq!(post(&mut sockets), Err(Errno::EPERM.into()));
    sockets.remove(2);
    assert_eq!(post(&mut sockets), Err(Errno::ECONNREFUSED.into()));
    assert_eq!(sockets.by_name(Kind::Datagram, b"name"), None);
}

#[test]
fn connections_wait_to_be_accepted_and_are_refused_when_the_listener_goes() {
    let wakes = Wakes::default();
    let mut sockets = Sockets::new(&wakes);
    for number in 1..=4 {
        sockets.add(number, Kind::Stream, WHO).unwrap();
    }
    assert_eq!(sockets.listen(1, 0, WHO), Err(Errno::EINVAL));
    sockets.bind_name(1, b"name").unwrap();
    assert_eq!(sockets.connect(2, 1, 10, WHO), Err(Errno::ECONNREFUSED.into()));
    sockets.listen(1, 0, WHO).unwrap();
    assert_eq!(sockets.accept(1), Err(waits(Channel::SocketIn(1))));
    sockets.connect(2, 1, 10, WHO).unwrap();
    assert_eq!(sockets.connect(3, 1, 11, WHO), Err(waits(Channel::SocketQueue(1))));
    assert_eq!(send(&mut sockets, 2, b"early"), Ok(5));
    assert_eq!(sockets.accept(1), Ok(10));
    assert_eq!(receive(&mut sockets, 10, 9), Ok(b"early".to_vec()));
    sockets.connect(3, 1, 11, WHO).unwrap();
    // The one that waits is looked at first (`unix_stream_connect`, net/unix/af_unix.c).
    assert_eq!(sockets.connect(3, 1, 12, WHO), Err(waits(Channel::SocketQueue(1))));
    assert_eq!(sockets.connect(2, 2, 12, WHO), Err(Errno::ECONNREFUSED.into()));
    sockets.remove(1);
    assert_eq!(receive(&mut sockets, 3, 9), Err(Errno::ECONNRESET.into()));
    assert_eq!(sockets.connect(4, 1, 12, WHO), Err(Errno::ECONNREFUSED.into()));
    assert_eq!(sockets.get(11).map(|_| ()), Err(Errno::EBADF));
}

#[test]
fn a_direction_that_is_shut_down_ends_at_the_other_side() {
    let (mut sockets, _) = pair(Kind::Stream);
    send(&mut sockets, 1, b"last").unwrap();
    sockets.shut_down(1, Shut { receiving: false, sending: true }).unwrap();
    assert_eq!(send(&mut sockets, 1, b"x"), Err(Errno::EPIPE.into()));
    assert_eq!(receive(&mut sockets, 2, 9), Ok(b"last".to_vec()));
    assert_eq!(receive(&mut sockets, 2, 9), Ok(Vec::new()));
    assert_ne!(sockets.readiness(2).events & bits::READ_HANG_UP, 0);
    assert_eq!(sockets.readiness(2).events & bits::HANG_UP, 0);
    assert_eq!(send(&mut sockets, 2, b"back"), Ok(4));
    assert_eq!(receive(&mut sockets, 1, 9), Ok(b"back".to_vec()));
}

fn new_file(object: Object) -> crate::open::Description {
    let kept = crate::kept::Kept::in_own_memory().tables;
    OpenFile::new(kept, object, 0, Vec::new()).unwrap()
}

#[test]
fn sockets_that_only_their_queues_keep_are_found() {
    let (mut sockets, _) = pair(Kind::Stream);
    let closed = Closed::default();
    let open = |number| {
        let numbered = Numbered::new(Table::Socket, number, &closed);
        new_file(Object::Numbered(numbered))
    };
    let (one, two) = (open(1), open(2));
    for (number, file) in [(1, &one), (1, &two), (2, &one)] {
        let mut control = Control { rights: alloc::vec![file.clone()], who: None };
        sockets.send_bytes(number, b"x", &mut control, || WHO).unwrap();
    }
    drop(one);
    assert!(sockets.collect().is_empty());
    drop(two);
    assert_eq!(sockets.flying, 3);
    drop(sockets.collect());
    let mut numbers: Vec<u64> = closed.take_numbered().into_iter().map(|(_, one)| one).collect();
    numbers.sort_unstable();
    assert_eq!((numbers, sockets.flying), (alloc::vec![1, 2], 0));
    for number in [1, 2] {
        sockets.remove(number);
    }
    assert_eq!((sockets.len(), sockets.queued), (0, 0));
}

#[test]
fn there_is_a_most_of_sockets_and_of_descriptors_in_flight() {
    let (mut sockets, _) = pair(Kind::Datagram);
    let file = new_file(Object::Device(crate::open::Device::Null, None));
    let mut full = Control { rights: alloc::vec![file; MAX_IN_FLIGHT], who: None };
    let mut more = full.clone();
    more.rights.truncate(1);
    assert_eq!(sockets.send_packet(1, None, b"x", &mut full, || WHO), Ok(1));
    let refused = sockets.send_packet(1, None, b"x", &mut more, || WHO);
    assert_eq!(refused, Err(Errno::ETOOMANYREFS.into()));
    for number in 3..=MAX_SOCKETS as u64 {
        sockets.add(number, Kind::Stream, WHO).unwrap();
    }
    assert_eq!(sockets.add(0, Kind::Stream, WHO), Err(Errno::ENFILE));
}
