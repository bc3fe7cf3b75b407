//! Tests of sockets and descriptors of events as programs see them.

use super::*;
use crate::linux::structures::Fields;
use crate::socket::DEFAULT_BUFFER;

const POLL: u32 = 7;
const SOCKET: u32 = 41;
const CONNECT: u32 = 42;
const ACCEPT: u32 = 43;
const SENDMSG: u32 = 46;
const RECVMSG: u32 = 47;
const BIND: u32 = 49;
const LISTEN: u32 = 50;
const SOCKETPAIR: u32 = 53;
const SETSOCKOPT: u32 = 54;
const EPOLL_CTL: u32 = 233;
const EPOLL_WAIT: u32 = 232;
const TIMERFD_CREATE: u32 = 283;
const TIMERFD_SETTIME: u32 = 286;
const SIGNALFD4: u32 = 289;
const EVENTFD2: u32 = 290;
const EPOLL_CREATE1: u32 = 291;
const SIGPROCMASK: u32 = 14;

const NO_WAIT: u64 = 0o4000;

fn pair(bench: &mut Bench, pid: Pid, kind: u64) -> (u64, u64) {
    assert_eq!(bench.value(pid, SOCKETPAIR, &[1, kind, 0, DATA]), 0);
    let bytes = bench.peek(pid, DATA, 8);
    (bytes[0].into(), bytes[4].into())
}

fn watch(bench: &mut Bench, pid: Pid, list: u64, fd: u64, events: u32) {
    bench.poke(pid, DATA, &Fields::default().u32(events).u64(fd).0);
    assert_eq!(bench.value(pid, EPOLL_CTL, &[list, 1, fd, DATA]), 0);
}

/// Returns what a list reports without waiting: events and data.
fn reports(bench: &mut Bench, pid: Pid, list: u64) -> alloc::vec::Vec<(u32, u8)> {
    let count = bench.value(pid, EPOLL_WAIT, &[list, DATA, 10, 0]) as usize;
    let bytes = bench.peek(pid, DATA, 12 * count);
    let event = |one: &[u8]| (u32::from_le_bytes(*one.first_chunk().unwrap()), one[4]);
    bytes.chunks_exact(12).map(event).collect()
}

#[test]
fn a_reader_that_waits_at_a_socket_gets_what_the_other_side_sends() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let (one, two) = pair(&mut bench, parent, 1);
    let child = fork(&mut bench, parent);
    bench.waits(child, READ, &[two, DATA, 10]);
    bench.poke(parent, DATA, b"ping");
    assert_eq!(bench.value(parent, WRITE, &[one, DATA, 4]), 4);
    assert_eq!(bench.answer(child), Some(Reply::Value(4)));
    assert_eq!(bench.peek(child, DATA, 4), b"ping");
    for (pid, fd) in [(child, one), (child, two), (parent, one)] {
        bench.value(pid, CLOSE, &[fd]);
    }
    assert_eq!(bench.value(parent, READ, &[two, DATA, 10]), 0);
    bench.value(parent, CLOSE, &[two]);
    bench.unix.notified(0);
    assert!(bench.unix.sockets.is_empty());
}

#[test]
fn a_writer_that_waits_for_room_goes_on_where_it_stood() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (one, two) = pair(&mut bench, pid, 1);
    let child = fork(&mut bench, pid);
    for _ in 0..DEFAULT_BUFFER / 0x1000 {
        assert_eq!(bench.value(child, WRITE, &[one, SCRATCH, 0x1000]), 0x1000);
    }
    bench.waits(child, WRITE, &[one, SCRATCH, 0x1000]);
    for _ in 0..DEFAULT_BUFFER / 0x1000 {
        assert_eq!(bench.value(pid, READ, &[two, SCRATCH, 0x1000]), 0x1000);
    }
    assert_eq!(bench.answer(child), Some(Reply::Value(0x1000)));
}

#[test]
fn a_path_is_bound_connected_to_and_accepted_from() {
    let mut bench = Bench::new();
    let server = bench.launch();
    let listener = bench.value(server, SOCKET, &[1, 1, 0]);
    let name = [&1u16.to_le_bytes()[..], b"/tmp/s\0"].concat();
    bench.poke(server, DATA, &name);
    assert_eq!(bench.value(server, BIND, &[listener, DATA, 9]), 0);
    bench.error(server, BIND, &[listener, DATA, 9], Errno::EADDRINUSE);
    let client = fork(&mut bench, server);
    let socket = bench.value(client, SOCKET, &[1, 1, 0]);
    bench.error(client, CONNECT, &[socket, DATA, 9], Errno::ECONNREFUSED);
    assert_eq!(bench.value(server, LISTEN, &[listener, 0]), 0);
    bench.waits(server, ACCEPT, &[listener, 0, 0]);
    assert_eq!(bench.value(client, CONNECT, &[socket, DATA, 9]), 0);
    let Some(Reply::Value(accepted)) = bench.answer(server) else { panic!("not accepted") };
    assert_eq!(bench.value(client, WRITE, &[socket, DATA, 5]), 5);
    assert_eq!(bench.value(server, READ, &[accepted, DATA, 9]), 5);
    // One more waits in the backlog, the next waits for its place there.
    for expected in [Some(Reply::Value(0)), None] {
        let more = bench.value(client, SOCKET, &[1, 1, 0]);
        assert_eq!(bench.call(client, CONNECT, [more, DATA, 9, 0, 0, 0]), expected);
    }
    bench.value(server, ACCEPT, &[listener, 0, 0]);
    assert_eq!(bench.answer(client), Some(Reply::Value(0)));
}

#[test]
fn descriptors_go_through_a_socket_and_bad_headers_are_refused() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (one, two) = pair(&mut bench, pid, 1);
    let (read, write) = make_pipe(&mut bench, pid);
    const AT: u64 = DATA + 0x100;
    let header = |control: u64, len: u64| {
        Fields::default().u64(0).u64(0).u64(AT).u64(1).u64(control).u64(len).u64(0).0
    };
    bench.poke(pid, AT, &Fields::default().u64(AT + 16).u64(1).0);
    bench.poke(pid, AT + 32, &Fields::default().u64(20).u32(1).u32(1).u32(write as u32).0);
    bench.poke(pid, DATA, &header(AT + 32, 24));
    assert_eq!(bench.value(pid, SENDMSG, &[one, DATA, 0]), 1);
    bench.value(pid, CLOSE, &[write]);
    assert_eq!(bench.value(pid, RECVMSG, &[two, DATA, 0]), 1);
    let passed = bench.peek(pid, AT + 48, 1)[0].into();
    assert_eq!(bench.value(pid, WRITE, &[passed, DATA, 1]), 1);
    assert_eq!(bench.value(pid, READ, &[read, DATA, 9]), 1);
    for (control, len, errno) in [(0x1234, 24, Errno::EFAULT), (AT + 32, 1 << 40, Errno::ENOBUFS)] {
        bench.poke(pid, DATA, &header(control, len));
        bench.error(pid, SENDMSG, &[one, DATA, 0], errno);
    }
    bench.error(pid, SENDMSG, &[one, 0x1234, 0], Errno::EFAULT);
    bench.error(pid, SENDMSG, &[read, DATA, 0], Errno::ENOTSOCK);
}

#[test]
fn receiving_ends_when_its_timeout_has_passed() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (one, _) = pair(&mut bench, pid, 1);
    bench.poke(pid, DATA, &Fields::default().u64(0).u64(1000).0);
    assert_eq!(bench.value(pid, SETSOCKOPT, &[one, 1, 20, DATA, 16]), 0);
    bench.waits(pid, READ, &[one, DATA, 9]);
    bench.pass(999_999);
    assert_eq!(bench.answer(pid), None);
    bench.pass(1);
    assert_eq!(bench.answer(pid), Some(Reply::Value(Errno::EAGAIN.to_rax())));
}

#[test]
fn an_edge_is_reported_once_and_a_level_as_long_as_it_lasts() {
    const EDGE: u32 = 1 << 31;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let list = bench.value(pid, EPOLL_CREATE1, &[0]);
    let (one, two) = pair(&mut bench, pid, 1);
    let (read, write) = make_pipe(&mut bench, pid);
    watch(&mut bench, pid, list, one, 1 | EDGE);
    watch(&mut bench, pid, list, read, 1);
    assert_eq!(reports(&mut bench, pid, list), []);
    bench.value(pid, WRITE, &[two, DATA, 2]);
    bench.value(pid, WRITE, &[write, DATA, 2]);
    assert_eq!(reports(&mut bench, pid, list), [(1, one as u8), (1, read as u8)]);
    assert_eq!(reports(&mut bench, pid, list), [(1, read as u8)]);
    bench.value(pid, READ, &[one, DATA, 1]);
    bench.value(pid, READ, &[read, DATA, 9]);
    assert_eq!(reports(&mut bench, pid, list), []);
    bench.value(pid, WRITE, &[two, DATA, 1]);
    assert_eq!(reports(&mut bench, pid, list), [(1, one as u8)]);
    bench.waits(pid, EPOLL_WAIT, &[list, DATA, 10, u64::MAX]);
    let child = fork(&mut bench, pid);
    bench.value(child, WRITE, &[write, DATA, 1]);
    assert_eq!(bench.answer(pid), Some(Reply::Value(1)));
}

#[test]
fn a_description_that_is_gone_is_watched_by_no_list() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let list = bench.value(pid, EPOLL_CREATE1, &[0]);
    let (one, _two) = pair(&mut bench, pid, 1);
    watch(&mut bench, pid, list, one, 4);
    assert_eq!(reports(&mut bench, pid, list).len(), 1);
    bench.value(pid, CLOSE, &[one]);
    assert_eq!(reports(&mut bench, pid, list), []);
    bench.value(pid, CLOSE, &[list]);
    bench.unix.notified(0);
    assert!(bench.unix.epolls.is_empty());
}

#[test]
fn lists_must_not_watch_one_another_in_a_circle_nor_too_deep() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let mut lists = alloc::vec![bench.value(pid, EPOLL_CREATE1, &[0])];
    for _ in 1..crate::events::epoll::MAX_DEPTH {
        let list = bench.value(pid, EPOLL_CREATE1, &[0]);
        watch(&mut bench, pid, list, *lists.last().unwrap(), 1);
        lists.push(list);
    }
    let top = bench.value(pid, EPOLL_CREATE1, &[0]);
    bench.poke(pid, DATA, &[1, 0, 0, 0]);
    bench.error(pid, EPOLL_CTL, &[top, 1, *lists.last().unwrap(), DATA], Errno::ELOOP);
    bench.error(pid, EPOLL_CTL, &[lists[0], 1, *lists.last().unwrap(), DATA], Errno::ELOOP);
    bench.error(pid, EPOLL_CTL, &[top, 1, top, DATA], Errno::EINVAL);
    // What happens at the bottom is seen at the top.
    let counter = bench.value(pid, EVENTFD2, &[1, NO_WAIT]);
    watch(&mut bench, pid, lists[0], counter, 1);
    assert_eq!(reports(&mut bench, pid, *lists.last().unwrap()).len(), 1);
}

// On every way once, that would be 40^3 lists for each that is added at the top, and 40^4 for each
// look at it (fs/eventpoll.c, loop_check_gen).
#[test]
fn layers_of_lists_are_looked_at_once() {
    const WIDTH: usize = 40;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let counter = bench.value(pid, EVENTFD2, &[1, NO_WAIT]);
    let mut below = alloc::vec![counter];
    for _ in 1..crate::events::epoll::MAX_DEPTH {
        let mut layer = alloc::vec::Vec::new();
        for _ in 0..WIDTH {
            let list = bench.value(pid, EPOLL_CREATE1, &[0]);
            below.iter().for_each(|&fd| watch(&mut bench, pid, list, fd, 1));
            layer.push(list);
        }
        below = layer;
    }
    let top = bench.value(pid, EPOLL_CREATE1, &[0]);
    below.iter().for_each(|&fd| watch(&mut bench, pid, top, fd, 1));
    assert!(!reports(&mut bench, pid, top).is_empty());
    assert_eq!(bench.value(pid, READ, &[counter, DATA, 8]), 8);
    assert_eq!(reports(&mut bench, pid, top).len(), 0);
}

#[test]
fn a_timer_descriptor_wakes_its_reader_and_who_polls_it() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let timer = bench.value(pid, TIMERFD_CREATE, &[1, 0]);
    bench.poke(pid, DATA, &Fields::default().time(0).time(5_000).0);
    assert_eq!(bench.value(pid, TIMERFD_SETTIME, &[timer, 0, DATA, 0]), 0);
    bench.waits(pid, READ, &[timer, DATA, 8]);
    bench.pass(4_999);
    assert_eq!(bench.answer(pid), None);
    bench.pass(1);
    assert_eq!(bench.answer(pid), Some(Reply::Value(8)));
    bench.poke(pid, DATA, &Fields::default().time(0).time(5_000).0);
    bench.value(pid, TIMERFD_SETTIME, &[timer, 0, DATA, 0]);
    bench.poke(pid, DATA, &Fields::default().u32(timer as u32).u32(1).0);
    bench.waits(pid, POLL, &[DATA, 1, u64::MAX]);
    bench.pass(5_000);
    assert_eq!(bench.answer(pid), Some(Reply::Value(1)));
}

#[test]
fn a_signal_descriptor_gives_what_is_blocked_even_if_it_would_be_ignored() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let set = 1u64 << (signals::SIGCHLD - 1);
    bench.poke(pid, DATA, &set.to_le_bytes());
    assert_eq!(bench.value(pid, SIGPROCMASK, &[0, DATA, 0, 8]), 0);
    let fd = bench.value(pid, SIGNALFD4, &[u64::MAX, DATA, 8, 0]);
    let child = fork(&mut bench, pid);
    bench.waits(pid, READ, &[fd, DATA, 128]);
    assert_eq!(bench.call(child, EXIT_GROUP, [7, 0, 0, 0, 0, 0]), None);
    assert_eq!(bench.answer(pid), Some(Reply::Value(128)));
    let info = bench.peek(pid, DATA, 44);
    assert_eq!((info[0], u32::from(info[12]), info[40]), (signals::SIGCHLD, child.0, 7));
}

#[test]
fn other_families_are_refused_as_by_a_kernel_without_them() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    for family in [2, 10, 16, 99] {
        bench.error(pid, SOCKET, &[family, 1, 0], Errno::EAFNOSUPPORT);
    }
    bench.error(pid, SOCKET, &[1, 9, 0], Errno::ESOCKTNOSUPPORT);
    bench.error(pid, SOCKET, &[1, 1, 9], Errno::EPROTONOSUPPORT);
    bench.error(pid, SOCKETPAIR, &[1, 1, 0, 0x1234], Errno::EFAULT);
    bench.unix.notified(0);
    assert!(bench.unix.sockets.is_empty());
}

#[test]
fn few_bytes_and_many_keep_their_order() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (one, two) = pair(&mut bench, pid, 1);
    assert_eq!(bench.value(pid, PIPE, &[DATA]), 0);
    let ends = bench.peek(pid, DATA, 8);
    for (read, write) in [(two, one), (ends[0].into(), ends[4].into())] {
        for bytes in [&b"abc"[..], &[b'x'; 100], b"def"] {
            bench.poke(pid, DATA, bytes);
            let len = bytes.len() as u64;
            assert_eq!(bench.value(pid, WRITE, &[write, DATA, len]), len);
        }
        let reads = [(2, 2, "ab", "ab"), (80, 80, "cx", "xx"), (64, 24, "xx", "xdef")];
        for (len, wanted, begin, end) in reads {
            let count = bench.value(pid, READ, &[read, DATA, len]);
            assert_eq!(count, wanted);
            let bytes = bench.peek(pid, DATA, count as usize);
            assert!(
                bytes.starts_with(begin.as_bytes()) && bytes.ends_with(end.as_bytes()),
                "{len}"
            );
        }
        bench.error(pid, WRITE, &[write, 8, 3], Errno::EFAULT);
        bench.waits(pid, READ, &[read, DATA, 3]);
        bench.answer(pid);
        let other = fork(&mut bench, pid);
        bench.poke(other, DATA, b"!");
        assert_eq!(bench.value(other, WRITE, &[write, DATA, 1]), 1);
        assert_eq!(bench.answer(pid), Some(Reply::Value(1)));
    }
}
