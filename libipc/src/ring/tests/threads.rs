//! Two threads, each asleep whenever there is nothing to do: nothing is lost, or the test hangs.
extern crate std;

use alloc::vec::Vec;
use std::thread;

use super::{Refused, attach, shape};
use crate::ring::{Client, Pending, RingError, Served, Server, Submission, Ticket};
use crate::{Notification, Object, Rights, Time, loopback};

const READS: u64 = 20_000;
const ENTRIES: u32 = 8;
const STOP: u32 = 2;

/// Serves until it is told to stop; answers later than it takes, in another order.
fn serve(mut ring: Server, bell: Notification) -> Result<(), RingError> {
    let (mut held, mut is_over) = (Vec::<(Ticket, Submission)>::new(), false);
    while !is_over {
        let served = ring.serve(|ring, ticket, submission| {
            is_over |= submission.operation == STOP;
            held.push((ticket, submission));
            if held.len() == ENTRIES as usize / 2 {
                answer(ring, &mut held);
            }
        })?;
        answer(&mut ring, &mut held);
        ring.flush()?;
        if served == Served::All && !is_over {
            bell.wait(Time::FOREVER)?;
        }
    }
    Ok(())
}

fn answer(ring: &mut Server, held: &mut Vec<(Ticket, Submission)>) {
    while let Some((ticket, submission)) = held.pop() {
        let [number, _] = submission.arguments;
        ring.area().write(submission.buffer, &number.wrapping_mul(3).to_le_bytes());
        ring.complete(ticket, Ok::<_, Refused>(number));
    }
}

#[test]
fn eight_reads_in_flight_between_two_threads_that_sleep() {
    let (memory, own) = (loopback::memory(shape(ENTRIES).pages()), loopback::notification());
    let server_bell = loopback::notification();
    let mut thread = None;
    let ring = Client::open(memory, own, shape(ENTRIES), |memory, bell| {
        let server = attach(memory, bell)?;
        thread = Some(thread::spawn(move || serve(server, server_bell)));
        Ok::<_, RingError>(server_bell.mint(Rights::SEND, 1)?)
    });
    let mut ring = ring.unwrap();
    let (mut pending, mut number, mut sum) = (Pending::new(), 0, 0);
    let mut buffers: Vec<_> = ring.area().buffers(16).take(ENTRIES as usize).collect();
    loop {
        while number < READS
            && let Some(buffer) = buffers.pop()
        {
            let token = pending.insert((buffer, number));
            let read = Submission::new(token, 1).with_buffer(buffer).with_arguments([number, 0]);
            ring.submit(read).unwrap();
            number += 1;
        }
        let Some(done) = ring.wait(Time::FOREVER).unwrap() else { break };
        let (buffer, number) = pending.remove(done.token).unwrap();
        assert_eq!(done.value, number);
        assert_eq!(ring.area().load(buffer.first(8)), Some([number.wrapping_mul(3)]));
        buffers.push(buffer);
        sum += done.value;
    }
    assert_eq!(sum, READS * (READS - 1) / 2);
    ring.submit(Submission::new(0, STOP)).unwrap();
    ring.flush().unwrap();
    assert_eq!(thread.unwrap().join().unwrap(), Ok(()));
}
