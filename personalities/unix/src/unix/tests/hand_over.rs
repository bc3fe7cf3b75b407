//! Bytes that go straight to a reader who waits: what others see of it is what pipe(7) says.

use super::*;

const KILL: u32 = 62;
const POLL: u32 = 7;
const FIONREAD: u64 = 0x541b;
const IOCTL: u32 = 16;
const SIGSTOP: u64 = 19;
const SIGCONT: u64 = 18;

/// Returns a bench with a writer and its child, and the ends of a pipe to read and to write.
fn piped() -> (Bench, Pid, Pid, u64, u64) {
    let mut bench = Bench::new();
    let writer = bench.launch();
    assert_eq!(bench.value(writer, PIPE, &[DATA]), 0);
    let ends = bench.peek(writer, DATA, 8);
    let reader = fork(&mut bench, writer);
    (bench, writer, reader, ends[0].into(), ends[4].into())
}

fn unread(bench: &mut Bench, pid: Pid, from: u64) -> u8 {
    assert_eq!(bench.value(pid, IOCTL, &[from, FIONREAD, DATA + 64]), 0);
    bench.peek(pid, DATA + 64, 1)[0]
}

#[test]
fn a_reader_that_waits_is_given_what_is_written() {
    let (mut bench, writer, reader, from, to) = piped();
    for round in 0..3 {
        bench.waits(reader, READ, &[from, DATA, 10]);
        bench.poke(writer, DATA, &[b'a' + round; 10]);
        assert_eq!(bench.value(writer, WRITE, &[to, DATA, 10]), 10);
        assert_eq!(bench.answer(reader), Some(Reply::Value(10)));
        assert_eq!(bench.peek(reader, DATA, 10), [b'a' + round; 10]);
        assert_eq!(unread(&mut bench, writer, from), 0);
    }
}

#[test]
fn what_a_reader_has_no_room_for_stays_in_the_pipe() {
    let (mut bench, writer, reader, from, to) = piped();
    bench.waits(reader, READ, &[from, DATA, 3]);
    bench.poke(writer, DATA, b"12345");
    assert_eq!(bench.value(writer, WRITE, &[to, DATA, 5]), 5);
    assert_eq!(bench.answer(reader), Some(Reply::Value(3)));
    assert_eq!(bench.value(reader, READ, &[from, DATA, 10]), 2);
    assert_eq!(bench.peek(reader, DATA, 2), b"45");
}

#[test]
fn of_two_readers_the_first_is_given_it() {
    let (mut bench, writer, reader, from, to) = piped();
    let other = fork(&mut bench, reader);
    bench.waits(other, READ, &[from, DATA, 10]);
    bench.waits(reader, READ, &[from, DATA, 10]);
    assert_eq!(bench.value(writer, WRITE, &[to, DATA, 1]), 1);
    assert_eq!((bench.answer(other), bench.answer(reader)), (Some(Reply::Value(1)), None));
    assert_eq!(bench.value(writer, WRITE, &[to, DATA, 2]), 2);
    assert_eq!(bench.answer(reader), Some(Reply::Value(2)));
}

#[test]
fn who_polls_goes_on_polling_or_is_told_of_bytes() {
    let (mut bench, writer, reader, from, to) = piped();
    bench.poke(reader, DATA, &[from as u8, 0, 0, 0, 1, 0, 0, 0]);
    bench.waits(reader, POLL, &[DATA, 1, u64::MAX]);
    assert_eq!(bench.value(writer, WRITE, &[to, DATA, 2]), 2);
    assert_eq!(bench.answer(reader), Some(Reply::Value(1)));
    assert_eq!(unread(&mut bench, writer, from), 2);
}

#[test]
fn a_stopped_reader_takes_nothing() {
    let (mut bench, writer, reader, from, to) = piped();
    bench.waits(reader, READ, &[from, DATA, 10]);
    assert_eq!(bench.value(writer, KILL, &[reader.0.into(), SIGSTOP]), 0);
    assert_eq!(bench.value(writer, WRITE, &[to, DATA, 4]), 4);
    assert_eq!((bench.answer(reader), unread(&mut bench, writer, from)), (None, 4));
    assert_eq!(bench.value(writer, KILL, &[reader.0.into(), SIGCONT]), 0);
    assert_eq!(bench.answer(reader), Some(Reply::Value(4)));
}

#[test]
fn a_bad_address_is_the_readers_error() {
    let (mut bench, writer, reader, from, to) = piped();
    bench.waits(reader, READ, &[from, 8, 10]);
    assert_eq!(bench.value(writer, WRITE, &[to, DATA, 4]), 4);
    assert_eq!(bench.answer(reader), Some(Reply::Value(Errno::EFAULT.to_rax())));
}
