//! What pipes hold, and who learns of it.

use alloc::vec::Vec;

use super::*;
use crate::kept::Kept;
use crate::wake::Wakes;

const NODE: Node = protocols::file::Node(77);

fn pipes(wakes: &Wakes) -> Pipes {
    Pipes::new(&mut Kept::in_own_memory(), wakes)
}

fn ends() -> (End, End, Wakes) {
    let wakes = Wakes::default();
    let (read, write) = pipes(&wakes).pipe(1, Owner::default()).unwrap();
    wakes.take();
    (read, write, wakes)
}

#[test]
fn bytes_come_out_in_order_across_the_ring() {
    let (read, write, _) = ends();
    let mut next = (0u8, 0u8);
    for size in [1usize, 4096, 60_000, 70_000, 3, 65_536] {
        let bytes: Vec<u8> = (0..size).map(|_| take(&mut next.0)).collect();
        let Moved::Bytes(count) = write.write(&bytes) else { panic!("no room") };
        next.0 = bytes.get(count).copied().unwrap_or(next.0);
        let mut out = alloc::vec![0; count];
        assert_eq!(read.read(&mut out), Moved::Bytes(count));
        assert!(out.iter().all(|&byte| byte == take(&mut next.1)));
    }
}

fn take(counter: &mut u8) -> u8 {
    let value = *counter;
    *counter = counter.wrapping_add(1);
    value
}

#[test]
fn an_empty_pipe_waits_until_the_last_writer_is_gone() {
    let (read, write, _) = ends();
    let second = write.clone();
    drop(write);
    assert_eq!(read.read(&mut [0; 4]), Moved::Nothing);
    drop(second);
    assert_eq!(read.read(&mut [0; 4]), Moved::Bytes(0));
}

#[test]
fn small_writes_are_whole_or_wait_and_large_ones_are_cut() {
    let (_read, write, _) = ends();
    assert_eq!(write.write(&[0; CAPACITY - 10]), Moved::Bytes(CAPACITY - 10));
    assert_eq!(write.write(&[0; 11]), Moved::Nothing);
    assert_eq!(write.write(&[0; ATOMIC + 1]), Moved::Bytes(10));
    assert_eq!(write.write(&[0; ATOMIC + 1]), Moved::Nothing);
}

#[test]
fn writing_without_readers_is_broken_and_closing_wakes() {
    let (read, write, wakes) = ends();
    drop(read);
    assert_eq!(wakes.take(), [Channel::PipeOut(1)]);
    assert_eq!(write.write(b"x"), Moved::Broken);
    assert!(write.is_hung_up());
}

#[test]
fn writers_are_woken_until_a_small_write_finds_room() {
    let (read, write, wakes) = ends();
    assert_eq!(write.write(&[0; CAPACITY]), Moved::Bytes(CAPACITY));
    assert_eq!(wakes.take(), [Channel::PipeIn(1)]);
    assert_eq!(read.read(&mut [0; ATOMIC - 1]), Moved::Bytes(ATOMIC - 1));
    assert_eq!(wakes.take(), [Channel::PipeOut(1)]);
    assert!(!write.has_page());
    assert_eq!(read.read(&mut [0; 1]), Moved::Bytes(1));
    assert_eq!(wakes.take(), [Channel::PipeOut(1)]);
    assert_eq!(read.read(&mut [0; 1]), Moved::Bytes(1));
    assert!(wakes.is_empty() && write.has_page());
}

#[test]
fn a_capacity_is_a_power_of_two_of_pages_that_holds_what_is_there() {
    let (_read, write, _) = ends();
    assert_eq!(write.set_capacity(5000), Ok(8192));
    assert_eq!(write.write(&[0; 10_000]), Moved::Bytes(8192));
    assert_eq!(write.set_capacity(0), Err(Errno::EBUSY));
    assert_eq!(write.set_capacity(MAX_CAPACITY + 1), Err(Errno::EPERM));
    assert_eq!(write.set_capacity(usize::MAX), Err(Errno::EINVAL));
    assert_eq!(write.set_capacity(MAX_CAPACITY), Ok(MAX_CAPACITY));
}

#[test]
fn what_a_pipe_holds_stays_in_order_when_its_capacity_changes() {
    let (read, write, _) = ends();
    let mut next = (0u8, 0u8);
    let mut put = |count: usize| {
        let bytes: Vec<u8> = (0..count).map(|_| take(&mut next.0)).collect();
        assert_eq!(write.write(&bytes), Moved::Bytes(count));
    };
    let mut get = |count: usize| {
        let mut out = alloc::vec![0; count];
        assert_eq!(read.read(&mut out), Moved::Bytes(count));
        assert!(out.iter().all(|&byte| byte == take(&mut next.1)), "out of order");
    };
    put(CAPACITY);
    get(CAPACITY - 100);
    put(3000);
    // It lies around the end of its ring.
    for capacity in [2 * CAPACITY, MAX_CAPACITY, 8192, 4096, 16_384] {
        assert_eq!(write.set_capacity(capacity), Ok(capacity));
        get(500);
        put(500);
    }
    get(3100);
    assert!(read.is_empty());
}

#[test]
fn large_pipes_have_a_bound_together() {
    let pipes = pipes(&Wakes::default());
    let new = |id| pipes.pipe(id, Owner::default()).unwrap().0;
    let large: Vec<End> = (0..9).map(new).collect();
    // Nine of 64 KiB lie in the first MiB.
    let grown = large.iter().filter(|end| end.set_capacity(MAX_CAPACITY).is_ok());
    assert_eq!(grown.count(), POOL / MAX_CAPACITY - 1);
    let last = new(99);
    assert_eq!(last.capacity(), SCARCE_CAPACITY);
    assert_eq!(last.set_capacity(MAX_CAPACITY), Err(Errno::EPERM));
    drop(large);
    assert_eq!(last.set_capacity(MAX_CAPACITY), Ok(MAX_CAPACITY));
}

#[test]
fn there_is_a_most_of_them() {
    let pipes = pipes(&Wakes::default());
    let all: Vec<_> =
        (0..MAX_PIPES as u64).map(|id| pipes.pipe(id, Owner::default()).unwrap()).collect();
    assert_eq!(pipes.pipe(0, Owner::default()).unwrap_err(), Errno::ENFILE);
    assert_eq!(pipes.named(0, NODE, Direction::Read).unwrap_err(), Errno::ENFILE);
    drop(all);
    assert_eq!(pipes.count(), 0);
    assert!(pipes.pipe(0, Owner::default()).is_ok());
}

#[test]
fn a_reader_that_came_first_is_hung_up_only_after_a_writer_was_there() {
    let read = pipes(&Wakes::default()).named(1, NODE, Direction::Read).unwrap();
    assert!(!read.is_hung_up() && !read.has_other());
    let write = read.downgrade().end(Direction::Write).unwrap();
    assert!(!read.is_hung_up() && read.has_other());
    drop(write);
    assert!(read.is_hung_up());
    let both = read.downgrade().end(Direction::Both).unwrap();
    assert_eq!(both.write(b"x"), Moved::Bytes(1));
    assert_eq!(both.read(&mut [0; 4]), Moved::Bytes(1));
    assert!(!both.is_hung_up());
}
